/**
 * New sockets: non-blocking, close-on-exec, and never raising SIGPIPE.
 *
 * @module
 */

import { abi } from "../abi/mod.ts";
import { assertInteger } from "../checks.ts";
import { errnoOf, makeNonBlockingAndCloseOnExec, makePair, nameOf } from "../descriptor.ts";
import { lastErrno, OSError } from "../errno.ts";
import { platform } from "../platform/mod.ts";
import { socketCalls as calls } from "./calls.ts";
import { privilegeFor } from "./privilege.ts";

const { SO_ACCEPTCONN, SO_NOSIGPIPE, SOCK_STREAM, SOL_SOCKET } = abi.constants;
const { EACCES, EAGAIN, EINTR, EOPNOTSUPP, EPERM, EWOULDBLOCK } = abi.errno;

/** The errors of `accept` for a connection that was lost while it waited. */
const LOST: ReadonlySet<number | undefined> = new Set([
  "ECONNABORTED",
  "ECONNRESET",
  "EHOSTDOWN",
  "EHOSTUNREACH",
  "ENETDOWN",
  "ENETUNREACH",
  "ENONET",
  "ENOPROTOOPT",
  "EOPNOTSUPP",
  "EPERM",
  "EPROTO",
  "ETIMEDOUT",
].map((name) => abi.errno[name]));

/** More connections than can wait: if this many are lost in a row, the listener is broken. */
const MAX_LOST = 65_536;

/** What makes a new socket non-blocking and close-on-exec, or 0 where that takes more calls. */
const FLAGS = platform.newSocketFlags;

/** Creates a socket; the documentation of `Socket` says more. */
export function createSocket(family: number, type: number, protocol: number): number {
  assertInteger("Cannot create a socket: the family", family);
  assertInteger("Cannot create a socket: the type", type);
  assertInteger("Cannot create a socket: the protocol", protocol);
  const fd = calls().socket(family | 0, type | FLAGS, protocol | 0);
  if (fd < 0) {
    const errno = lastErrno();
    const privilege = errno === EPERM || errno === EACCES
      ? privilegeFor(family, type, protocol)
      : "";
    throw new OSError(
      `Cannot create a socket of family ${family}, type ${type}, protocol ${protocol}${privilege}`,
      "socket",
      errno,
    );
  }
  if (FLAGS === 0) makeNonBlockingAndCloseOnExec(fd);
  preventSigpipe(fd);
  return fd;
}

/** Creates two connected sockets. */
export function createPair(
  family: number = platform.pairFamily,
  type: number = SOCK_STREAM,
): readonly [number, number] {
  assertInteger("Cannot create a pair of sockets: the family", family);
  assertInteger("Cannot create a pair of sockets: the type", type);
  const fds = makePair(family | 0, type | 0);
  fds.forEach(preventSigpipe);
  return fds;
}

/**
 * Accepts a connection. Connections that were lost while they waited are skipped.
 *
 * @param listener The socket that listens
 * @returns The new socket, or `null` if no connection is waiting
 * @throws {OSError} If the system refuses
 */
export function acceptSocket(listener: number): number | null {
  const { accept, accept4 } = calls();
  const atOnce = accept4 !== null && FLAGS !== 0;
  for (let lost = 0;;) {
    const fd = atOnce ? accept4(listener, null, null, FLAGS) : accept(listener, null, null);
    if (fd >= 0) {
      if (!atOnce) makeNonBlockingAndCloseOnExec(fd);
      preventSigpipe(fd);
      return fd;
    }
    const errno = lastErrno();
    if (errno === EAGAIN || errno === EWOULDBLOCK) return null;
    if (errno === EINTR) continue;
    if (!LOST.has(errno) || ++lost > MAX_LOST || errno === EOPNOTSUPP && !isListening(listener)) {
      throw new OSError(
        `Cannot accept a connection on ${nameOf(listener)}`,
        atOnce ? "accept4" : "accept",
        errnoOf(listener, errno),
      );
    }
  }
}

/** Returns whether a socket listens: one for datagrams cannot, and fails with `EOPNOTSUPP`. */
function isListening(fd: number): boolean {
  const value = new Int32Array(1);
  const size = new Uint32Array([value.byteLength]);
  return calls().getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, value, size) === 0 && value[0] !== 0;
}

/** Prevents SIGPIPE where that takes an option of the socket, instead of a flag of each `send`. */
export function preventSigpipe(fd: number): void {
  if (SO_NOSIGPIPE === undefined) return;
  const on = new Int32Array([1]);
  // macOS refuses (EINVAL) if the peer is gone already. No signal can come then.
  calls().setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, on, on.byteLength);
}
