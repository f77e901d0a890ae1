import { abi } from "../../abi/mod.ts";
import { type Calls, type Declarations, libcCalls } from "../../libc.ts";
import { startWinsock } from "./startup.ts";

const { EINTR, EISCONN } = abi.errno;

const errorCalls = libcCalls({ WSAGetLastError: { parameters: [], result: "i32" } });

/** Winsock's own errors. The few others that its calls fail with repeat themselves. */
const FIRST = 10_000;
const LAST = 11_999;

let errno = 0;

/** Returns the errno of the last call that failed. */
export function lastErrno(): number {
  return errno;
}

/** Sets what {@linkcode lastErrno} returns, for a failure that is not Winsock's. */
export function setLastErrno(value: number): void {
  errno = value;
}

/**
 * Opens a set of Winsock's calls on first use, and starts Winsock. Each call keeps its error at
 * once, because the thread's last error is not Winsock's alone: V8 may ask Windows for memory
 * before it is read, and overwrite it. The call is then repeated, to fail for the same reason; a
 * datagram that is longer than the buffer is lost.
 */
export function winsockCalls<const D extends Declarations>(declarations: D): () => Calls<D> {
  const open = libcCalls(declarations);
  let calls: Calls<D> | undefined;
  return () => calls ??= started(open(), declarations);
}

function started<D extends Declarations>(calls: Calls<D>, declarations: D): Calls<D> {
  startWinsock();
  const kept = Object.entries(calls).map(([name, call]) => [
    name,
    call === null || Object.hasOwn(declarations[name]!, "nonblocking")
      ? call
      : keepErrno(call as Call, REPEATS.get(name)),
  ]);
  return Object.fromEntries(kept) as Calls<D>;
}

type Call = (...args: never[]) => unknown;

/** How a repeated call differs from the first. */
interface Repeat {
  /** The errno that means success. */
  readonly successErrno?: number | undefined;
  /** The errno to fail with instead of repeating the call. */
  readonly insteadErrno?: number | undefined;
}

const REPEATS: ReadonlyMap<string, Repeat> = new Map<string, Repeat>([
  // It has connected meanwhile.
  ["connect", { successErrno: EISCONN, insteadErrno: undefined }],
  // Its sets are overwritten: the caller fills them again after a signal.
  ["select", { successErrno: undefined, insteadErrno: EINTR }],
]);

const NO_REPEAT: Repeat = { successErrno: undefined, insteadErrno: undefined };

/** Returns a call that keeps its errno. */
export function keepErrno<C extends Call>(call: C, repeat: Repeat = NO_REPEAT): C {
  const { WSAGetLastError } = errorCalls();
  return ((...args) => {
    for (let tries = 1;; tries++) {
      const result = call(...args);
      if (result !== -1) return result;
      errno = WSAGetLastError();
      if (tries > 1 && errno === repeat.successErrno) return 0;
      if ((errno >= FIRST && errno <= LAST) || tries === 3) return result;
      if (repeat.insteadErrno !== undefined) {
        errno = repeat.insteadErrno;
        return result;
      }
    }
  }) as C;
}
