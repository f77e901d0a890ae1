/**
 * Waiting for one descriptor, as a promise.
 *
 * @module
 */

import { signalOf } from "../ffi/checks.ts";
import { announcesClosing, descriptorOf } from "../ffi/descriptor.ts";
import { OSError } from "../ffi/errno.ts";
import { abi } from "../ffi/abi/mod.ts";
import { holdLoop, loopMustTurn, turnLoop } from "./event_loop.ts";
import { EVENT_READ, EVENT_WRITE } from "./events.ts";
import { describeFile, type FileObject, type HasFileno } from "./key.ts";
import { ALL_EVENTS, checkEvents, namesOf, READ_WRITE } from "./masks.ts";
import { prepareReactor, theReactor, type Watch } from "./reactor.ts";

export { forgetDescriptor } from "./reactor.ts";

const { EPERM } = abi.errno;

/**
 * Options of a wait for one descriptor.
 *
 * @category One descriptor
 */
export interface WaitOptions {
  /** Rejects the wait with the signal's reason when it is aborted. */
  signal?: AbortSignal;
}

/**
 * Waits until a descriptor is ready. One descriptor can have several waits.
 *
 * Closing a `FileDescriptor` or a `Socket` rejects the waits for it. A bare number that is closed
 * elsewhere is not noticed: such a wait may last for ever, or end for the file that the number
 * stands for next. A regular file is always ready.
 *
 * @param file A descriptor, or an object with a `fileno()` method
 * @param events What to wait for: `EVENT_READ`, `EVENT_WRITE` and other events, ORed, without modes
 * @param options A signal that ends the wait; `AbortSignal.timeout()` is a timeout
 * @returns What the descriptor is ready for: part of `events`, not 0
 * @throws {RangeError} If the events have other bits or none, or the descriptor is negative or
 * fractional
 * @throws {Deno.errors.NotSupported} If the system does not support the events
 * @throws {TypeError} If `file` is neither a number nor has a `fileno()` that returns one
 * @throws {OSError} If the system refuses the descriptor (`epoll_ctl`, `kevent`, …), such as with
 * `EBADF`
 * @throws {Deno.errors.BadResource} If the descriptor is closed during the wait
 * @throws {Deno.errors.NotCapable} Without FFI permission
 * @throws The signal's reason if it is aborted
 *
 * @example Usage
 * ```ts
 * import { EVENT_READ, ready } from "@readiness/selectors";
 * import { pipe } from "@readiness/selectors/fd";
 * import { assertEquals } from "@std/assert";
 *
 * const { reader, writer } = pipe();
 * setTimeout(() => writer.write(new Uint8Array(1)), 5);
 * assertEquals(await ready(reader, EVENT_READ), EVENT_READ);
 * reader.close();
 * writer.close();
 * ```
 *
 * @category One descriptor
 */
export function ready(file: FileObject, events: number, options?: WaitOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    const signal = signalOf("Cannot wait", options);
    signal?.throwIfAborted();
    checkEvents(events, ALL_EVENTS);
    new Wait(file, events, signal, resolve, reject).begin();
  });
}

/** A wait for one descriptor, which settles a promise. */
class Wait implements Watch {
  readonly fd: number;
  readonly events: number;
  found = 0;
  readonly #file: FileObject;
  readonly #signal: AbortSignal | undefined;
  readonly #resolve: (found: number) => void;
  readonly #reject: (reason: unknown) => void;
  readonly #abort: (() => void) | undefined;

