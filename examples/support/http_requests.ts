/**
 * HTTP/1.1 for the examples: reads requests, and writes the heads of answers.
 *
 * A reader takes what a connection receives, in any pieces, and returns each request when its body
 * has passed. It is strict where guessing is dangerous: a request whose length two programs read
 * differently can smuggle another one past the first of them.
 *
 * @module
 */

/** A request without its body, which is skipped. */
export interface Request {
  readonly method: string;
  /** The request target as it was sent: a path, or a URL. */
  readonly target: string;
  /** The minor version: the second 1 of HTTP/1.1. */
  readonly minor: number;
  /** The header fields by lower-case name; the values of a repeated one are joined with commas. */
  readonly fields: ReadonlyMap<string, string>;
  /** The size of the body in bytes; `Infinity` if it comes in chunks. */
  readonly bodySize: number;
  /** Whether the connection persists after the answer. */
  readonly isKept: boolean;
}

/** The interim status that some clients wait for before they send a body. */
export const CONTINUE = "100 Continue";

export const BAD_REQUEST = "400 Bad Request";
export const TIMEOUT = "408 Request Timeout";
const TOO_LARGE = "413 Content Too Large";
const HEAD_TOO_LARGE = "431 Request Header Fields Too Large";
const NOT_IMPLEMENTED = "501 Not Implemented";

/** The longest head of a request, and the longest trailer, in bytes. */
const LONGEST_HEAD = 8192;

/** The longest body, in bytes. */
const LONGEST_BODY = 1 << 20;

/** The longest line with the size of a chunk, in bytes. */
const LONGEST_CHUNK_LINE = 256;

