/** How often to sweep, in milliseconds. */
const PERIOD = 1000;

/** How many waits to let pass before the clock is read, which costs as much as a small message. */
const WAITS = 16;

/** Looks at all connections once a second, such as for those that have been silent for long. */
export class Sweep {
  /** The number of sweeps so far: a clock in seconds that costs nothing to read but may be slow. */
  now = 0;
  readonly #checks = new Set<() => void>();
  #due = 0;
  #waits = 0;

  /** The number of functions that it calls. */
  get size(): number {
    return this.#checks.size;
  }

  /** How long a wait may last, in milliseconds. */
  get timeout(): number | undefined {
    return this.#checks.size > 0 ? PERIOD : undefined;
  }

  /** Calls a function with each sweep. */
  add(check: () => void): void {
    this.#checks.add(check);
  }

  /** No longer calls a function. */
  delete(check: () => void): void {
    this.#checks.delete(check);
  }

  /** Sweeps when it is time. To be called after each wait, with the number of its events. */
  update(events: number): void {
    if (events > 0 && ++this.#waits < WAITS) return;
    this.#waits = 0;
    const time = performance.now();
    if (time < this.#due) return;
    this.#due = time + PERIOD;
    this.now++;
    for (const check of this.#checks) check();
  }
}
