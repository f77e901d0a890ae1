import { abi } from "./abi/host.ts";
import { platform } from "./platform/mod.ts";
import type { Pair, Refusal } from "./platform/platform.ts";
import { lastErrno, OSError } from "./errno.ts";

const { EBADF, EINTR } = abi.errno;

/** An object with a descriptor, such as a socket. */
export interface HasFileno {
  /**
   * Tells the descriptor.
   *
   * @returns The descriptor, or a negative number once it is closed
   */
  fileno(): number;
}

/** Names a descriptor, for a message. */
export function nameOf(fd: number): string {
  return fd < 0 ? "a closed descriptor" : `fd ${fd}`;
}

/** Why a call on a descriptor failed: of one that is closed, Winsock says that it is no socket. */
export function errnoOf(fd: number, errno: number = lastErrno()): number {
  return fd < 0 ? EBADF : errno;
}

/** Closes a descriptor, which is gone also when a signal came in between. */
export function closeDescriptor(fd: number): void {
  if (platform.close(fd) < 0) {
    const errno = lastErrno();
    if (errno !== EINTR) {
      throw new OSError(`Cannot close fd ${fd}`, platform.callNames.close, errno);
    }
  }
}

/** Tells whether a descriptor is open. */
export function isOpen(fd: number): boolean {
  return platform.isOpen(fd);
}

/** Makes every later call on the descriptor's open file block, or return at once. */
export function setBlocking(fd: number, blocking: boolean): void {
  if (platform.setBlocking(fd, blocking) < 0) {
    throw flagsRefused(fd, platform.callNames.setBlocking);
  }
}

/** Tells whether calls on the descriptor's open file block. */
export function isBlocking(fd: number): boolean {
  const blocks = platform.isBlocking(fd);
  if (blocks < 0) throw flagsRefused(fd, platform.callNames.setBlocking);
  return blocks === 1;
}

/** Keeps the descriptor from programs that this process starts. */
export function setCloseOnExec(fd: number): void {
  if (platform.setCloseOnExec(fd) < 0) throw flagsRefused(fd, platform.callNames.setCloseOnExec);
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
export function makePipe(): readonly [reader: number, writer: number] {
  return finish(platform.makePipe(), "Cannot make a pipe");
}

/** Makes two connected sockets, both non-blocking and close-on-exec. */
export function makePair(family: number, type: number): readonly [number, number] {
  return finish(platform.makePair(family, type), "Cannot make a pair of sockets");
}

function finish(ends: Pair | Refusal, attempt: string): readonly [number, number] {
  if ("syscall" in ends) throw new OSError(attempt, ends.syscall, lastErrno());
  if (!ends.finished) makeNonBlockingAndCloseOnExec(...ends.fds);
  return ends.fds;
}

function flagsRefused(fd: number, syscall: string): OSError {
  return new OSError(`Cannot change the flags of ${nameOf(fd)}`, syscall, errnoOf(fd));
}
