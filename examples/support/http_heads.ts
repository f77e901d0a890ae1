/**
 * The heads of HTTP/1.1 requests.
 *
 * @module
 */

import { BAD_REQUEST, Refusal, type Scanner, TARGET, textOf, TOKEN } from "./http_scanner.ts";

/** A request without its body. */
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

/** The head of a request. */
export interface RequestHead extends Request {
  /** Whether the client waits for `100 Continue`. */
  readonly expectsContinue: boolean;
}

/** The last head of any connection. Many are the same as the one before, and mean the same. */
let last: RequestHead;

/** Its bytes; those that were received can change. */
let lastBytes = new Uint8Array(256);

/** How many they are: 0 if there is none. */
let lastSize = 0;

/** Takes the next head of a scanner, up to its empty line. */
export function takeHead(scanner: Scanner): RequestHead {
  if (scanner.takeSame(lastBytes, lastSize)) return last;
  const start = scanner.at;
  scanner.takeWord(TOKEN);
  const methodEnd = scanner.at;
  scanner.take(" ");
  scanner.takeWord(TARGET);
  const targetEnd = scanner.at;
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
  const head = {
    method: textOf(scanner.bytes, start, methodEnd),
    target: textOf(scanner.bytes, methodEnd + 1, targetEnd),
    minor,
    bodySize: sizeBody(minor, fields),
    isKept: persists(minor, fields.get("connection")),
    expectsContinue: minor > 0 && fields.get("expect")?.toLowerCase() === "100-continue",
  };
  keep(head, scanner.bytes, start, scanner.at - start);
  return head;
}

function keep(head: RequestHead, bytes: Uint8Array, start: number, size: number): void {
  last = head;
  lastSize = size;
  if (size > lastBytes.length) lastBytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) lastBytes[i] = bytes[start + i];
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
