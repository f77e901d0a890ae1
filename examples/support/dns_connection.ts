/**
 * DNS over TCP (RFC 7766): messages behind their length, many at once on one connection.
 *
 * @module
 */

import { readableStream, writableStream } from "@readiness/selectors";
import type { Socket } from "@readiness/selectors/socket";
import { concat, words } from "./dns_messages.ts";

/** How many messages may wait for their answers before no more are read. */
const MOST_PENDING = 32;

/**
 * Answers the messages of a connection until its end. Answers are sent in the order in which they
 * are ready.
 *
 * @param connection The connection, which stays open
 * @param idle How long to wait for a whole message, in milliseconds. Then the connection is done
 * @param answer Answers a message, or returns `null` if it gets none
 * @throws {OSError} If the connection breaks
 * @throws {Deno.errors.TimedOut} If the client did not take its answers in time
 */
export async function serveMessages(
  connection: Socket,
  idle: number,
  answer: (message: Uint8Array) => Promise<Uint8Array | null>,
): Promise<void> {
  const reader = readableStream(connection).getReader({ mode: "byob" });
  const writer = writableStream(connection).getWriter();
  const pending = new Set<Promise<void>>();
  let timer = setTimeout(expire, idle);
  try {
    for (let message; (message = await readMessage(reader)) !== null;) {
      clearTimeout(timer);
      timer = setTimeout(expire, idle);
      const sent = send(answer(message));
      pending.add(sent);
      sent.then(() => pending.delete(sent), stop);
      if (pending.size === MOST_PENDING) await Promise.race(pending);
    }
    await Promise.all(pending);
  } finally {
    clearTimeout(timer);
    stop();
  }

  async function send(answered: Promise<Uint8Array | null>): Promise<void> {
    const response = await answered;
    if (response !== null) await writer.write(concat([words(response.length), response]));
  }

  function expire(): void {
    stop(new Deno.errors.TimedOut("The client is too slow"));
  }

  function stop(reason?: unknown): void {
    // A stream that has failed rejects these with its error, which the functions above have, too.
    reader.cancel().catch(() => {});
    writer.abort(reason).catch(() => {});
  }
}

/** Reads a message, or returns `null` at the end of the stream. */
async function readMessage(reader: ReadableStreamBYOBReader): Promise<Uint8Array | null> {
  const length = await readBytes(reader, 2);
  return length === null ? null : await readBytes(reader, length[0]! << 8 | length[1]!);
}

async function readBytes(
  reader: ReadableStreamBYOBReader,
  size: number,
): Promise<Uint8Array | null> {
  if (size === 0) return new Uint8Array();
  const { value, done } = await reader.read(new Uint8Array(size), { min: size });
  return done ? null : value;
}
