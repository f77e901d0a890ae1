import { abi } from "./abi/host.ts";
import { platform } from "./platform/mod.ts";
import { withFirstCalls } from "./libc.ts";

/**
 * A system call failed.
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
 *   // That is what a socket says that does not listen.
 *   if (!(error instanceof OSError) || error.code !== "EINVAL") throw error;
 * }
 * ```
 */
export class OSError extends Error {
  /** The system's number of the failure, such as 9. */
  readonly errno: number;
  /** The name of that number, such as `"EBADF"`. */
  readonly code: string;
  /** The system call that failed, such as `"epoll_ctl"`. */
  readonly syscall: string;

  /**
   * Makes the error of a failed system call.
   *
   * @param attempt What was attempted and on what, such as `"Cannot register fd 7"`
   * @param syscall The system call that failed
   * @param errno The system's number of the failure, a positive integer
   * @param code The number's name, where it is not an `errno` of this system
   * @param reason The system's words for it, where they are not those for `errno`
   */
  constructor(
    attempt: string,
    syscall: string,
    errno: number,
    code: string = errnoName(errno),
    reason: string = platform.strerror(errno),
  ) {
    super(`${attempt}: ${reason} (${code})`);
    this.name = "OSError";
    this.errno = errno;
    this.code = code;
    this.syscall = syscall;
  }
}

const names = new Map<number, string>();

/** The name of an error number, the first that the table gives where there are two. */
function errnoName(errno: number): string {
  if (names.size === 0) {
    for (const [name, number] of Object.entries(abi.errno)) {
      if (!names.has(number)) names.set(number, name);
    }
  }
  return names.get(errno) ?? `E${errno}`;
}

/**
 * Reads the calling thread's `errno`: straight after the call that failed, and never after a
 * `nonblocking` one, which ran on another thread.
 */
export let lastErrno: () => number;

// To open anything once a call has failed would change errno.
withFirstCalls(() => lastErrno = platform.errnoReader());
