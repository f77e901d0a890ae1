import { assertEquals, assertLess } from "@std/assert";
import { inTime } from "../support/deadline.ts";
import type { Example } from "../support/example_process.ts";

/** A request that the examples' server answers with a greeting. */
export const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/** An answer of the examples' server, with DATE for its date. */
export function answer(status: string, body: string, ...fields: string[]): string {
  const head = [`HTTP/1.1 ${status}`, `Content-Length: ${body.length}`, "Date: DATE", ...fields];
  return `${head.join("\r\n")}\r\n\r\n${body}`;
}

function withoutDate(text: string): string {
  return text.replaceAll(/Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT/g, "Date: DATE");
}

/** Sends requests, half-closes unless told otherwise, and reads to the end. */
export async function ask(port: number, requests: string, isHalfClosed = true): Promise<string> {
  const connection = await Deno.connect({ port });
  const sending = (async () => {
    const bytes = encode(requests);
    for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
    if (isHalfClosed) await connection.closeWrite();
  })();
  const [received] = await Promise.all([readAll(connection), sending]);
  return received;
}

/** Reads to the end. */
export async function readAll(connection: Deno.Conn): Promise<string> {
  return withoutDate(await inTime(new Response(connection.readable).text(), "the end"));
}

/** Reads once. */
export async function read(connection: Deno.Conn): Promise<string> {
  const buffer = new Uint8Array(1000);
  const size = await inTime(connection.read(buffer), "an answer") ?? 0;
  return withoutDate(new TextDecoder().decode(buffer.subarray(0, size)));
}

/** Encodes text in Latin-1. */
export function encode(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/**
 * Asserts that a server stops reading from a client that does not read, and answers all that the
 * client sent once it reads.
 *
 * @param greeting The answer to `GET`
 */
export async function assertBackPressure(server: Example, greeting: string): Promise<void> {
  // The memory of the work itself does not count.
  await ask(server.port, GET.repeat(20_000));
  const before = server.memory;
  const connection = await Deno.connect({ port: server.port });
  const requests = encode(GET.repeat(1000));
  let sent = 0;
  let isStopped = false;
  const sending = (async () => {
    for (; !isStopped && sent < 1000; sent++) {
      for (let at = 0; at < requests.length;) at += await connection.write(requests.subarray(at));
    }
    await connection.closeWrite();
  })();
  sending.catch(() => {}); // When the test has failed already.
  for (let last = -1; sent > last;) {
    last = sent;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  isStopped = true;
  assertLess(sent, 1000, "The sender was never stopped");
  assertLess(server.memory - before, 32 << 20);
  const answers = await readAll(connection);
  await sending;
  assertEquals(answers === greeting.repeat(sent * 1000), true);
}
