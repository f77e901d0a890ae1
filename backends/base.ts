import { abi } from "../ffi/abi/mod.ts";
import { closeDescriptor } from "../ffi/descriptor.ts";
import { lastErrno, OSError } from "../ffi/errno.ts";
import { EVENT_READ, EVENT_WRITE } from "./events.ts";
import {
  describeFile,
  descriptorOf,
  type FileObject,
  KeyError,
  type ReadyEvent,
  type SelectorKey,
} from "./key.ts";
import { KeyTable } from "./key_table.ts";
import { SelectorMap } from "./selector_map.ts";
import { holdLoop, loopMustTurn, loopTurned } from "./event_loop.ts";
import { MAX_WAIT, parseTimeout } from "./timeout.ts";
import { openWakeDescriptor, type WakeDescriptor, type Waker } from "./waker.ts";

const { EBADF, EINTR, EINVAL, EMFILE, ENFILE, ENOENT, EPERM } = abi.errno;

/**
 * What a system says when a descriptor is to be taken out that was closed before, or is by now
 * another's, a regular file's (`EPERM`) or the selector's own (`EINVAL`).
 */
const GONE: readonly number[] = [EBADF, ENOENT, EPERM, EINVAL];
const ALL_EVENTS = EVENT_READ | EVENT_WRITE;

// What a selector is at: one number, so that the hot path asks one question.
const IDLE = 0;
const WOKEN = 1; // Idle, and the next wait is to return at once.
const WAITING = 2; // An asynchronous wait is under way.
const CLOSED = 3;

/** Gives the descriptors of a selector back that was dropped without `close()`. */
const dropped = new FinalizationRegistry<number[]>((fds) => {
  try {
    closeAll(fds);
  } catch {
    // Nobody is left to be told.
  }
});

/** How a wait may be ended from outside. */
export interface SelectAsyncOptions {
  /** Rejects the wait with the signal's reason when it is aborted. */
  signal?: AbortSignal;
}

/** @ignore What a backend tells of itself. */
export interface BackendTraits {
  /** The system call that waits, for messages. */
  readonly waitCall: string;
  /** The system call that changes registrations, for messages. */
  readonly changeCall: string;
  /** Whether a change of the registrations acts on a wait that is under way on another thread. */
  readonly live: boolean;
}

/**
 * Waits until registered file objects are ready for reading or writing.
 *
 * Every selector has these methods and behaves the same, except where its own documentation says so.
 *
 * @typeParam Data The data that goes with a registration
 * @typeParam File The file objects that can be registered
 *
 * @example A socket becomes readable
 * ```ts
 * import { DefaultSelector, EVENT_READ } from "@readiness/selectors";
 * import { socketpair } from "@readiness/selectors/socket";
 * import { assertEquals } from "@std/assert";
 *
 * using selector = new DefaultSelector<string>();
 * const [left, right] = socketpair();
 * selector.register(left, EVENT_READ, "the left one");
 * right.send(new TextEncoder().encode("hi"));
 * for (const [key, events] of selector.select()) {
 *   assertEquals([key.data, events], ["the left one", EVENT_READ]);
 * }
 * left.close();
 * right.close();
 * ```
 */
