import { abi } from "./abi/mod.ts";
import { assertDescriptor, describeValue, need } from "./checks.ts";
import { lastErrno, OSError } from "./errno.ts";
import { platform } from "./platform/mod.ts";
import type { Pair, Refusal } from "./platform/platform.ts";

const { EBADF, ECONNRESET, EINTR } = abi.errno;

/**
 * An object with a descriptor, such as a socket.
 *
 * @category Descriptors
 */
export interface HasFileno {
  /**
   * Returns the descriptor.
   *
   * @returns The descriptor, or a negative number once it is closed
   */
  fileno(): number;
}

/**
 * Returns the descriptor of an open file object.
 *
 * @param file The descriptor, or an object with a `fileno()` method
 * @param attempt The beginning of error messages
 * @returns The descriptor
 * @throws {TypeError} If `file` is neither a number nor has a `fileno()` that returns one
 * @throws {RangeError} If the descriptor is negative, fractional or above 2³¹ − 1
 */
export function descriptorOf(file: unknown, attempt: string = "Cannot use a file object"): number {
  const fd = filenoOf(file, attempt);
  if (fd < 0) {
    throw new RangeError(
      `${attempt}: the ${describeValue(file)} is closed, its fileno() returns ${fd}`,
    );
  }
  return fd;
}

/**
 * Does the same as {@linkcode descriptorOf}, but returns the negative number of a closed object, so
 * that the system call can fail.
 */
export function filenoOf(file: unknown, attempt: string): number {
  const fd = typeof file === "number" ? file : callFileno(file, attempt);
  // The message is made only if it is needed.
  if ((fd | 0) !== fd || fd < 0 && fd === file) assertDescriptor(`${attempt}: the descriptor`, fd);
  return fd | 0; // Not -0.
}

function callFileno(file: unknown, attempt: string): number {
  const fileno = (file as HasFileno | null | undefined)?.fileno;
  if (typeof fileno !== "function") {
    throw new TypeError(
      `${attempt}: the file must be a number or have a fileno() method, ` +
        `received ${describeValue(file)}`,
    );
  }
  const fd = fileno.call(file);
  if (typeof fd !== "number") {
    throw new TypeError(
      `${attempt}: the file's fileno() must return a number, received ${describeValue(fd)}`,
    );
  }
  return fd;
}

/** Marks objects that announce the end of their descriptor to the reactor before they close it. */
export const ANNOUNCES_CLOSING: unique symbol = Symbol("announcesClosing");

/** Returns whether an object announces the end of its descriptor. */
export function announcesClosing(file: unknown): boolean {
  return typeof file === "object" && file !== null && ANNOUNCES_CLOSING in file;
}

/** Returns the name of a descriptor, for an error message. */
export function nameOf(fd: number): string {
  return fd < 0 ? "a closed descriptor" : `fd ${fd}`;
}

/**
 * Returns the errno of a failed call on a descriptor: `EBADF` for a closed one, for which Winsock
 * reports `ENOTSOCK`.
 */
export function errnoOf(fd: number, errno: number = lastErrno()): number {
  return fd < 0 ? EBADF : errno;
}

/**
 * Closes a descriptor. It is closed even if a signal interrupts the call, or if the peer has reset
 * the connection, which FreeBSD reports.
 */
export function closeDescriptor(fd: number): void {
  if (platform.close(fd) < 0) {
    const errno = lastErrno();
    if (errno !== EINTR && errno !== ECONNRESET) {
      throw new OSError(`Cannot close fd ${fd}`, platform.callNames.close, errno);
    }
  }
}

/** Closes descriptors, all of them even if one fails. Throws the first failure. */
export function closeAll(fds: Iterable<number>): void {
  let failure: unknown;
  for (const fd of fds) {
    try {
      closeDescriptor(fd);
    } catch (error) {
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
}

/** Closes descriptors that the caller never gets. It ignores errors, which would only confuse. */
export function closeQuietly(fds: Iterable<number>): void {
  try {
    closeAll(fds);
  } catch {
    // They are closed.
  }
}

/** Returns whether a descriptor is open. */
export function isOpen(fd: number): boolean {
  return platform.isOpen(fd);
}

/** Makes calls on the descriptor's open file block, or return at once. */
export function setBlocking(fd: number, blocking: boolean): void {
  if (platform.setBlocking(fd, blocking) < 0) {
    throw flagsRefused("change", fd, platform.callNames.setBlocking);
  }
}

/** Returns whether calls on the descriptor's open file block. */
export function isBlocking(fd: number): boolean {
  const blocks = platform.isBlocking(fd);
  if (blocks < 0) throw flagsRefused("get", fd, platform.callNames.setBlocking);
  return blocks === 1;
}

/** Passes the descriptor on to programs that this process starts, or keeps it from them. */
export function setInheritable(fd: number, inheritable: boolean): void {
  if (platform.setInheritable(fd, inheritable) < 0) {
    throw flagsRefused("change", fd, platform.callNames.setInheritable);
  }
}

/** Keeps the descriptor from programs that this process starts. */
export function setCloseOnExec(fd: number): void {
  setInheritable(fd, false);
}

/** Duplicates a descriptor, close-on-exec, onto a number of `min` or higher. */
export function duplicate(fd: number, min: number = 0): number {
  const attempt = `Cannot duplicate ${nameOf(fd)}`;
  const copy = need(platform.duplicate, attempt, "dup()")(fd, min);
  if (copy < 0) throw new OSError(attempt, "fcntl", lastErrno());
  return copy;
}

/**
 * Does what newer systems do in the call that makes a descriptor. If it fails, all descriptors are
 * closed.
 */
export function makeNonBlockingAndCloseOnExec(...fds: number[]): void {
  try {
    for (const fd of fds) {
      setCloseOnExec(fd);
      setBlocking(fd, false);
    }
  } catch (error) {
    closeQuietly(fds);
    throw error;
  }
}

/** Makes a pipe, `[reader, writer]`, both ends non-blocking and close-on-exec. */
export function makePipe(): readonly [reader: number, writer: number] {
  return finish(platform.makePipe(), "Cannot make a pipe");
}

/** Makes two connected sockets, both non-blocking and close-on-exec. */
export function makePair(family: number, type: number): readonly [number, number] {
  return finish(platform.makePair(family, type), "Cannot make a pair of sockets");
}

function finish(pair: Pair | Refusal, attempt: string): readonly [number, number] {
  if ("syscall" in pair) throw new OSError(attempt, pair.syscall, pair.errno);
  if (!pair.finished) makeNonBlockingAndCloseOnExec(...pair.fds);
  return pair.fds;
}

function flagsRefused(verb: "get" | "change", fd: number, syscall: string): OSError {
  return new OSError(`Cannot ${verb} the flags of ${nameOf(fd)}`, syscall, errnoOf(fd));
}
