/**
 * Lines of text in a stream of bytes, for the examples.
 *
 * @module
 */

const NEWLINE = 10;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Cuts a stream of bytes into lines. A piece of it can start and end in the middle of a line. */
export class Lines {
  readonly #longest: number;
  #half = new Uint8Array();
  #isTooLong = false;

  /** @param longest The longest line, in bytes */
  constructor(longest: number) {
    this.#longest = longest;
  }

  /**
   * Takes a piece of the stream, which is empty at its end.
   *
   * @returns The lines that it completes; `null` stands for one that is too long
   */
  *cut(bytes: Uint8Array): Generator<string | null> {
    let start = 0;
    for (let end; (end = bytes.indexOf(NEWLINE, start)) >= 0; start = end + 1) {
      this.#keep(bytes.subarray(start, end));
      yield this.#finish();
    }
    this.#keep(bytes.subarray(start));
    if (bytes.length === 0 && this.#half.length > 0) yield this.#finish();
  }

  #keep(piece: Uint8Array): void {
    const { length } = this.#half;
    this.#isTooLong ||= length + piece.length > this.#longest;
    if (this.#isTooLong || piece.length === 0) return;
    const half = new Uint8Array(length + piece.length);
    half.set(this.#half);
    half.set(piece, length);
    this.#half = half;
  }

  /** Decodes the whole line, as its pieces can split a character. */
  #finish(): string | null {
    const line = this.#isTooLong ? null : decode(this.#half);
    this.#half = new Uint8Array();
    this.#isTooLong = false;
    return line;
  }
}

/** Decodes a line. Invalid UTF-8 and control characters other than tabs become U+FFFD. */
function decode(line: Uint8Array): string {
  return decoder.decode(line).replace(/\r$/, "").replace(/(?!\t)\p{Cc}/gu, "\ufffd");
}
