import { abi } from "../abi/mod.ts";
import { assertInteger, need, readOptions } from "../checks.ts";
import { errnoOf, nameOf } from "../descriptor.ts";
import { OSError } from "../errno.ts";
import { socketCalls as calls } from "./calls.ts";
import { type Credentials, decodeCredentials } from "./control.ts";
import { setField } from "./fields.ts";
import { familyOfSocket } from "./names.ts";
import { nameOfOption } from "./option_name.ts";
import type { AnySocket } from "./socket.ts";

const {
  AF_UNIX,
  IPPROTO_TCP,
  SO_KEEPALIVE,
  SO_LINGER,
  SO_PEERCRED,
  SOL_SOCKET,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
} = abi.constants;
const { ENOTCONN } = abi.errno;

/** The user ID of a process that does not exist. */
const NO_USER = 0xffff_ffff;

/**
 * Gets an option that is a structure or a string. {@linkcode Socket.getOption} gets an integer.
 *
 * @param socket The socket
 * @param level The level of the option: `SOL_SOCKET`, `IPPROTO_TCP`, …
 * @param name The option: `TCP_CONGESTION`, `TCP_INFO`, …
 * @param size The most bytes to get, 0 or more. The system silently truncates a longer value
 * @returns The bytes of the value
 * @throws {RangeError} If `level`, `name` or `size` is not a 32-bit integer, or `size` is negative
 * @throws {OSError} If the system refuses (`getsockopt`), such as with `ENOPROTOOPT`
 *
 * @example The name of the congestion control algorithm (Linux)
 * ```ts
 * import {
 *   AF_INET,
 *   getOptionBytes,
 *   IPPROTO_TCP,
 *   SOCK_STREAM,
 *   Socket,
 *   TCP_CONGESTION,
 * } from "@readiness/selectors/socket";
 *
 * using socket = new Socket(AF_INET, SOCK_STREAM);
 * if (TCP_CONGESTION !== undefined) {
 *   const bytes = getOptionBytes(socket, IPPROTO_TCP, TCP_CONGESTION, 16);
 *   console.log(new TextDecoder().decode(bytes).replace(/\0.*$/, "")); // cubic
 * }
 * ```
 *
 * @category Options
 */
export function getOptionBytes(
  socket: AnySocket,
  level: number,
  name: number,
  size: number,
): Uint8Array<ArrayBuffer> {
  assertInteger("Cannot get an option: the level", level);
  assertInteger("Cannot get an option: the name", name);
  assertInteger("Cannot get an option: the size", size, 0);
  const fd = socket.fileno();
  const bytes = new Uint8Array(size);
  const filled = new Uint32Array([size]);
  if (calls().getsockopt(fd, level | 0, name | 0, bytes, filled) < 0) {
    throw new OSError(
      `Cannot get ${nameOfOption(level, name)} of ${nameOf(fd)}`,
      "getsockopt",
      errnoOf(fd),
    );
  }
  return bytes.subarray(0, filled[0]);
}

/**
 * Sets what happens to unsent data when the socket is closed (`SO_LINGER`).
 *
 * @param socket The socket
 * @param seconds How long `close` waits until the data is sent, from 0 to 32767. 0 drops the data
 * and resets the connection. `null` is the system's default: `close` returns at once, and the
 * system goes on sending
 * @throws {RangeError} If `seconds` is out of range or not an integer
 * @throws {OSError} If the system refuses (`setsockopt`), such as with `EBADF`
 *
 * @example Resetting the connection
 * ```ts
 * import { AF_INET, setLinger, SOCK_STREAM, Socket } from "@readiness/selectors/socket";
 *
 * using socket = new Socket(AF_INET, SOCK_STREAM);
 * setLinger(socket, 0);
 * ```
 *
 * @category Options
 */
export function setLinger(socket: AnySocket, seconds: number | null): void {
  const { constants, linger } = need(abi.options, "Cannot set the linger time", "struct linger");
  if (seconds !== null) {
    assertInteger("Cannot set the linger time: the seconds", seconds, 0, 0x7fff);
  }
  const view = new DataView(new ArrayBuffer(linger.size));
  setField(view, 0, linger.fields.l_onoff, seconds === null ? 0 : 1);
  setField(view, 0, linger.fields.l_linger, seconds ?? 0);
  // SO_LINGER of macOS counts in hundredths of a second; another option of its counts in seconds.
  const option = constants.SO_LINGER_SEC ?? SO_LINGER;
  socket.setOption(SOL_SOCKET, option, new Uint8Array(view.buffer));
}

