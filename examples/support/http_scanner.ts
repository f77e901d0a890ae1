/**
 * Reads the words of HTTP/1.1 from bytes. It makes strings only of what is asked for.
 *
 * It is strict where guessing is dangerous: a request whose length two programs read differently
 * can smuggle another one past the first of them.
 *
 * @module
 */

export const BAD_REQUEST = "400 Bad Request";

/** The end of reading; the message is the status to answer with. */
export class Refusal extends Error {}

/** What a scanner throws where bytes are missing, rather than wrong. */
export const INCOMPLETE = new Error("The rest has not been received yet");

/** For each byte, whether it can be in a word. */
export type ByteClass = Uint8Array;

export const TOKEN: ByteClass = byteClass(/[!#$%&'*+.^`|~\w-]/);
export const TARGET: ByteClass = byteClass(/[!-~\x80-\xff]/);
// deno-lint-ignore no-control-regex -- A value must not have control characters.
const VALUE = byteClass(/[^\x00-\x08\x0a-\x1f\x7f]/);
const BLANK = byteClass(/[ \t]/);

/** The fields that say how to read a request, by the length of their names. */
const FIELDS = Array.from(
  { length: 18 },
  (_, length) =>
    ["host", "expect", "connection", "content-length", "transfer-encoding"]
      .find((name) => name.length === length) ?? "",
);

/** A place in bytes that were received, which moves forward. */
export class Scanner {
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array();
  /** The place. */
  at = 0;
  #end = 0;
  /** The status to refuse more bytes with, if the end is a limit. */
  #excess = "";
  #valueAt = 0;
  #valueEnd = 0;

  /**
   * Starts to read.
   *
   * @param bytes The bytes
   * @param at Where to start
   * @param end Where they end
   * @param limit How many bytes to read at most
   * @param excess The status to refuse more with
   */
  start(
    bytes: Uint8Array<ArrayBuffer>,
    at: number,
    end: number,
    limit: number,
    excess: string,
  ): void {
    const isLimited = end - at >= limit;
    this.bytes = bytes;
    this.at = at;
    this.#end = isLimited ? at + limit : end;
    this.#excess = isLimited ? excess : "";
  }

  /** Returns whether a character is next. */
  has(character: string): boolean {
    return this.at < this.#end && this.bytes[this.at] === character.charCodeAt(0);
  }

  /** Takes bytes if they are the same as the first of these, at least one. */
  takeSame(bytes: Uint8Array, length: number): boolean {
    if (length === 0 || length > this.#end - this.at) return false;
    const { bytes: own, at } = this;
    for (let i = 0; i < length; i++) {
      if (own[at + i] !== bytes[i]) return false;
    }
    this.at = at + length;
    return true;
  }

  /** Takes a text as it is. */
  take(text: string): void {
    for (let i = 0; i < text.length; i++, this.at++) {
      if (this.at >= this.#end || this.bytes[this.at] !== text.charCodeAt(i)) this.#fail();
    }
  }

  /** Takes a word, which is not empty. */
  takeWord(allowed: ByteClass): void {
    const start = this.at;
    this.#pass(allowed);
    if (this.at === start) this.#fail();
  }

  /** Takes a digit. */
  takeDigit(): number {
    const digit = this.at < this.#end ? this.bytes[this.at] - 0x30 : -1;
    if (digit < 0 || digit > 9) this.#fail();
    this.at++;
    return digit;
  }

  /** Takes a line. */
  takeLine(): string {
    this.#takeValue();
    return textOf(this.bytes, this.#valueAt, this.#valueEnd);
  }

  /** Takes a field. Returns its name if it says how to read a request, or "". */
  takeField(): string {
    const nameAt = this.at;
    this.takeWord(TOKEN);
    const length = this.at - nameAt;
    const name = length < FIELDS.length ? FIELDS[length] : "";
    const isKnown = isName(this.bytes, nameAt, name);
    this.take(":");
    this.#pass(BLANK);
    this.#takeValue();
    return isKnown ? name : "";
  }

  /** The value of the last field. */
  get value(): string {
    let end = this.#valueEnd;
    while (end > this.#valueAt && BLANK[this.bytes[end - 1]] !== 0) end--;
    return textOf(this.bytes, this.#valueAt, end);
  }

  /** Takes the rest of a line, which must end with CR and LF. */
  #takeValue(): void {
    this.#valueAt = this.at;
    this.#pass(VALUE);
    this.#valueEnd = this.at;
    this.take("\r\n");
  }

  #pass(allowed: ByteClass): void {
    const { bytes } = this;
    const end = this.#end;
    let at = this.at;
    while (at < end && allowed[bytes[at]] !== 0) at++;
    this.at = at;
  }

  #fail(): never {
    if (this.at < this.#end) throw new Refusal(BAD_REQUEST);
    throw this.#excess === "" ? INCOMPLETE : new Refusal(this.#excess);
  }
}

/** Makes a string of bytes, with a character for each. */
export function textOf(bytes: Uint8Array, from: number, to: number): string {
  let text = "";
  for (let i = from; i < to; i++) text += String.fromCharCode(bytes[i]);
  return text;
}

/** Returns whether the bytes of a token are this name, in any case. */
function isName(bytes: Uint8Array, at: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    // This bit makes letters lower-case, and a letter or "-" of no other byte of a token.
    if ((bytes[at + i] | 0x20) !== name.charCodeAt(i)) return false;
  }
  return true;
}

function byteClass(pattern: RegExp): ByteClass {
  return Uint8Array.from({ length: 256 }, (_, i) => Number(pattern.test(String.fromCharCode(i))));
}
