/**
 * The addresses of open sockets: their own, their peer's and the sender's of what they received.
 *
 * @module
 */

import { abi } from "../abi/mod.ts";
import { errnoOf, nameOf } from "../descriptor.ts";
import { lastErrno, OSError } from "../errno.ts";
import { platform } from "../platform/mod.ts";
import { decodeAddress, type SocketAddress } from "./address.ts";
import { socketCalls as calls } from "./calls.ts";
import type { PacketAddress } from "./packet.ts";
import { ADDRESS_SIZE, DATA_AT, familyOf, setFamily } from "./sockaddr.ts";

const { AF_INET, AF_INET6, AF_UNIX, AF_UNSPEC } = abi.constants;
const { EINVAL, ENOTCONN, EOPNOTSUPP } = abi.errno;
const { sockaddr_in, sockaddr_in6 } = abi.structs;

/** An address in C's form, and the number of bytes that the system filled. */
type Name = readonly [bytes: Uint8Array<ArrayBuffer>, size: number];

/** Returns the address of a socket. */
export function localAddressOf(fd: number): SocketAddress | PacketAddress {
  return decodeAddress(...getName(fd, "get the local address of", "getsockname"));
}

/** Returns the address of a socket's peer. */
export function remoteAddressOf(fd: number): SocketAddress | PacketAddress {
  const bytes = new Uint8Array(ADDRESS_SIZE);
  const size = new Uint32Array([ADDRESS_SIZE]);
  let errno = calls().getpeername(fd, bytes, size) < 0 ? lastErrno() : 0;
  // Windows returns no address of a peer that reset the connection before it was accepted.
  if (errno === 0 && size[0] === 0 && familyOfSocket(fd) !== AF_UNIX) errno = ENOTCONN!;
  if (errno !== 0) throw refused(fd, "get the remote address of", "getpeername", errno);
  return decodeAddress(bytes, size[0]!);
}

/**
 * Returns the family of a socket, bound or not.
 *
 * @param fd The socket
 * @param action What cannot be done to the socket without its family
 * @param syscall The call that would do it
 * @returns The family
 * @throws {OSError} If the descriptor is not an open socket
 */
export function familyOfSocket(
  fd: number,
  action = "get the family of",
  syscall = "getsockname",
): number {
  return familyOf(...getName(fd, action, syscall));
}

/**
 * Returns the sender's address of received data. For a stream, it is the peer's address. A
 * connection that is over no longer has a peer, but its last data can still be received: its sender
 * is then the unspecified address of the family.
 *
 * @param fd The socket that received the data
 * @param bytes The address that came with the data
 * @param size The number of bytes that the system filled
 * @returns The sender's address
 */
export function senderOf(
  fd: number,
  bytes: Uint8Array<ArrayBuffer>,
  size: number,
): SocketAddress | PacketAddress {
  if (size > 0 && familyOf(bytes, size) !== AF_UNSPEC) return decodeAddress(bytes, size);
  const family = familyOfSocket(fd);
  if (family === AF_UNIX) return { path: "" };
  try {
    return remoteAddressOf(fd);
  } catch (error) {
    if (!(error instanceof OSError)) throw error;
    return decodeAddress(...unspecified(family));
  }
}

function getName(fd: number, action: string, syscall: string): Name {
  const bytes = new Uint8Array(ADDRESS_SIZE);
  const size = new Uint32Array([ADDRESS_SIZE]);
  if (calls().getsockname(fd, bytes, size) < 0) {
    const errno = lastErrno();
    const isUnnamed = errno === EINVAL || errno === EOPNOTSUPP;
    const unbound = isUnnamed ? platform.familyOfUnbound(fd) : -1;
    if (unbound < 0) throw refused(fd, action, syscall, errno);
    return unspecified(unbound);
  }
  return [bytes, size[0]!];
}

/** Returns the address of a socket before it is bound: zeros after the family. */
function unspecified(family: number): Name {
  const size = family === AF_INET
    ? sockaddr_in.size
    : family === AF_INET6
    ? sockaddr_in6.size
    : DATA_AT;
  const bytes = new Uint8Array(size);
  setFamily(bytes, family);
  return [bytes, size];
}

function refused(fd: number, action: string, syscall: string, errno: number): OSError {
  return new OSError(`Cannot ${action} ${nameOf(fd)}`, syscall, errnoOf(fd, errno));
}
