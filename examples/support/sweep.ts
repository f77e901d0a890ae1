import type { BaseSelector } from "@readiness/selectors";
import type { FileDescriptor } from "@readiness/selectors/fd";
import { Ticker } from "./ticker.ts";

/** How often to sweep, in milliseconds. */
const PERIOD = 1000;

/** Looks at all connections once a second, such as for those that have been silent for long. */
export class Sweep {
  /** The number of sweeps so far: a clock in seconds that costs nothing to read. */
  now = 0;
  readonly #ticker: Ticker;
  readonly #checks = new Set<() => void>();

  constructor(selector: BaseSelector<(events: number) => void, FileDescriptor>) {
    this.#ticker = new Ticker(selector, PERIOD, () => this.#sweep());
  }

  /** The number of functions that it calls. */
  get size(): number {
    return this.#checks.size;
  }

  /** How long a wait may last, in milliseconds, if that is limited. */
  get timeout(): number | undefined {
    return this.#ticker.timeout;
  }

  /** Calls a function with each sweep. */
  add(check: () => void): void {
    this.#checks.add(check);
    if (!this.#ticker.isRunning) this.#ticker.start();
  }

  /** No longer calls a function. */
  delete(check: () => void): void {
    this.#checks.delete(check);
  }

  /** Sweeps if that is due. To be called after each wait. */
  update(): void {
    this.#ticker.update();
  }

  #sweep(): void {
    this.now++;
    for (const check of this.#checks) check();
    if (this.#checks.size === 0) this.#ticker.stop();
  }
}
