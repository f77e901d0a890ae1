/**
 * Addresses of sockets, and their form in C.
 *
 * @module
 */

import { abi } from "../abi/mod.ts";
import { hasProperty } from "../checks.ts";
import {
  decodeIpv4Address,
  decodeIpv6Address,
  encodeInternetAddress,
  type InternetAddress,
} from "./internet_address.ts";
import { decodePacketAddress, encodePacketAddress, type PacketAddress } from "./packet.ts";
import { decodeRawAddress, encodeRawAddress, type RawAddress } from "./raw_address.ts";
import { familyOf } from "./sockaddr.ts";
import {
  decodeUnixAddress,
  encodeUnixAddress,
  type UnixAddress,
  unnamedUnixAddress,
} from "./unix_address.ts";

const { AF_INET, AF_INET6, AF_PACKET, AF_UNIX } = abi.constants;

/**
 * The address of a socket or of its peer.
 *
 * @category Addresses
 */
export type SocketAddress = InternetAddress | UnixAddress | RawAddress;

/**
 * The type in which a socket returns an address of the type `A`: without literal types, such as
 * that of a port, and any type for a `RawAddress`.
 *
 * @typeParam A The type of an address that was given
 *
 * @category Addresses
 */
export type AddressOf<A extends SocketAddress> = A extends InternetAddress ? InternetAddress
  : A extends UnixAddress ? UnixAddress
  : SocketAddress;

/**
 * Encodes an address as C does, for a socket of a family.
 *
 * @param address The address
 * @param family The family of the socket
 * @returns The address in C's form, which must not be changed
 * @throws {TypeError} If it is not an address, or of another family than the socket
 * @throws {RangeError} If a part of it is out of range
 * @throws {OSError} If the name cannot be resolved (`getaddrinfo`)
 * @throws {Deno.errors.NotSupported} If the path is abstract and the system has no abstract paths
 */
export function encodeAddress(
  address: SocketAddress | PacketAddress,
  family: number,
): Uint8Array<ArrayBuffer> {
  if (isPacket(address)) {
    if (family !== AF_PACKET || abi.packets === undefined) {
      throw wrongFamily("an interface", family);
    }
    return encodePacketAddress(address);
  }
  if (isUnix(address)) {
    if (family !== AF_UNIX) throw wrongFamily("a path", family);
    return encodeUnixAddress(address);
  }
  if (isRaw(address)) {
    if (family !== address.family) throw wrongFamily(`bytes of family ${address.family}`, family);
    return encodeRawAddress(address);
  }
  assertInternet(address);
  if (family !== AF_INET && family !== AF_INET6) throw wrongFamily("a hostname", family);
  return encodeInternetAddress(address, family);
}

/**
 * Returns the family of an address, or `null` if that depends on the address of its hostname.
 *
 * @param address The address
 * @throws {TypeError} If it is not an address
 */
export function familyOfAddress(address: SocketAddress): number | null {
  if (isUnix(address)) return AF_UNIX;
  if (isRaw(address)) return address.family;
  assertInternet(address);
  return null;
}

/**
 * Encodes an address to bind to, as {@linkcode encodeAddress} does. An empty path lets the system
 * choose an abstract name, where there are such names.
 *
 * @param address The address
 * @param family The family of the socket
 * @returns The address in C's form
 */
export function encodeAddressToBind(
  address: SocketAddress | PacketAddress,
  family: number,
): Uint8Array<ArrayBuffer> {
  const isFree = family === AF_UNIX && abi.abstractPaths === true &&
    !isPacket(address) && isUnix(address) && address.path === "";
  return isFree ? unnamedUnixAddress() : encodeAddress(address, family);
}

/**
 * Decodes an address.
 *
 * @param bytes The address in C's form
 * @param size The number of bytes that the system filled
 * @returns The address, as its bytes if its family is not one of IPv4, IPv6, Unix and packets
 */
export function decodeAddress(
  bytes: Uint8Array<ArrayBuffer>,
  size: number,
): SocketAddress | PacketAddress {
  const family = familyOf(bytes, size);
  if (family === AF_UNIX) return decodeUnixAddress(bytes, size);
  if (family === AF_INET) return decodeIpv4Address(bytes);
  if (family === AF_INET6) return decodeIpv6Address(bytes, size);
  if (family === AF_PACKET && abi.packets !== undefined) return decodePacketAddress(bytes);
  return decodeRawAddress(bytes, size);
}

/** Names an address in a message; an abstract one as `ss` does. */
export function describeAddress(address: SocketAddress | PacketAddress): string {
  if (isPacket(address)) return `interface ${address.interface}`;
  if (isUnix(address)) return address.path.replace(/^\0/, "@") || "an empty path";
  if (isRaw(address)) return `an address of family ${address.family}`;
  const { hostname, port } = address;
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

function isPacket(address: SocketAddress | PacketAddress): address is PacketAddress {
  return typeof (address as Partial<PacketAddress> | null | undefined)?.interface === "number" &&
    hasProperty(address, "interface");
}

function isUnix(address: SocketAddress): address is UnixAddress {
  return typeof (address as Partial<UnixAddress> | null | undefined)?.path === "string" &&
    hasProperty(address, "path");
}

function isRaw(address: unknown): address is RawAddress {
  const raw = address as Partial<RawAddress> | null | undefined;
  return typeof raw?.family === "number" && raw.bytes instanceof Uint8Array &&
    hasProperty(raw, "family") && hasProperty(raw, "bytes");
}

function assertInternet(address: unknown): asserts address is InternetAddress {
  const internet = address as Partial<InternetAddress> | null | undefined;
  if (
    typeof internet?.hostname === "string" && typeof internet.port === "number" &&
    hasProperty(internet, "hostname") && hasProperty(internet, "port")
  ) return;
  throw new TypeError(
    "Cannot use an address: it must have a hostname (string) and a port (number), " +
      "a path (string), or a family (number) and bytes (Uint8Array)",
  );
}

function wrongFamily(what: string, family: number): TypeError {
  return new TypeError(`Cannot use ${what} as the address of a socket of family ${family}`);
}
