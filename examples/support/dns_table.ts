/**
 * A table of DNS records, from lines of text.
 *
 * A line is as in `/etc/hosts`, an address and its names; or a record, as in zone files but with a
 * whole name:
 *
 *     192.0.2.1   www.example  example
 *     example     MX     10 mail.example
 *     example     3600   TXT "two words" another
 *     _http._tcp.example  SRV  0 5 80 www.example
 *
 * @module
 */

import { concat, type DataPart, type ResourceRecord, TYPES, words } from "./dns_messages.ts";
import { InvalidName, nameKey, parseName, withParents } from "./dns_names.ts";

/** The longest string in the data of a TXT record, in bytes. */
const LONGEST_STRING = 255;

/** The most CNAME records to follow. */
const LONGEST_CHAIN = 8;

const CNAME = TYPES.get("CNAME")!;
const ANY = TYPES.get("ANY")!;

const encoder = new TextEncoder();

/** A line that does not make sense. The message says why. */
export class InvalidRecord extends Error {}

/** What a table has for a question. */
export interface Found {
  readonly records: readonly ResourceRecord[];
  /** Whether the name has a record of any type, or a name below it does. */
  readonly exists: boolean;
}

/** A table of records. */
export class RecordTable {
  readonly #ttl: number;
  readonly #records = new Map<string, ResourceRecord[]>();
  readonly #names = new Set<string>();

  /**
   * Makes an empty table.
   *
   * @param ttl How long records can be kept that do not say it, in seconds
   */
  constructor(ttl: number) {
    this.#ttl = ttl;
  }

  /** How many records it has. */
  get size(): number {
    return [...this.#records.values()].reduce((sum, { length }) => sum + length, 0);
  }

  /**
   * Adds what a line says: nothing if it is empty or a comment.
   *
   * @throws {InvalidRecord} If it makes no sense
   */
  add(line: string): void {
    const words = splitLine(line);
    if (words.length === 0) return;
    try {
      const address = parseAddress(words[0]!);
      if (address === null) this.#addRecord(words);
      else this.#addHost(address, words.slice(1));
    } catch (error) {
      if (error instanceof InvalidName) throw new InvalidRecord(error.message);
      throw error;
    }
  }

  /** Finds the records of a name, also at the end of its aliases. */
  find(name: string, type: number): Found {
    const records: ResourceRecord[] = [];
    for (let key = nameKey(name);;) {
      const all = this.#records.get(key) ?? [];
      const matching = all.filter((record) => type === ANY || record.type === type);
      const [alias] = matching.length === 0 ? all : [];
      const isDone = alias?.type !== CNAME || records.includes(alias) ||
        records.length === LONGEST_CHAIN;
      if (isDone) {
        records.push(...matching);
        return { records, exists: records.length > 0 || this.#names.has(key) };
      }
      records.push(alias);
      key = nameKey((alias.data[0] as { name: string }).name);
    }
  }

  #addHost({ type, bytes, reverse }: Address, names: readonly string[]): void {
    if (names.length === 0) throw new InvalidRecord("An address must have a name");
    const parsed = names.map(parseName);
    for (const name of parsed) this.#insert({ name, type, ttl: this.#ttl, data: [bytes] });
    if (this.#records.has(reverse)) return; // The first line with an address names it.
    const data = [{ name: parsed[0]!, isCompressible: true }];
    this.#insert({ name: reverse, type: TYPES.get("PTR")!, ttl: this.#ttl, data });
  }

  #addRecord([first, ...rest]: readonly string[]): void {
    const name = parseName(first!);
    const ttl = /^\d+$/.test(rest[0] ?? "")
      ? integer(rest.shift()!, "TTL", 0x7fff_ffff)
      : this.#ttl;
    if (rest[0]?.toUpperCase() === "IN") rest.shift();
    const [type = "", ...fields] = rest;
    const parse = DATA[type.toUpperCase()];
    if (parse === undefined) {
      const received = type === "" ? "the line has none" : `received ${type}`;
      throw new InvalidRecord(
        `The type must be one of ${Object.keys(DATA).join(", ")}; ${received}`,
      );
    }
    const data = parse(fields);
    this.#insert({ name, type: TYPES.get(type.toUpperCase())!, ttl, data });
  }

  #insert(record: ResourceRecord): void {
    const key = nameKey(record.name);
    const records = this.#records.get(key) ?? [];
    if (records.length > 0 && (records[0]!.type === CNAME || record.type === CNAME)) {
      throw new InvalidRecord(`"${record.name}" has a CNAME and another record`);
    }
    records.push(record);
    this.#records.set(key, records);
    for (const name of withParents(key)) this.#names.add(name);
  }
}

