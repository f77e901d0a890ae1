/**
 * Echo requests and answers over ICMP, for `ping.ts`.
 *
 * @module
 */

import { OSError } from "@readiness/selectors";
import {
  AF_INET6,
  IP_RECVTTL,
  IP_TTL,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_HOPLIMIT,
  IPV6_RECVHOPLIMIT,
  receiveMessage,
  SOCK_DGRAM,
  SOCK_RAW,
  Socket,
} from "@readiness/selectors/socket";
import { exitWith } from "./command_line.ts";

/** The size of an ICMP header, in bytes. */
export const HEADER = 8;

/** The payload of each request of this run starts with these bytes. */
export const TOKEN: Uint8Array = crypto.getRandomValues(new Uint8Array(8));

/** An answer to a request. */
export interface Answer {
  readonly sequence: number;
  readonly size: number;
  readonly from: string;
  readonly hops: number | undefined;
  readonly time: number;
}

/** A socket for the echo requests of one address family. */
export class IcmpSocket {
  readonly socket: Socket;
  readonly #isIpv6: boolean;
  readonly #isRaw: boolean;
  readonly #id = crypto.getRandomValues(new Uint16Array(1))[0];
  readonly #buffer = new Uint8Array(65_536);

  constructor(family: number) {
    this.#isIpv6 = family === AF_INET6;
    const protocol = this.#isIpv6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
    [this.socket, this.#isRaw] = open(family, protocol);
    if (this.#isIpv6) this.socket.setOption(IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
    else this.socket.setOption(IPPROTO_IP, IP_RECVTTL, 1);
    this.receive(); // The first call takes longer, which should not count for a host.
  }

  /** Sends a request. Returns whether there was room for it. */
  send(hostname: string, sequence: number, size: number): boolean {
    const packet = new Uint8Array(HEADER + size);
    const view = new DataView(packet.buffer);
    packet[0] = this.#isIpv6 ? 128 : 8;
    view.setUint16(4, this.#id); // The system replaces it for datagram sockets.
    view.setUint16(6, sequence);
    packet.set(TOKEN, HEADER);
    if (!this.#isIpv6) view.setUint16(2, checksum(packet)); // The system writes ICMPv6's.
    return this.socket.sendTo(packet, { hostname, port: 0 }) !== null;
  }

  /** Receives an answer to this program, or `null` if there is none. */
  receive(): Answer | "malformed" | "foreign" | null {
    const time = performance.now();
    const message = receiveMessage(this.socket, this.#buffer);
    if (message === null) return null;
    let packet = this.#buffer.subarray(0, message.size);
    // A raw IPv4 socket receives the IP header, too.
    if (this.#isRaw && !this.#isIpv6) packet = packet.subarray((packet[0] & 15) * 4);
    if (message.truncated || packet.length < HEADER) return "malformed";
    const view = new DataView(packet.buffer, packet.byteOffset);
    const isEcho = packet[0] === (this.#isIpv6 ? 129 : 0);
    const isForeign = this.#isRaw && view.getUint16(4) !== this.#id;
    if (!isEcho || isForeign) return "foreign"; // A raw socket receives everything that arrives.
    if (!TOKEN.every((byte, i) => packet[HEADER + i] === byte)) return "malformed";
    const hops = message.control.find(({ level, type }) =>
      level === IPPROTO_IP ? type === IP_TTL || type === IP_RECVTTL : type === IPV6_HOPLIMIT
    );
    return {
      sequence: view.getUint16(6),
      size: packet.length,
      from: "hostname" in message.address ? message.address.hostname : "",
      hops: hops?.data[0],
      time,
    };
  }
}

/** Opens a datagram socket, which needs no privilege, or else a raw socket. */
function open(family: number, protocol: number): [socket: Socket, isRaw: boolean] {
  try {
    return [new Socket(family, SOCK_DGRAM, protocol), false];
  } catch (error) {
    if (!(error instanceof OSError)) throw error;
    try {
      return [new Socket(family, SOCK_RAW, protocol), true];
    } catch (rawError) {
      if (!(rawError instanceof OSError)) throw rawError;
      exitWith(
        1,
        `Cannot ping without one of two privileges:\n${error.message}\n${rawError.message}`,
      );
    }
  }
}

/** The checksum of IP and ICMP: of a packet with a correct one, it is 0. */
export function checksum(packet: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < packet.length; i += 2) sum += (packet[i] << 8) | (packet[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
