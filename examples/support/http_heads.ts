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
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array();
  #start = 0;
  #methodEnd = 0;
  #targetAt = 0;
  #targetEnd = 0;
  // Most requests are like the one before, and share its strings.
  #method = "GET";
  #target = "/";

  get method(): string {
    return this.#method = textOf(this.#bytes, this.#start, this.#methodEnd, this.#method);
  }

  get target(): string {
    return this.#target = textOf(this.#bytes, this.#targetAt, this.#targetEnd, this.#target);
  }

  /** Reads the head that a scanner is at, up to the empty line. */
  read(scanner: Scanner): void {
    this.#bytes = scanner.bytes;
    this.#start = scanner.at;
    scanner.takeWord(TOKEN);
    this.#methodEnd = scanner.at;
    scanner.take(" ");
    this.#targetAt = scanner.at;
    scanner.takeWord(TARGET);
    this.#targetEnd = scanner.at;
    scanner.take(" HTTP/1.");
    this.minor = scanner.takeDigit();
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
    if (hosts > 1 || (hosts === 0 && this.minor > 0)) throw new Refusal(BAD_REQUEST);
    this.bodySize = sizeBody(this.minor, fields);
    this.isKept = persists(this.minor, fields.get("connection"));
    this.expectsContinue = this.minor > 0 && fields.get("expect")?.toLowerCase() === "100-continue";
  }

  /** Copies what can be read later, so that the bytes may change. */
  keep(): void {
    const start = this.#start;
    this.#bytes = this.#bytes.slice(start, this.#targetEnd);
    this.#start = 0;
    this.#methodEnd -= start;
    this.#targetAt -= start;
    this.#targetEnd -= start;
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
