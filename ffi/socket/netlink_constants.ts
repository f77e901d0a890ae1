/**
 * The numbers of netlink: messages to and from the network configuration of Linux. Each is
 * `undefined` on other systems.
 *
 * @module
 */

import type { Netlink } from "../abi/abi.ts";
import { abi, NOTHING } from "../abi/mod.ts";

const constants = (abi.netlink?.constants ?? NOTHING) as Netlink["constants"];

/**
 * Option level: netlink.
 *
 * @category Netlink constants
 */
export const SOL_NETLINK: number = constants.SOL_NETLINK;

/**
 * Protocol of a netlink socket: links, addresses and routes.
 *
 * @category Netlink constants
 */
export const NETLINK_ROUTE: number = constants.NETLINK_ROUTE;

/**
 * Joins a group: its number.
 *
 * @category Netlink constants
 */
export const NETLINK_ADD_MEMBERSHIP: number = constants.NETLINK_ADD_MEMBERSHIP;

/**
 * Leaves a group: its number.
 *
 * @category Netlink constants
 */
export const NETLINK_DROP_MEMBERSHIP: number = constants.NETLINK_DROP_MEMBERSHIP;

/**
 * Message type: an error, or with error 0 an acknowledgement.
 *
 * @category Netlink constants
 */
export const NLMSG_ERROR: number = constants.NLMSG_ERROR;

/**
 * Message type: the end of a list.
 *
 * @category Netlink constants
 */
export const NLMSG_DONE: number = constants.NLMSG_DONE;

/**
 * Message flag: a request.
 *
 * @category Netlink constants
 */
export const NLM_F_REQUEST: number = constants.NLM_F_REQUEST;

/**
 * Message flag: a part of a list, which `NLMSG_DONE` ends.
 *
 * @category Netlink constants
 */
export const NLM_F_MULTI: number = constants.NLM_F_MULTI;

/**
 * Message flag: asks for an acknowledgement.
 *
 * @category Netlink constants
 */
export const NLM_F_ACK: number = constants.NLM_F_ACK;

/**
 * Message flags: ask for a list of all entries.
 *
 * @category Netlink constants
 */
export const NLM_F_DUMP: number = constants.NLM_F_DUMP;

/**
 * Message flag: replaces an existing entry, or has replaced one.
 *
 * @category Netlink constants
 */
export const NLM_F_REPLACE: number = constants.NLM_F_REPLACE;

/**
 * Message flag: fails if the entry exists.
 *
 * @category Netlink constants
 */
export const NLM_F_EXCL: number = constants.NLM_F_EXCL;

/**
 * Message flag: creates an entry that does not exist.
 *
 * @category Netlink constants
 */
export const NLM_F_CREATE: number = constants.NLM_F_CREATE;

/**
 * Message flag: adds the entry after others of the same kind.
 *
 * @category Netlink constants
 */
export const NLM_F_APPEND: number = constants.NLM_F_APPEND;

/**
 * Message type: a link that is new or has changed.
 *
 * @category Netlink constants
 */
export const RTM_NEWLINK: number = constants.RTM_NEWLINK;

/**
 * Message type: a link that is gone.
 *
 * @category Netlink constants
 */
export const RTM_DELLINK: number = constants.RTM_DELLINK;

/**
 * Message type: asks for links.
 *
 * @category Netlink constants
 */
export const RTM_GETLINK: number = constants.RTM_GETLINK;

/**
 * Message type: an address that is new or has changed.
 *
 * @category Netlink constants
 */
export const RTM_NEWADDR: number = constants.RTM_NEWADDR;

/**
 * Message type: an address that is gone.
 *
 * @category Netlink constants
 */
export const RTM_DELADDR: number = constants.RTM_DELADDR;

/**
 * Message type: asks for addresses.
 *
 * @category Netlink constants
 */
export const RTM_GETADDR: number = constants.RTM_GETADDR;

