import { abi } from "../abi/mod.ts";
import { OSError } from "../errno.ts";
import type { SocketAddress } from "./address.ts";
import { familyOfSocket, localAddressOf, remoteAddressOf } from "./names.ts";
import type { PacketAddress } from "./packet.ts";

const FAMILIES = Object.entries(abi.constants).filter(([name]) => name.startsWith("AF_"));

/** What `console.log()` shows of a socket in addition to its descriptor. */
interface SocketState {
  /** The name of the family, or its number. */
  family?: string | number;
  localAddress?: SocketAddress | PacketAddress;
  /** The peer's address, if there is a peer. */
  remoteAddress?: SocketAddress | PacketAddress;
}

/**
 * Returns what `console.log()` shows of a socket: what the system knows about it.
 *
 * @param fd The socket; closed ones have no state
 * @returns Its state
 */
export function stateOf(fd: number): SocketState {
  if (fd < 0) return {};
  const state: SocketState = {};
  addUnlessRefused(() => state.family = nameOfFamily(familyOfSocket(fd)));
  addUnlessRefused(() => state.localAddress = localAddressOf(fd));
  addUnlessRefused(() => state.remoteAddress = remoteAddressOf(fd));
  return state;
}

function nameOfFamily(family: number): string | number {
  return FAMILIES.find(([, number]) => number === family)?.[0] ?? family;
}

/** Leaves out what the system refuses, such as the peer of a socket that is not connected. */
function addUnlessRefused(add: () => void): void {
  try {
    add();
  } catch (error) {
    if (!(error instanceof OSError)) throw error;
  }
}
