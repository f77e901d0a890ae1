/**
 * DNS messages (RFC 1035) with EDNS0 (RFC 6891): decodes queries and encodes responses.
 *
 * @module
 */

import { decodeName, encodeName, InvalidName, type NameOffsets } from "./dns_names.ts";

/** The types of records by name. */
export const TYPES: ReadonlyMap<string, number> = new Map(Object.entries({
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
  HTTPS: 65,
  IXFR: 251,
  AXFR: 252,
  ANY: 255,
}));

const TYPE_NAMES = new Map([...TYPES].map(([name, type]) => [type, name]));

/** The classes: of the Internet, and any. */
export const CLASS_IN = 1;
export const CLASS_ANY = 255;

/** The codes of a response. */
export const NOERROR = 0;
export const FORMERR = 1;
export const NXDOMAIN = 3;
export const NOTIMP = 4;
export const REFUSED = 5;
export const BADVERS = 16;

const CODE_NAMES: Readonly<Record<number, string>> = {
  [NOERROR]: "NOERROR",
  [FORMERR]: "FORMERR",
  [NXDOMAIN]: "NXDOMAIN",
  [NOTIMP]: "NOTIMP",
  [REFUSED]: "REFUSED",
  [BADVERS]: "BADVERS",
};

/** The operation of a standard query. */
export const QUERY = 0;

/** The most bytes of a datagram without EDNS0, and the most that fit into a packet anywhere. */
const PLAIN_SIZE = 512;
const LARGEST_DATAGRAM = 1232;

/** The most bytes of a message over TCP. */
const LARGEST_MESSAGE = 0xffff;

const HEADER_SIZE = 12;
const OPT_SIZE = 11;

// The bits in the second word of a header.
const QR = 0x8000;
const AA = 0x0400;
const TC = 0x0200;
const RD = 0x0100;

/** What a query says before its question. */
export interface Header {
  readonly id: number;
  readonly opcode: number;
  readonly recursionDesired: boolean;
}

/** What a query asks for. */
export interface Question {
  readonly name: string;
  readonly type: number;
  readonly class: number;
}

/** A query with one question. */
export interface Query extends Header {
  readonly question: Question;
  /** What the client says about itself, if it knows EDNS0. */
  readonly edns?: { readonly version: number; readonly size: number };
}

/** A part of the data of a record: bytes, or a name that may be compressed or not. */
export type DataPart = Uint8Array | { readonly name: string; readonly isCompressible: boolean };

/** A record. */
export interface ResourceRecord {
  readonly name: string;
  readonly type: number;
  /** How long it can be kept, in seconds. */
  readonly ttl: number;
  readonly data: readonly DataPart[];
}

/** A query that breaks the rules. The message says how. */
export class MalformedQuery extends Error {}

/** Returns the name of a type, such as `"A"` or, if it has none, `"TYPE99"`. */
export function typeName(type: number): string {
  return TYPE_NAMES.get(type) ?? `TYPE${type}`;
}

/** Returns the name of one of the codes above. */
export function codeName(code: number): string {
  return CODE_NAMES[code]!;
}

/** Decodes the header of a query, or returns `null` if it is not one: responses get no answer. */
export function decodeHeader(message: Uint8Array): Header | null {
  if (message.length < HEADER_SIZE) return null;
  const flags = word(message, 2);
  if ((flags & QR) !== 0) return null;
  return {
    id: word(message, 0),
    opcode: flags >> 11 & 15,
    recursionDesired: (flags & RD) !== 0,
  };
}

/**
 * Decodes a query whose header is valid.
 *
 * @throws {MalformedQuery} If it breaks the rules
 */
export function decodeQuery(message: Uint8Array, header: Header): Query {
  const counts = [4, 6, 8, 10].map((offset) => word(message, offset));
  if (counts[0] !== 1) throw new MalformedQuery(`It has ${counts[0]} questions`);
  try {
    const { name, end } = decodeName(message, HEADER_SIZE);
    const question = { name, type: word(message, end), class: word(message, end + 2) };
    const edns = decodeExtensions(message, end + 4, counts[1]! + counts[2]! + counts[3]!);
    return { ...header, question, ...edns };
  } catch (error) {
    if (error instanceof InvalidName) throw new MalformedQuery(error.message);
    throw error;
  }
}

