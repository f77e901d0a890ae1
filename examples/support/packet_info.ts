/**
 * Control data about the address that a datagram was sent to, for servers on a wildcard address.
 *
 * @module
 */

import {
  AF_INET6,
  type ControlMessage,
  IP_PKTINFO,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_PKTINFO,
  IPV6_RECVPKTINFO,
  type Socket,
} from "@readiness/selectors/socket";
import { formatIp } from "./packets.ts";

/** Requests the address and the interface of each datagram, where the system has them. */
export function receivePacketInfo(socket: Socket, family: number): void {
  if (family === AF_INET6) socket.setOption(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
  else if (IP_PKTINFO !== undefined) socket.setOption(IPPROTO_IP, IP_PKTINFO, 1);
}

/** Returns the control data that sends an answer from the address that was asked. */
export function answerFrom(control: readonly ControlMessage[]): ControlMessage[] {
  return control.flatMap(({ level, type, data }) => {
    if (level === IPPROTO_IPV6 && type === IPV6_PKTINFO) return [{ level, type, data }];
    if (level !== IPPROTO_IP || type !== IP_PKTINFO) return [];
    // The route of the answer decides on the interface, whose index is first, except on Windows.
    const info = data.slice();
    info.fill(0, ...Deno.build.os === "windows" ? [4, 8] : [0, 4]);
    return [{ level, type, data: info }];
  });
}

/** What control data says about how a datagram arrived. */
export interface Arrival {
  /** The index of the interface. */
  readonly interface: number;
  /** The address that it was sent to. */
  readonly destination: string;
}

/** Returns how a datagram arrived, if the control data says so. */
export function arrivalOf(control: readonly ControlMessage[]): Arrival | undefined {
  for (const { level, type, data } of control) {
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    if (level === IPPROTO_IPV6 && type === IPV6_PKTINFO) {
      return { interface: view.getUint32(16, true), destination: formatIp(data.subarray(0, 16)) };
    }
    if (level !== IPPROTO_IP || type !== IP_PKTINFO) continue;
    const [index, address] = Deno.build.os === "windows" ? [4, 0] : [0, 8];
    return {
      interface: view.getUint32(index, true),
      destination: formatIp(data.subarray(address, address + 4)),
    };
  }
  return undefined;
}
