import { abi } from "../abi/mod.ts";

const { AF_PACKET, IPPROTO_ICMP, IPPROTO_ICMPV6, SOCK_DGRAM, SOCK_RAW } = abi.constants;

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