/**
 * When an idle connection is probed. What is left out keeps the system's value.
 *
 * @category Options
 */
export interface KeepAlive {
  /** Seconds before the first probe, 1 or more. */
  readonly idle?: number;
  /** Seconds between probes, 1 or more. */
  readonly interval?: number;
  /** Number of probes that may go unanswered, 1 or more. */
  readonly count?: number;
}

/**
 * Turns keep-alive on or off: the system then probes an idle TCP connection, and notices if the
 * peer is gone (`SO_KEEPALIVE`).
 *
 * @param socket The socket
 * @param when When to probe, or `null` for never
 * @throws {RangeError} If a number is below 1 or not a 32-bit integer
 * @throws {OSError} If the system refuses (`setsockopt`), such as with `EINVAL` above its limit
 * @throws {Deno.errors.NotSupported} If the system cannot set the number for a single socket, such
 * as OpenBSD, or the package does not know how, as on Windows
 *
 * @example Noticing after a minute and a half that the peer is gone
 * ```ts
 * import { AF_INET, setKeepAlive, SOCK_STREAM, Socket } from "@readiness/selectors/socket";
 *
 * using socket = new Socket(AF_INET, SOCK_STREAM);
 * if (Deno.build.os === "linux") setKeepAlive(socket, { idle: 60, interval: 10, count: 3 });
 * ```
 *
 * @category Options
 */
export function setKeepAlive(socket: AnySocket, when: KeepAlive | null): void {
  const { idle, interval, count } = readOptions("Cannot set keep-alive", when, [
    "idle",
    "interval",
    "count",
  ]);
  const numbers = [
    ["idle time", idle, "TCP_KEEPIDLE", abi.options?.constants.TCP_KEEPALIVE ?? TCP_KEEPIDLE],
    ["interval", interval, "TCP_KEEPINTVL", TCP_KEEPINTVL],
    ["count", count, "TCP_KEEPCNT", TCP_KEEPCNT],
  ] as const;
  const settings = numbers.flatMap(([what, value, name, option]) => {
    if (value === undefined) return [];
    const attempt = `Cannot set the keep-alive ${what}`;
    assertInteger(`${attempt}: it`, value, 1);
    return [[need(option, attempt, name), value] as const];
  });
  for (const [option, value] of settings) socket.setOption(IPPROTO_TCP, option, value);
  socket.setOption(SOL_SOCKET, SO_KEEPALIVE, when === null ? 0 : 1);
}

/**
 * Returns the credentials of the process at the other end of a Unix stream socket, as they were
 * when it called `connect`, `listen` or `socketpair` (`SO_PEERCRED`).
 *
 * @param socket The socket
 * @returns The credentials
 * @throws {TypeError} If it is not a Unix socket
 * @throws {OSError} If the system refuses (`getsockopt`), such as with `EBADF`, or with `ENOTCONN`
 * if the socket has no such peer
 * @throws {Deno.errors.NotSupported} On a system other than Linux
 *
 * @example Usage
 * ```ts
 * import { peerCredentials, socketpair } from "@readiness/selectors/socket";
 *
 * const [left, right] = socketpair();
 * if (Deno.build.os === "linux") console.log(peerCredentials(left).pid === Deno.pid); // true
 * left.close();
 * right.close();
 * ```
 *
 * @category Options
 */
export function peerCredentials(socket: AnySocket): Credentials {
  const attempt = "Cannot get the peer's credentials";
  const { ucred } = need(abi.credentials, attempt, "SO_PEERCRED");
  const family = familyOfSocket(socket.fileno(), "get the peer's credentials of", "getsockopt");
  if (family !== AF_UNIX) {
    throw new TypeError(`${attempt}: the socket must be a Unix socket, received family ${family}`);
  }
  const bytes = getOptionBytes(socket, SOL_SOCKET, SO_PEERCRED!, ucred.size);
  const credentials = decodeCredentials(bytes);
  // The system reports no error for a socket without a peer.
  if (credentials.uid === NO_USER) {
    throw new OSError(
      `${attempt} of ${nameOf(socket.fileno())}`,
      "getsockopt",
      ENOTCONN!,
    );
  }
  return credentials;
}
