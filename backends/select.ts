import { abi } from "../ffi/abi/host.ts";
import { isOpen } from "../ffi/descriptor.ts";
import { type Calls, libcCalls } from "../ffi/libc.ts";
import { BaseSelector } from "./base.ts";
import { fitCapacity, resized } from "./capacity.ts";
import { EVENT_READ, EVENT_WRITE } from "./events.ts";
import type { FileObject } from "./key.ts";
import { timeWords, writeTime } from "./timeout.ts";

const declarations = {
  select: {
    name: abi.symbols.select,
    parameters: ["i32", "buffer", "buffer", "buffer", "buffer"],
    result: "i32",
  },
  selectOffThread: {
    name: abi.symbols.select,
    parameters: ["i32", "buffer", "buffer", "buffer", "buffer"],
    result: "i32",
    nonblocking: true,
  },
} as const;

const selectCalls = libcCalls(declarations);

const { EBADF } = abi.errno;

/** From here on a descriptor must be open to be registered: the sets are as long as it is high. */
const FAR = 65536;

/**
 * Waits with `select`, the oldest way. Its cost grows with the highest descriptor registered.
 *
 * Descriptors above 1023 are taken on Linux, macOS and the BSDs; elsewhere `register` throws a
 * `RangeError` that names the limit. It cannot know that a descriptor was closed and is another's
 * by now: until it is unregistered, the new one's readiness is reported under the old key. While a
 * closed descriptor is registered, waits fail with `EBADF` where the system notices. A hang-up counts as readable alone
 * where the system says no more, as Linux does of pipes.
 *
 * @typeParam Data The data that goes with a registration
 * @typeParam File The file objects that can be registered
 *
 * @example
 * ```ts
 * import { EVENT_READ, SelectSelector } from "@readiness/selectors";
 * import { pipe } from "@readiness/selectors/socket";
 *
 * using selector = new SelectSelector();
 * const { reader, writer } = pipe();
 * selector.register(reader, EVENT_READ);
 * console.log(selector.select(0.2)); // []
 * reader.close();
 * writer.close();
 * ```
 */
export class SelectSelector<Data = unknown, File extends FileObject = FileObject>
  extends BaseSelector<Data, File> {
  readonly #calls: Calls<typeof declarations>;
  readonly #time = timeWords();
  // The interest, as sets of descriptors: the 32 bits of word n stand for fd 32 n and up.
  #read = new Int32Array(0);
  #write = new Int32Array(0);
  // What `select` is given, as it overwrites that with the results.
  #readReady = this.#read;
  #writeReady = this.#write;
  /** How many words are in use. */
  #words = 0;

  /**
   * Makes a selector.
   *
   * @throws {Deno.errors.NotCapable} Without FFI permission
   */
  constructor() {
    super({ waitCall: "select", changeCall: "select", live: false });
    this.#calls = selectCalls();
  }

  /** Sets the bits of the descriptor. */
  protected override add(fd: number, events: number): number {
    if (fd >= abi.selectLimit) {
      throw new RangeError(
        `Cannot register fd ${fd}: select takes descriptors below ${abi.selectLimit} on this system`,
      );
    }
    const words = Math.max(this.#words, (fd >> 5) + 1);
    if (fd >= FAR && !isOpen(fd)) return EBADF;
    this.#words = words;
    this.#fit();
    return this.change(fd, 0, events);
  }

  /** Sets or clears the bits of the descriptor. */
  protected override change(fd: number, _from: number, to: number): number {
    setBit(this.#read, fd, (to & EVENT_READ) !== 0);
    setBit(this.#write, fd, (to & EVENT_WRITE) !== 0);
    return 0;
  }

  /** Clears the bits of the descriptor. */
  protected override remove(fd: number): number {
    this.change(fd, 0, 0);
    while (this.#words > 0 && this.#isEmpty(this.#words - 1)) this.#words--;
    this.#fit();
    return 0;
  }

  /** Waits with `select`. */
  protected override wait(timeout: number): number {
    this.#prepare(timeout);
    return this.#calls.select(
      this.#words * 32,
      this.#readReady,
      this.#writeReady,
      null,
      this.#time,
    );
  }

  /** Waits likewise on another thread. */
  protected override waitOffThread(timeout: number): Promise<number> {
    this.#prepare(timeout);
    return this.#calls.selectOffThread(
      this.#words * 32,
      this.#readReady,
      this.#writeReady,
      null,
      this.#time,
    );
  }

  /** Reports the descriptors whose bits are set. */
  protected override collect(count: number): void {
    const read = this.#readReady;
    const write = this.#writeReady;
    // Each set counts for itself, so a descriptor that is in both counts twice.
    for (let word = 0, left = count; left > 0; word++) {
      let bits = read[word] | write[word];
      while (bits !== 0) {
        const bit = bits & -bits;
        bits ^= bit;
        const events = (read[word] & bit ? EVENT_READ : 0) | (write[word] & bit ? EVENT_WRITE : 0);
        left -= events === (EVENT_READ | EVENT_WRITE) ? 2 : 1;
        this.report(word * 32 + 31 - Math.clz32(bit), events);
      }
    }
  }

  #isEmpty(word: number): boolean {
    return (this.#read[word] | this.#write[word]) === 0;
  }

  /** Makes the sets of interest fit the words in use. */
  #fit(): void {
    const capacity = fitCapacity(this.#read.length, this.#words);
    if (capacity === this.#read.length) return;
    this.#read = resized(this.#read, capacity);
    this.#write = resized(this.#write, capacity);
  }

  /** Copies what a call is to be given. */
  #prepare(timeout: number): void {
    if (this.#readReady.length !== this.#read.length) {
      this.#readReady = new Int32Array(this.#read.length);
      this.#writeReady = new Int32Array(this.#write.length);
    }
    this.#readReady.set(this.#read);
    this.#writeReady.set(this.#write);
    writeTime(this.#time, timeout, 1_000);
  }
}

function setBit(set: Int32Array, fd: number, on: boolean): void {
  if (on) set[fd >> 5] |= 1 << (fd & 31);
  else set[fd >> 5] &= ~(1 << (fd & 31));
}
