/**
 * Netlink: messages to and from the network configuration of Linux. See netlink(7), rtnetlink(7).
 *
 * @module
 */

import { OSError } from "@readiness/selectors";
import {
  AF_NETLINK,
  MSG_TRUNC,
  NETLINK_ROUTE,
  NLM_F_REQUEST,
  NLMSG_ERROR,
  type RawAddress,
  SOCK_RAW,
  Socket,
} from "@readiness/selectors/socket";

/** The size of a `struct nlmsghdr`. */
const HEADER = 16;

/** The kernel sends at most 32 KiB at once. */
const ROOM = 1 << 16;

/** A netlink message. */
export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  /** The number of the request that it answers or that has caused it, which may be another's. */
  readonly sequence: number;
  /** The port of the socket that has sent that request. */
  readonly port: number;
  readonly body: Uint8Array;
}

/** A message that is cut short or contradicts itself. */
export class MalformedMessage extends Error {}

/** A netlink socket for links, addresses and routes. */
export class NetlinkSocket implements Disposable {
  readonly socket: Socket<RawAddress> = new Socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
  readonly #buffer = new Uint8Array(ROOM);
  readonly #port: number;
  #sequence = 0;

  /** Opens a socket, which receives the notifications of these groups. */
  constructor(groups = 0) {
    try {
      const bytes = new Uint8Array(10); // A struct sockaddr_nl after its family
      new DataView(bytes.buffer).setUint32(6, groups, true);
      this.socket.bind({ family: AF_NETLINK, bytes });
      this.#port = portOf(this.socket.localAddress);
    } catch (error) {
      this.socket.close();
      throw error;
    }
  }

  /** Sends a request. Returns its number, or `null` if there is no room now. */
  send(type: number, flags: number, body: Uint8Array): number | null {
    const message = new Uint8Array(HEADER + body.length);
    const view = new DataView(message.buffer);
    view.setUint32(0, message.length, true);
    view.setUint16(4, type, true);
    view.setUint16(6, flags | NLM_F_REQUEST, true);
    view.setUint32(8, ++this.#sequence, true);
    message.set(body, HEADER);
    const kernel = { family: AF_NETLINK, bytes: new Uint8Array(10) };
    return this.socket.sendTo(message, kernel) === null ? null : this.#sequence;
  }

  /**
   * Receives messages of the kernel, which the next call overwrites, or `null` if there are none.
   *
   * @throws {OSError} Such as with `ENOBUFS` if notifications were lost
   */
  receive(): NetlinkMessage[] | null {
    const datagram = this.socket.recvFrom(this.#buffer, MSG_TRUNC);
    if (datagram === null) return null;
    const { size, address } = datagram;
    if (portOf(address) !== 0) return []; // Another program's.
    if (size > ROOM) throw new MalformedMessage(`${size} bytes where ${ROOM} are the most`);
    return [...readMessages(this.#buffer.subarray(0, size))];
  }

  /** Returns whether a message answers a request of this socket. */
  isAnswer(message: NetlinkMessage, sequence: number): boolean {
    return message.port === this.#port && message.sequence === sequence;
  }

  [Symbol.dispose](): void {
    this.socket.close();
  }
}

/**
 * Reads the messages of a datagram.
 *
 * @throws {MalformedMessage} If one is cut short
 */
export function* readMessages(bytes: Uint8Array): Generator<NetlinkMessage> {
  const view = viewOf(bytes);
  for (let at = 0; at < bytes.length;) {
    if (at + HEADER > bytes.length) throw cut(bytes.length - at, HEADER);
    const length = view.getUint32(at, true);
    if (length < HEADER || at + length > bytes.length) throw cut(bytes.length - at, length);
    yield {
      type: view.getUint16(at + 4, true),
      flags: view.getUint16(at + 6, true),
      sequence: view.getUint32(at + 8, true),
      port: view.getUint32(at + 12, true),
      body: bytes.subarray(at + HEADER, at + length),
    };
    at += aligned(length);
  }
}

/**
 * Reads the attributes that follow the structure of a message, by their types.
 *
 * @throws {MalformedMessage} If one is cut short
 */
export function readAttributes(body: Uint8Array, start: number): Map<number, Uint8Array> {
  const attributes = new Map<number, Uint8Array>();
  if (body.length < start) throw cut(body.length, start);
  const view = viewOf(body);
  for (let at = start; at + 4 <= body.length;) {
    const length = view.getUint16(at, true);
    if (length < 4 || at + length > body.length) throw cut(body.length - at, length);
    const type = view.getUint16(at + 2, true) & 0x3fff; // Two bits are flags.
    attributes.set(type, body.subarray(at + 4, at + length));
    at += aligned(length);
  }
  return attributes;
}

/** Writes an attribute. */
export function writeAttribute(type: number, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(aligned(4 + data.length));
  new DataView(bytes.buffer).setUint16(0, 4 + data.length, true);
  new DataView(bytes.buffer).setUint16(2, type, true);
  bytes.set(data, 4);
  return bytes;
}

/**
 * Throws if a message is an error.
 *
 * @param attempt What the request should have done, such as `"Cannot list the links"`
 */
export function throwIfError({ type, body }: NetlinkMessage, attempt: string): void {
  if (type !== NLMSG_ERROR) return;
  const errno = -word(body, 0);
  if (errno !== 0) throw new OSError(attempt, "netlink", errno); // 0 is an acknowledgement.
}

/**
 * Reads a 32-bit integer.
 *
 * @throws {MalformedMessage} If there are not enough bytes
 */
export function word(bytes: Uint8Array, at: number): number {
  if (at + 4 > bytes.length) throw cut(bytes.length, at + 4);
  return viewOf(bytes).getInt32(at, true);
}

/** The kernel's port is 0. */
function portOf({ bytes }: RawAddress): number {
  return viewOf(bytes).getUint32(2, true);
}

/** Messages and attributes begin at multiples of four bytes. */
function aligned(length: number): number {
  return (length + 3) & ~3;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function cut(size: number, needed: number): MalformedMessage {
  return new MalformedMessage(`${size} bytes where ${needed} are needed`);
}
