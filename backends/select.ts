import { abi } from "../ffi/abi/mod.ts";
import { platform } from "../ffi/platform/mod.ts";
import type { Calls } from "../ffi/libc.ts";
import { BaseSelector } from "./base.ts";
import { BitSets } from "./bit_sets.ts";
import type { DescriptorSets, Report } from "./descriptor_sets.ts";
import { HandleSets } from "./handle_sets.ts";
import type { FileObject } from "./key.ts";
import { sleep, timeWords, writeTime } from "./timeout.ts";

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

const selectCalls = platform.openCalls(declarations);

const Sets = abi.winsock === undefined ? BitSets : HandleSets;
const FRACTION = abi.structs.timeval.fields.tv_usec[0] / 4;

/** Whether `select` waits when it is given nothing to wait for; Winsock's refuses. */
const TAKES_NOTHING = abi.winsock === undefined;

/**
 * Waits with `select`, the oldest way. Its cost grows with the highest descriptor registered, on
 * Windows with the number of registrations.
 *
 * Descriptors above 1023 are taken on Linux, macOS and the BSDs; on Solaris `register` throws a
 * `RangeError` that names the limit. It cannot know that a descriptor was closed and is another's
 * by now: until it is unregistered, the new one's readiness is reported under the old key. While a
 * closed descriptor is registered, waits fail with `EBADF` where the system notices. A hang-up
 * counts as readable alone where the system says no more, as Linux does of pipes.
 *
 * On Windows it takes sockets alone, as many as there are, and refuses pipes, consoles and files
 * (`ENOTSOCK`); waits with a closed socket fail with `ENOTSOCK`, too. A connection that breaks
 * without room to send counts as readable alone if something was unread or the peer had ended its
 * side before: who waits for room alone is not told then.
 *
 * Its methods are those of {@linkcode BaseSelector}: `register()`, `modify()`, `unregister()`,
 * `select()`, `selectAsync()`, `wakeup()`, `waker()`, `getKey()`, `getMap()` and `close()`; it also
 * works with `for await` and `using`.
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
  readonly #sets: DescriptorSets = new Sets();
  readonly #report: Report = (fd, events) => this.report(fd, events);

  /**
   * Makes a selector.
   *
   * @throws {Deno.errors.NotCapable} Without FFI permission
   */
  constructor() {
    super({ waitCall: "select", changeCall: "select", live: false });
    this.#calls = selectCalls();
  }

  /** @ignore Sets the bits of the descriptor. */
  protected override add(fd: number, events: number): number {
    if (fd >= abi.selectLimit) {
      throw new RangeError(
        `Cannot register fd ${fd}: select takes descriptors below ${abi.selectLimit} on this system`,
      );
    }
    return this.#sets.add(fd, events);
  }

  /** @ignore Changes the sets. */
  protected override change(fd: number, _from: number, to: number): number {
    this.#sets.change(fd, to);
    return 0;
  }

  /** @ignore Takes the descriptor out of the sets. */
  protected override remove(fd: number): number {
    this.#sets.remove(fd);
    return 0;
  }

  /** @ignore Waits with `select`. */
  protected override wait(timeout: number): number {
    const sets = this.#sets;
    sets.prepare();
    if (!TAKES_NOTHING && sets.limit === 0) {
      sleep(timeout);
      return 0;
    }
    writeTime(this.#time, timeout, 1_000, FRACTION);
    return this.#calls.select(sets.limit, sets.read, sets.write, sets.except, this.#time);
  }

  /** @ignore Waits likewise on another thread; the sets are not empty, as the waking descriptor is in one. */
  protected override waitOffThread(timeout: number): Promise<number> {
    const sets = this.#sets;
    sets.prepare();
    writeTime(this.#time, timeout, 1_000, FRACTION);
    return this.#calls.selectOffThread(
      sets.limit,
      sets.read,
      sets.write,
      sets.except,
      this.#time,
    );
  }

  /** @ignore Reports the descriptors that are left in the sets. */
  protected override collect(count: number): void {
    this.#sets.collect(count, this.#report);
  }
}
