import { abi } from "../ffi/abi/mod.ts";
import { signalOf } from "../ffi/checks.ts";
import { announcesClosing, descriptorOf } from "../ffi/descriptor.ts";
import { OSError } from "../ffi/errno.ts";
import type { Backend } from "./backend.ts";
import { announced, type Closable, closeAll, dropped } from "./dropped.ts";
import { holdLoop, loopMustTurn, turnLoop } from "./event_loop.ts";
import { EventCollector } from "./event_collector.ts";
import { EDGE_TRIGGERED, EVENT_READ, EVENT_WRITE, EXCLUSIVE, ONE_SHOT } from "./events.ts";
import { iterate } from "./iterator.ts";
import {
  describeFile,
  type FileObject,
  hasDescriptor,
  KeyError,
  type ReadyEvent,
  type SelectorKey,
} from "./key.ts";
import { KeyTable } from "./key_table.ts";
import { ALL_BITS, ALL_EVENTS, BITS, checkEvents, isMask, namesOf, READ_WRITE } from "./masks.ts";
import { prepareReactor } from "./reactor.ts";
import { SelectorMap } from "./selector_map.ts";
import { SelectorWait } from "./selector_wait.ts";
import { MAX_WAIT, now, parseTimeout } from "./timeout.ts";
import { WakeDescriptor, type Waker } from "./waker.ts";

const { EBADF, EINVAL, ELOOP, EMFILE, ENFILE, ENOENT, ENOTSOCK, EPERM } = abi.errno;

/**
 * Errors to ignore when a descriptor is removed: it was closed, or its number now stands for
 * another file, such as a regular one (`EPERM`) or the selector itself (`EINVAL`).
 */
const GONE: readonly number[] = [EBADF, ENOENT, EPERM, EINVAL];

/** The errors of watching an epoll instance when the nesting is too deep. */
const TOO_NESTED: readonly number[] = [EINVAL, ELOOP];

// The state of a selector: one number, so that the hot path makes one comparison.
const IDLE = 0;
const WOKEN = 1; // Idle, and the next wait returns at once.
const WAITING = 2; // An asynchronous wait is in progress.
const CLOSED = 3;

/**
 * Options of an asynchronous wait.
 *
 * @category Selectors
 */
export interface SelectAsyncOptions {
  /** Rejects the wait with the signal's reason when it is aborted. */
  signal?: AbortSignal;
}

/**
 * The `data` argument of a registration, optional where `Data` takes `undefined`.
 *
 * @category Selectors
 */
export type DataArgument<Data> = undefined extends Data ? [data?: Data] : [data: Data];

/**
 * Waits until registered file objects are ready for reading or writing.
 *
 * This is the base class of all selectors: they behave the same, except where the documentation of
 * a class says otherwise. {@linkcode DefaultSelector} makes the best one of the running system.
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
 *
 * @category Selectors
 */
