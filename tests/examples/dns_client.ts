/**
 * A small DNS client, to ask what no other one asks.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { concat, TYPES, words } from "../../examples/support/dns_messages.ts";
import { encodeName } from "../../examples/support/dns_names.ts";
import { whenReadable } from "../../mod.ts";
import { inTime } from "../support/deadline.ts";
import { datagrams } from "../support/sockets.ts";

/** What of a query is unusual. */
export interface QueryOptions {
  id?: number;
  /** The size of datagrams in an OPT record, which is left out by default. */
  size?: number;
  class?: number;
  flags?: number;
  /** How many records of each section there are, whatever follows. */
  counts?: readonly number[];
  /** What follows the question. */
  rest?: Uint8Array;
}

/** Encodes a query. */
export function encodeQuery(
  name: string,
  type: string,
  { id = 7, size, class: questionClass = 1, flags = 0x100, counts, rest }: QueryOptions = {},
): Uint8Array<ArrayBuffer> {
  const records = size === undefined ? [] : [Uint8Array.of(0), words(41, size, 0, 0, 0)];
  return concat([
    words(id, flags, ...counts ?? [1, 0, 0, records.length / 2]),
    encodeName(name, 12),
    words(TYPES.get(type)!, questionClass),
    ...rest === undefined ? records : [rest],
  ]);
}

/** What the header of a response says. */
export interface ResponseHeader {
  id: number;
  isTruncated: boolean;
  code: number;
  /** How many records each section has. */
  counts: number[];
}

/** Decodes the header of a response. */
export function decodeResponse(message: Uint8Array): ResponseHeader {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const flags = view.getUint16(2);
  assertEquals(flags >> 15, 1, "It is not a response");
  return {
    id: view.getUint16(0),
    isTruncated: (flags & 0x200) !== 0,
    code: flags & 15,
    counts: [4, 6, 8, 10].map((offset) => view.getUint16(offset)),
  };
}

/** Sends messages in datagrams and returns the first response. */
export async function ask(
  port: number,
  messages: Uint8Array | readonly Uint8Array[],
  hostname = "127.0.0.1",
): Promise<Uint8Array> {
  using socket = datagrams();
  for (const message of [messages].flat()) socket.sendTo(message, { hostname, port });
  const buffer = new Uint8Array(65_535);
  const receive = () => socket.recvFrom(buffer);
  const { size, address } = await inTime(whenReadable(socket, receive), "a response");
  assertEquals(address, { hostname, port });
  return buffer.slice(0, size);
}

/** A connection to a server, closed at the end of a `using` block. */
export class Connection implements Disposable {
  readonly #conn: Deno.Conn;

  private constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  /** Connects. */
  static async to(port: number): Promise<Connection> {
    return new Connection(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  /** Sends messages behind their lengths, in pieces of so many bytes. */
  async send(messages: readonly Uint8Array[], piece = Infinity): Promise<void> {
    const bytes = concat(messages.flatMap((message) => [words(message.length), message]));
    for (let at = 0; at < bytes.length; at += piece) {
      await this.write(bytes.subarray(at, at + piece));
      if (piece < bytes.length) await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  /** Writes bytes as they are. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
  }

  /** Sends the end of the stream. */
  async end(): Promise<void> {
    await this.#conn.closeWrite();
  }

  /** Receives a message, or `null` at the end of the stream. */
  async receive(): Promise<Uint8Array | null> {
    const length = await this.#read(2);
    return length === null ? null : await this.#read(length[0]! << 8 | length[1]!);
  }

  async #read(size: number): Promise<Uint8Array | null> {
    const bytes = new Uint8Array(size);
    for (let at = 0; at < size;) {
      const count = await inTime(this.#conn.read(bytes.subarray(at)), "a message").catch(() =>
        null
      );
      if (count === null) return null;
      at += count;
    }
    return bytes;
  }

  [Symbol.dispose](): void {
    this.#conn.close();
  }
}
