import { abi } from "../abi/mod.ts";
import { assertInteger, need } from "../checks.ts";
import { setField } from "./fields.ts";
import { parseAddress } from "./internet_address.ts";
import { familyForMulticast, indexOf, type Interface, parseGroup } from "./multicast_group.ts";
import type { AnySocket } from "./socket.ts";

const {
  AF_INET,
  AF_INET6,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_JOIN_GROUP,
  IPV6_LEAVE_GROUP,
  IPV6_MULTICAST_HOPS,
  IPV6_MULTICAST_IF,
  IPV6_MULTICAST_LOOP,
  IP_ADD_MEMBERSHIP,
  IP_DROP_MEMBERSHIP,
  IP_MULTICAST_IF,
  IP_MULTICAST_LOOP,
  IP_MULTICAST_TTL,
} = abi.constants;

/**
 * Joins a multicast group on an interface. The socket then receives what is sent to the group at
 * the port that it is bound to. Closing the socket leaves the group.
 *
 * @param socket An IPv4 or IPv6 datagram socket
 * @param group The numeric address of the group, of the socket's family. An IPv6 address may have
 * the interface as its zone: `ff02::1234%eth0`
 * @param on The interface; by default that of the zone, or else the system chooses
 * @throws {TypeError} If an argument has the wrong type, or the socket is neither IPv4 nor IPv6
 * @throws {RangeError} If the group is not a numeric address of the socket's family or has the zone
 * of another interface, or the interface is not an index
 * @throws {OSError} If the system refuses (`setsockopt`), such as with `EADDRINUSE` if the socket
 * has joined already, `EINVAL` if the address is not multicast, or `ENODEV` or `EADDRNOTAVAIL` if
 * there is no such interface; or if no interface has the name (`if_nametoindex`)
 * @throws {Deno.errors.NotSupported} If the system selects an IPv4 interface only by its address,
 * as NetBSD, OpenBSD and Solaris do
 *
 * @example A group on the loopback interface
 * ```ts
 * import {
 *   AF_INET,
 *   joinGroup,
 *   leaveGroup,
 *   setMulticastInterface,
 *   SOCK_DGRAM,
 *   Socket,
 * } from "@readiness/selectors/socket";
 *
 * using socket = new Socket(AF_INET, SOCK_DGRAM);
 * socket.bind({ hostname: "0.0.0.0", port: 0 });
 * joinGroup(socket, "239.1.2.3", "127.0.0.1");
 * setMulticastInterface(socket, "127.0.0.1");
 * leaveGroup(socket, "239.1.2.3", "127.0.0.1");
 * ```
 *
 * @category Multicast
 */
export function joinGroup(socket: AnySocket, group: string, on?: Interface): void {
  changeMembership(socket, group, on, IP_ADD_MEMBERSHIP, IPV6_JOIN_GROUP);
}

/**
 * Leaves a multicast group.
 *
 * @param socket The socket that has joined it
 * @param group The numeric address of the group
 * @param on The interface that the socket joined the group on
 * @throws {TypeError} If an argument has the wrong type, or the socket is neither IPv4 nor IPv6
 * @throws {RangeError} If the group is not a numeric address of the socket's family, or the
 * interface is not an index
 * @throws {OSError} If the system refuses (`setsockopt`), such as with `EADDRNOTAVAIL` if the
 * socket has not joined; or if no interface has the name (`if_nametoindex`)
 * @throws {Deno.errors.NotSupported} If the system selects an IPv4 interface only by its address
 *
 * @example Usage
 * ```ts
 * import {
 *   AF_INET,
 *   joinGroup,
 *   leaveGroup,
 *   SOCK_DGRAM,
 *   Socket,
 * } from "@readiness/selectors/socket";
 *
 * using socket = new Socket(AF_INET, SOCK_DGRAM);
 * joinGroup(socket, "239.1.2.3", "127.0.0.1");
 * leaveGroup(socket, "239.1.2.3", "127.0.0.1");
 * ```
 *
 * @category Multicast
 */
export function leaveGroup(socket: AnySocket, group: string, on?: Interface): void {
  changeMembership(socket, group, on, IP_DROP_MEMBERSHIP, IPV6_LEAVE_GROUP);
}

/**
 * Selects the interface through which the socket sends multicast.
 *
 * @param socket An IPv4 or IPv6 socket
 * @param on The interface; 0 lets the system choose
 * @throws {TypeError} If `on` is neither a number nor a string, or the socket is neither IPv4 nor
 * IPv6
 * @throws {RangeError} If `on` is not an index
 * @throws {OSError} If the system refuses (`setsockopt`), such as with `ENODEV` or `EADDRNOTAVAIL`;
 * or if no interface has the name (`if_nametoindex`)
 * @throws {Deno.errors.NotSupported} If the system selects an IPv4 interface only by its address
 *
 * @example Usage
 * ```ts
 * import {
 *   AF_INET,
 *   setMulticastInterface,
 *   SOCK_DGRAM,
 *   Socket,
 * } from "@readiness/selectors/socket";
 *
 * using socket = new Socket(AF_INET, SOCK_DGRAM);
 * setMulticastInterface(socket, "127.0.0.1");
 * ```
 *
 * @category Multicast
 */
