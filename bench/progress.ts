/** Shows progress on standard error: one line, rewritten, or a line every ten seconds. */
export class Progress {
  readonly #start = performance.now();
  readonly #isTerminal = Deno.stderr.isTerminal();
  #shown = this.#start;

  /** Shows the current step. */
  show(text: string): void {
    const now = performance.now();
    const seconds = ((now - this.#start) / 1000).toFixed(0);
    if (this.#isTerminal) {
      const { columns } = Deno.consoleSize();
      this.#write(`\r\x1b[K${`${seconds} s  ${text}`.slice(0, columns - 1)}`);
    } else if (now - this.#shown > 10_000) {
      this.#shown = now;
      this.#write(`${seconds} s  ${text}\n`);
    }
  }

  /** Clears the line. */
  end(): void {
    if (this.#isTerminal) this.#write("\r\x1b[K");
  }

  #write(text: string): void {
    Deno.stderr.writeSync(new TextEncoder().encode(text));
  }
}
