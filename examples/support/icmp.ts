/**
 * Echo requests and answers over ICMP, for `ping.ts` and `traceroute.ts`.
 *
 * @module
 */

import { OSError } from "@readiness/selectors";
import {
  AF_INET6,
  IP_RECVERR,
  IP_RECVTTL,
  IP_TTL,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_HOPLIMIT,
  IPV6_RECVERR,
  IPV6_RECVHOPLIMIT,
  IPV6_UNICAST_HOPS,
  MSG_ERRQUEUE,
  type QueuedError,
  queuedError,
  receiveMessage,
  SO_RCVBUF,
  SOCK_DGRAM,
  SOCK_RAW,
  Socket,
  SOL_SOCKET,
} from "@readiness/selectors/socket";
import { ArrivalClock } from "./arrival_clock.ts";
import { exitWith } from "./command_line.ts";

/** The size of an ICMP header, and of a UDP header, in bytes. */
export const HEADER = 8;

/** The payload of each request of this run starts with these bytes, as far as there is room. */
const TOKEN: Uint8Array = crypto.getRandomValues(new Uint8Array(8));

/** Room for what has arrived, in bytes: Linux allows it without a privilege. */
const ROOM = 212_992;

/** An answer to a request. */
export interface Answer {
  readonly sequence: number;
  readonly size: number;
  readonly from: string;
  readonly hops: number | undefined;
  /** When it arrived, as a time of `performance.now()`. */
  readonly time: number;
}

/** An error that ICMP has reported of a request. */
export interface RequestError {
  readonly sequence: number;
  readonly error: QueuedError;
  readonly time: number;
}

/** A socket for the echo requests of one address family. */
export class IcmpSocket {
  readonly socket: Socket;
  readonly #isIpv6: boolean;
  readonly #isRaw: boolean;
  readonly #id = crypto.getRandomValues(new Uint16Array(1))[0];
  readonly #buffer = new Uint8Array(65_536);
  readonly #packet: Uint8Array<ArrayBuffer>;
  readonly #clock = new ArrivalClock();

  /** @param size The size of the payload of each request, in bytes */
  constructor(family: number, size: number) {
    this.#isIpv6 = family === AF_INET6;
    const protocol = this.#isIpv6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
    [this.socket, this.#isRaw] = open(family, protocol);
    if (this.#isIpv6) this.socket.setOption(IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
    else this.socket.setOption(IPPROTO_IP, IP_RECVTTL, 1);
    this.#clock.watch(this.socket);
    // A raw socket also receives the requests that it sends to this machine.
    this.socket.setOption(SOL_SOCKET, SO_RCVBUF, ROOM);
    this.#packet = new Uint8Array(HEADER + size);
    this.#packet.set(TOKEN.subarray(0, size), HEADER);
    // The first calls take longer, which should not count for a host.
    this.#clock.measure();
    this.receive();
  }

  /** Sends a request. Returns when it was sent, or `null` if there is no room for it. */
  send(hostname: string, sequence: number): number | null {
    const packet = this.#packet;
    const view = new DataView(packet.buffer);
    packet[0] = this.#isIpv6 ? 128 : 8;
    view.setUint16(2, 0);
    view.setUint16(4, this.#id); // The system replaces it for datagram sockets.
    view.setUint16(6, sequence);
    if (!this.#isIpv6) view.setUint16(2, checksum(packet)); // The system writes ICMPv6's.
    const address = { hostname, port: 0 };
    // Taken first, as the answer can arrive before the call returns.
    const time = performance.now();
    return this.socket.sendTo(packet, address) === null ? null : time;
  }

  /** Receives the errors of requests. Without this, the socket ignores most of them. */
  reportErrors(): void {
    reportErrors(this.socket, this.#isIpv6);
  }

  /** Receives an error of a request of this program, or `null` if there is none. */
  receiveError(): RequestError | null {
    if (MSG_ERRQUEUE === undefined) return null; // Without the flag, it would take an answer.
    for (;;) {
      const message = receiveMessage(this.socket, this.#buffer, { flags: MSG_ERRQUEUE });
      if (message === null) return null;
      const error = queuedError(message);
      const view = new DataView(this.#buffer.buffer); // It begins with the request's own header.
      const isForeign = this.#isRaw && view.getUint16(4) !== this.#id;
      if (error === null || message.size < HEADER || isForeign) continue;
      return { sequence: view.getUint16(6), error, time: this.#clock.read(message.control) };
    }
  }

  /** Receives an answer to this program, or `null` if there is none. */
  receive(): Answer | "malformed" | "foreign" | null {
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
    // The system verifies the others' checksums.
    if (this.#isRaw && !this.#isIpv6 && checksum(packet) !== 0) return "malformed";
    if (!isSame(packet.subarray(HEADER), this.#packet.subarray(HEADER))) return "malformed";
    const hops = message.control.find(({ level, type }) =>
      level === IPPROTO_IP ? type === IP_TTL || type === IP_RECVTTL : type === IPV6_HOPLIMIT
    );
    return {
      sequence: view.getUint16(6),
      size: packet.length,
      from: "hostname" in message.address ? message.address.hostname : "",
      hops: hops?.data[0],
      time: this.#clock.read(message.control),
    };
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Lets a socket report the errors of what it sends. */
export function reportErrors(socket: Socket, isIpv6: boolean): void {
  if (isIpv6) socket.setOption(IPPROTO_IPV6, IPV6_RECVERR, 1);
  else socket.setOption(IPPROTO_IP, IP_RECVERR, 1);
}

/** Sets how many hops the packets may make that a socket sends from now on. */
export function setHops(socket: Socket, isIpv6: boolean, hops: number): void {
  if (isIpv6) socket.setOption(IPPROTO_IPV6, IPV6_UNICAST_HOPS, hops);
  else socket.setOption(IPPROTO_IP, IP_TTL, hops);
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

/** Returns the checksum of IP and ICMP: of a packet with a correct one, it is 0. */
export function checksum(packet: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < packet.length; i += 2) sum += (packet[i] << 8) | (packet[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