const REQUEST_LINE = /^([!#$%&'*+.^`|~\w-]+) ([!-~\x80-\uffff]+) HTTP\/1\.(\d)$/;
/** A CR or LF that is not part of a CRLF. The last CR of an incomplete text may still be. */
const BARE = /\r(?!\n|$)|(?<!\r)\n/;
// deno-lint-ignore no-control-regex -- A value must not have control characters.
const FIELD = /^([!#$%&'*+.^`|~\w-]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)$/;
const CHUNK_SIZE = /^([\da-f]{1,8})(?:[ \t]*;.*)?$/i;

const decoder = new TextDecoder("latin1"); // One character per byte, which keeps lengths.

/** Reads the requests of one connection. */
export class RequestReader {
  #text = "";
  readonly #steps = this.#read();

  /** Whether everything that was received has been read. */
  get isEmpty(): boolean {
    return this.#text === "";
  }

  /** Takes bytes that were received. */
  push(bytes: Uint8Array): void {
    this.#text += decoder.decode(bytes);
  }

  /**
   * Reads the next request.
   *
   * @returns The request; or the status to refuse it with, after which nothing more can be read; or
   * `CONTINUE`, which should be sent at once; or `null` if the request is not complete yet
   */
  next(): Request | string | null {
    try {
      return this.#steps.next().value ?? null;
    } catch (error) {
      if (error instanceof Refusal) return error.message;
      throw error;
    }
  }

  *#read(): Generator<Request | string | null, undefined> {
    for (;;) {
      let head: string | null;
      while ((head = this.#takeHead()) === null) yield null;
      const request = parseHead(head);
      const { bodySize, fields } = request;
      if (bodySize > LONGEST_BODY && bodySize < Infinity) throw new Refusal(TOO_LARGE);
      const expects = fields.get("expect")?.toLowerCase() === "100-continue";
      if (expects && request.minor > 0 && bodySize > 0 && this.#text === "") yield CONTINUE;
      if (bodySize === Infinity) yield* this.#passChunks();
      else if (bodySize > 0) yield* this.#pass(bodySize);
      yield request;
    }
  }

  /** Takes the lines before the first empty one, or returns `null` if that has not come yet. */
  #takeHead(): string | null {
    // Clients may send empty lines before a request.
    while (this.#text.startsWith("\r\n")) this.#text = this.#text.slice(2);
    const text = this.#text;
    const end = text.indexOf("\r\n\r\n");
    const head = end < 0 ? text : text.slice(0, end);
    if (BARE.test(head)) throw new Refusal(BAD_REQUEST);
    if (end < 0) {
      // If this is not HTTP, there is no point in waiting for the rest.
      const line = head.indexOf("\r\n");
      if (line >= 0 && !REQUEST_LINE.test(head.slice(0, line))) throw new Refusal(BAD_REQUEST);
    }
    if (head.length > LONGEST_HEAD) throw new Refusal(HEAD_TOO_LARGE);
    if (end < 0) return null;
    this.#text = text.slice(end + 4);
    return head;
  }

  *#pass(size: number): Generator<null, void> {
    for (; this.#text.length < size; yield null) {
      size -= this.#text.length;
      this.#text = "";
    }
    this.#text = this.#text.slice(size);
  }

  *#passChunks(): Generator<null, void> {
    for (let total = 0;;) {
      const line = CHUNK_SIZE.exec(yield* this.#takeLine(LONGEST_CHUNK_LINE));
      if (line === null) throw new Refusal(BAD_REQUEST);
      const size = parseInt(line[1], 16);
      if (size === 0) break;
      if ((total += size) > LONGEST_BODY) throw new Refusal(TOO_LARGE);
      yield* this.#pass(size);
      if ((yield* this.#takeLine(LONGEST_CHUNK_LINE)) !== "") throw new Refusal(BAD_REQUEST);
    }
    for (let left = LONGEST_HEAD;;) {
      const line = yield* this.#takeLine(left);
      if (line === "") return;
      if (!FIELD.test(line)) throw new Refusal(BAD_REQUEST);
      left -= line.length + 2;
    }
  }

  /** Takes a line, which must end with CR and LF here. */
  *#takeLine(longest: number): Generator<null, string> {
    for (;; yield null) {
      const end = this.#text.indexOf("\r\n");
      const line = end < 0 ? this.#text : this.#text.slice(0, end);
      if (line.length > longest) {
        throw new Refusal(longest === LONGEST_CHUNK_LINE ? BAD_REQUEST : HEAD_TOO_LARGE);
      }
      if (BARE.test(line)) throw new Refusal(BAD_REQUEST);
      if (end < 0) continue;
      this.#text = this.#text.slice(end + 2);
      return line;
    }
  }
}

/** The end of reading; the message is the status to answer with. */
class Refusal extends Error {}

function parseHead(head: string): Request {
  const [first, ...lines] = head.split("\r\n");
  const line = REQUEST_LINE.exec(first);
  if (line === null) throw new Refusal(BAD_REQUEST);
  const minor = Number(line[3]);
  const fields = new Map<string, string>();
  for (const text of lines) {
    const field = FIELD.exec(text);
    if (field === null) throw new Refusal(BAD_REQUEST);
    const name = field[1].toLowerCase();
    const value = field[2].replace(/[ \t]+$/, "");
    const before = fields.get(name);
    if (before !== undefined && name === "host") throw new Refusal(BAD_REQUEST);
    fields.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  if (minor > 0 && !fields.has("host")) throw new Refusal(BAD_REQUEST);
  const wishes = fields.get("connection")?.toLowerCase().split(/[ \t]*,[ \t]*/) ?? [];
  const isKept = !wishes.includes("close") && (minor > 0 || wishes.includes("keep-alive"));
  return {
    method: line[1],
    target: line[2],
    minor,
    fields,
    bodySize: sizeBody(minor, fields),
    isKept,
  };
}

function sizeBody(minor: number, fields: ReadonlyMap<string, string>): number {
  const length = fields.get("content-length");
  const coding = fields.get("transfer-encoding")?.toLowerCase();
  if (coding !== undefined) {
    if (length !== undefined || minor === 0) throw new Refusal(BAD_REQUEST);
    if (coding !== "chunked") throw new Refusal(NOT_IMPLEMENTED);
    return Infinity;
  }
  if (length === undefined) return 0;
  if (!/^\d+$/.test(length)) throw new Refusal(BAD_REQUEST);
  // Too many digits would be `Infinity`, which means chunks.
  return Math.min(Number(length), Number.MAX_SAFE_INTEGER);
}

/** Returns the head of an answer. */
export function writeHead(status: string, size: number, ...fields: readonly string[]): string {
  const lines = [`HTTP/1.1 ${status}`, `Content-Length: ${size}`, ...fields];
  return `${lines.join("\r\n")}\r\n\r\n`;
}