/** Passes the records of a query, of which only one means something: OPT. */
function decodeExtensions(message: Uint8Array, offset: number, count: number): Pick<Query, "edns"> {
  let edns: Query["edns"];
  let at = offset;
  for (let i = 0; i < count; i++) {
    const { name, end } = decodeName(message, at);
    at = end + 10 + word(message, end + 8);
    if (word(message, end) !== TYPES.get("OPT")) continue;
    if (edns !== undefined || name !== "") throw new MalformedQuery("It has a wrong OPT record");
    edns = { size: word(message, end + 2), version: word(message, end + 4) & 0xff };
  }
  if (at !== message.length) throw new MalformedQuery("Its length does not match its records");
  return edns === undefined ? {} : { edns };
}

/** Encodes a response that has a code alone, to a query that could not be read. */
export function encodeError(header: Header, code: number): Uint8Array<ArrayBuffer> {
  return encodeHeader(header, code, [0, 0, 0, 0]);
}

/**
 * Encodes a response.
 *
 * @param query The query
 * @param code The code
 * @param answers The records. If they are too many, the first ones are sent, with a mark that some
 * are missing: over UDP, the client then asks again over TCP
 * @param isDatagram Whether it goes over UDP
 */
export function encodeResponse(
  query: Query,
  code: number,
  answers: readonly ResourceRecord[],
  isDatagram: boolean,
): Uint8Array<ArrayBuffer> {
  const names: NameOffsets = new Map();
  const question = encodeQuestion(query.question, names);
  const opt = query.edns === undefined ? [] : [encodeOpt(code)];
  const limit = (isDatagram ? datagramSize(query) : LARGEST_MESSAGE) - opt.length * OPT_SIZE;
  const records: Uint8Array[] = [];
  let end = HEADER_SIZE + question.length;
  for (const answer of answers) {
    const record = encodeRecord(answer, end, names);
    if (end + record.length > limit) break;
    end += record.length;
    records.push(record);
  }
  const isKnown = code === NOERROR || code === NXDOMAIN;
  const flags = (isKnown ? AA : 0) | (records.length < answers.length ? TC : 0) | code & 15;
  const counts = [1, records.length, 0, opt.length];
  return concat([encodeHeader(query, flags, counts), question, ...records, ...opt]);
}

function datagramSize({ edns }: Query): number {
  return Math.min(Math.max(edns?.size ?? 0, PLAIN_SIZE), LARGEST_DATAGRAM);
}

function encodeHeader(
  { id, opcode, recursionDesired }: Header,
  flags: number,
  counts: readonly number[],
): Uint8Array<ArrayBuffer> {
  return words(id, QR | opcode << 11 | (recursionDesired ? RD : 0) | flags, ...counts);
}

function encodeQuestion(question: Question, names: NameOffsets): Uint8Array<ArrayBuffer> {
  const name = encodeName(question.name, HEADER_SIZE, names);
  return concat([name, words(question.type, question.class)]);
}

function encodeRecord(
  { name, type, ttl, data }: ResourceRecord,
  offset: number,
  names: NameOffsets,
): Uint8Array<ArrayBuffer> {
  const owner = encodeName(name, offset, names);
  const start = owner.length + 10;
  const parts: Uint8Array[] = [];
  let size = 0;
  for (const part of data) {
    const bytes = part instanceof Uint8Array
      ? part
      : encodeName(part.name, offset + start + size, part.isCompressible ? names : undefined);
    parts.push(bytes);
    size += bytes.length;
  }
  return concat([owner, words(type, CLASS_IN, ttl >>> 16, ttl & 0xffff, size), ...parts]);
}

/** Encodes the record with the size of this server's datagrams, and the rest of a code. */
function encodeOpt(code: number): Uint8Array {
  return concat([
    Uint8Array.of(0),
    words(TYPES.get("OPT")!, LARGEST_DATAGRAM, code >> 4 << 8, 0, 0),
  ]);
}

function word(message: Uint8Array, offset: number): number {
  if (offset + 2 > message.length) throw new MalformedQuery("It is cut off");
  return message[offset]! << 8 | message[offset + 1]!;
}

/** Encodes 16-bit numbers. */
export function words(...numbers: number[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(numbers.flatMap((number) => [number >> 8, number & 0xff]));
}

/** Joins bytes. */
export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
