import type { Socket } from "../../../ffi/socket/mod.ts";

/** How long the event loop is idle before each batch, in milliseconds. */
const PAUSE = 2;

const MESSAGE = new Uint8Array(64);

/** Sends batches of messages, one to each receiver, and records when each message arrives. */
export class LatencyRecorder {
  /** The senders, which the caller adds. */
  readonly senders: Socket[] = [];
  /** Whether every batch has arrived. */
  isDone = false;
  readonly #sent: Float64Array;
  readonly #latencies: number[] = [];
  readonly #warmUp: number;
  #missing = 0;
  #batches: number;

  /**
   * Creates a recorder.
   *
   * @param atOnce The number of messages per batch
   * @param batches The number of batches that count, after a quarter as many to warm up
   */
  constructor(atOnce: number, batches: number) {
    this.#sent = new Float64Array(atOnce);
    this.#warmUp = Math.ceil(batches / 4) * atOnce;
    this.#batches = batches + Math.ceil(batches / 4);
  }

  /** Sends the next batch from a timer, when every receiver is waiting. */
  start(): void {
    setTimeout(() => {
      this.#missing = this.senders.length;
      for (const [i, sender] of this.senders.entries()) {
        this.#sent[i] = performance.now();
        sender.send(MESSAGE);
      }
    }, PAUSE);
  }

  /** Records that the message of a sender has arrived. */
  arrived(i: number): void {
    this.#latencies.push(performance.now() - this.#sent[i]!);
    if (--this.#missing > 0) return;
    this.isDone = --this.#batches === 0;
    if (!this.isDone) this.start();
  }

  /** Prints the median and the 99th percentile, in microseconds. */
  print(): void {
    const sorted = Float64Array.from(this.#latencies.slice(this.#warmUp)).sort();
    const quantile = (share: number) => sorted[Math.floor((sorted.length - 1) * share)]! * 1000;
    console.log(JSON.stringify({ median: quantile(0.5), p99: quantile(0.99) }));
  }
}