export function setMulticastInterface(socket: AnySocket, on: Interface): void {
  if (isIpv6(socket)) {
    socket.setOption(IPPROTO_IPV6, IPV6_MULTICAST_IF, indexOf(on));
    return;
  }
  const address = ipv4Address(on);
  const value = address ?? ipv4Request(new Uint8Array(4), on);
  socket.setOption(IPPROTO_IP, IP_MULTICAST_IF, value);
}

/**
 * Sets how far multicast from the socket travels: its time to live, or hop limit.
 *
 * @param socket An IPv4 or IPv6 socket
 * @param hops From 0, which keeps it on this host, to 255. The default is 1: it stays on the link
 * @throws {TypeError} If the socket is neither IPv4 nor IPv6
 * @throws {RangeError} If `hops` is out of range or not an integer
 * @throws {OSError} If the system refuses (`setsockopt`), such as with `EBADF`
 *
 * @example Usage
 * ```ts
 * import { AF_INET, setMulticastHops, SOCK_DGRAM, Socket } from "@readiness/selectors/socket";
 *
 * using socket = new Socket(AF_INET, SOCK_DGRAM);
 * setMulticastHops(socket, 0); // It stays on this host.
 * ```
 *
 * @category Multicast
 */
export function setMulticastHops(socket: AnySocket, hops: number): void {
  assertInteger("Cannot set the hop limit: it", hops, 0, 255);
  // The value for IPv4 is a byte: some BSDs take nothing else.
  if (isIpv6(socket)) socket.setOption(IPPROTO_IPV6, IPV6_MULTICAST_HOPS, hops);
  else socket.setOption(IPPROTO_IP, IP_MULTICAST_TTL, new Uint8Array([hops]));
}

/**
 * Sets whether members of the group on this host receive multicast from the socket, as they do by
 * default. On the loopback interface they always do.
 *
 * @param socket An IPv4 or IPv6 socket
 * @param loops Whether they do
 * @throws {TypeError} If the socket is neither IPv4 nor IPv6
 * @throws {OSError} If the system refuses (`setsockopt`), such as with `EBADF`
 *
 * @example Usage
 * ```ts
 * import { AF_INET, setMulticastLoop, SOCK_DGRAM, Socket } from "@readiness/selectors/socket";
 *
 * using socket = new Socket(AF_INET, SOCK_DGRAM);
 * setMulticastLoop(socket, false);
 * ```
 *
 * @category Multicast
 */
export function setMulticastLoop(socket: AnySocket, loops: boolean): void {
  const value = loops ? 1 : 0;
  if (isIpv6(socket)) socket.setOption(IPPROTO_IPV6, IPV6_MULTICAST_LOOP, value);
  else socket.setOption(IPPROTO_IP, IP_MULTICAST_LOOP, new Uint8Array([value]));
}

function changeMembership(
  socket: AnySocket,
  group: string,
  on: Interface | undefined,
  ipv4: number,
  ipv6: number,
): void {
  const family = familyForMulticast(socket);
  const { address, on: chosen } = parseGroup(group, family, on);
  if (family === AF_INET6) {
    const { fields, size } =
      need(abi.options, "Cannot join or leave a group", "struct ipv6_mreq").ipv6_mreq;
    const bytes = new Uint8Array(size);
    bytes.set(address, fields.ipv6mr_multiaddr[0]);
    setField(new DataView(bytes.buffer), 0, fields.ipv6mr_interface, indexOf(chosen));
    socket.setOption(IPPROTO_IPV6, ipv6, bytes);
  } else socket.setOption(IPPROTO_IP, ipv4, ipv4Request(address, chosen));
}

function isIpv6(socket: AnySocket): boolean {
  return familyForMulticast(socket) === AF_INET6;
}

/** Encodes a group, with the address of the interface if that is what `on` is, or its index. */
function ipv4Request(group: Uint8Array, on: Interface): Uint8Array<ArrayBuffer> {
  const { ip_mreq, ip_mreqn } = need(abi.options, "Cannot use multicast", "struct ip_mreq");
  const address = ipv4Address(on);
  if (address !== null) {
    const bytes = new Uint8Array(ip_mreq.size);
    bytes.set(group, ip_mreq.fields.imr_multiaddr[0]);
    bytes.set(address, ip_mreq.fields.imr_interface[0]);
    return bytes;
  }
  const index = indexOf(on);
  const { fields, size } = need(
    ip_mreqn,
    `Cannot use interface ${index}`,
    "struct ip_mreqn",
    "give the interface's address",
  );
  const bytes = new Uint8Array(size);
  bytes.set(group, fields.imr_multiaddr[0]);
  setField(new DataView(bytes.buffer), 0, fields.imr_ifindex, index);
  return bytes;
}

/** Returns the address of the interface, or `null` if `on` is its index or name. */
function ipv4Address(on: Interface): Uint8Array<ArrayBuffer> | null {
  if (on === 0) return new Uint8Array(4);
  return typeof on === "string" ? parseAddress(on, AF_INET) : null;
}
