/**
 * Clients of servers whose calls fail.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { whenReadable } from "../../mod.ts";
import { AF_INET, setMulticastInterface, SOCK_DGRAM, Socket } from "../../ffi/socket/mod.ts";
import { inTime } from "../support/deadline.ts";
import type { Lines } from "../support/lines.ts";
import { assertSameBytes, datagrams } from "../support/sockets.ts";

/** Asks a server once. Returns whether the whole answer came; what comes must be right. */
export type Ask = () => Promise<boolean>;

/** What is asked of a server, and answered. */
export interface Exchange {
  readonly request: Uint8Array<ArrayBuffer>;
  readonly answer: Uint8Array;
  /** The end of what comes before the answer. */
  readonly after?: string;
}

/** How long a client waits before it repeats a datagram, in milliseconds. */
const PATIENCE = 200;

/** Asks on a connection of its own. */
export async function askStream(
  port: number,
  { request, answer, after }: Exchange,
): Promise<boolean> {
  let received = new Uint8Array();
  try {
    using connection = await Deno.connect({ port });
    const sent = send(connection, request).catch(() => {});
    const buffer = new Uint8Array(1 << 16);
    for (let size; (size = await inTime(connection.read(buffer), "an answer")) !== null;) {
      received = new Uint8Array([...received, ...buffer.subarray(0, size)]);
    }
    await sent;
  } catch (error) {
    if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
  }
  const body = received.subarray(after === undefined ? 0 : endOf(received, after));
  assertSameBytes(body, answer.subarray(0, body.length));
  return body.length === answer.length;
}

function endOf(received: Uint8Array, text: string): number {
  const at = new TextDecoder("latin1").decode(received).indexOf(text);
  return at < 0 ? received.length : at + text.length;
}

async function send(connection: Deno.TcpConn, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
  await connection.closeWrite();
}

/** Asks with a datagram, again and again until there is an answer. */
export async function askDatagram(port: number, { request, answer }: Exchange): Promise<boolean> {
  using socket = datagrams();
  const buffer = new Uint8Array(1 << 16);
  const receive = () => socket.recvFrom(buffer);
  const isAnswered = async () => {
    socket.sendTo(request, { hostname: "127.0.0.1", port });
    const received = await unlessLate((signal) => whenReadable(socket, receive, { signal }));
    if (received !== null) assertSameBytes(buffer.subarray(0, received.size), answer);
    return received !== null;
  };
  await inTime(repeat(isAnswered), "an answer");
  return true;
}

let texts = 0;

/** Sends a text to a group on loopback, again and again until the receiver has printed it. */
export async function askGroup(hostname: string, port: number, output: Lines): Promise<boolean> {
  using socket = new Socket(AF_INET, SOCK_DGRAM);
  setMulticastInterface(socket, "lo");
  const text = `text ${texts++}.`;
  const isPrinted = async () => {
    socket.sendTo(new TextEncoder().encode(text), { hostname, port });
    await new Promise((resolve) => setTimeout(resolve, PATIENCE / 10));
    return output.text.includes(text);
  };
  await inTime(repeat(isPrinted), "the text");
  return true;
}

let guests = 0;

/** Joins a chat as two guests, one of whom hears what the other says. */
export async function askChat(port: number): Promise<boolean> {
  const [anna, bob] = [`anna${guests++}`, `bob${guests++}`];
  try {
    using hearing = await Deno.connect({ port });
    using talking = await Deno.connect({ port });
    await say(hearing, bob);
    if (!await hears(hearing, `* Welcome, ${bob}.`)) return false;
    await say(talking, anna);
    if (!await hears(talking, `* Welcome, ${anna}.`)) return false;
    await say(talking, "hello");
    return await hears(hearing, `${anna}: hello\n`, `* ${anna} left\n`);
  } catch (error) {
    if (isReset(error)) return false;
    throw error;
  }
}

async function say(connection: Deno.TcpConn, line: string): Promise<void> {
  await connection.write(new TextEncoder().encode(`${line}\n`));
}

/** Reads until a text has come. Returns `false` at the end of the stream or for another text. */
async function hears(connection: Deno.TcpConn, text: string, end?: string): Promise<boolean> {
  const buffer = new Uint8Array(4096);
  for (let heard = ""; !heard.includes(text);) {
    if (end !== undefined && heard.includes(end)) return false;
    const size = await inTime(connection.read(buffer), JSON.stringify(text));
    if (size === null) return false;
    heard += new TextDecoder().decode(buffer.subarray(0, size));
  }
  return true;
}

function isReset(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe;
}

async function repeat(attempt: () => Promise<boolean>): Promise<void> {
  while (!await attempt());
}

async function unlessLate<T>(wait: (signal: AbortSignal) => Promise<T>): Promise<T | null> {
  const signal = AbortSignal.timeout(PATIENCE);
  try {
    return await wait(signal);
  } catch (error) {
    if (!signal.aborted) throw error;
    return null;
  }
}

/** Asks many times at once. */
export async function askAll(ask: Ask, count: number): Promise<boolean[]> {
  return await Promise.all(Array.from({ length: count }, ask));
}

/** Asks many times at once, and requires the whole answer each time. */
export async function assertServed(ask: Ask, count: number): Promise<void> {
  const wholes = await askAll(ask, count);
  assertEquals(wholes, wholes.map(() => true));
}
