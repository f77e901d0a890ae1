/**
 * What the end of a connect says about a port.
 *
 * @module
 */

import { OSError } from "@readiness/selectors";
import type { Socket } from "@readiness/selectors/socket";
import { formatAddress } from "./addresses.ts";

/** The result for a port. */
export type State = "open" | "closed" | "filtered";

/** Errors of `connect` when something on the way keeps it from the port, mostly ICMP messages. */
const FILTERED = [
  "EACCES",
  "EHOSTDOWN",
  "EHOSTUNREACH",
  "EMSGSIZE",
  "ENETDOWN",
  "ENETUNREACH",
  "ENONET",
  "ENOPROTOOPT",
  "EOPNOTSUPP",
  "EPERM",
  "EPROTO",
  "ETIMEDOUT",
];

/** Returns the state of a port after an error, or `undefined` if the error is of this host. */
export function stateOfError({ code }: OSError): State | undefined {
  if (code === "ECONNREFUSED") return "closed";
  if (code === "ECONNRESET" || code === "EPIPE") return "open"; // It was accepted.
  return FILTERED.includes(code) ? "filtered" : undefined;
}

/**
 * Returns whether a socket has connected to itself: on loopback the system can pick the port that
 * it connects to as its local port. Then no other socket listens there.
 */
export function isItsOwnPeer(socket: Socket): boolean {
  try {
    return formatAddress(socket.localAddress) === formatAddress(socket.remoteAddress);
  } catch (error) {
    if (!(error instanceof OSError)) throw error;
    return false; // The peer has already reset the connection.
  }
}
