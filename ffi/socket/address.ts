import { abi } from "../abi/host.ts";
import { cString } from "../memory.ts";
import { platform } from "../platform/mod.ts";
import { decodePacketAddress, encodePacketAddress, type PacketAddress } from "./packet.ts";
import { resolve, resolverError } from "./resolver.ts";

const { AF_INET, AF_INET6, AF_PACKET, AF_UNIX, NI_NUMERICHOST } = abi.constants;
const { sockaddr_in, sockaddr_in6, sockaddr_un } = abi.structs;

const calls = platform.openCalls({
  getnameinfo: {
    parameters: ["buffer", "u32", "buffer", "u32", "pointer", "u32", "i32"],
    result: "i32",
  },
  inet_pton: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
});

/** An address of the internet, IPv4 or IPv6. */
export interface InternetAddress {
  /**
   * A numeric address, or a name, which the system's resolver turns into one. An IPv6 address that
   * is valid on a link alone takes the interface behind it, `fe80::1%eth0` or `fe80::1%2`.
   */
  hostname: string;
  /** The port, from 0 to 65535; 0 lets the system pick one as a socket is bound. */
  port: number;
}

/** An address in the file system. */
export interface UnixAddress {
  /**
   * The path; empty for a socket without a name. On Linux one that begins with a NUL is abstract:
   * it names no file.
   */
  path: string;
}

/** Where a socket is, or whom it talks to. */
export type SocketAddress = InternetAddress | UnixAddress;

/** The room that any address needs: C's `sockaddr_storage`. */
export const ADDRESS_SIZE = 128;

/**
 * Turns an address into C's form.
 *
 * @param address The address
 * @param family The family of the socket that it is for
 * @throws {TypeError} If it is no address, or of another family than the socket
 * @throws {RangeError} If the port or the length of the path is out of range, or a NUL in it
 * @throws {OSError} If the name cannot be resolved (`getaddrinfo`)
 * @throws {Deno.errors.NotSupported} If the path is abstract and the system has none of these
 */
export function encodeAddress(
  address: SocketAddress | PacketAddress,
  family: number,
): Uint8Array<ArrayBuffer> {
  if (isPacket(address)) {
    if (family !== AF_PACKET) throw wrongFamily("an interface", family);
    return encodePacketAddress(address);
  }
  if (isUnix(address)) {
    if (family !== AF_UNIX) throw wrongFamily("a path", family);
    return encodePath(address.path);
  }
  const { hostname, port } = (address ?? {}) as Partial<InternetAddress>;
  if (typeof hostname !== "string" || typeof port !== "number") {
    throw new TypeError(
      "Cannot use an address: it must have a hostname (string) and a port (number), or a path (string)",
    );
  }
  if (!Number.isInteger(port) || port < 0 || port > 0xffff) {
    throw new RangeError(
      `Cannot use an address: its port must be an integer from 0 to 65535, received ${port}`,
    );
  }
  if (family !== AF_INET && family !== AF_INET6) throw wrongFamily("a hostname", family);
  if (hostname.includes("\0")) {
    throw new RangeError("Cannot use a hostname: it must not hold a NUL");
  }
  const bytes = encodeNumber(hostname, family) ?? resolve(hostname, family);
  const layout = family === AF_INET ? sockaddr_in.fields.sin_port : sockaddr_in6.fields.sin6_port;
  new DataView(bytes.buffer).setUint16(layout[0], port);
  return bytes;
}

/** What the resolver would make of a number, in a tenth of the time; `null` of what is none to C. */
function encodeNumber(hostname: string, family: number): Uint8Array<ArrayBuffer> | null {
  const number = parseAddress(hostname, family);
  if (number === null) return null;
  const isIpv4 = family === AF_INET;
  const bytes = new Uint8Array(isIpv4 ? sockaddr_in.size : sockaddr_in6.size);
  bytes.set(number, (isIpv4 ? sockaddr_in.fields.sin_addr : sockaddr_in6.fields.sin6_addr)[0]);
  bytes[sockaddr_un.fields.sun_family[0]] = family; // The low byte, be it one byte wide or two.
  if (sockaddr_un.fields.sun_len !== undefined) {
    bytes[sockaddr_un.fields.sun_len[0]] = bytes.length;
  }
  return bytes;
}

/** Reads a numeric address, without a zone, into the bytes that it stands for; `null` if it is none. */
export function parseAddress(text: string, family: number): Uint8Array<ArrayBuffer> | null {
  const bytes = new Uint8Array(family === AF_INET ? 4 : 16);
  if (text.includes("\0")) return null;
  return calls().inet_pton(family, cString(text), bytes) === 1 ? bytes : null;
}

