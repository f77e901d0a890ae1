import { abi } from "../abi/host.ts";
import { errnoOf, nameOf } from "../descriptor.ts";
import { OSError } from "../errno.ts";
import { platform } from "../platform/mod.ts";
import { type Credentials, decodeCredentials } from "./control.ts";
import { setField } from "./message_header.ts";
import { type AnySocket, assertInteger } from "./socket.ts";
import { need } from "../checks.ts";

const {
  IPPROTO_TCP,
  SOL_SOCKET,
  SO_KEEPALIVE,
  SO_LINGER,
  SO_PEERCRED,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
} = abi.constants;

const calls = platform.openCalls({
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
});

/**
 * Reads an option that is a structure or a string.
 *
 * @param socket The socket
 * @param level Whose option it is: `SOL_SOCKET`, `IPPROTO_TCP`, …
 * @param name The option: `TCP_CONGESTION`, `TCP_INFO`, …
 * @param size How many bytes there is room for: the system cuts what is longer without a word
 * @returns As many bytes as the system gave
 * @throws {RangeError} If level, name or size is no 32-bit integer, or the size negative
 * @throws {OSError} If the system refuses (`getsockopt`), such as with `ENOPROTOOPT`
 *
 * @example The name of the congestion control (Linux)
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
 * if (TCP_CONGESTION !== -1) {
 *   const bytes = getOptionBytes(socket, IPPROTO_TCP, TCP_CONGESTION, 16);
 *   console.log(new TextDecoder().decode(bytes).replace(/\0.*$/, "")); // cubic
 * }
 * ```
 */
export function getOptionBytes(
  socket: AnySocket,
  level: number,
  name: number,
  size: number,
): Uint8Array<ArrayBuffer> {
  assertInteger("a level", level);
  assertInteger("an option", name);
  assertInteger("a size", size, 0);
  const bytes = new Uint8Array(size);
  const filled = new Uint32Array([size]);
  if (calls().getsockopt(socket.fileno(), level, name, bytes, filled) < 0) {
    throw new OSError(
      `Cannot get option ${name} of level ${level} of ${nameOf(socket.fileno())}`,
      "getsockopt",
      errnoOf(socket.fileno()),
    );
  }
  return bytes.subarray(0, filled[0]);
}

/**
 * Sets what becomes of unsent data as the socket is closed.
 *
 * @param socket The socket
 * @param seconds How long `close` waits for it, from 0 to 32767: 0 drops it and resets the
 * connection. `null` is the system's usual way: `close` returns at once, the data is sent all the same
 * @throws {RangeError} If `seconds` is out of range or no integer
 * @throws {OSError} If the system refuses (`setsockopt`), such as with `EBADF`
 *
 * @example A connection that is reset as it is closed
 * ```ts
 * import { AF_INET, setLinger, SOCK_STREAM, Socket } from "@readiness/selectors/socket";
 *
 * using socket = new Socket(AF_INET, SOCK_STREAM);
 * setLinger(socket, 0);
 * ```
 */
export function setLinger(socket: AnySocket, seconds: number | null): void {
  const { constants, linger } = need(abi.options, "Cannot set the linger time", "struct linger");
  if (seconds !== null && (!Number.isInteger(seconds) || seconds < 0 || seconds > 0x7fff)) {
    throw new RangeError(
      `Cannot linger: it must be an integer from 0 to 32767 seconds or null, ` +
        `received ${String(seconds)}`,
    );
  }
  const view = new DataView(new ArrayBuffer(linger.size));
  setField(view, 0, linger.fields.l_onoff, seconds === null ? 0 : 1);
  setField(view, 0, linger.fields.l_linger, seconds ?? 0);
  // macOS counts in ticks of a hundredth there, and has an option of its own for seconds.
  const option = constants.SO_LINGER_SEC ?? SO_LINGER;
  socket.setOption(SOL_SOCKET, option, new Uint8Array(view.buffer));
}

/** When an idle connection is probed; what is left out stays the system's. */
export interface KeepAlive {
  /** Seconds before the first probe, 1 or more. */
  readonly idle?: number;
  /** Seconds between probes, 1 or more. */
  readonly interval?: number;
  /** How many probes may go unanswered, 1 or more. */
  readonly count?: number;
}

/**
 * Has an idle TCP connection probed, so that a peer that is gone is noticed, or not.
 *
 * @param socket The socket
 * @param when When it is probed, or `null` for never
 * @throws {RangeError} If a number is below 1 or no 32-bit integer
 * @throws {OSError} If the system refuses (`setsockopt`), such as with `EINVAL` above its limit
 * @throws {Deno.errors.NotSupported} If the system has no such number of each socket, as OpenBSD, or
 * the package does not know it, as on Windows
 *
 * @example A peer that is gone is noticed after a minute and a half
 * ```ts
 * import { AF_INET, setKeepAlive, SOCK_STREAM, Socket } from "@readiness/selectors/socket";
 *
 * using socket = new Socket(AF_INET, SOCK_STREAM);
 * if (Deno.build.os === "linux") setKeepAlive(socket, { idle: 60, interval: 10, count: 3 });
 * ```
 */
export function setKeepAlive(socket: AnySocket, when: KeepAlive | null): void {
  const { idle, interval, count } = when ?? {};
  const numbers = [
    ["idle", idle, abi.options?.constants.TCP_KEEPALIVE ?? TCP_KEEPIDLE],
    ["interval", interval, TCP_KEEPINTVL],
    ["count", count, TCP_KEEPCNT],
  ] as const;
  const settings = numbers.flatMap(([name, value, option]) => {
    if (value === undefined) return [];
    assertInteger(`${name} of keep-alive`, value, 1);
    return [{
      value,
      option: need(option, `Cannot set the keep-alive ${name}`, "such option"),
    }];
  });
  for (const { value, option } of settings) socket.setOption(IPPROTO_TCP, option, value);
  socket.setOption(SOL_SOCKET, SO_KEEPALIVE, when === null ? 0 : 1);
}

/**
 * Tells who is at the other end of a Unix stream socket: who connected, listened or made the pair.
 *
 * @param socket The socket
 * @returns The peer's credentials as it connected
 * @throws {OSError} If the system refuses (`getsockopt`), such as with `EBADF`
 * @throws {Deno.errors.NotSupported} On a system other than Linux
 *
 * @example
 * ```ts
 * import { peerCredentials, socketpair } from "@readiness/selectors/socket";
 *
 * const [left, right] = socketpair();
 * if (Deno.build.os === "linux") console.log(peerCredentials(left).pid === Deno.pid); // true
 * left.close();
 * right.close();
 * ```
 */
export function peerCredentials(socket: AnySocket): Credentials {
  const { ucred } = need(abi.credentials, "Cannot read the peer's credentials", "SO_PEERCRED");
  return decodeCredentials(getOptionBytes(socket, SOL_SOCKET, SO_PEERCRED!, ucred.size));
}
