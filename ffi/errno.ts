import { abi } from "./abi/mod.ts";
import { platform } from "./platform/mod.ts";

/**
 * The error of a failed system call.
 *
 * @example Telling failures apart
 * ```ts
 * import { OSError } from "@readiness/selectors";
 * import { AF_INET, SOCK_STREAM, Socket } from "@readiness/selectors/socket";
 *
 * using socket = new Socket(AF_INET, SOCK_STREAM);
 * try {
 *   socket.accept();
 * } catch (error) {
 *   // This is the error of a socket that does not listen.
 *   if (!(error instanceof OSError) || error.code !== "EINVAL") throw error;
 * }
 * ```
 *
 * @category Errors
 */
export class OSError extends Error {
  /** The system's number of the error, such as 9. */
  readonly errno: number;
  /** The name of that number, such as `"EBADF"`. */
  readonly code: string;
  /** The system call that failed, such as `"epoll_ctl"`. */
  readonly syscall: string;

  /**
   * Makes the error of a failed system call.
   *
   * @param attempt What failed and on what, such as `"Cannot register fd 7"`
   * @param syscall The system call that failed
   * @param errno The system's number of the error, a positive integer
   * @param code The name of the number; required if it is not an `errno` of this system
   * @param reason The system's message for it; required if it is not that of an `errno`
   */
  constructor(
    attempt: string,
    syscall: string,
    errno: number,
    code?: string,
    reason?: string,
  ) {
    code ??= errnoName(errno);
    reason ??= reasonOf(errno);
    super(`${attempt}: ${reason} (${code})`);
    this.name = "OSError";
    this.errno = errno;
    this.code = code;
    this.syscall = syscall;
  }
}

const reasons = new Map<number, string>();

/** Returns the system's message. Fetching it takes longer than the rest of an error. */
function reasonOf(errno: number): string {
  let reason = reasons.get(errno);
  if (reason === undefined) reasons.set(errno, reason = platform.strerror(errno));
  return reason;
}

const names = new Map<number, string>();

/** Returns the name of an errno, the first in the table if there are two. */
export function errnoName(errno: number): string {
  if (names.size === 0) {
    for (const [name, number] of Object.entries(abi.errno)) {
      if (!names.has(number)) names.set(number, name);
    }
  }
  return names.get(errno) ?? `E${errno}`;
}

/**
 * Returns the errno of the calling thread. Call it straight after the call that failed, and not
 * after a `nonblocking` call, which ran on another thread.
 */
export const lastErrno: () => number = platform.lastErrno;