  constructor(
    file: FileObject,
    events: number,
    signal: AbortSignal | undefined,
    resolve: (found: number) => void,
    reject: (reason: unknown) => void,
  ) {
    this.fd = descriptorOf(file);
    this.events = events;
    this.#file = file;
    this.#signal = signal;
    this.#resolve = resolve;
    this.#reject = reject;
    if (signal !== undefined) {
      this.#abort = () => {
        theReactor().unwatch(this);
        this.failed(signal.reason);
      };
    }
  }

  begin(): void {
    this.#signal?.throwIfAborted(); // The caller's `fileno()` or attempt may have aborted it.
    const reactor = theReactor();
    if (!reactor.supports(this.events)) {
      throw new Deno.errors.NotSupported(
        `Cannot wait for ${namesOf(this.events)}: this system does not support it`,
      );
    }
    const result = reactor.watch(this, announcesClosing(this.#file));
    if (result === -EPERM && (this.events & READ_WRITE) !== 0) { // A regular file.
      turnLoop().then(() => {
        this.#signal?.throwIfAborted();
        assertNotClosed(this.#file, this.fd);
        this.#resolve(this.events & READ_WRITE);
      }).catch(this.#reject);
      return;
    }
    if (result < 0) {
      const attempt = `Cannot wait for ${describeFile(this.#file, this.fd)}`;
      throw new OSError(attempt, reactor.changeCall, -result);
    }
    if (this.#abort !== undefined) this.#signal!.addEventListener("abort", this.#abort);
  }

  ready(events: number): void {
    this.#noLongerAbort();
    this.#resolve(events);
  }

  closed(): void {
    this.failed(closedDuringWait(this.fd));
  }

  failed(error: unknown): void {
    this.#noLongerAbort();
    this.#reject(error);
  }

  #noLongerAbort(): void {
    if (this.#abort !== undefined) this.#signal!.removeEventListener("abort", this.#abort);
  }
}

/**
 * Calls a function, and again whenever a descriptor is readable, until it returns something other
 * than `null`.
 *
 * @typeParam T What the function returns
 * @param file A descriptor, or an object with a `fileno()` method
 * @param attempt The function; it must not block. What it throws rejects the promise
 * @param options A signal that ends the wait
 * @returns What the function returned
 * @throws As {@linkcode ready} does
 *
 * @example Usage
 * ```ts
 * import { whenReadable } from "@readiness/selectors";
 * import { socketpair } from "@readiness/selectors/socket";
 * import { assertEquals } from "@std/assert";
 *
 * const [left, right] = socketpair();
 * setTimeout(() => right.send(new TextEncoder().encode("hello")), 5);
 * const buffer = new Uint8Array(1024);
 * const size = await whenReadable(left, () => left.recv(buffer));
 * assertEquals(new TextDecoder().decode(buffer.subarray(0, size)), "hello");
 * left.close();
 * right.close();
 * ```
 *
 * @category One descriptor
 */
export function whenReadable<T>(
  file: FileObject,
  attempt: () => T,
  options?: WaitOptions,
): Promise<Exclude<T, null>> {
  return whenReady(file, EVENT_READ, attempt, options);
}

/**
 * Calls a function, and again whenever a descriptor is writable, until it returns something other
 * than `null`.
 *
 * @typeParam T What the function returns
 * @param file A descriptor, or an object with a `fileno()` method
 * @param attempt The function; it must not block. What it throws rejects the promise
 * @param options A signal that ends the wait
 * @returns What the function returned
 * @throws As {@linkcode ready} does
 *
 * @example Usage
 * ```ts
 * import { whenWritable } from "@readiness/selectors";
 * import { socketpair } from "@readiness/selectors/socket";
 *
 * const [left, right] = socketpair();
 * console.log(await whenWritable(left, () => left.send(new Uint8Array(1_000)))); // 1000
 * left.close();
 * right.close();
 * ```
 *
 * @category One descriptor
 */
export function whenWritable<T>(
  file: FileObject,
  attempt: () => T,
  options?: WaitOptions,
): Promise<Exclude<T, null>> {
  return whenReady(file, EVENT_WRITE, attempt, options);
}

/** Not an async function: it would allocate one more promise for each wait. */
function whenReady<T>(
  file: FileObject,
  events: number,
  attempt: () => T,
  options: WaitOptions | undefined,
): Promise<Exclude<T, null>> {
  return new Promise((resolve, reject) => {
    const signal = signalOf("Cannot wait", options);
    const fd = announcedDescriptor(file);
    const tryNow = () => {
      try {
        signal?.throwIfAborted();
        assertNotClosed(file, fd);
        const result = attempt();
        if (result !== null) {
          holdLoop();
          resolve(result as Exclude<T, null>);
        } else {
          assertNotClosed(file, fd);
          new Wait(file, events, signal, tryNow, reject).begin();
        }
      } catch (error) {
        reject(error);
      }
    };
    prepareReactor();
    if (loopMustTurn()) void turnLoop().then(tryNow);
    else tryNow();
  });
}

/** Returns the descriptor of an object that announces when it is closed; otherwise -1. */
function announcedDescriptor(file: FileObject): number {
  return announcesClosing(file) ? (file as HasFileno).fileno() : -1;
}

/** Throws if the object that had the descriptor when the wait began is closed. */
function assertNotClosed(file: FileObject, fd: number): void {
  if (fd >= 0 && announcesClosing(file) && (file as HasFileno).fileno() < 0) {
    throw closedDuringWait(fd);
  }
}

function closedDuringWait(fd: number): Error {
  return new Deno.errors.BadResource(`Cannot go on waiting for fd ${fd}: it was closed`);
}

/**
 * Writes all of the data, and waits whenever there is no room. Concurrent calls for one descriptor
 * mix their data: await the first.
 *
 * @param file An object that writes, such as a `Socket` or a `FileDescriptor`
 * @param data The data
 * @param options A signal that ends the wait; part of the data may be written by then
 * @throws {OSError} If the system refuses to write, such as with `EPIPE`
 * @throws As {@linkcode ready} does
 *
 * @example Usage
 * ```ts
 * import { sendAll } from "@readiness/selectors";
 * import { socketpair } from "@readiness/selectors/socket";
 *
 * const [left, right] = socketpair();
 * await sendAll(left, new TextEncoder().encode("hello"));
 * left.close();
 * right.close();
 * ```
 *
 * @category One descriptor
 */
export async function sendAll(
  file: HasFileno & { write(data: Uint8Array): number | null },
  data: Uint8Array,
  options?: WaitOptions,
): Promise<void> {
  const signal = signalOf("Cannot send", options);
  const fd = announcedDescriptor(file);
  let rest = data;
  for (;;) {
    if (loopMustTurn()) await turnLoop();
    signal?.throwIfAborted();
    assertNotClosed(file, fd);
    const size = file.write(rest);
    if (size === rest.length) return holdLoop();
    if (size === null) {
      await ready(file, EVENT_WRITE, signal && { signal });
    } else {
      rest = rest.subarray(size);
      holdLoop(); // There may always be room.
    }
  }
}