export abstract class BaseSelector<Data = unknown, File extends FileObject = FileObject>
  implements Disposable {
  readonly #backend: Backend;
  #state = IDLE;
  readonly #keys = new KeyTable<Data, File>();
  readonly #map = new SelectorMap<Data, File>(this.#keys);
  readonly #collector: EventCollector<Data, File>;
  #wait: SelectorWait | null = null;

  /**
   * Makes the part of a selector that is the same for every backend.
   *
   * @param backend The set of descriptors in the system
   * @ignore
   */
  protected constructor(backend: Backend) {
    this.#backend = backend;
    this.#collector = new EventCollector(backend, this.#keys);
    dropped.register(this, this.#held(), this);
  }

  /**
   * Returns whether this machine can allocate a selector of this class, by trying it.
   *
   * @returns Whether it can; also `true` when only descriptors have run out
   * @throws {Deno.errors.NotCapable} Without FFI permission
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
   * Returns whether this class takes an interest mask on this system.
   *
   * @param events The mask, with modes
   * @returns Whether it does; `false` if `events` is not a mask
   *
   * @example Usage
   * ```ts
   * import { DefaultSelector, EDGE_TRIGGERED, EVENT_READ } from "@readiness/selectors";
   *
   * console.log(DefaultSelector.supports(EVENT_READ | EDGE_TRIGGERED)); // true, on Linux
   * ```
   */
  static supports(events: number): boolean {
    return isMask(events, READ_WRITE);
  }

  /**
   * Registers a file object. An asynchronous wait in progress takes it into account at once.
   *
   * @param fileobj A descriptor, or an object with a `fileno()` method
   * @param events The interest mask: `EVENT_READ`, `EVENT_WRITE` and other events, ORed with modes
   * @param data Any value, kept in the key; optional where `Data` takes `undefined`
   * @returns The key
   * @throws {RangeError} If the mask has other bits or no event, or the descriptor is negative or
   * fractional
   * @throws {Deno.errors.NotSupported} If this class does not support the mask on this system
   * @throws {TypeError} If `fileobj` is neither a number nor has a `fileno()` that returns one
   * @throws {KeyError} If the descriptor is already registered
   * @throws {OSError} If the system refuses the descriptor (`epoll_ctl`, `kevent`, …); nothing is
   * registered then
   * @throws {Deno.errors.BadResource} If the selector is closed
   *
   * @example Usage
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
  register(
    fileobj: File,
    events: number,
    ...data: DataArgument<Data>
  ): SelectorKey<Data, File>;
  // Not the rest parameter of the signature, which would be an array for each call.
  register(fileobj: File, events: number, data?: Data): SelectorKey<Data, File> {
    this.#assertOpen("register");
    this.#checkMask("register", events);
    const fd = descriptorOf(fileobj);
    this.#assertOpen("register"); // A `fileno()` of the user may have closed it.
    this.#assertFree(fileobj, fd);
    if (fd >= this.#backend.limit) {
      throw new RangeError(
        `Cannot register fd ${fd}: ${this.#backend.waitCall} takes descriptors below ` +
          `${this.#backend.limit} on this system`,
      );
    }
    const result = this.#backend.add(fd, events);
    if (result < 0) {
      throw this.#changeError(
        `Cannot register ${describeFile(fileobj, fd)}`,
        result,
        result === -EPERM
          ? "it is always ready, like every regular file, and epoll refuses it; " +
            "read or write it without waiting, or use PollSelector"
          : undefined,
      );
    }
    const key: SelectorKey<Data, File> = { fileobj, fd, events, data: data as Data };
    this.#keys.add(key);
    this.#wait?.end();
    return key;
  }

  /**
   * Unregisters a file object, even one that is closed. No more events are reported for it.
   *
   * @param fileobj The object as it was registered, or its descriptor
   * @returns Its key
   * @throws {KeyError} If it is not registered
   * @throws {RangeError | TypeError} If it is not registered and has no valid descriptor
   * @throws {OSError} If the system refuses; the key is removed anyway
   * @throws {Deno.errors.BadResource} If the selector is closed
   *
   * @example Usage
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
  unregister(fileobj: File | number): SelectorKey<Data, File> {
    const key = this.#keyFor("unregister", fileobj);
    this.#keys.delete(key.fd);
    const isWatched = this.#collector.isWatched(key);
    const result = isWatched ? this.#backend.remove(key.fd, key.events) : 0;
    this.#collector.forget(key);
    this.#wait?.end();
    if (result < 0 && !GONE.includes(-result)) {
      throw this.#changeError(`Cannot unregister fd ${key.fd}`, result);
    }
    return key;
  }

  /**
   * Changes the interest mask and the data of a file object. With the same mask, only the data
   * changes, without a system call, unless the mask has `ONE_SHOT`: then the key is armed again.
   *
   * @param fileobj The object as it was registered, or its descriptor
   * @param events The new interest mask
   * @param data The new data; `undefined` by default, where `Data` takes it
   * @returns The new key, or the same one if nothing changes
   * @throws {RangeError} If the mask has other bits or no event
   * @throws {Deno.errors.NotSupported} If this class does not support the mask on this system, or
   * if `EXCLUSIVE` comes or goes; nothing changes
   * @throws {KeyError} If the object is not registered
   * @throws {OSError} If the system refuses; the object is no longer registered then
   * @throws {Deno.errors.BadResource} If the selector is closed
   *
   * @example Usage
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
  modify(
    fileobj: File | number,
    events: number,
    ...data: DataArgument<Data>
  ): SelectorKey<Data, File>;
  modify(fileobj: File | number, events: number, data?: Data): SelectorKey<Data, File> {
    this.#assertOpen("modify");
    this.#checkMask("modify", events);
    const key = this.#keyFor("modify", fileobj);
    const { fd } = key;
    if (events !== key.events || (events & ONE_SHOT) !== 0) {
      if ((events | key.events) & EXCLUSIVE && events !== key.events) {
        throw this.#notSupported("modify", EXCLUSIVE);
      }
      const isWatched = this.#collector.isWatched(key);
      const result = isWatched
        ? this.#backend.change(fd, key.events, events)
        : this.#backend.add(fd, events);
      this.#collector.forget(key);
      this.#wait?.end();
      if (result < 0) {
        this.#keys.delete(fd);
        if (isWatched) this.#backend.remove(fd, key.events);
        throw this.#changeError(
          `Cannot modify ${describeFile(key.fileobj, fd)}, which is no longer registered`,
          result,
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
   * Waits until something is ready, and blocks this thread. Nothing else runs meanwhile: no timer,
   * no promise, no signal listener. While a listener exists for `SIGINT`, Ctrl-C does not end the
   * wait either. {@linkcode BaseSelector.selectAsync} leaves the event loop free.
   *
   * @param timeout The longest time to wait, in milliseconds. `null`, `Infinity` or no value waits
   * until something is ready; 0 or less does not wait. The timeout never ends early
   * @returns What is ready, each file object once; empty after the timeout or a wake
   * @throws {TypeError} If the timeout is `NaN` or not a number
   * @throws {OSError} If the system refuses (`epoll_wait`, `kevent`, …). An interruption by a
   * signal is not an error
   * @throws {Deno.errors.Busy} If an asynchronous wait is in progress
   * @throws {Deno.errors.BadResource} If the selector is closed
   *
   * @example Usage
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
    const start = limit > 0 && limit < Infinity ? now() : 0;
    let left = limit;
    do {
      const ready = this.#collector.wait(Math.min(left, MAX_WAIT));
      if (limit === 0 || ready.length > 0 || this.#collector.isWoken) {
        this.#collector.isWoken = false;
        return ready;
      }
      left = limit - (now() - start);
    } while (left > 0);
    return [];
  }

  /**
   * Waits until something is ready, and leaves the event loop free meanwhile. `register`, `modify`
   * and `unregister` take effect on the wait at once. A selector waits once at a time; any number
   * of selectors can wait. Like a pending read, a wait keeps the process alive.
   *
   * All waits of an isolate share one native call on another thread. A Worker that is terminated
   * leaves the descriptors of that call open, as well as its own selectors and sockets. If it was
   * waiting, the call goes on for up to a minute.
   *
   * @param timeout How long to wait at most, in milliseconds, as for
   * {@linkcode BaseSelector.select}
   * @param options A signal that ends the wait
   * @returns What is ready, each file object once; empty after the timeout or a wake
   * @throws {TypeError} If the timeout is `NaN` or not a number
   * @throws {OSError} If the system refuses (`epoll_wait`, `epoll_ctl`, …)
   * @throws {Deno.errors.Busy} If another asynchronous wait is in progress
   * @throws {Deno.errors.BadResource} If the selector is closed, or is closed during the wait
   * @throws The signal's reason if it is aborted; the selector stays usable
   *
   * @example Usage
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
    const signal = signalOf("Cannot select", options);
    signal?.throwIfAborted();
    const limit = this.#begin(asked);
    const deadline = limit > 0 && limit < Infinity ? now() + limit : limit;
    this.#state = WAITING;
    prepareReactor();
    try {
      // What the caller changes now, before it awaits, still counts.
      await (loopMustTurn() ? turnLoop() : undefined);
      for (;;) {
        this.#assertOpen("go on selecting");
        signal?.throwIfAborted();
        const ready = this.#collector.wait(0);
        if (ready.length > 0 || this.#collector.isWoken || now() >= deadline) {
          this.#collector.isWoken = false;
          holdLoop();
          return ready;
        }
        await this.#untilReady(deadline, signal);
      }
    } finally {
      if (this.#state !== CLOSED) this.#state = this.#collector.isWoken ? WOKEN : IDLE;
      this.#collector.isWoken = false;
    }
  }

  /**
   * Iterates over what becomes ready, one event at a time, until the selector is closed. An event
   * is skipped if its key was unregistered or modified in the meantime. The event loop stays free,
   * and leaving the loop early leaves the selector usable.
   *
   * @returns An iterator over the ready events
   * @throws {Deno.errors.BadResource} If the selector is already closed
   * @throws {Deno.errors.Busy} From its `next()`, if another wait is in progress
   *
   * @example Usage
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
    this.#assertOpen("iterate");
    return iterate({
      fetch: () => this.selectAsync(),
      isCurrent: (key) => this.#keys.get(key.fd) === key,
      isClosed: () => this.#state === CLOSED,
      interrupt: () => {
        if (this.#state === WAITING) this.wakeup();
      },
      takeBack: (key) => this.#collector.rearm(key),
    });
  }

  /**
   * Makes the current wait, or else the next one, return at once with what is ready, which is often
   * nothing. Many wakes before a wait count as one.
   *
   * @throws {Deno.errors.BadResource} If the selector is closed
   *
   * @example Usage
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
    this.#assertOpen("wake");
    if (this.#state === WAITING) {
      this.#collector.isWoken = true;
      this.#wait?.end();
    } else {
      this.#state = WOKEN;
    }
  }

  /**
   * Returns a handle that wakes this selector from other threads: send its `fd` to a Worker, which
   * calls {@linkcode wake} with it. The descriptor lives as long as the selector.
   *
   * @returns The descriptor, and a function that wakes the selector
   * @throws {OSError} If the system has no descriptor for it (`eventfd` or `pipe`)
   * @throws {Deno.errors.BadResource} If the selector is closed
   *
   * @example Usage
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
    this.#assertOpen("make a waker");
    const wake = this.#collector.wake ?? this.#openWake();
    return {
      fd: wake.writer,
      wake: () => {
        this.#assertOpen("wake");
        wake.wake();
      },
    };
  }

  /**
   * Returns the key of a file object.
   *
   * @param fileobj The object as it was registered, or its descriptor
   * @returns Its key
   * @throws {KeyError} If it is not registered
   * @throws {RangeError | TypeError} If it is not registered and has no valid descriptor
   * @throws {Deno.errors.BadResource} If the selector is closed
   *
   * @example Usage
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
  getKey(fileobj: File | number): SelectorKey<Data, File> {
    return this.#keyFor("find", fileobj);
  }

  /**
   * Returns a live, read-only view of what is registered. It is empty once the selector is closed.
   *
   * @returns A map from file objects or their descriptors to keys
   * @throws {Deno.errors.BadResource} If the selector is closed
   *
   * @example Usage
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
    this.#assertOpen("get the map");
    return this.#map;
  }

  /**
   * Closes the selector, not what is registered with it. An asynchronous wait in progress is
   * rejected; an iterator ends. Closing it again does nothing.
   *
   * @example Usage
   * ```ts
   * import { DefaultSelector } from "@readiness/selectors";
   *
   * const selector = new DefaultSelector();
   * selector.close();
   * ```
   */
  close(): void {
    if (this.#state === CLOSED) return;
    this.#state = CLOSED;
    this.#keys.clear();
    dropped.unregister(this);
    this.#wait?.end();
    closeAll(this.#held());
  }

  /** Closes the selector at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }

  #assertOpen(attempt: string): void {
    if (this.#state === CLOSED) {
      throw new Deno.errors.BadResource(`Cannot ${attempt}: the selector is closed`);
    }
  }

  /** Requires that a descriptor has no key. */
  #assertFree(fileobj: File, fd: number): void {
    const other = this.#keys.get(fd);
    if (other !== undefined) {
      throw new KeyError(
        `Cannot register ${describeFile(fileobj, fd)}: it is already registered as ${
          describeFile(other.fileobj, fd)
        }${hasDescriptor(other.fileobj, fd) ? "" : ", which is closed: unregister that first"}`,
      );
    }
    if (this.#collector.wake?.has(fd)) {
      throw new KeyError(`Cannot register ${describeFile(fileobj, fd)}: it wakes this selector`);
    }
  }

  /** Requires an interest mask that the backend supports. */
  #checkMask(attempt: string, events: number): void {
    if (events === EVENT_READ || events === EVENT_WRITE || events === READ_WRITE) return;
    checkEvents(events, ALL_BITS);
    if (!this.#backend.supports(events)) throw this.#notSupported(attempt, events);
  }

  #notSupported(attempt: string, events: number): Deno.errors.NotSupported {
    // All of them, if the backend supports each alone.
    const refused = BITS.filter((bit) => events & bit && !this.#backend.supports(bit));
    const what = namesOf(refused.reduce((mask, bit) => mask | bit, 0) || events);
    return new Deno.errors.NotSupported(
      `Cannot ${attempt}: ${this.constructor.name} does not support ${what}`,
    );
  }

  #keyFor(attempt: string, fileobj: File | number): SelectorKey<Data, File> {
    this.#assertOpen(attempt);
    const key = this.#keys.find(fileobj);
    this.#assertOpen(attempt); // A `fileno()` of the user may have closed it.
    if (key === undefined) {
      throw new KeyError(
        `Cannot ${attempt} ${describeFile(fileobj, descriptorOf(fileobj))}: it is not registered`,
      );
    }
    return key;
  }

  #changeError(message: string, result: number, reason?: string): OSError {
    return new OSError(message, this.#backend.changeCall, -result, undefined, reason);
  }

  /** Begins a wait: no other may be in progress. After a wake it only polls. */
  #begin(limit: number): number {
    if (this.#state === IDLE) return limit;
    this.#assertOpen("select");
    if (this.#state === WAITING) {
      throw new Deno.errors.Busy("Cannot select: an asynchronous wait is in progress");
    }
    this.#state = IDLE;
    return 0;
  }

  /** Waits in the reactor until it is time to look again. */
  async #untilReady(deadline: number, signal: AbortSignal | undefined): Promise<void> {
    const wait = this.#wait = new SelectorWait(deadline);
    const end = () => wait.end();
    signal?.addEventListener("abort", end);
    try {
      // Watches the selector's own descriptor, unless epoll instances nest too deep.
      const { pollableFd } = this.#backend;
      const result = pollableFd < 0 ? 0 : wait.watch(pollableFd, EVENT_READ, true);
      if (pollableFd < 0 || result < 0) this.#watchAll(wait, result);
      await wait.ended;
    } finally {
      this.#wait = null;
      signal?.removeEventListener("abort", end);
      wait.end();
    }
  }

  #watchAll(wait: SelectorWait, refusal: number): void {
    const { wake } = this.#collector;
    if (wake !== null) wait.watch(wake.reader, EVENT_READ, true);
    for (const key of this.#keys.values()) {
      if (this.#collector.isSpent(key)) continue;
      const { fd, events, fileobj } = key;
      // Watched directly, an edge-triggered key would be ready all the time.
      if (events & EDGE_TRIGGERED && TOO_NESTED.includes(-refusal)) {
        throw this.#changeError("Cannot watch a selector with EDGE_TRIGGERED", refusal);
      }
      const result = wait.watch(fd, events & ALL_EVENTS, announcesClosing(fileobj));
      if (result === -EPERM) {
        if (events & READ_WRITE) wait.end(); // A regular file is always ready for that.
      } else if (result < 0 && result !== -EBADF && result !== -ENOTSOCK!) {
        throw this.#changeError(`Cannot wait for ${describeFile(fileobj, fd)}`, result);
      }
    }
  }

  /** Opens and registers the descriptor to wake with. */
  #openWake(): WakeDescriptor {
    const wake = openUnregistered(this.#keys);
    const result = this.#backend.add(wake.reader, EVENT_READ);
    if (result < 0) {
      wake.close();
      throw this.#changeError("Cannot register the waking descriptor", result);
    }
    this.#collector.wake = wake;
    dropped.unregister(this);
    dropped.register(this, this.#held(), this);
    this.#wait?.end();
    return wake;
  }

  /** Returns what to close with the selector. */
  #held(): readonly Closable[] {
    const held = [announced(this.#backend.pollableFd, this.#backend)];
    const { wake } = this.#collector;
    if (wake !== null) held.push(announced(wake.reader, wake));
    return held;
  }
}

/**
 * Opens a waking descriptor whose number has no key. The key of a closed descriptor may still have
 * the number that the system gives out next.
 */
function openUnregistered<Data, File extends FileObject>(
  keys: KeyTable<Data, File>,
): WakeDescriptor {
  const useless: WakeDescriptor[] = [];
  try {
    for (;;) {
      const wake = new WakeDescriptor();
      if (!keys.has(wake.reader) && !keys.has(wake.writer)) return wake;
      useless.push(wake);
    }
  } finally {
    closeAll(useless);
  }
}
