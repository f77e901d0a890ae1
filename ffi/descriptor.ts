import { abi } from "./abi/host.ts";
import { lastErrno, OSError } from "./errno.ts";
import { libcCalls } from "./libc.ts";

const { F_GETFL, F_SETFD, F_SETFL, FD_CLOEXEC, O_CLOEXEC, O_NONBLOCK } = abi.constants;
const { EINTR } = abi.errno;

const calls = libcCalls({
  close: { parameters: ["i32"], result: "i32" },
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
  // Fillers take up the registers, so that the value lands on the stack.
  fcntlOnStack: {
    name: "fcntl",
    parameters: ["i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32"],
    result: "i32",
  },
  pipe: { parameters: ["buffer"], result: "i32" },
  pipe2: { parameters: ["buffer", "i32"], result: "i32", optional: true },
});

/** An object with a descriptor, such as a socket. */
export interface HasFileno {
  /**
   * Tells the descriptor.
   *
   * @returns The descriptor, or a negative number once it is closed
   */
  fileno(): number;
}

/** The highest descriptor that a C `int` can hold. */
const MAX_DESCRIPTOR = 0x7fff_ffff;

/**
 * Refuses what cannot be a descriptor.
 *
 * @param fd The descriptor
 * @param subject What it is to whom, for the message, such as `"Cannot adopt a descriptor: it"`
 * @throws {RangeError} If it is negative, fractional or too large
 */
export function assertDescriptor(fd: number, subject: string): void {
  if (!Number.isInteger(fd) || fd < 0 || fd > MAX_DESCRIPTOR) {
    throw new RangeError(
      `${subject} must be an integer from 0 to ${MAX_DESCRIPTOR}, received ${fd}`,
    );
  }
}

/** Names a descriptor, for a message. */
export function nameOf(fd: number): string {
  return fd < 0 ? "a closed descriptor" : `fd ${fd}`;
}

/** Closes a descriptor, which is gone also when a signal came in between. */
export function closeDescriptor(fd: number): void {
  if (calls().close(fd) < 0) {
    const errno = lastErrno();
    if (errno !== EINTR) throw new OSError(`Cannot close fd ${fd}`, "close", errno);
  }
}

/** Tells whether a descriptor is open. */
export function isOpen(fd: number): boolean {
  return fcntl(fd, F_GETFL, 0) >= 0;
}

/** Makes every later call on the descriptor's open file block, or return at once. */
export function setBlocking(fd: number, blocking: boolean): void {
  const flags = changeFlags(fd, F_GETFL, 0);
  const wanted = blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK;
  if (wanted !== flags) changeFlags(fd, F_SETFL, wanted);
}

/** Tells whether calls on the descriptor's open file block. */
export function isBlocking(fd: number): boolean {
  return (changeFlags(fd, F_GETFL, 0) & O_NONBLOCK) === 0;
}

/** Keeps the descriptor from programs that this process starts. */
export function setCloseOnExec(fd: number): void {
  changeFlags(fd, F_SETFD, FD_CLOEXEC);
}

/** Does with more calls what newer systems do as they make descriptors; closes all if that fails. */
export function makeNonBlockingAndCloseOnExec(...fds: number[]): void {
  try {
    for (const fd of fds) {
      setCloseOnExec(fd);
      setBlocking(fd, false);
    }
  } catch (error) {
    fds.forEach(closeDescriptor);
    throw error;
  }
}

/** Makes a pipe, `[reader, writer]`, both ends non-blocking and close-on-exec. */
export function makePipe(): [reader: number, writer: number] {
  const { pipe, pipe2 } = calls();
  const fds = new Int32Array(2);
  const atOnce = pipe2 !== null && O_CLOEXEC !== undefined;
  if ((atOnce ? pipe2(fds, O_CLOEXEC | O_NONBLOCK) : pipe(fds)) < 0) {
    throw new OSError("Cannot make a pipe", atOnce ? "pipe2" : "pipe", lastErrno());
  }
  if (!atOnce) makeNonBlockingAndCloseOnExec(...fds);
  return [fds[0], fds[1]];
}

function changeFlags(fd: number, command: number, value: number): number {
  const result = fcntl(fd, command, value);
  if (result < 0) {
    throw new OSError(`Cannot change the flags of ${nameOf(fd)}`, "fcntl", lastErrno());
  }
  return result;
}

function fcntl(fd: number, command: number, value: number): number {
  return abi.variadicOnStack
    ? calls().fcntlOnStack(fd, command, 0, 0, 0, 0, 0, 0, value)
    : calls().fcntl(fd, command, value);
}
