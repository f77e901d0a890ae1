/**
 * Where the requests of `ping.ts` come from: an address or a network interface.
 *
 * @module
 */

import {
  SO_BINDTODEVICE,
  SOCK_DGRAM,
  Socket,
  type SocketAddress,
  SOL_SOCKET,
} from "@readiness/selectors/socket";
import { familyOf, isNumeric } from "./addresses.ts";
import { exitWith } from "./command_line.ts";

const encoder = new TextEncoder();

/** Lets a socket send from an address or through an interface alone. */
export function sendFrom(socket: Socket, source: string): void {
  if (isNumeric(source)) return socket.bind({ hostname: source, port: 0 });
  if (SO_BINDTODEVICE === undefined) exitWith(2, "The source must be an address on this system");
  socket.setOption(SOL_SOCKET, SO_BINDTODEVICE, encoder.encode(source));
}

/** Describes where the requests to a host come from, as ping does: `ADDRESS` and an interface. */
export function describeSource(hostname: string, source: string): string {
  using socket = new Socket(familyOf(hostname), SOCK_DGRAM);
  sendFrom(socket, source);
  socket.connect({ hostname, port: 1 }); // Chooses the address, and sends nothing.
  const { localAddress } = socket as Socket<SocketAddress & { hostname: string }>;
  return `${localAddress.hostname} ${isNumeric(source) ? "" : source}`;
}
