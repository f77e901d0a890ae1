import { abi } from "../abi/mod.ts";
import { assertString, need } from "../checks.ts";
import { setField } from "./fields.ts";
import { encodeInternetAddress, encodeNumericAddress } from "./internet_address.ts";
import {
  familyForMulticast,
  indexOf,
  type Interface,
  parseGroup,
  parseNumeric,
} from "./multicast_group.ts";
import type { AnySocket } from "./socket.ts";

const { AF_INET, IPPROTO_IP, IPPROTO_IPV6 } = abi.constants;

/**
 * Joins a multicast group for one sender (source-specific multicast). Join again for each other
 * sender. Closing the socket leaves the group.
 *
 * Groups of this kind usually have an address in `232.0.0.0/8` or `ff3x::/32`.
 *
 * @param socket An IPv4 or IPv6 datagram socket
 * @param group The numeric address of the group, of the socket's family; an IPv6 address may have
 * the interface as its zone
 * @param source The numeric address of the sender
 * @param on The index or name of the interface; by default the system chooses
 * @throws {TypeError} If an argument has the wrong type, or the socket is neither IPv4 nor IPv6
 * @throws {RangeError} If an address is not a numeric one of the socket's family, or the interface
 * is not an index
 * @throws {OSError} If the system refuses (`setsockopt`), such as with `EADDRNOTAVAIL` if the
 * socket has joined for this sender already, or `ENODEV`; or if no interface has the name
 * (`if_nametoindex`)
 * @throws {Deno.errors.NotSupported} If the package does not know the system's call, as on NetBSD,
 * OpenBSD and Solaris
 *
 * @example Usage
 * ```ts ignore
 * import { AF_INET, joinSourceGroup, SOCK_DGRAM, Socket } from "@readiness/selectors/socket";
 *
 * using socket = new Socket(AF_INET, SOCK_DGRAM);
 * socket.bind({ hostname: "232.1.2.3", port: 5000 });
 * joinSourceGroup(socket, "232.1.2.3", "192.0.2.1", "eth0");
 * ```
 *
 * @category Multicast
 */
export function joinSourceGroup(
  socket: AnySocket,
  group: string,
  source: string,
  on?: Interface,
): void {
  changeMembership(socket, "JOIN", group, source, on);
}

/**
 * Leaves a multicast group for one sender.
 *
 * @param socket The socket that has joined it with {@linkcode joinSourceGroup}
 * @param group The numeric address of the group
 * @param source The numeric address of the sender
 * @param on The interface that the socket joined the group on
 * @throws {TypeError} If an argument has the wrong type, or the socket is neither IPv4 nor IPv6
 * @throws {RangeError} If an address is not a numeric one of the socket's family, or the interface
 * is not an index
 * @throws {OSError} If the system refuses (`setsockopt`), such as with `EADDRNOTAVAIL` or `EINVAL`
 * if the socket has not joined; or if no interface has the name (`if_nametoindex`)
 * @throws {Deno.errors.NotSupported} If the package does not know the system's call
 *
 * @example Usage
 * ```ts ignore
 * import {
 *   AF_INET,
 *   joinSourceGroup,
 *   leaveSourceGroup,
 *   SOCK_DGRAM,
 *   Socket,
 * } from "@readiness/selectors/socket";
 *
 * using socket = new Socket(AF_INET, SOCK_DGRAM);
 * socket.bind({ hostname: "232.1.2.3", port: 5000 });
 * joinSourceGroup(socket, "232.1.2.3", "192.0.2.1", "eth0");
 * leaveSourceGroup(socket, "232.1.2.3", "192.0.2.1", "eth0");
 * ```
 *
 * @category Multicast
 */
export function leaveSourceGroup(
  socket: AnySocket,
  group: string,
  source: string,
  on?: Interface,
): void {
  changeMembership(socket, "LEAVE", group, source, on);
}

function changeMembership(
  socket: AnySocket,
  action: "JOIN" | "LEAVE",
  group: string,
  source: string,
  on: Interface | undefined,
): void {
  const { group_source_req: { fields, size }, constants } = need(
    abi.sourceGroups,
    "Cannot join or leave a group for one sender",
    "struct group_source_req",
  );
  const family = familyForMulticast(socket);
  const { address, on: chosen } = parseGroup(group, family, on);
  assertString("Cannot use a group: its source", source);
  parseNumeric("Cannot use a group: its source", source.split("%")[0]!, family, source);
  const bytes = new Uint8Array(size);
  setField(new DataView(bytes.buffer), 0, fields.gsr_interface, indexOf(chosen));
  bytes.set(encodeNumericAddress(address, family), fields.gsr_group[0]);
  bytes.set(encodeInternetAddress({ hostname: source, port: 0 }, family), fields.gsr_source[0]);
  const level = family === AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
  socket.setOption(level, constants[`MCAST_${action}_SOURCE_GROUP`], bytes);
}
