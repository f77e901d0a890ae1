/**
 * What the examples have in common that are told addresses.
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
} from "@readiness/selectors/socket";
import { exitWith, parseInteger, parsePort } from "./command_line.ts";

/** Reads `HOST:PORT`, `[IPV6]:PORT` or, for loopback, `:PORT` from the command line. */
export function parseAddress(text: string): InternetAddress {
  const [, ipv6, hostname, port] = /^(?:\[(.+)\]|([^:]*)):([^:]*)$/.exec(text) ??
    exitWith(2, `An address is written HOST:PORT or [IPV6]:PORT, received ${text}`);
  return { hostname: (ipv6 ?? hostname) || "127.0.0.1", port: parsePort(port) };
}

/** Reads a port that one can connect to from the command line. */
export function parseRemotePort(text: string): number {
  return parseInteger("port", text, 1, 65535);
}

/** The family of the sockets for a hostname: a name is IPv4's, unless `locate` has resolved it. */
export function familyOf(hostname: string): number {
  return hostname.includes(":") ? AF_INET6 : AF_INET;
}

/**
 * Resolves the name in a remote address, once for all connections. A socket for datagrams sends
 * nothing as it is connected, and tells then where to.
 */
export function locate(address: InternetAddress): InternetAddress {
  const isNumeric = address.hostname.includes(":");
  return resolving(() => {
    try {
      return locateIn(familyOf(address.hostname), address);
    } catch (error) {
      if (isNumeric || !(error instanceof OSError)) throw error;
      try {
        return locateIn(AF_INET6, address);
      } catch {
        throw error; // What is wrong with IPv4 is the better reason.
      }
    }
  });
}

/** Runs a step; a name that does not resolve is a mistake on the command line. */
export function resolving<T>(step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (error instanceof OSError && error.syscall === "getaddrinfo") exitWith(2, error.message);
    throw error;
  }
}

function locateIn(family: number, address: InternetAddress): InternetAddress {
  using socket = new Socket(family, SOCK_DGRAM);
  socket.connect(address);
  return socket.remoteAddress as InternetAddress;
}
