import type { Socket } from "../../../ffi/socket/mod.ts";

/** How long the event loop is left in peace before each round, in milliseconds. */
const PAUSE = 2;

const MESSAGE = new Uint8Array(64);

/** Sends to some sockets at once, round by round, and notes when each message arrived. */
export class Latencies {
  /** What is sent with, which the caller fills. */
  readonly senders: Socket[] = [];
  /** Whether all rounds are over. */
  done = false;
  readonly #sent: Float64Array;
  readonly #found: number[] = [];
  readonly #warmUp: number;
  #missing = 0;
  #left: number;

  constructor(atOnce: number, rounds: number) {
    this.#sent = new Float64Array(atOnce);
    this.#warmUp = Math.ceil(rounds / 4) * atOnce;
    this.#left = rounds + Math.ceil(rounds / 4);
  }

  /** Begins the next round, from a timer, so that every receiver waits by then. */
  start(): void {
    setTimeout(() => {
      this.#missing = this.senders.length;
      for (let i = 0; i < this.senders.length; i++) {
        this.#sent[i] = performance.now();
        this.senders[i].send(MESSAGE);
      }
    }, PAUSE);
  }

  /** Notes that a message arrived. */
  arrived(i: number): void {
    this.#found.push(performance.now() - this.#sent[i]);
    if (--this.#missing > 0) return;
    this.done = --this.#left === 0;
    if (!this.done) this.start();
  }

  /** Prints the median and the 99th percentile, in microseconds, without the first fifth. */
  print(): void {
    const sorted = Float64Array.from(this.#found.slice(this.#warmUp)).sort();
    const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] * 1000;
    console.log(JSON.stringify({ median: at(0.5), p99: at(0.99) }));
  }
}
