/**
 * Reads the HTTP/1.1 requests of a connection.
 *
 * @module
 */

import { type Request, type RequestHead, takeHead } from "./http_heads.ts";
import { BAD_REQUEST, INCOMPLETE, Refusal, Scanner } from "./http_scanner.ts";

/** The interim status that some clients wait for before they send a body. */
export const CONTINUE = "100 Continue";

const TOO_LARGE = "413 Content Too Large";
const HEAD_TOO_LARGE = "431 Request Header Fields Too Large";

/** The longest head of a request, and the longest trailer, in bytes. */
const LONGEST_HEAD = 8192;

/** The longest body, in bytes. */
const LONGEST_BODY = 1 << 20;

/** The longest line with the size of a chunk, in bytes. */
const LONGEST_CHUNK_LINE = 256;

const CHUNK_SIZE = /^([\da-f]{1,8})(?:[ \t]*;.*)?$/i;

const NOTHING = new Uint8Array();

const scanner = new Scanner();

/**
 * Takes what a connection receives, in any pieces, and returns each request when its body, which is
 * skipped, has been received.
 */
export class RequestReader {
  /** What is still to be read: the bytes between two places. */
  #bytes = NOTHING;
  #at = 0;
  #end = 0;
  /** The head of the request whose body is being read. */
  #head: RequestHead | null = null;
  /** The steps through its body. */
  #body: Generator<string | null, void> | null = null;
  #isOver = false;

  /** Whether everything that was received has been read. */
  get isEmpty(): boolean {
    return this.#at === this.#end;
  }

  /**
   * Takes bytes that were received. They must stay as they are until everything has been read, or
   * `keep` is called.
   *
   * @param bytes The bytes
   * @param size How many of them; all if left out
   */
  push(bytes: Uint8Array<ArrayBuffer>, size: number = bytes.length): void {
    const rest = this.#end - this.#at;
    if (rest > 0) {
      const joined = new Uint8Array(rest + size);
      joined.set(this.#bytes.subarray(this.#at, this.#end));
      joined.set(bytes.subarray(0, size), rest);
      bytes = joined;
    }
    this.#bytes = bytes;
    this.#at = 0;
    this.#end = rest + size;
  }

  /** Copies what is still to be read, so that the bytes that were received may change. */
  keep(): void {
    this.#bytes = this.isEmpty ? NOTHING : this.#bytes.slice(this.#at, this.#end);
    this.#end -= this.#at;
    this.#at = 0;
  }

  /**
   * Reads the next request.
   *
   * @returns The request; or the status to refuse it with, after which nothing more can be read; or
   * `CONTINUE`, which should be sent at once; or `null` if the request is not complete yet
   */
  next(): Request | string | null {
    if (this.isEmpty || this.#isOver) return null;
    try {
      if (this.#body === null) {
        const head = this.#readHead();
        if (head.bodySize === 0) return head;
        this.#head = head;
        this.#body = this.#passBody(head);
      }
      const { value, done } = this.#body.next();
      if (!done) return value;
      this.#body = null;
      return this.#head;
    } catch (error) {
      if (error === INCOMPLETE) return null;
      if (!(error instanceof Refusal)) throw error;
      this.#isOver = true;
      return error.message;
    }
  }

  #readHead(): RequestHead {
    this.#startScan(LONGEST_HEAD, HEAD_TOO_LARGE);
    while (scanner.has("\r")) { // Clients may send empty lines before a request.
      scanner.take("\r\n");
      this.#at = scanner.at;
      this.#startScan(LONGEST_HEAD, HEAD_TOO_LARGE);
    }
    const head = takeHead(scanner);
    this.#at = scanner.at;
    return head;
  }

  #startScan(limit: number, excess: string): void {
    scanner.start(this.#bytes, this.#at, this.#end, limit, excess);
  }

  *#passBody({ bodySize, expectsContinue }: RequestHead): Generator<string | null, void> {
    if (bodySize < Infinity && bodySize > LONGEST_BODY) throw new Refusal(TOO_LARGE);
    if (expectsContinue && this.isEmpty) yield CONTINUE;
    if (bodySize < Infinity) yield* this.#pass(bodySize);
    else yield* this.#passChunks();
  }

  *#pass(size: number): Generator<null, void> {
    for (; this.#end - this.#at < size; yield null) {
      size -= this.#end - this.#at;
      this.#at = this.#end;
    }
    this.#at += size;
  }

  *#passChunks(): Generator<null, void> {
    for (let total = 0;;) {
      const line = CHUNK_SIZE.exec(yield* this.#takeLine());
      if (line === null) throw new Refusal(BAD_REQUEST);
      const size = parseInt(line[1], 16);
      if (size === 0) break;
      if ((total += size) > LONGEST_BODY) throw new Refusal(TOO_LARGE);
      yield* this.#pass(size);
      if ((yield* this.#takeLine()) !== "") throw new Refusal(BAD_REQUEST);
    }
    yield* this.#scan(LONGEST_HEAD, HEAD_TOO_LARGE, () => {
      while (!scanner.has("\r")) scanner.takeField();
      scanner.take("\r\n");
    });
  }

  *#takeLine(): Generator<null, string> {
    return yield* this.#scan(LONGEST_CHUNK_LINE, BAD_REQUEST, () => scanner.takeLine());
  }

  /** Scans what is still to be read, again whenever more has been received. */
  *#scan<T>(limit: number, excess: string, step: () => T): Generator<null, T> {
    for (;; yield null) {
      try {
        this.#startScan(limit, excess);
        const result = step();
        this.#at = scanner.at;
        return result;
      } catch (error) {
        if (error !== INCOMPLETE) throw error;
      }
    }
  }
}
