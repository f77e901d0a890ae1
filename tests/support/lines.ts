import { inTime } from "./deadline.ts";

/** The lines of a stream, with a way to wait for one. */
export class Lines {
  /** Everything received so far. */
  text = "";
  /** Resolves at the end of the stream, also after an error. */
  readonly ended: Promise<void>;
  #isEnded = false;
  /** What no wait has passed yet. Searching all of the text would copy it for every piece. */
  #rest = "";
  #change = Promise.withResolvers<void>();

  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.ended = this.#read(stream);
  }

  /** Waits for a line and skips those before it. A string matches a whole line. */
  async wait(wanted: string | RegExp): Promise<string> {
    for (;;) {
      const change = this.#change.promise;
      for (let end; (end = this.#rest.indexOf("\n")) >= 0;) {
        const line = this.#rest.slice(0, end);
        this.#rest = this.#rest.slice(end + 1);
        if (typeof wanted === "string" ? line === wanted : wanted.test(line)) return line;
      }
      if (this.#isEnded) throw new Error(`There is no line ${wanted} in:\n${this.text}`);
      await inTime(change, `the line ${wanted}, having received:\n${this.text}`);
    }
  }

  async #read(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    try {
      for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
        this.text += piece;
        this.#rest += piece;
        this.#tell();
      }
    } catch {
      // A connection that is reset has ended, too.
    }
    this.#isEnded = true;
    this.#tell();
  }

  #tell(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }
}
