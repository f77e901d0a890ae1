import type { Eventfd } from "../ffi/abi/abi.ts";
import { abi, NOTHING } from "../ffi/abi/mod.ts";
import { assertDescriptor } from "../ffi/checks.ts";
import { closeDescriptor, makePipe } from "../ffi/descriptor.ts";
import { platform } from "../ffi/platform/mod.ts";
import { lastErrno, OSError } from "../ffi/errno.ts";
import { libcCalls } from "../ffi/libc.ts";

const { EFD_CLOEXEC, EFD_NONBLOCK }: Partial<Eventfd["constants"]> = abi.eventfd?.constants ??
  NOTHING;
const { EAGAIN, EINTR, EINVAL, ENOSYS, EPERM, EWOULDBLOCK } = abi.errno;

const calls = libcCalls({
  eventfd: { parameters: ["u32", "i32"], result: "i32", optional: true },
});

const { callNames, readWriteCalls } = platform;

/**
 * Wakes a selector, even while another thread waits with it.
 *
 * @category Other threads
 */
export interface Waker {
  /** The descriptor to wake: a plain number, which can be sent to another thread. */
  readonly fd: number;
  /**
   * Makes the current wait of the selector, or else the next one, return at once.
   *
   * @throws {Deno.errors.BadResource} If the selector is closed
   * @throws {OSError} If the system refuses to write to the descriptor (`write`)
   */
  wake(): void;
}

/** One wake: the counter of an eventfd grows by one, a pipe gets eight bytes. */
const ONE = new Uint8Array(new BigUint64Array([1n]).buffer);

/**
 * A descriptor that becomes readable when it is woken: an eventfd, or a pipe where there is none.
 */
export class WakeDescriptor {
  /** The end that becomes readable; -1 once closed. */
  reader: number;
  /** The end to wake, which may be the same; -1 once closed. */
  writer: number;
  readonly #buffer: Uint8Array<ArrayBuffer>;

  /**
   * @throws {OSError} If the system has no descriptor for it (`eventfd` or `pipe`)
   */
  constructor() {
    if (!hasEventfd()) {
      [this.reader, this.writer] = makePipe();
      this.#buffer = new Uint8Array(4096);
      return;
    }
    this.reader = this.writer = calls().eventfd!(0, EFD_CLOEXEC! | EFD_NONBLOCK!);
    if (this.reader < 0) {
      throw new OSError("Cannot make a waking descriptor", "eventfd", lastErrno());
    }
    this.#buffer = new Uint8Array(ONE.byteLength); // A read resets the counter.
  }

  /** Returns whether a descriptor belongs to it. */
  has(fd: number): boolean {
    return fd === this.reader || fd === this.writer;
  }

  /** Makes it readable. */
  wake(): void {
    signal(this.writer);
  }

  /**
   * Makes it no longer readable, however often it was woken.
   *
   * @returns Whether it was woken: Windows may report a socket without data as readable
   * @throws {OSError} If the system refuses (`read`)
   */
  drain(): boolean {
    const buffer = this.#buffer;
    let wasWoken = false;
    for (;;) {
      const size = readWriteCalls().read(this.reader, buffer, buffer.length);
      if (size > 0) wasWoken = true;
      if (size === 0 || size > 0 && this.reader === this.writer) return wasWoken;
      if (size > 0) continue;
      const errno = lastErrno();
      if (errno === EAGAIN || errno === EWOULDBLOCK) return wasWoken;
      if (errno !== EINTR) {
        throw new OSError(`Cannot drain fd ${this.reader}`, callNames.read, errno);
      }
    }
  }

  /** Closes it. A later wake must not write to whatever gets its number next. */
  close(): void {
    const { reader, writer } = this;
    this.reader = this.writer = -1;
    closeDescriptor(reader);
    if (writer !== reader) closeDescriptor(writer);
  }
}

function signal(fd: number): void {
  while (readWriteCalls().write(fd, ONE, ONE.byteLength) < 0) {
    const errno = lastErrno();
    if (errno === EAGAIN || errno === EWOULDBLOCK) return; // Full of wakes: already readable.
    if (errno !== EINTR) throw new OSError(`Cannot wake fd ${fd}`, callNames.write, errno);
  }
}

/**
 * Wakes a selector from another thread: its current wait, or else the next one, returns at once.
 *
 * @param fd The `fd` of the selector's {@linkcode BaseSelector.waker}, as sent to this thread
 * @throws {TypeError} If it is not a number
 * @throws {RangeError} If it is negative or fractional
 * @throws {OSError} If it is closed (`EBADF`; on Windows `ENOTSOCK`) or not a waker's (`EINVAL`).
 * Wakers are eventfds on Linux and pipes elsewhere: there, another pipe or file is not recognized
 * and gets the bytes
 *
 * @example Waking a selector that blocks the main thread
 * ```ts
 * import { DefaultSelector } from "@readiness/selectors";
 *
 * using selector = new DefaultSelector();
 * const worker = new Worker(
 *   "data:text/typescript," + encodeURIComponent(`
 *     import { wake } from "${import.meta.resolve("@readiness/selectors")}";
 *     onmessage = ({ data }) => wake(data);
 *   `),
 *   { type: "module" },
 * );
 * worker.postMessage(selector.waker().fd);
 * selector.select(); // Returns once the worker has called wake().
 * worker.terminate();
 * ```
 *
 * @category Other threads
 */
export function wake(fd: number): void {
  assertDescriptor("Cannot wake a selector: the descriptor", fd);
  fd |= 0; // Not -0.
  if (!canBeWaker(fd)) throw new OSError(`Cannot wake fd ${fd}`, callNames.write, EINVAL);
  signal(fd);
}

/**
 * Returns whether a descriptor can be a waker's: not a socket; on Linux, only an eventfd.
 */
function canBeWaker(fd: number): boolean {
  if (!platform.canBePipeWriter(fd)) return false;
  // Only an eventfd refuses a write of less than eight bytes.
  return !hasEventfd() || readWriteCalls().write(fd, ONE, 0) < 0;
}

let knowsEventfd: boolean | undefined;

/** Returns whether `eventfd` can be used: libc, the system and its filters must allow it. */
function hasEventfd(): boolean {
  return knowsEventfd ??= EFD_CLOEXEC !== undefined && !isRefused();
}

function isRefused(): boolean {
  const { eventfd } = calls();
  // These flags are invalid: the call opens nothing.
  return eventfd === null || eventfd(0, -1) < 0 && [ENOSYS, EPERM].includes(lastErrno());
}