export abstract class BaseSelector<Data = unknown, File extends FileObject = FileObject>
  implements Disposable {
  readonly #traits: BackendTraits;
  #state = IDLE;
  readonly #keys = new KeyTable<Data, File>();
  readonly #map = new SelectorMap<Data, File>(this.#keys);
  readonly #descriptors: number[] = [];
  #ready: ReadyEvent<Data, File>[] = [];
  #wake: WakeDescriptor | null = null;
  #wakeFd = -1;
  #woken = false; // The last collection found a wake from outside.
  #changed = false; // Registrations changed under the wait under way.
  #kicks = 0; // Wakes that this selector sent to its own wait, and that were not drained yet.

  /**
   * Makes the part of a selector that is the same for every backend.
   *
   * @param traits What the backend tells of itself
   * @ignore
   */
  constructor(traits: BackendTraits) {
    this.#traits = traits;
  }

  // The seam: what a backend supplies.

  /**
   * Registers a descriptor with the system.
   *
   * @param fd A descriptor that is not registered
   * @param events Its interest mask
   * @returns 0, or the `errno` of the refusal
   * @ignore
   */
  protected abstract add(fd: number, events: number): number;

  /**
   * Changes the interest mask of a registered descriptor.
   *
   * @param fd The descriptor
   * @param from Its mask so far
   * @param to Its mask from now on
   * @returns 0, or the `errno` of the refusal
   * @ignore
   */
  protected abstract change(fd: number, from: number, to: number): number;

  /**
   * Takes a descriptor out, which may be closed or another's by now.
   *
   * @param fd The descriptor
   * @param events Its mask so far
   * @returns 0, or the `errno` of the refusal
   * @ignore
   */
  protected abstract remove(fd: number, events: number): number;

  /**
   * Waits on this thread.
   *
   * @param timeout Milliseconds, from 0 to 2³¹ − 1; the base repeats what is to last longer
   * @returns How many results wait to be collected, or -1 with `errno` set
   * @ignore
   */
  protected abstract wait(timeout: number): number;

  /**
   * Waits on another thread. Until the promise is fulfilled nothing that the call was given is
   * moved, changed or freed.
   *
   * @param timeout Milliseconds, from 0 to 2³¹ − 1
   * @returns How many results wait to be collected, or -1 without a meaningful `errno`
   * @ignore
   */
  protected abstract waitOffThread(timeout: number): Promise<number>;

  /**
   * Calls {@linkcode BaseSelector.report} once for each ready descriptor of the last wait.
   *
   * @param count What the wait returned, above 0
   * @ignore
   */
  protected abstract collect(count: number): void;

  // What the base offers to a backend.

  /**
   * Takes note of a ready descriptor.
   *
   * @param fd The descriptor, registered or not
   * @param events What it is ready for; what was not asked for is left out
   * @ignore
   */
  protected report(fd: number, events: number): void {
    const key = this.#keys.get(fd);
    if (key !== undefined) {
      const asked = events & key.events;
      if (asked !== 0) this.#ready.push([key, asked]);
    } else if (fd === this.#wakeFd) {
      this.#woken = this.#wake!.drain() > this.#kicks;
      this.#kicks = 0;
    }
  }

  /**
   * Hands a descriptor to the selector, which closes it with itself or when it is collected.
   *
   * @param fd The descriptor
   * @ignore
   */
  protected own(fd: number): void {
    if (this.#descriptors.length === 0) dropped.register(this, this.#descriptors, this);
    this.#descriptors.push(fd);
  }

  /**
   * How many descriptors are registered with the system, the waking one included.
   *
   * @returns Their number, 0 or more
   * @ignore
   */
  protected get count(): number {
    return this.#wake === null ? this.#keys.size : this.#keys.size + 1;
  }

  /**
   * Lists what is registered with the system, for a backend that has to register it anew.
   *
   * @returns Each descriptor and its interest mask, the waking one included
   * @ignore
   */
  protected *registrations(): Iterable<[fd: number, events: number]> {
    for (const key of this.#keys.values()) yield [key.fd, key.events];
    if (this.#wake !== null) yield [this.#wakeFd, EVENT_READ];
  }

  /**
   * Refuses to go on with a closed selector.
   *
   * @param attempt What was attempted, such as `"register"`
   * @throws {Deno.errors.BadResource} If the selector is closed
   * @ignore
   */
  protected assertOpen(attempt: string): void {
    if (this.#state === CLOSED) {
      throw new Deno.errors.BadResource(`Cannot ${attempt}: the selector is closed`);
    }
  }

  // The public side.

  /**
   * Tells whether this machine can allocate such a selector, by trying.
   *
   * @returns Whether it can, also when it has just now no descriptor to spare
   * @throws {Deno.errors.NotCapable} Without FFI permission, as nothing can be told then
   *
   * @example Choosing a backend
   * ```ts
   * import { PollSelector, SelectSelector } from "@readiness/selectors";
   *
   * using selector = PollSelector.isAvailable() ? new PollSelector() : new SelectSelector();
   * ```
   */
  static isAvailable(this: new () => BaseSelector): boolean {
    try {
      new this().close();
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
      return error instanceof OSError && (error.errno === EMFILE || error.errno === ENFILE);
    }
  }

  /**
   * Registers a file object. A wait under way takes note of it at once.
   *
   * @param fileobj A descriptor, or an object that has one
   * @param events The interest mask: `EVENT_READ`, `EVENT_WRITE` or both
   * @param data Whatever is to be found again in the key
   * @returns The key
   * @throws {RangeError} If the mask is none of those, or the descriptor is negative or fractional
   * @throws {TypeError} If `fileobj` is neither a number nor has a `fileno()` that returns one
   * @throws {KeyError} If the object or its descriptor is registered already
   * @throws {OSError} If the system refuses the descriptor; nothing is registered then
   * @throws {Deno.errors.BadResource} If the selector is closed
   *
   * @example
   * ```ts
   * import { DefaultSelector, EVENT_READ, EVENT_WRITE } from "@readiness/selectors";
   * import { pipe } from "@readiness/selectors/socket";
   *
   * using selector = new DefaultSelector<string>();
   * const { reader, writer } = pipe();
   * selector.register(reader, EVENT_READ, "reader");
   * selector.register(writer, EVENT_WRITE, "writer");
   * reader.close();
   * writer.close();
   * ```
   */
  register(fileobj: File, events: number, data?: Data): SelectorKey<Data, File> {
    this.assertOpen("register");
    checkEvents(events);
    const fd = descriptorOf(fileobj);
    const other = this.#keys.get(fd);
    if (other !== undefined) {
      throw new KeyError(
        `Cannot register ${describeFile(fileobj, fd)}: it is registered already as ${
          describeFile(other.fileobj, fd)
        }`,
      );
    }
    if (this.#wake?.descriptors.includes(fd)) {
      throw new KeyError(
        `Cannot register ${describeFile(fileobj, fd)}: it is what wakes this selector`,
      );
    }
    const errno = this.add(fd, events);
    if (errno !== 0) {
      throw new OSError(
        `Cannot register ${describeFile(fileobj, fd)}`,
        this.#traits.changeCall,
        errno,
      );
    }
    const key: SelectorKey<Data, File> = { fileobj, fd, events, data: data as Data };
    this.#keys.add(key);
    if (this.#state === WAITING) this.#restartWait();
    return key;
  }

  /**
   * Takes a file object out, also one that is closed. No event is reported for it any more.
   *
   * @param fileobj The object as it was registered, or its descriptor
   * @returns The key that it had
   * @throws {KeyError} If it is not registered
   * @throws {RangeError | TypeError} If it is not registered and tells no descriptor
   * @throws {OSError} If the system refuses; the key is gone all the same
   * @throws {Deno.errors.BadResource} If the selector is closed
   *
   * @example
   * ```ts
   * import { DefaultSelector, EVENT_READ } from "@readiness/selectors";
   * import { pipe } from "@readiness/selectors/socket";
   *
   * using selector = new DefaultSelector();
   * const { reader, writer } = pipe();
   * selector.register(reader, EVENT_READ);
   * reader.close();
   * selector.unregister(reader);
   * writer.close();
   * ```
   */
  unregister(fileobj: File): SelectorKey<Data, File> {
    const key = this.#keyFor("unregister", fileobj);
    this.#keys.delete(key.fd);
    const errno = this.remove(key.fd, key.events);
    if (this.#state === WAITING) this.#restartWait();
    if (errno !== 0 && !GONE.includes(errno)) {
      throw new OSError(`Cannot unregister fd ${key.fd}`, this.#traits.changeCall, errno);
    }
    return key;
  }

  /**
   * Changes the interest mask and the data of a file object. With the same mask, the data alone is
   * changed, without a system call.
   *
   * @param fileobj The object as it was registered, or its descriptor
   * @param events The interest mask from now on
   * @param data The data from now on; left out, it is `undefined`
   * @returns The new key, or the same one if there is nothing to change
   * @throws {RangeError} If the mask is not `EVENT_READ`, `EVENT_WRITE` or both
   * @throws {KeyError} If the object is not registered
   * @throws {OSError} If the system refuses; the object is not registered any more then
   * @throws {Deno.errors.BadResource} If the selector is closed
   *
   * @example
   * ```ts
   * import { DefaultSelector, EVENT_READ, EVENT_WRITE } from "@readiness/selectors";
   * import { socketpair } from "@readiness/selectors/socket";
   * import { assertEquals } from "@std/assert";
   *
   * using selector = new DefaultSelector();
   * const [left, right] = socketpair();
   * selector.register(left, EVENT_READ);
   * assertEquals(selector.select(0).length, 0);
   * selector.modify(left, EVENT_READ | EVENT_WRITE);
   * assertEquals(selector.select(0)[0][1], EVENT_WRITE);
   * left.close();
   * right.close();
   * ```
   */
  modify(fileobj: File, events: number, data?: Data): SelectorKey<Data, File> {
    this.assertOpen("modify");
    checkEvents(events);
    const key = this.#keyFor("modify", fileobj);
    const { fd } = key;
    if (events !== key.events) {
      const errno = this.change(fd, key.events, events);
      if (this.#state === WAITING) this.#restartWait();
      if (errno !== 0) {
        this.#keys.delete(fd);
        this.remove(fd, key.events);
        throw new OSError(
          `Cannot modify ${describeFile(key.fileobj, fd)}, which is not registered any more`,
          this.#traits.changeCall,
          errno,
        );
      }
    } else if (data === key.data) {
      return key;
    }
    const changed: SelectorKey<Data, File> = {
      fileobj: key.fileobj,
      fd,
      events,
      data: data as Data,
    };
    this.#keys.replace(changed);
    return changed;
  }

  /**
   * Waits on this thread until something is ready. Nothing else runs meanwhile: no timer, no
   * signal listener. {@linkcode BaseSelector.selectAsync} leaves the event loop free.
   *
   * @param timeout Milliseconds: above 0 at most that long, and never less while nothing is ready;
   * 0 or below not at all; left out, `null` or `Infinity` until something is ready
   * @returns What is ready, each file object once; empty when the time is up or at a wake
   * @throws {TypeError} If the timeout is not a number or is `NaN`
   * @throws {OSError} If the system refuses; an interruption by a signal is not seen
   * @throws {Deno.errors.Busy} If an asynchronous wait is under way
   * @throws {Deno.errors.BadResource} If the selector is closed
   *
   * @example
   * ```ts
   * import { DefaultSelector, EVENT_READ } from "@readiness/selectors";
   * import { pipe } from "@readiness/selectors/socket";
   * import { assertEquals } from "@std/assert";
   *
   * using selector = new DefaultSelector();
   * const { reader, writer } = pipe();
   * selector.register(reader, EVENT_READ);
   * assertEquals(selector.select(5), []);
   * writer.write(new Uint8Array(1));
   * assertEquals(selector.select()[0][0].fileobj, reader);
   * reader.close();
   * writer.close();
   * ```
   */
  select(timeout?: number | null): ReadyEvent<Data, File>[] {
    const limit = this.#begin(parseTimeout(timeout));
    const start = limit > 0 && limit < Infinity ? performance.now() : 0;
    let left = limit;
    do {
      const ready = this.#results(this.wait(Math.min(left, MAX_WAIT)));
      if (limit === 0 || ready.length > 0 || this.#woken) {
        this.#woken = false;
        return ready;
      }
      left = limit - (performance.now() - start);
    } while (left > 0);
    return [];
  }

  /**
   * Waits until something is ready and leaves the event loop free meanwhile. Register, modify and
   * unregister act on the wait at once. One wait can be under way at a time; while it is, it keeps
   * the process alive, as a pending read does. A Worker that waits is to be woken, and ends itself:
   * `terminate()` would free memory that the system still writes to.
   *
   * @param timeout Milliseconds, as for {@linkcode BaseSelector.select}
   * @param options A signal that ends the wait
   * @returns What is ready, each file object once; empty when the time is up or at a wake
   * @throws {TypeError} If the timeout is not a number or is `NaN`
   * @throws {OSError} If the system refuses
   * @throws {Deno.errors.Busy} If another asynchronous wait is under way
   * @throws {Deno.errors.BadResource} If the selector is closed, or is being closed meanwhile
   * @throws The signal's reason, once it is aborted; the selector stays usable
   *
   * @example
   * ```ts
   * import { DefaultSelector, EVENT_READ } from "@readiness/selectors";
   * import { pipe } from "@readiness/selectors/socket";
   * import { assertEquals } from "@std/assert";
   *
   * using selector = new DefaultSelector();
   * const { reader, writer } = pipe();
   * selector.register(reader, EVENT_READ);
   * setTimeout(() => writer.write(new Uint8Array(1)), 5);
   * const [[key]] = await selector.selectAsync();
   * assertEquals(key.fileobj, reader);
   * reader.close();
   * writer.close();
   * ```
   */
  async selectAsync(
    timeout?: number | null,
    options?: SelectAsyncOptions,
  ): Promise<ReadyEvent<Data, File>[]> {
    const asked = parseTimeout(timeout);
    const signal = options?.signal;
    signal?.throwIfAborted();
    const limit = this.#begin(asked);
    this.#openWake(); // While there still is a descriptor for it: later there may be none.
    this.#state = WAITING;
    try {
      const start = limit > 0 && limit < Infinity ? performance.now() : 0;
      let left = limit;
      // What is ready already costs no trip to another thread, until the event loop has to turn.
      for (let isTrip = loopMustTurn();; isTrip = true) {
        const ready = isTrip
          ? await this.#resultsFromThread(left, signal)
          : this.#results(this.wait(0));
        if (limit > 0) left = limit - (performance.now() - start);
        if (ready.length > 0 || this.#woken || left <= 0) {
          if (!isTrip) holdLoop();
          this.#woken = false;
          return ready;
        }
      }
    } finally {
      if (this.#closed()) this.#free();
      else this.#state = this.#woken ? WOKEN : IDLE;
      this.#woken = false;
    }
  }

  /**
   * Iterates over what becomes ready, one event at a time, until the selector is closed. An event
   * is passed over if its key was unregistered or modified since it was fetched. The event loop
   * stays free, and leaving the loop early leaves the selector usable.
   *
   * @returns An iterator over the ready events
   * @throws {Deno.errors.BadResource} If the selector is closed already
   * @throws {Deno.errors.Busy} From its `next()`, if another wait is under way
   *
   * @example
   * ```ts
   * import { DefaultSelector, EVENT_READ } from "@readiness/selectors";
   * import { pipe } from "@readiness/selectors/socket";
   *
   * const selector = new DefaultSelector();
   * const { reader, writer } = pipe();
   * selector.register(reader, EVENT_READ);
   * writer.write(new Uint8Array(1));
   * for await (const [key] of selector) {
   *   selector.unregister(key.fileobj);
   *   selector.close();
   * }
   * reader.close();
   * writer.close();
   * ```
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<ReadyEvent<Data, File>> {
    this.assertOpen("iterate");
    return this.#events();
  }

  /** Written out, as an async generator's own promises would cost some with every event. */
  #events(): AsyncIterableIterator<ReadyEvent<Data, File>> {
    type Result = IteratorResult<ReadyEvent<Data, File>>;
    const end: Result = { value: undefined, done: true };
    let batch: ReadyEvent<Data, File>[] = [];
    let at = 0;
    let isOver = false;
    let fetching: Promise<Result> | undefined;

    /** Takes from the batch, and passes over keys that are not current any more. */
    const take = (): Result | undefined => {
      while (at < batch.length) {
        const value = batch[at++];
        if (this.#keys.get(value[0].fd) === value[0]) return { value, done: false };
      }
    };
    const fetch = async (): Promise<Result> => {
      try {
        while (!isOver) {
          batch = await this.selectAsync();
          at = 0;
          const result = isOver ? end : take();
          if (result !== undefined) return result;
        }
      } catch (error) {
        isOver = true;
        if (!this.#closed()) throw error;
      } finally {
        fetching = undefined;
      }
      return end;
    };
    const next = (): Promise<Result> => {
      if (fetching !== undefined) return fetching.then(next, next); // In their order.
      const result = isOver || this.#closed() ? end : take();
      return result === undefined ? fetching = fetch() : Promise.resolve(result);
    };
    return {
      next,
      return: async () => {
        isOver = true;
        const pending = fetching;
        if (pending !== undefined && this.#state === WAITING) this.wakeup();
        await pending?.catch(() => {}); // Whoever asked for it is told.
        return end;
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  /**
   * Makes the wait under way, or else the next one, return at once with what is ready, which is
   * often nothing. Several wakes before a wait count as one.
   *
   * @throws {OSError} If the system has no descriptor to wake with
   * @throws {Deno.errors.BadResource} If the selector is closed
   *
   * @example
   * ```ts
   * import { DefaultSelector } from "@readiness/selectors";
   * import { assertEquals } from "@std/assert";
   *
   * using selector = new DefaultSelector();
   * selector.wakeup();
   * assertEquals(selector.select(), []);
   * ```
   */
  wakeup(): void {
    this.assertOpen("wake");
    if (this.#state === WAITING) this.#openWake().wake();
    else this.#state = WOKEN;
  }

  /**
   * Gives what wakes this selector from other threads: send `fd` to a Worker, and there call
   * {@linkcode wake} with it. The descriptor lives as long as the selector.
   *
   * @returns The descriptor to wake, and a function that does so
   * @throws {OSError} If the system has no descriptor to wake with
   * @throws {Deno.errors.BadResource} If the selector is closed
   *
   * @example
   * ```ts
   * import { DefaultSelector, wake } from "@readiness/selectors";
   * import { assertEquals } from "@std/assert";
   *
   * using selector = new DefaultSelector();
   * wake(selector.waker().fd); // As another thread would do it.
   * assertEquals(selector.select(), []);
   * ```
   */
  waker(): Waker {
    this.assertOpen("give a waker");
    const wake = this.#openWake();
    return {
      fd: wake.fd,
      wake: () => {
        this.assertOpen("wake");
        wake.wake();
      },
    };
  }

  /**
   * Finds the key of a file object.
   *
   * @param fileobj The object as it was registered, or its descriptor
   * @returns Its key
   * @throws {KeyError} If it is not registered
   * @throws {RangeError | TypeError} If it is not registered and tells no descriptor
   * @throws {Deno.errors.BadResource} If the selector is closed
   *
   * @example
   * ```ts
   * import { DefaultSelector, EVENT_READ } from "@readiness/selectors";
   * import { pipe } from "@readiness/selectors/socket";
   * import { assertEquals } from "@std/assert";
   *
   * using selector = new DefaultSelector();
   * const { reader, writer } = pipe();
   * selector.register(reader, EVENT_READ, "data");
   * assertEquals(selector.getKey(reader.fileno()).data, "data");
   * reader.close();
   * writer.close();
   * ```
   */
  getKey(fileobj: File): SelectorKey<Data, File> {
    return this.#keyFor("find", fileobj);
  }

  /**
   * Gives a live, read-only view of what is registered. It is empty once the selector is closed.
   *
   * @returns A map from file objects, given as themselves or as descriptors, to keys
   * @throws {Deno.errors.BadResource} If the selector is closed
   *
   * @example
   * ```ts
   * import { DefaultSelector, EVENT_READ } from "@readiness/selectors";
   * import { pipe } from "@readiness/selectors/socket";
   * import { assertEquals } from "@std/assert";
   *
   * using selector = new DefaultSelector();
   * const { reader, writer } = pipe();
   * selector.register(reader, EVENT_READ);
   * assertEquals(selector.getMap().size, 1);
   * assertEquals(selector.getMap().has(writer), false);
   * reader.close();
   * writer.close();
   * ```
   */
  getMap(): SelectorMap<Data, File> {
    this.assertOpen("get the map");
    return this.#map;
  }

  /**
   * Closes the selector, not what is registered with it. An asynchronous wait under way is
   * rejected, an iterator ends. Closing again does nothing.
   *
   * @example
   * ```ts
   * import { DefaultSelector } from "@readiness/selectors";
   *
   * const selector = new DefaultSelector();
   * selector.close();
   * ```
   */
  close(): void {
    if (this.#closed()) return;
    const waiting = this.#state === WAITING;
    this.#state = CLOSED;
    this.#keys.clear();
    // A descriptor must not be closed under a call that uses it: the wait frees them as it ends.
    if (waiting) this.#kick();
    else this.#free();
  }

  /** Closes the selector at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }

  #keyFor(attempt: string, fileobj: File): SelectorKey<Data, File> {
    this.assertOpen(attempt);
    const key = this.#keys.find(fileobj);
    if (key === undefined) {
      throw new KeyError(
        `Cannot ${attempt} ${describeFile(fileobj, descriptorOf(fileobj))}: it is not registered`,
      );
    }
    return key;
  }

  /** Begins a wait: no other may be under way, and after a wake it only polls. */
  #begin(limit: number): number {
    if (this.#state === IDLE) return limit;
    this.assertOpen("select");
    if (this.#state === WAITING) {
      throw new Deno.errors.Busy("Cannot select: an asynchronous wait is under way");
    }
    this.#state = IDLE;
    return 0;
  }

  /** Turns what a wait returned into events. An interrupted wait has none. */
  #results(count: number): ReadyEvent<Data, File>[] {
    const ready: ReadyEvent<Data, File>[] = [];
    if (count > 0) {
      this.#ready = ready;
      this.collect(count);
    } else if (count < 0) {
      const errno = lastErrno();
      if (errno !== EINTR) {
        throw new OSError(
          `Cannot select among ${this.#keys.size} file objects`,
          this.#traits.waitCall,
          errno,
        );
      }
    }
    return ready;
  }

  async #resultsFromThread(
    timeout: number,
    signal: AbortSignal | undefined,
  ): Promise<ReadyEvent<Data, File>[]> {
    signal?.throwIfAborted(); // Since the last trip.
    const kick = () => this.#kick();
    signal?.addEventListener("abort", kick);
    this.#changed = false;
    let count: number;
    try {
      count = await this.waitOffThread(Math.min(timeout, MAX_WAIT));
    } finally {
      signal?.removeEventListener("abort", kick);
    }
    loopTurned();
    this.#assertStillOpen();
    // The other thread's errno is out of reach, and what it found may be about a descriptor that is
    // another's by now: the same call on this one tells.
    const ready = this.#results(count < 0 || this.#changed ? this.wait(0) : count);
    signal?.throwIfAborted();
    return ready;
  }

  #closed(): boolean {
    return this.#state === CLOSED;
  }

  #assertStillOpen(): void {
    if (this.#closed()) {
      throw new Deno.errors.BadResource("Cannot go on selecting: the selector was closed");
    }
  }

  /** Makes a wait under way see a change that its system call has not seen. */
  #restartWait(): void {
    this.#changed = true;
    if (!this.#traits.live) this.#kick();
  }

  /** Ends the native call under way, if there is one, without ending the wait. */
  #kick(): void {
    if (this.#wake === null || this.#kicks > 0) return;
    this.#kicks++;
    this.#wake.wake();
  }

  /** Opens and registers the descriptor to wake with: who stays synchronous never needs one. */
  #openWake(): WakeDescriptor {
    if (this.#wake !== null) return this.#wake;
    const wake = this.#openUnregistered();
    const errno = this.add(wake.reader, EVENT_READ);
    if (errno !== 0) {
      wake.descriptors.forEach(closeDescriptor);
      throw new OSError("Cannot register the waking descriptor", this.#traits.changeCall, errno);
    }
    wake.descriptors.forEach((fd) => this.own(fd));
    this.#wakeFd = wake.reader;
    return this.#wake = wake;
  }

  /** A closed descriptor may still have a key, and its number is given out anew: not for waking. */
  #openUnregistered(): WakeDescriptor {
    const wake = openWakeDescriptor();
    if (!wake.descriptors.some((fd) => this.#keys.has(fd))) return wake;
    try {
      return this.#openUnregistered();
    } finally {
      wake.descriptors.forEach(closeDescriptor);
    }
  }

  #free(): void {
    dropped.unregister(this);
    closeAll(this.#descriptors.splice(0));
  }
}

/** Closes all, and tells of the first that was refused. */
function closeAll(fds: readonly number[]): void {
  let refusal: unknown;
  for (const fd of fds) {
    try {
      closeDescriptor(fd);
    } catch (error) {
      refusal ??= error;
    }
  }
  if (refusal !== undefined) throw refusal;
}

function checkEvents(events: number): void {
  if (events !== EVENT_READ && events !== EVENT_WRITE && events !== ALL_EVENTS) {
    throw new RangeError(
      `Cannot use an interest mask: it must be EVENT_READ, EVENT_WRITE or both, received ${
        String(events)
      }`,
    );
  }
}
