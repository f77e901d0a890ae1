import { createPair } from "./create.ts";
import { adopt, type Socket } from "./socket.ts";

/**
 * Two connected sockets, which a `using` block closes.
 *
 * @category Sockets
 */
export type SocketPair = [Socket, Socket] & Disposable;

/**
 * Creates two connected sockets.
 *
 * @param family By default `AF_UNIX`, the only family that most systems support here. On Windows,
 * where the two are connected over loopback, `AF_INET` (the default) or `AF_INET6`
 * @param type `SOCK_STREAM`, `SOCK_DGRAM` or `SOCK_SEQPACKET`; on Windows only `SOCK_STREAM`
 * @returns The two sockets, non-blocking and close-on-exec. A `using` block of the pair closes both
 * @throws {RangeError} If an argument is not a 32-bit integer
 * @throws {OSError} If the system refuses (`socketpair`), such as with `EMFILE` or `EOPNOTSUPP`
 * @throws {Deno.errors.NotCapable} Without FFI permission
 *
 * @example Usage
 * ```ts
 * import { socketpair } from "@readiness/selectors/socket";
 *
 * using pair = socketpair();
 * const [left, right] = pair;
 * left.send(new TextEncoder().encode("hi"));
 * const buffer = new Uint8Array(10);
 * const size = right.recv(buffer)!;
 * console.log(new TextDecoder().decode(buffer.subarray(0, size))); // hi
 * ```
 *
 * @category Sockets
 */
export function socketpair(
  family?: number,
  type?: number,
): SocketPair {
  const [left, right] = createPair(family, type).map(adopt) as [Socket, Socket];
  const pair = [left, right] as unknown as SocketPair;
  // Not enumerable, as an array has only its elements.
  return Object.defineProperty(pair, Symbol.dispose, {
    value() {
      try {
        left.close();
      } finally {
        right.close();
      }
    },
  });
}
