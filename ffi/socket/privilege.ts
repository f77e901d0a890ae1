import { abi } from "../abi/mod.ts";

const { AF_PACKET, IPPROTO_ICMP, IPPROTO_ICMPV6, SOCK_DGRAM, SOCK_RAW } = abi.constants;
const { EACCES, EADDRINUSE } = abi.errno;

/**
 * Says which privilege a kind of socket needs and how to get it, for the end of a message.
 *
 * @param family The address family
 * @param type The socket type
 * @param protocol The protocol
 * @returns The text, empty if that kind needs none
 */
export function privilegeFor(family: number, type: number, protocol: number): string {
  const isPing = type === SOCK_DGRAM && (protocol === IPPROTO_ICMP || protocol === IPPROTO_ICMPV6);
  if (family !== AF_PACKET && type !== SOCK_RAW && !isPing) return "";
  if (AF_PACKET === undefined) return ", which needs root";
  return isPing
    ? ", which needs a group in net.ipv4.ping_group_range " +
      '(as root: sysctl -w net.ipv4.ping_group_range="0 2147483647")'
    : ", which needs CAP_NET_RAW (run as root, or as root: setcap cap_net_raw+ep PATH_OF_DENO)";
}

/**
 * Says why an address cannot be bound to, where that is known, for the end of a message.
 *
 * @param address The address
 * @param errno The error of `bind`
 * @returns The text, empty if the error says enough
 */
export function adviceForBind(address: object, errno: number): string {
  const { path, port } = address as { path?: string; port?: number };
  if (errno === EADDRINUSE && path?.startsWith("\0") === false) {
    return ", which exists (remove it if no server uses it)";
  }
  if (errno !== EACCES || !port || port >= 1024) return "";
  return `, a port that needs root${AF_PACKET === undefined ? "" : " or CAP_NET_BIND_SERVICE"}`;
}
