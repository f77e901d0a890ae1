/**
 * Addresses in the examples: on command lines, in messages, and looked up by name.
 *
 * @module
 */

import { OSError } from "@readiness/selectors";
import {
  AF_INET,
  AF_INET6,
  type InternetAddress,
  SOCK_DGRAM,
  Socket,
  type SocketAddress,
} from "@readiness/selectors/socket";
import { exitWith, parseInteger, parsePort } from "./command_line.ts";
import { printable } from "./output.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Parses `HOST:PORT`, `[IPV6]:PORT` or, for loopback, `:PORT`. */
export function parseAddress(text: string): InternetAddress {
  const [, ipv6, hostname, port = ""] = /^(?:\[(.+)\]|([^:]*)):([^:]*)$/.exec(text) ??
    exitWith(2, `An address must be HOST:PORT or [IPV6]:PORT, received ${text}`);
  return { hostname: (ipv6 ?? hostname) || "127.0.0.1", port: parsePort(port) };
}

/** Parses the address of a peer, which has a port. */
export function parseRemoteAddress(text: string): InternetAddress {
  const address = parseAddress(text);
  parseRemotePort(`${address.port}`);
  return address;
}

/** Parses a port to connect to. */
export function parseRemotePort(text: string): number {
  return parseInteger("port", text, 1, 65535);
}

/** Returns whether a hostname is an address, not a name to look up. */
export function isNumeric(hostname: string): boolean {
  return /:|^[\d.]+$/.test(hostname);
}

/** Returns the address family for a hostname; names that `lookUp` has not resolved are IPv4. */
export function familyOf(hostname: string): number {
  return hostname.includes(":") ? AF_INET6 : AF_INET;
}

/** Returns the address family that `-4` and `-6` ask for, if any, or exits. */
export function familyAsked({ ipv4, ipv6 }: { ipv4: boolean; ipv6: boolean }): number | undefined {
  if (ipv4 && ipv6) exitWith(2, "Cannot use both -4 and -6");
  return ipv4 ? AF_INET : ipv6 ? AF_INET6 : undefined;
}

/**
 * Resolves the name in a remote address once: to an address of this family, or else to an IPv4
 * address if there is one.
 */
export function lookUp(address: InternetAddress, family?: number): InternetAddress {
  const isIpv6 = address.hostname.includes(":");
  try {
    return connectIn(family ?? familyOf(address.hostname), address);
  } catch (error) {
    if (isIpv6 || family !== undefined || !(error instanceof OSError)) throw error;
    try {
      return connectIn(AF_INET6, address);
    } catch {
      throw error; // The reason for IPv4 says more.
    }
  }
}

/** Connects a datagram socket, which resolves the name and sends nothing. */
function connectIn(family: number, address: InternetAddress): InternetAddress {
  using socket = new Socket(family, SOCK_DGRAM);
  socket.connect(address);
  return socket.remoteAddress as InternetAddress;
}

/** Formats an address as on a command line: `HOST:PORT`, `[IPV6]:PORT`, a path, or `@NAME`. */
export function formatAddress(address: SocketAddress): string {
  if ("bytes" in address) return formatAddress({ path: decoder.decode(address.bytes) });
  if ("path" in address) return printable(address.path.replace(/^\0/, "@")) || "(unnamed)";
  const { hostname, port } = address;
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

/** Formats the address of a socket's peer. */
export function peerOf(socket: Socket): string {
  try {
    return formatAddress(socket.remoteAddress);
  } catch (error) {
    if (!(error instanceof OSError)) throw error;
    return "(disconnected)"; // The connection was reset before it was accepted.
  }
}