/**
 * Message type: a route that is new or has changed.
 *
 * @category Netlink constants
 */
export const RTM_NEWROUTE: number = constants.RTM_NEWROUTE;

/**
 * Message type: a route that is gone.
 *
 * @category Netlink constants
 */
export const RTM_DELROUTE: number = constants.RTM_DELROUTE;

/**
 * Message type: asks for routes.
 *
 * @category Netlink constants
 */
export const RTM_GETROUTE: number = constants.RTM_GETROUTE;

/**
 * Bit of a group in a `struct sockaddr_nl`: links.
 *
 * @category Netlink constants
 */
export const RTMGRP_LINK: number = constants.RTMGRP_LINK;

/**
 * Bit of a group: IPv4 addresses.
 *
 * @category Netlink constants
 */
export const RTMGRP_IPV4_IFADDR: number = constants.RTMGRP_IPV4_IFADDR;

/**
 * Bit of a group: IPv4 routes.
 *
 * @category Netlink constants
 */
export const RTMGRP_IPV4_ROUTE: number = constants.RTMGRP_IPV4_ROUTE;

/**
 * Bit of a group: IPv6 addresses.
 *
 * @category Netlink constants
 */
export const RTMGRP_IPV6_IFADDR: number = constants.RTMGRP_IPV6_IFADDR;

/**
 * Bit of a group: IPv6 routes.
 *
 * @category Netlink constants
 */
export const RTMGRP_IPV6_ROUTE: number = constants.RTMGRP_IPV6_ROUTE;

/**
 * Attribute of a link: its hardware address.
 *
 * @category Netlink constants
 */
export const IFLA_ADDRESS: number = constants.IFLA_ADDRESS;

/**
 * Attribute of a link: its name.
 *
 * @category Netlink constants
 */
export const IFLA_IFNAME: number = constants.IFLA_IFNAME;

/**
 * Attribute of a link: its largest packet in bytes.
 *
 * @category Netlink constants
 */
export const IFLA_MTU: number = constants.IFLA_MTU;

/**
 * Attribute of a link: its operational state, such as 6 for up.
 *
 * @category Netlink constants
 */
export const IFLA_OPERSTATE: number = constants.IFLA_OPERSTATE;

/**
 * Attribute of an address: the address, on a point-to-point link the peer's.
 *
 * @category Netlink constants
 */
export const IFA_ADDRESS: number = constants.IFA_ADDRESS;

/**
 * Attribute of an address: the local address.
 *
 * @category Netlink constants
 */
export const IFA_LOCAL: number = constants.IFA_LOCAL;

/**
 * Attribute of an address: its label.
 *
 * @category Netlink constants
 */
export const IFA_LABEL: number = constants.IFA_LABEL;

/**
 * Attribute of a route: its destination.
 *
 * @category Netlink constants
 */
export const RTA_DST: number = constants.RTA_DST;

/**
 * Attribute of a route: the index of its interface.
 *
 * @category Netlink constants
 */
export const RTA_OIF: number = constants.RTA_OIF;

/**
 * Attribute of a route: its gateway.
 *
 * @category Netlink constants
 */
export const RTA_GATEWAY: number = constants.RTA_GATEWAY;

/**
 * Attribute of a route: its priority, or metric.
 *
 * @category Netlink constants
 */
export const RTA_PRIORITY: number = constants.RTA_PRIORITY;

/**
 * Attribute of a route: the source address that it prefers.
 *
 * @category Netlink constants
 */
export const RTA_PREFSRC: number = constants.RTA_PREFSRC;

/**
 * Attribute of a route: its gateways, if there are several: a list of `struct rtnexthop`.
 *
 * @category Netlink constants
 */
export const RTA_MULTIPATH: number = constants.RTA_MULTIPATH;

/**
 * Attribute of a route: its table, if the number takes more than 8 bits.
 *
 * @category Netlink constants
 */
export const RTA_TABLE: number = constants.RTA_TABLE;
