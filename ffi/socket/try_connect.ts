import { errnoName } from "../errno.ts";
import type { SocketAddress } from "./address.ts";
import { connectFor, type Socket } from "./socket.ts";

/**
 * Connects as {@linkcode Socket.connect} does, but returns a refusal instead of throwing it. If
 * most attempts fail, as in a port scan, making an error costs about as much as the attempt itself.
 *
 * @param socket The socket
 * @param address The peer's address. Resolving a name blocks
 * @returns `null` if the socket is connected, `"EINPROGRESS"` if the connection is in progress, or
 * the code of the refusal, such as `"ECONNREFUSED"`
 * @throws {TypeError} If it is not an address, or of another family than the socket
 * @throws {RangeError} If the port or the length of the path is out of range
 * @throws {OSError} If the socket is closed (`EBADF`, `connect`), or the name cannot be resolved
 * (`getaddrinfo`)
 *
 * @example Usage
 * ```ts
 * import { AF_UNIX, SOCK_STREAM, Socket, tryConnect } from "@readiness/selectors/socket";
 * import { assertEquals } from "@std/assert";
 *
 * if (Deno.build.os !== "windows") {
 *   using socket = new Socket(AF_UNIX, SOCK_STREAM);
 *   assertEquals(tryConnect(socket, { path: "/nowhere" }), "ENOENT");
 * }
 * ```
 *
 * @category Sockets
 */
export function tryConnect(socket: Socket, address: SocketAddress): string | null {
  const errno = connectFor(socket, address);
  return errno === 0 ? null : errnoName(errno);
}
