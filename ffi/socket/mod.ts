/**
 * Thin sockets, pipes and descriptors over the system's own calls, for use with a selector: Deno's
 * own connections tell no descriptor.
 *
 * @module
 */

export type { HasFileno } from "../descriptor.ts";
export type { InternetAddress, SocketAddress, UnixAddress } from "./address.ts";
export * from "./constants.ts";
export { FileDescriptor, pipe, WOULD_BLOCK } from "./file_descriptor.ts";
export { Socket, socketpair } from "./socket.ts";
export { OSError } from "../errno.ts";
