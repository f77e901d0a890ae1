import { abi } from "../abi/mod.ts";
import { assertCString, assertInteger } from "../checks.ts";
import { cString } from "../memory.ts";
import { platform } from "../platform/mod.ts";
import { resolveBlocking, resolverError } from "./resolver.ts";
import { decodeCString, decodeExactly, untilNul } from "../text.ts";
import { getField } from "./fields.ts";
import { setFamily } from "./sockaddr.ts";

const { AF_INET, AF_INET6, NI_NUMERICHOST } = abi.constants;
const { sockaddr_in, sockaddr_in6 } = abi.structs;

const [DOT, ZERO] = [46, 48];

// Texts and arrays are dear to make. Mostly an address is the same as the one before, as when a
// server and a client talk.

/** The last IPv4 address that was decoded, as a number and as a text. */
let [decodedNumber, decodedText] = [0, "0.0.0.0"];

/** The last IPv4 address that was encoded. */
let encoded: InternetAddress & { bytes: Uint8Array<ArrayBuffer> } | undefined;

const calls = platform.openCalls({
  getnameinfo: {
    parameters: ["buffer", "u32", "buffer", "u32", "pointer", "u32", "i32"],
    result: "i32",
  },
  inet_pton: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
});

/**
 * An internet address, IPv4 or IPv6.
 *
 * @category Addresses
 */
export interface InternetAddress {
  /**
   * A numeric address, or a name that the system's resolver looks up. A link-local IPv6 address
   * needs the interface after it: `fe80::1%eth0` or `fe80::1%2`.
   */
  hostname: string;
  /** The port, from 0 to 65535. Binding to port 0 lets the system pick one. */
  port: number;
}

/**
 * Encodes an internet address as C does.
 *
 * @param address The address
 * @param family `AF_INET` or `AF_INET6`
 * @returns A `struct sockaddr_in` or `sockaddr_in6`, which must not be changed
 * @throws {RangeError} If the port is out of range, or the hostname contains a NUL
 * @throws {OSError} If the name cannot be resolved (`getaddrinfo`)
 */
export function encodeInternetAddress(
  address: InternetAddress,
  family: number,
): Uint8Array<ArrayBuffer> {
  const { hostname, port } = address;
  const isIpv4 = family === AF_INET;
  if (isIpv4 && encoded !== undefined && hostname === encoded.hostname && port === encoded.port) {
    return encoded.bytes;
  }
  assertInternetAddress({ hostname, port });
  const numeric = encodeNumericHostname(hostname, family);
  const bytes = numeric ?? resolveBlocking(hostname, family)[0]!;
  const { sin_port } = sockaddr_in.fields;
  const { sin6_port } = sockaddr_in6.fields;
  const [at] = isIpv4 ? sin_port : sin6_port;
  bytes[at] = port >> 8;
  bytes[at + 1] = port;
  // The address of a name can change.
  if (isIpv4 && numeric !== null) encoded = { hostname, port, bytes };
  return bytes;
}

/**
 * Requires an internet address that can be encoded, if its name can be resolved.
 *
 * @param address The address
 * @throws {RangeError} If the port is out of range, or the hostname contains a NUL or is not
 * well-formed
 */
export function assertInternetAddress({ hostname, port }: InternetAddress): void {
  assertInteger("Cannot use an address: its port", port, 0, 0xffff);
  assertCString("Cannot use an address: its hostname", hostname);
}

/** Returns whether a hostname is a numeric address, which the resolver decodes at once. */
export function isNumericHostname(hostname: string): boolean {
  const [address] = hostname.split("%");
  return parseAddress(hostname, AF_INET) !== null || parseAddress(address!, AF_INET6) !== null;
}

/** Does what the resolver does with a numeric address, in a tenth of the time; else `null`. */
function encodeNumericHostname(hostname: string, family: number): Uint8Array<ArrayBuffer> | null {
  const number = parseAddress(hostname, family);
  return number === null ? null : encodeNumericAddress(number, family);
}

