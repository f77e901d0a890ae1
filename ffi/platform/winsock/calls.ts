import { abi } from "../../abi/host.ts";
import { type Calls, type Declarations, libcCalls } from "../../libc.ts";

const { EINTR, EISCONN } = abi.errno;

const errorCalls = libcCalls({ WSAGetLastError: { parameters: [], result: "i32" } });

/** Winsock's own errors; the others that its calls fail with are few, and repeat themselves. */
const FIRST = 10_000;
const LAST = 11_999;

let failure = 0;

/** Opens what {@linkcode winsockCalls} will need. */
export function openErrorCalls(): void {
  errorCalls();
}

/** Why the last of Winsock's calls that failed did so. */
export function lastFailure(): number {
  return failure;
}

/** Has a call fail for a reason of its own. */
export function fail(errno: number): void {
  failure = errno;
}

/**
 * Opens a set of Winsock's calls, each of which keeps why it failed at once. The thread's last error
 * is not Winsock's alone: V8 may ask Windows for memory before it is read, and overwrite it. Then the
 * call is repeated, to fail for the same reason; a datagram that is too long is lost.
 */
export function winsockCalls<const D extends Declarations>(declarations: D): () => Calls<D> {
  const open = libcCalls(declarations);
  let calls: Calls<D> | undefined;
  return () => calls ??= keeping(open(), declarations);
}

function keeping<D extends Declarations>(calls: Calls<D>, declarations: D): Calls<D> {
  const kept = Object.entries(calls).map(([name, call]) => [
    name,
    call === null || declarations[name].nonblocking
      ? call
      : keepingFailure(call as Call, REPEATS[name]),
  ]);
  return Object.fromEntries(kept) as Calls<D>;
}

type Call = (...args: never[]) => unknown;

/** What the repetition of a call is to make of some reasons. */
const REPEATS: Readonly<Record<string, Repeat>> = {
  // It has connected meanwhile.
  connect: { succeedsWith: EISCONN },
  // What it was given is overwritten: who calls it begins again after a signal.
  select: { failsAtOnceWith: EINTR },
};

interface Repeat {
  readonly succeedsWith?: number;
  readonly failsAtOnceWith?: number;
}

/** A call that keeps why it failed. */
export function keepingFailure<C extends Call>(call: C, repeat: Repeat = {}): C {
  const { WSAGetLastError } = errorCalls();
  return ((...args) => {
    for (let tries = 1;; tries++) {
      const result = call(...args);
      if (result !== -1) return result;
      failure = WSAGetLastError();
      if (tries > 1 && failure === repeat.succeedsWith) return 0;
      if ((failure >= FIRST && failure <= LAST) || tries === 3) return result;
      if (repeat.failsAtOnceWith !== undefined) {
        failure = repeat.failsAtOnceWith;
        return result;
      }
    }
  }) as C;
}
