import type { Eventfd } from "../ffi/abi/abi.ts";
import { abi } from "../ffi/abi/mod.ts";
import { assertDescriptor } from "../ffi/checks.ts";
import { makePipe } from "../ffi/descriptor.ts";
import { platform } from "../ffi/platform/mod.ts";
import { lastErrno, OSError } from "../ffi/errno.ts";
import { libcCalls } from "../ffi/libc.ts";

const { EFD_CLOEXEC, EFD_NONBLOCK }: Partial<Eventfd["constants"]> = abi.eventfd?.constants ?? {};
const { EAGAIN, EINTR, EINVAL, EWOULDBLOCK } = abi.errno;

const calls = libcCalls({
  eventfd: { parameters: ["u32", "i32"], result: "i32", optional: true },
});

const { callNames, readWriteCalls } = platform;

/** Wakes a selector, also one that another thread waits with. */
export interface Waker {
  /** The descriptor to wake: a plain number, which can be sent to another thread. */
  readonly fd: number;
  /**
   * Makes the selector's wait under way, or else its next one, return at once.
   *
   * @throws {Deno.errors.BadResource} If the selector is closed
   */
  wake(): void;
}

/** A wake: one more on an eventfd's counter, eight bytes more in a pipe. */
const ONE = new Uint8Array(new BigUint64Array([1n]).buffer);

/** What a selector registers in order to be woken. */
export interface WakeDescriptor extends Waker {
  /** The end that becomes readable. */
  readonly reader: number;
  /** All that is to be closed with the selector. */
  readonly descriptors: readonly number[];
  /** Takes the wakes out and counts them. */
  drain(): number;
}

/** Opens an eventfd, or a pipe where there is none. */
export function openWakeDescriptor(): WakeDescriptor {
  const { eventfd } = calls();
  if (eventfd === null || EFD_CLOEXEC === undefined || EFD_NONBLOCK === undefined) {
    const [reader, writer] = makePipe();
    return wakeDescriptor(reader, writer, drainPipe);
  }
  const fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) throw new OSError("Cannot make a waking descriptor", "eventfd", lastErrno());
  return wakeDescriptor(fd, fd, drainEventfd);
}

function wakeDescriptor(
  reader: number,
  writer: number,
  drain: (fd: number) => number,
): WakeDescriptor {
  return {
    fd: writer,
    reader,
    descriptors: reader === writer ? [reader] : [reader, writer],
    wake: () => signal(writer),
    drain: () => drain(reader),
  };
}

/** A read of an eventfd gives its counter and resets it. */
function drainEventfd(fd: number): number {
  const counter = new BigUint64Array(1);
  return readWriteCalls().read(fd, counter, counter.byteLength) < 0 ? 0 : Number(counter[0]);
}

function drainPipe(fd: number): number {
  const bytes = new Uint8Array(4096);
  let total = 0;
  for (let size; (size = readWriteCalls().read(fd, bytes, bytes.byteLength)) > 0;) total += size;
  return total / ONE.byteLength;
}

function signal(fd: number): void {
  while (readWriteCalls().write(fd, ONE, ONE.byteLength) < 0) {
    const errno = lastErrno();
    if (errno === EAGAIN || errno === EWOULDBLOCK) return; // Full of wakes: it is readable already.
    if (errno !== EINTR) throw new OSError(`Cannot wake fd ${fd}`, callNames.write, errno);
  }
}

/**
 * Wakes a selector from another thread: its wait under way, or else its next one, returns at once.
 *
 * @param fd The `fd` of the selector's {@linkcode BaseSelector.waker}, as sent to this thread
 * @throws {TypeError} If it is not a number
 * @throws {RangeError} If it is negative or fractional
 * @throws {OSError} If it is closed (`EBADF`; on Windows `ENOTSOCK`) or not a waker's (`EINVAL`).
 * Where wakers are pipes (everywhere but on Linux) another pipe cannot be told apart, and gets the
 * bytes, nor can a file but on Windows
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
 */
export function wake(fd: number): void {
  assertDescriptor("Cannot wake a selector: the descriptor", fd);
  if (!canBeWaker(fd)) throw new OSError(`Cannot wake fd ${fd}`, callNames.write, EINVAL);
  signal(fd);
}

/** Keeps a wake out of another's socket and, where wakers are eventfds, out of pipes and files. */
function canBeWaker(fd: number): boolean {
  if (!platform.canBePipeWriter(fd)) return false;
  // An eventfd alone refuses to be written less than eight bytes.
  return calls().eventfd === null || readWriteCalls().write(fd, ONE, 0) < 0;
}
