/**
 * What the examples' servers have in common.
 *
 * @module
 */

import { OSError } from "@readiness/selectors";
import {
  AF_INET,
  AF_INET6,
  type InternetAddress,
  SO_REUSEADDR,
  SOCK_STREAM,
  Socket,
  SOL_SOCKET,
} from "@readiness/selectors/socket";

/** How long a server rests from accepting if none of its connections ends, in milliseconds. */
export const REST = 1000;

/** A port whose connections are over is free at once; on Windows it is so, and this would share it. */
const REUSE = Deno.build.os === "windows" ? [] : [SO_REUSEADDR];

/** What `accept` fails with when there is no room for one connection more. */
const NO_ROOM = ["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"];

/** Makes a server's socket; the options are switched on beside `SO_REUSEADDR`. */
export function bind(address: InternetAddress, ...options: number[]): Socket {
  const server = new Socket(address.hostname.includes(":") ? AF_INET6 : AF_INET, SOCK_STREAM);
  for (const option of [...REUSE, ...options]) server.setOption(SOL_SOCKET, option, 1);
  server.bind(address);
  return server;
}

/**
 * Tells an `accept` that had no room from one that failed otherwise. The connection that waits keeps
 * the server ready: to go on asking would be to spin.
 */
export function hasNoRoom(error: unknown): error is OSError {
  return error instanceof OSError && NO_ROOM.includes(error.code);
}
