/**
 * A regular interval for programs that wait in a selector.
 *
 * @module
 */

import { type BaseSelector, EVENT_READ } from "@readiness/selectors";
import { type FileDescriptor, TimerDescriptor } from "@readiness/selectors/fd";

/**
 * Calls a function at a regular interval. On Linux a timer of its own ends the waits, so that they
 * need neither a timeout nor the clock: for a server with little to do per wait, that is a tenth of
 * its work.
 */
export class Ticker {
  readonly #interval: number;
  readonly #tick: () => void;
  readonly #timer: TimerDescriptor | null = null;
  /** When the next tick is due, if there is no timer. */
  #due = Infinity;
  #isRunning = false;

  /**
   * Makes a ticker that is stopped.
   *
   * @param selector Calls the functions that are its data
   * @param interval The interval in milliseconds
   * @param tick The function to call
   */
  constructor(
    selector: BaseSelector<(events: number) => void, FileDescriptor>,
    interval: number,
    tick: () => void,
  ) {
    this.#interval = interval;
    this.#tick = tick;
    if (Deno.build.os !== "linux") return;
    const timer = this.#timer = new TimerDescriptor();
    selector.register(timer, EVENT_READ, () => {
      if (timer.readExpirations() !== null) tick();
    });
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** How long a wait may last, in milliseconds, if that is limited. */
  get timeout(): number | undefined {
    return this.#timer === null && this.#isRunning ? this.#interval : undefined;
  }

  start(): void {
    this.#isRunning = true;
    if (this.#timer === null) this.#due = performance.now() + this.#interval;
    else this.#timer.start(this.#interval, this.#interval);
  }

  stop(): void {
    this.#isRunning = false;
    if (this.#timer === null) this.#due = Infinity;
    else this.#timer.stop();
  }

  /** Ticks if that is due. To be called after each wait. */
  update(): void {
    if (this.#timer !== null || !this.#isRunning) return;
    const now = performance.now();
    if (now < this.#due) return;
    this.#due = now + this.#interval;
    this.#tick();
  }
}