/**
 * Encodes the bytes of a numeric address as C does, with port 0.
 *
 * @param number Its 4 or 16 bytes
 * @param family `AF_INET` or `AF_INET6`
 * @returns A `struct sockaddr_in` or `sockaddr_in6`
 */
export function encodeNumericAddress(
  number: Uint8Array,
  family: number,
): Uint8Array<ArrayBuffer> {
  const isIpv4 = family === AF_INET;
  const bytes = new Uint8Array(isIpv4 ? sockaddr_in.size : sockaddr_in6.size);
  bytes.set(number, (isIpv4 ? sockaddr_in.fields.sin_addr : sockaddr_in6.fields.sin6_addr)[0]);
  setFamily(bytes, family);
  return bytes;
}

/**
 * Parses a numeric address without a zone.
 *
 * @param text The text, such as `"192.0.2.1"`
 * @param family `AF_INET` or `AF_INET6`
 * @returns Its 4 or 16 bytes, or `null` if it is not such an address
 */
export function parseAddress(text: string, family: number): Uint8Array<ArrayBuffer> | null {
  const bytes = new Uint8Array(family === AF_INET ? 4 : 16);
  if (family === AF_INET && parseDotted(text, bytes)) return bytes;
  if (text.includes("\0")) return null;
  return calls().inet_pton(family, cString(text), bytes) === 1 ? bytes : null;
}

/**
 * Parses an IPv4 address as `inet_pton` does, in a tenth of the time.
 *
 * @param text The text
 * @param bytes Receives the four bytes
 * @returns Whether it is four numbers without leading zeros; `inet_pton` knows other forms
 */
function parseDotted(text: string, bytes: Uint8Array): boolean {
  let part = 0;
  let digits = 0;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === DOT) {
      if (digits === 0 || ++part > 3) return false;
      digits = value = 0;
    } else {
      const digit = code - ZERO;
      if (digit < 0 || digit > 9 || digits > 0 && value === 0) return false;
      value = value * 10 + digit;
      if (value > 255) return false;
      digits++;
      bytes[part] = value;
    }
  }
  return part === 3 && digits > 0;
}

/** Decodes a `struct sockaddr_in`. */
export function decodeIpv4Address(bytes: Uint8Array<ArrayBuffer>): InternetAddress {
  const { sin_addr: [at], sin_port: [portAt] } = sockaddr_in.fields;
  const number = bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 | bytes[at + 3]!;
  if (number !== decodedNumber) {
    decodedNumber = number;
    decodedText = `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
  }
  return { hostname: decodedText, port: bytes[portAt]! << 8 | bytes[portAt + 1]! };
}

/**
 * Decodes a `struct sockaddr_in6`. A link-local address gets the name of its interface.
 *
 * @param bytes The address
 * @param size The number of bytes that the system filled
 * @returns The address
 */
export function decodeIpv6Address(bytes: Uint8Array<ArrayBuffer>, size: number): InternetAddress {
  const host = new Uint8Array(256);
  const code = calls().getnameinfo(bytes, size, host, host.length, null, 0, NI_NUMERICHOST);
  if (code !== 0) throw resolverError("Cannot read an address", "getnameinfo", code);
  const { sin6_port } = sockaddr_in6.fields;
  return {
    hostname: decodeExactly(untilNul(host)) ?? withZoneIndex(host, bytes),
    port: new DataView(bytes.buffer, bytes.byteOffset).getUint16(sin6_port[0]),
  };
}

/** Replaces the name of an interface that is not UTF-8 by its index. */
function withZoneIndex(host: Uint8Array<ArrayBuffer>, bytes: Uint8Array<ArrayBuffer>): string {
  const [address] = decodeCString(host).split("%");
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return `${address}%${getField(view, 0, sockaddr_in6.fields.sin6_scope_id)}`;
}
