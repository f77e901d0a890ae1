import { abi } from "../abi/mod.ts";
import { decodeAddress, type SocketAddress } from "./address.ts";
import type { ControlMessage } from "./control.ts";
import { getField } from "./fields.ts";
import { ADDRESS_SIZE, familyOf } from "./sockaddr.ts";

const { AF_UNSPEC, IPPROTO_IP, IPPROTO_IPV6, IP_RECVERR, IPV6_RECVERR } = abi.constants;

/**
 * An error from the error queue of a socket: why a packet could not be delivered.
 *
 * @category Messages
 */
export interface QueuedError {
  /** The number of the error, such as 111 for `ECONNREFUSED`. 0 if the entry is not an error. */
  readonly errno: number;
  /** What reported it: `SO_EE_ORIGIN_ICMP`, `SO_EE_ORIGIN_LOCAL`, … */
  readonly origin: number;
  /** The type of the ICMP message, such as 11 of ICMP for "time exceeded". */
  readonly type: number;
  /** The code of the ICMP message. */
  readonly code: number;
  /** More about the error: for a packet that was too large, the limit in bytes. */
  readonly info: number;
  /** Data that depends on the origin. */
  readonly data: number;
  /** The host that sent the ICMP message, or `null` if there is none. */
  readonly offender: SocketAddress | null;
}

/**
 * Decodes the error of a message from the error queue: its `struct sock_extended_err`. The options
 * `IP_RECVERR` and `IPV6_RECVERR` enable the queue, and {@linkcode receiveMessage} reads it with
 * the flag `MSG_ERRQUEUE`.
 *
 * The rest of such a message is about the packet that failed: `address` is where it was sent, and
 * the buffer receives its first bytes. While errors are queued, the socket is ready for reading.
 *
 * @param message The message, of which only the control messages count
 * @returns The error, or `null` if the message does not have one, and on systems other than Linux
 *
 * @example A datagram to a port where nothing listens (Linux)
 * ```ts
 * import { EVENT_READ, ready } from "@readiness/selectors";
 * import {
 *   AF_INET,
 *   IP_RECVERR,
 *   IPPROTO_IP,
 *   MSG_ERRQUEUE,
 *   queuedError,
 *   receiveMessage,
 *   SOCK_DGRAM,
 *   Socket,
 * } from "@readiness/selectors/socket";
 *
 * if (Deno.build.os === "linux") {
 *   using socket = new Socket(AF_INET, SOCK_DGRAM);
 *   socket.setOption(IPPROTO_IP, IP_RECVERR, 1);
 *   socket.sendTo(new Uint8Array(1), { hostname: "127.0.0.1", port: 9 });
 *   await ready(socket, EVENT_READ);
 *   const message = receiveMessage(socket, new Uint8Array(64), { flags: MSG_ERRQUEUE })!;
 *   console.log(message.address); // { hostname: "127.0.0.1", port: 9 }
 *   console.log(queuedError(message)); // { errno: 111, origin: 2, type: 3, code: 3, … }
 * }
 * ```
 *
 * @category Messages
 */
export function queuedError(
  { control }: { readonly control: readonly ControlMessage[] },
): QueuedError | null {
  if (abi.errorQueue === undefined) return null;
  const { fields, size } = abi.errorQueue.sock_extended_err;
  const found = control.find(({ level, type, data }) =>
    (level === IPPROTO_IP && type === IP_RECVERR ||
      level === IPPROTO_IPV6 && type === IPV6_RECVERR) && data.length >= size
  );
  if (found === undefined) return null;
  const view = new DataView(found.data.buffer, found.data.byteOffset, found.data.byteLength);
  return {
    errno: getField(view, 0, fields.ee_errno),
    origin: getField(view, 0, fields.ee_origin),
    type: getField(view, 0, fields.ee_type),
    code: getField(view, 0, fields.ee_code),
    info: getField(view, 0, fields.ee_info),
    data: getField(view, 0, fields.ee_data),
    offender: decodeOffender(found.data.subarray(size)),
  };
}

/** Decodes the address after the structure. Its family is unspecified if there is none. */
function decodeOffender(rest: Uint8Array): SocketAddress | null {
  if (rest.length < abi.structs.sockaddr_in.size) return null;
  const bytes = new Uint8Array(ADDRESS_SIZE);
  const size = Math.min(rest.length, ADDRESS_SIZE);
  bytes.set(rest.subarray(0, size));
  if (familyOf(bytes, size) === AF_UNSPEC) return null;
  return decodeAddress(bytes, size) as SocketAddress;
}
