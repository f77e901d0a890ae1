import { abi } from "../abi/host.ts";

const { AF_PACKET, IPPROTO_ICMP, IPPROTO_ICMPV6, SOCK_DGRAM, SOCK_RAW } = abi.constants;

/**
 * Says which privilege a kind of socket takes and how to get it, as the end of a message.
 *
 * @param family The address family
 * @param type The socket type
 * @param protocol The protocol
 * @returns The words, or none if the kind is known to take no privilege
 */
export function privilegeFor(family: number, type: number, protocol: number): string {
  const isPing = type === SOCK_DGRAM && (protocol === IPPROTO_ICMP || protocol === IPPROTO_ICMPV6);
  if (family !== AF_PACKET && type !== SOCK_RAW && !isPing) return "";
  if (AF_PACKET === undefined) return ", which takes root";
  return isPing
    ? ", which takes a group in net.ipv4.ping_group_range " +
      '(as root: sysctl -w net.ipv4.ping_group_range="0 2147483647")'
    : ", which takes CAP_NET_RAW (run as root, or as root: setcap cap_net_raw+ep on the program deno)";
}
