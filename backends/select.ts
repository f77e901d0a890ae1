import { abi } from "../ffi/abi/mod.ts";
import { lastErrno } from "../ffi/errno.ts";
import { NativeMemory } from "../ffi/memory.ts";
import { platform } from "../ffi/platform/mod.ts";
import type { BackendOwner, OffThreadBackend } from "./backend.ts";
import { BitSets } from "./bit_sets.ts";
import type { DescriptorSets } from "./descriptor_sets.ts";
import { EVENT_PRIORITY, EVENT_READ, EVENT_WRITE, ONE_SHOT } from "./events.ts";
import { HandleSets } from "./handle_sets.ts";
import { sleep, timeWords, writeTime } from "./timeout.ts";

const selectCalls = platform.openCalls({
  select: {
    name: abi.symbols.select,
    parameters: ["i32", "buffer", "buffer", "buffer", "buffer"],
    result: "i32",
  },
});

const offThreadCalls = platform.openCalls({
  selectOffThread: {
    name: abi.symbols.select,
    parameters: ["i32", "usize", "usize", "usize", "usize"],
    result: "i32",
    nonblocking: true,
  },
});

const Sets = abi.winsock === undefined ? BitSets : HandleSets;
const FRACTION = abi.structs.timeval.fields.tv_usec[0] / 4;

/** Whether `select` can wait without descriptors; Winsock's refuses. */
const WAITS_FOR_NOTHING = abi.winsock === undefined;

/** `select`, over sets of bits, or of handles on Windows. */
export class SelectBackend implements OffThreadBackend {
  readonly waitCall = "select";
  readonly changeCall = "select";
  readonly pollableFd = -1;
  readonly isLive = false;
  /** Windows' timers are coarse. */
  readonly isPrecise = abi.winsock === undefined;
  readonly hasOneShot = false;
  readonly limit = abi.selectLimit;
  readonly #calls = selectCalls();
  readonly #time = timeWords();
  readonly #sets: DescriptorSets = new Sets();
  readonly #memory = new NativeMemory();

  supports(events: number): boolean {
    return selectSupports(events);
  }

  add(fd: number, events: number): number {
    return this.#sets.add(fd, events);
  }

  change(fd: number, _from: number, to: number): number {
    this.#sets.change(fd, to);
    return 0;
  }

  remove(fd: number): number {
    this.#sets.remove(fd);
    return 0;
  }

  wait(timeout: number): number {
    const sets = this.#sets;
    sets.prepare();
    if (!WAITS_FOR_NOTHING && sets.limit === 0) {
      sleep(timeout);
      return 0;
    }
    writeTime(this.#time, timeout, 1_000, FRACTION);
    const result = this.#calls.select(sets.limit, sets.read, sets.write, sets.except, this.#time);
    return result < 0 ? -lastErrno() : result;
  }

  /** The sets are not empty: the reactor's waker is among them. */
  async waitOffThread(timeout: number): Promise<number> {
    const sets = this.#sets;
    sets.prepare();
    writeTime(this.#time, timeout, 1_000, FRACTION);
    const parts = [this.#time, sets.read, sets.write, sets.except];
    const sizes = parts.map((part) => part?.byteLength ?? 0);
    const start = this.#memory.reserve(sizes.reduce((sum, size) => sum + size));
    let offset = 0;
    const [time, read, write, except] = parts.map((part, i) => {
      if (part === null) return 0n;
      this.#memory.write(offset, part, sizes[i]!);
      const address = start + BigInt(offset);
      offset += sizes[i]!;
      return address;
    });
    const result = await offThreadCalls().selectOffThread(
      sets.limit,
      read!,
      write!,
      except!,
      time!,
    );
    // The errno of another thread is out of reach, but `wait(0)` follows, which fails likewise.
    return Math.max(result, 0);
  }

  collect(count: number, owner: BackendOwner): number {
    this.#sets.collect(count, owner);
    return 0;
  }

  close(): void {}
}

/** Returns whether select can watch an interest mask. */
export function selectSupports(events: number): boolean {
  return (events & ~(EVENT_READ | EVENT_WRITE | EVENT_PRIORITY | ONE_SHOT)) === 0;
}
