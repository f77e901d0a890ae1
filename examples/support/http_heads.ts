/**
 * The heads of HTTP/1.1 requests.
 *
 * @module
 */

import { BAD_REQUEST, Refusal, type Scanner, TARGET, textOf, TOKEN } from "./http_scanner.ts";

/** A request without its body. It can be read until the next one is. */
export interface Request {
  readonly method: string;
  /** The request target as it was sent: a path, or a URL. */
  readonly target: string;
  /** The minor version: the second 1 of HTTP/1.1. */
  readonly minor: number;
  /** The size of the body in bytes; `Infinity` if it comes in chunks. */
  readonly bodySize: number;
  /** Whether the connection persists after the answer. */
  readonly isKept: boolean;
}

/** The size of most heads. */
const SIZE = 256;

const NOT_IMPLEMENTED = "501 Not Implemented";

const CLOSE = /(?:^|,)[ \t]*close[ \t]*(?:,|$)/i;
const KEEP_ALIVE = /(?:^|,)[ \t]*keep-alive[ \t]*(?:,|$)/i;

/** The fields that say how to read a request, with the values of a repeated one joined. */
type Fields = ReadonlyMap<string, string>;

const NONE = new Map<string, string>();

/** The head of a connection's last request. */
export class RequestHead implements Request {
  minor = 1;
  bodySize = 0;
  isKept = true;
  /** Whether the client waits for `100 Continue`. */
  expectsContinue = false;
  /** A copy of the head; the bytes that were received can change. */
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(SIZE);
  #size = 0;
  #methodEnd = 0;
  #targetEnd = 0;
  #method: string | null = null;
  #target: string | null = null;

  get method(): string {
    return this.#method ??= textOf(this.#bytes, 0, this.#methodEnd);
  }

  get target(): string {
    return this.#target ??= textOf(this.#bytes, this.#methodEnd + 1, this.#targetEnd);
  }

  /** Takes the next head of a scanner, up to its empty line. */
  take(scanner: Scanner): void {
    // Many requests are the same as the one before, and mean the same.
    if (scanner.takeSame(this.#bytes, this.#size)) return;
    const start = scanner.at;
    scanner.takeWord(TOKEN);
    const methodEnd = scanner.at - start;
    scanner.take(" ");
    scanner.takeWord(TARGET);
    const targetEnd = scanner.at - start;
    scanner.take(" HTTP/1.");
    const minor = scanner.takeDigit();
    scanner.take("\r\n");

    let hosts = 0;
    let fields = NONE;
    while (!scanner.has("\r")) {
      const name = scanner.takeField();
      if (name === "host") hosts++;
      if (name === "host" || name === "") continue;
      if (fields === NONE) fields = new Map();
      const before = fields.get(name);
      fields.set(name, before === undefined ? scanner.value : `${before}, ${scanner.value}`);
    }
    scanner.take("\r\n");
    if (hosts > 1 || (hosts === 0 && minor > 0)) throw new Refusal(BAD_REQUEST);
    this.bodySize = sizeBody(minor, fields);
    this.isKept = persists(minor, fields.get("connection"));
    this.expectsContinue = minor > 0 && fields.get("expect")?.toLowerCase() === "100-continue";
    this.minor = minor;
    this.#size = scanner.at - start;
    if (this.#size > this.#bytes.length) this.#bytes = new Uint8Array(this.#size);
    for (let i = 0; i < this.#size; i++) this.#bytes[i] = scanner.bytes[start + i];
    this.#methodEnd = methodEnd;
    this.#targetEnd = targetEnd;
    this.#method = this.#target = null;
  }
}

function sizeBody(minor: number, fields: Fields): number {
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

function persists(minor: number, connection: string | undefined): boolean {
  if (connection === undefined) return minor > 0;
  return !CLOSE.test(connection) && (minor > 0 || KEEP_ALIVE.test(connection));
}
