import type { Socket } from "../../../ffi/socket/mod.ts";

/** The interval of the timer, in milliseconds. */
const INTERVAL = 10;

const SUPPLY = new Uint8Array(4096);

/**
 * Supplies a receiver with bytes, so that there always is one, and records how the rest of the
 * event loop fares meanwhile: a timer, and on request an exchange over Deno's own sockets.
 */
export class FairnessRecorder {
  readonly #sender: Socket;
  readonly #ms: number;
  #start = performance.now();
  #isWarmUp = true;
  #supply = 0;
  #awaits = 0;
  #exchanges: number | undefined;
  #ticks: number[] = [];

  /**
   * Starts the timer and the exchange. The receiver then awaits and reads one byte at a time, and
   * calls {@linkcode FairnessRecorder.received} after each.
   *
   * @param sender The sender of the bytes
   * @param ms How long to record, in milliseconds, after a quarter as long to warm up
   * @param withExchange Whether to exchange bytes over Deno's own sockets
   */
  constructor(sender: Socket, ms: number, withExchange: boolean) {
    this.#sender = sender;
    this.#ms = ms;
    setInterval(() => this.#ticks.push(performance.now()), INTERVAL);
    if (withExchange) this.#exchange();
    this.#send();
  }

  /** Counts a byte. When the time is over, it prints the results and ends the process. */
  received(): void {
    this.#awaits++;
    if (--this.#supply > 0) return;
    this.#send();
    const elapsed = performance.now() - this.#start;
    if (elapsed < (this.#isWarmUp ? this.#ms / 4 : this.#ms)) return;
    if (!this.#isWarmUp) this.#end(elapsed);
    this.#isWarmUp = false;
    this.#start = performance.now();
    this.#awaits = 0;
    this.#ticks = [];
    if (this.#exchanges !== undefined) this.#exchanges = 0;
  }

  #send(): void {
    this.#supply = this.#sender.send(SUPPLY)!;
  }

  #end(elapsed: number): never {
    const times = [this.#start, ...this.#ticks, this.#start + elapsed];
    const gaps = times.slice(1).map((time, i) => time - times[i]!);
    console.log(JSON.stringify({
      ticks: 100 * this.#ticks.length / (elapsed / INTERVAL),
      gap: Math.max(...gaps),
      awaits: this.#awaits * 1000 / elapsed,
      exchanges: this.#exchanges === undefined ? undefined : this.#exchanges * 1000 / elapsed,
    }));
    Deno.exit();
  }

  async #exchange(): Promise<void> {
    this.#exchanges = 0;
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const connected = Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
    const [near, far] = await Promise.all([listener.accept(), connected]);
    near.setNoDelay(true);
    const byte = new Uint8Array(1);
    for (;;) {
      await near.write(byte);
      await far.read(byte);
      this.#exchanges++;
    }
  }
}