interface Address {
  readonly type: number;
  readonly bytes: Uint8Array;
  /** The name for which it is the address, read backwards. */
  readonly reverse: string;
}

/** How the data of each type is written. */
const DATA: Record<string, (fields: readonly string[]) => DataPart[]> = {
  A: (fields) => [addressIn(fields, "A")],
  AAAA: (fields) => [addressIn(fields, "AAAA")],
  CNAME: ([name, ...more]) => [nameIn(name, more)],
  NS: ([name, ...more]) => [nameIn(name, more)],
  PTR: ([name, ...more]) => [nameIn(name, more)],
  MX: ([preference, name, ...more]) => [
    words(integer(preference, "preference")),
    nameIn(name, more),
  ],
  SRV: ([priority, weight, port, name, ...more]) => [
    words(integer(priority, "priority"), integer(weight, "weight"), integer(port, "port")),
    { ...nameIn(name, more), isCompressible: false },
  ],
  TXT: (fields) => {
    if (fields.length === 0) throw new InvalidRecord("A TXT record must have a text");
    return fields.flatMap((text) => strings(encoder.encode(text)));
  },
};

/** Splits a line into words. Quotes hold words together, and `#` or `;` begins a comment. */
function splitLine(line: string): string[] {
  const words: string[] = [];
  const token = /\s*(?:"((?:\\.|[^"\\])*)"|((?:\\.|[^\s"#;\\])+)|([#;].*|$))/gy;
  for (const [, quoted, word, end] of line.matchAll(token)) {
    if (end !== undefined) return words;
    words.push(word ?? quoted!.replace(/\\(.)/g, "$1"));
  }
  throw new InvalidRecord("A quote or an escape is not complete");
}

function integer(text: string | undefined, what: string, most = 0xffff): number {
  if (!/^\d{1,10}$/.test(text ?? "") || Number(text) > most) {
    throw new InvalidRecord(`The ${what} must be an integer from 0 to ${most}: "${text ?? ""}"`);
  }
  return Number(text);
}

function nameIn(name: string | undefined, more: readonly string[]) {
  if (name === undefined || more.length > 0) throw new InvalidRecord("There must be one name");
  return { name: parseName(name), isCompressible: true };
}

function addressIn(fields: readonly string[], type: string): Uint8Array {
  const address = fields.length === 1 ? parseAddress(fields[0]!) : null;
  if (address?.type !== TYPES.get(type)) {
    throw new InvalidRecord(`There must be one IPv${type === "A" ? 4 : 6} address`);
  }
  return address!.bytes;
}

function strings(bytes: Uint8Array): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length || at === 0; at += LONGEST_STRING) {
    const piece = bytes.subarray(at, at + LONGEST_STRING);
    pieces.push(concat([Uint8Array.of(piece.length), piece]));
  }
  return pieces;
}

/** Parses an address, or returns `null` if the text is something else. */
function parseAddress(text: string): Address | null {
  const bytes = parseIpv4(text) ?? parseIpv6(text);
  if (bytes === null) return null;
  const isIpv4 = bytes.length === 4;
  const digits = isIpv4 ? [...bytes] : [...bytes].flatMap((byte) => [byte >> 4, byte & 15]);
  const labels = digits.reverse().map((digit) => digit.toString(isIpv4 ? 10 : 16));
  return {
    type: TYPES.get(isIpv4 ? "A" : "AAAA")!,
    bytes,
    reverse: `${labels.join(".")}.${isIpv4 ? "in-addr" : "ip6"}.arpa`,
  };
}

function parseIpv4(text: string): Uint8Array | null {
  const numbers = text.split(".");
  const isAddress = numbers.length === 4 &&
    numbers.every((number) => /^\d{1,3}$/.test(number) && Number(number) < 256);
  return isAddress ? Uint8Array.from(numbers, Number) : null;
}

function parseIpv6(text: string): Uint8Array | null {
  if (!/^[\da-f:.]*:[\da-f:.]*$/i.test(text) || !URL.canParse(`http://[${text}]`)) return null;
  // A URL has the canonical form: without a dotted part, and with "::" at most once.
  const canonical = new URL(`http://[${text}]`).hostname.slice(1, -1);
  const [left, right] = canonical.split("::").map((half) => half === "" ? [] : half.split(":"));
  const zeros = right === undefined ? [] : Array(8 - left!.length - right.length).fill("0");
  return words(...[...left!, ...zeros, ...right ?? []].map((group) => parseInt(group, 16)));
}