/**
 * Reads an address in C's form.
 *
 * @param bytes The address
 * @param size How many of the bytes the system filled
 * @throws {Deno.errors.NotSupported} If its family is none of IPv4, IPv6, Unix and packets
 */
export function decodeAddress(
  bytes: Uint8Array<ArrayBuffer>,
  size: number,
): SocketAddress | PacketAddress {
  const family = familyOf(bytes, size);
  if (family === AF_UNIX) return { path: decodePath(bytes, size) };
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (family === AF_INET) {
    const { sin_addr: [at, length], sin_port } = sockaddr_in.fields;
    return {
      hostname: bytes.subarray(at, at + length).join("."),
      port: view.getUint16(sin_port[0]),
    };
  }
  if (family === AF_INET6) {
    return {
      hostname: numericHost(bytes, size),
      port: view.getUint16(sockaddr_in6.fields.sin6_port[0]),
    };
  }
  if (family === AF_PACKET) return decodePacketAddress(bytes);
  throw new Deno.errors.NotSupported(`Cannot read an address of family ${family}`);
}

/** The family of an address in C's form; one without a single byte is an unnamed Unix socket's. */
export function familyOf(bytes: Uint8Array<ArrayBuffer>, size: number): number {
  const [at, width] = sockaddr_un.fields.sun_family;
  if (size < at + width) return AF_UNIX;
  return width === 1 ? bytes[at] : new DataView(bytes.buffer, bytes.byteOffset).getUint16(at, true);
}

/** The address as a number, with the zone of one that is valid on a link alone. */
function numericHost(bytes: Uint8Array<ArrayBuffer>, size: number): string {
  const host = new Uint8Array(256);
  const code = calls().getnameinfo(bytes, size, host, host.length, null, 0, NI_NUMERICHOST);
  if (code !== 0) throw resolverError("Cannot read an address", "getnameinfo", code);
  return new TextDecoder().decode(host.subarray(0, host.indexOf(0)));
}

function encodePath(path: string): Uint8Array<ArrayBuffer> {
  const { sun_family, sun_path: [at, room], sun_len } = sockaddr_un.fields;
  if (path === "") {
    throw new RangeError("Cannot use a path: it is empty, as of a socket without a name");
  }
  const isAbstract = path.startsWith("\0");
  if (isAbstract && !abi.abstractPaths) {
    throw new Deno.errors.NotSupported(
      `Cannot use an abstract path: ${Deno.build.os} has none, as every path of it names a file`,
    );
  }
  if (!isAbstract && path.includes("\0")) {
    throw new RangeError("Cannot use a path: it must not hold a NUL but as its first character");
  }
  // An abstract name has no NUL behind it: its length tells where it ends.
  const text = isAbstract ? new TextEncoder().encode(path) : cString(path);
  if (text.length > room) {
    const included = isAbstract ? "" : ", its closing NUL included";
    throw new RangeError(
      `Cannot use a path of ${text.length} bytes${included}: the system takes ${room}`,
    );
  }
  const bytes = new Uint8Array(at + text.length);
  if (sun_len !== undefined) bytes[sun_len[0]] = bytes.length;
  bytes[sun_family[0]] = AF_UNIX; // The low byte, be it one byte wide or two.
  bytes.set(text, at);
  return bytes;
}

function decodePath(bytes: Uint8Array, size: number): string {
  const [at] = sockaddr_un.fields.sun_path;
  const text = bytes.subarray(at, Math.max(at, size));
  if (text.every((byte) => byte === 0)) return "";
  const end = text[0] === 0 ? -1 : text.indexOf(0);
  return new TextDecoder().decode(end < 0 ? text : text.subarray(0, end));
}

/** Names an address, for a message; an abstract one as `ss` does. */
export function describe(address: SocketAddress | PacketAddress): string {
  if (isPacket(address)) return `interface ${address.interface}`;
  if (isUnix(address)) return address.path.replace(/^\0/, "@");
  const { hostname, port } = address;
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

function isPacket(address: SocketAddress | PacketAddress): address is PacketAddress {
  return typeof (address as Partial<PacketAddress> | null | undefined)?.interface === "number";
}

function isUnix(address: SocketAddress): address is UnixAddress {
  return typeof (address as Partial<UnixAddress> | null | undefined)?.path === "string";
}

function wrongFamily(what: string, family: number): TypeError {
  return new TypeError(`Cannot use ${what} as the address of a socket of family ${family}`);
}
