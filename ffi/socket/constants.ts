/**
 * The running system's own numbers. An option, a family or a type that the system lacks is -1,
 * which every call refuses; a flag that it lacks is 0, which changes nothing.
 *
 * @module
 */

import { abi } from "../abi/host.ts";

const { constants } = abi;

/** Address family: none in particular. */
export const AF_UNSPEC: number = constants.AF_UNSPEC;

/** Address family: IPv4. */
export const AF_INET: number = constants.AF_INET;

/** Address family: IPv6. */
export const AF_INET6: number = constants.AF_INET6;

/** Address family: local, by path. */
export const AF_UNIX: number = constants.AF_UNIX;

/** Socket type: a stream of bytes. */
export const SOCK_STREAM: number = constants.SOCK_STREAM;

/** Socket type: datagrams. */
export const SOCK_DGRAM: number = constants.SOCK_DGRAM;

/** Socket type: packets of a protocol below the transport. */
export const SOCK_RAW: number = constants.SOCK_RAW;

/** Socket type: a sequence of whole messages. */
export const SOCK_SEQPACKET: number = constants.SOCK_SEQPACKET;

/** Protocol and option level: IPv4. */
export const IPPROTO_IP: number = constants.IPPROTO_IP;

/** Protocol: ICMP. */
export const IPPROTO_ICMP: number = constants.IPPROTO_ICMP;

/** Protocol: IGMP. */
export const IPPROTO_IGMP: number = constants.IPPROTO_IGMP;

/** Protocol and option level: TCP. */
export const IPPROTO_TCP: number = constants.IPPROTO_TCP;

/** Protocol and option level: UDP. */
export const IPPROTO_UDP: number = constants.IPPROTO_UDP;

/** Protocol and option level: IPv6. */
export const IPPROTO_IPV6: number = constants.IPPROTO_IPV6;

/** Protocol: ICMPv6. */
export const IPPROTO_ICMPV6: number = constants.IPPROTO_ICMPV6;

/** Protocol: IP packets whose header the program writes. */
export const IPPROTO_RAW: number = constants.IPPROTO_RAW;

/** Option level: the socket itself. */
export const SOL_SOCKET: number = constants.SOL_SOCKET;

/** The longest backlog that the system names. */
export const SOMAXCONN: number = constants.SOMAXCONN;

/** Whether the socket listens. */
export const SO_ACCEPTCONN: number = constants.SO_ACCEPTCONN;

/** Whether datagrams may be broadcast. */
export const SO_BROADCAST: number = constants.SO_BROADCAST;

/** Whether the system records debugging information. */
export const SO_DEBUG: number = constants.SO_DEBUG;

/** Whether to send to directly attached hosts alone. */
export const SO_DONTROUTE: number = constants.SO_DONTROUTE;

/** The pending error, cleared by reading it. */
export const SO_ERROR: number = constants.SO_ERROR;

/** Whether an idle connection is probed. */
export const SO_KEEPALIVE: number = constants.SO_KEEPALIVE;

/** How long `close` waits for unsent data: a `struct linger`. */
export const SO_LINGER: number = constants.SO_LINGER;

/** Whether urgent data stays in the stream. */
export const SO_OOBINLINE: number = constants.SO_OOBINLINE;

/** Size of the receive buffer, in bytes. */
export const SO_RCVBUF: number = constants.SO_RCVBUF;

/** How many bytes make the socket readable. */
export const SO_RCVLOWAT: number = constants.SO_RCVLOWAT;

/** How long a blocking receive waits: a `struct timeval`. */
export const SO_RCVTIMEO: number = constants.SO_RCVTIMEO;

/** Whether an address in TIME_WAIT may be bound. */
export const SO_REUSEADDR: number = constants.SO_REUSEADDR;

/** Size of the send buffer, in bytes. */
export const SO_SNDBUF: number = constants.SO_SNDBUF;

/** How much free room makes the socket writable. */
export const SO_SNDLOWAT: number = constants.SO_SNDLOWAT;

/** How long a blocking send waits: a `struct timeval`. */
export const SO_SNDTIMEO: number = constants.SO_SNDTIMEO;

/** The socket type. */
export const SO_TYPE: number = constants.SO_TYPE;

/** Urgent data. */
export const MSG_OOB: number = constants.MSG_OOB;

/** Leave what is received in the queue. */
export const MSG_PEEK: number = constants.MSG_PEEK;

/** Send to directly attached hosts alone. */
export const MSG_DONTROUTE: number = constants.MSG_DONTROUTE;

/** Control data was cut. */
export const MSG_CTRUNC: number = constants.MSG_CTRUNC;

/** A datagram was cut; given to `recv`, Linux tells its whole size. */
export const MSG_TRUNC: number = constants.MSG_TRUNC;

/** Wait for the whole buffer, on a blocking socket. */
export const MSG_WAITALL: number = constants.MSG_WAITALL;

/** Whether small segments are sent at once. */
export const TCP_NODELAY: number = constants.TCP_NODELAY;

/** The largest segment, in bytes. */
export const TCP_MAXSEG: number = constants.TCP_MAXSEG ?? -1;

/** Type of service of what is sent. */
export const IP_TOS: number = constants.IP_TOS;

/** Time to live of what is sent. */
export const IP_TTL: number = constants.IP_TTL;

/** Whether the program writes the IP header. */
export const IP_HDRINCL: number = constants.IP_HDRINCL;

/** The interface for multicast: an address. */
export const IP_MULTICAST_IF: number = constants.IP_MULTICAST_IF;

/** Time to live of multicast. */
export const IP_MULTICAST_TTL: number = constants.IP_MULTICAST_TTL;

/** Whether multicast comes back to this host. */
export const IP_MULTICAST_LOOP: number = constants.IP_MULTICAST_LOOP;

/** Join a group: a `struct ip_mreq`. */
export const IP_ADD_MEMBERSHIP: number = constants.IP_ADD_MEMBERSHIP;

/** Leave a group: a `struct ip_mreq`. */
export const IP_DROP_MEMBERSHIP: number = constants.IP_DROP_MEMBERSHIP;

/** Whether IPv4 is kept out of an IPv6 socket. */
export const IPV6_V6ONLY: number = constants.IPV6_V6ONLY;

/** Hop limit of what is sent. */
export const IPV6_UNICAST_HOPS: number = constants.IPV6_UNICAST_HOPS;

/** The interface for multicast: an index. */
export const IPV6_MULTICAST_IF: number = constants.IPV6_MULTICAST_IF;

/** Hop limit of multicast. */
export const IPV6_MULTICAST_HOPS: number = constants.IPV6_MULTICAST_HOPS;

/** Whether multicast comes back to this host. */
export const IPV6_MULTICAST_LOOP: number = constants.IPV6_MULTICAST_LOOP;

/** Join a group: a `struct ipv6_mreq`. */
export const IPV6_JOIN_GROUP: number = constants.IPV6_JOIN_GROUP;

/** Leave a group: a `struct ipv6_mreq`. */
export const IPV6_LEAVE_GROUP: number = constants.IPV6_LEAVE_GROUP;

/** Address family: packets of a link (Linux). */
export const AF_PACKET: number = constants.AF_PACKET ?? -1;

/** Address family: messages with the kernel (Linux). */
export const AF_NETLINK: number = constants.AF_NETLINK ?? -1;

/** The network interface to stay on, by name (Linux). */
export const SO_BINDTODEVICE: number = constants.SO_BINDTODEVICE ?? -1;

/** The address family (Linux, OpenBSD). */
export const SO_DOMAIN: number = constants.SO_DOMAIN ?? -1;

/** The processor that handles what arrives (Linux). */
export const SO_INCOMING_CPU: number = constants.SO_INCOMING_CPU ?? -1;

/** The mark on what is sent (Linux). */
export const SO_MARK: number = constants.SO_MARK ?? -1;

/** Whether a broken connection raises no SIGPIPE (macOS, the BSDs). */
export const SO_NOSIGPIPE: number = constants.SO_NOSIGPIPE ?? -1;

/** Whether messages carry the sender's credentials (Linux). */
export const SO_PASSCRED: number = constants.SO_PASSCRED ?? -1;

/** The peer's credentials: a `struct ucred` (Linux). */
export const SO_PEERCRED: number = constants.SO_PEERCRED ?? -1;

/** The priority of what is sent (Linux). */
export const SO_PRIORITY: number = constants.SO_PRIORITY ?? -1;

/** The protocol. */
export const SO_PROTOCOL: number = constants.SO_PROTOCOL ?? -1;

/** Whether several sockets may share an address and its load. */
export const SO_REUSEPORT: number = constants.SO_REUSEPORT ?? -1;

/** Received descriptors are close-on-exec. */
export const MSG_CMSG_CLOEXEC: number = constants.MSG_CMSG_CLOEXEC ?? 0;

/** Do not block this time. */
export const MSG_DONTWAIT: number = constants.MSG_DONTWAIT ?? 0;

/** The end of a record. */
export const MSG_EOR: number = constants.MSG_EOR ?? 0;

/** Receive from the error queue (Linux). */
export const MSG_ERRQUEUE: number = constants.MSG_ERRQUEUE ?? 0;

/** More data follows (Linux). */
export const MSG_MORE: number = constants.MSG_MORE ?? 0;

/** Raise no SIGPIPE; `send` adds it by itself. */
export const MSG_NOSIGNAL: number = constants.MSG_NOSIGNAL ?? 0;

/** The congestion control algorithm, by name (Linux, FreeBSD). */
export const TCP_CONGESTION: number = constants.TCP_CONGESTION ?? -1;

/** Whether partial segments are held back (Linux). */
export const TCP_CORK: number = constants.TCP_CORK ?? -1;

/** Seconds to wait for data before a connection can be accepted (Linux). */
export const TCP_DEFER_ACCEPT: number = constants.TCP_DEFER_ACCEPT ?? -1;

/** How many connections may wait that were opened with data. */
export const TCP_FASTOPEN: number = constants.TCP_FASTOPEN ?? -1;

/** State of the connection: a `struct tcp_info`. */
export const TCP_INFO: number = constants.TCP_INFO ?? -1;

/** How many probes of an idle connection may go unanswered. */
export const TCP_KEEPCNT: number = constants.TCP_KEEPCNT ?? -1;

/** Seconds before an idle connection is probed (macOS: `TCP_KEEPALIVE`). */
export const TCP_KEEPIDLE: number = constants.TCP_KEEPIDLE ?? -1;

/** Seconds between probes of an idle connection. */
export const TCP_KEEPINTVL: number = constants.TCP_KEEPINTVL ?? -1;

/** Seconds that a closed connection waits for its peer (Linux). */
export const TCP_LINGER2: number = constants.TCP_LINGER2 ?? -1;

/** Whether acknowledgements are sent at once (Linux). */
export const TCP_QUICKACK: number = constants.TCP_QUICKACK ?? -1;

/** How often connecting is tried (Linux). */
export const TCP_SYNCNT: number = constants.TCP_SYNCNT ?? -1;

/** Milliseconds that sent data may go unacknowledged (Linux). */
export const TCP_USER_TIMEOUT: number = constants.TCP_USER_TIMEOUT ?? -1;

/** Control data: descriptors. `sendMessage` and `receiveMessage` see to them themselves. */
export const SCM_RIGHTS: number = abi.messages?.constants.SCM_RIGHTS ?? -1;

/** Control data: credentials (Linux), which `sendMessage` and `receiveMessage` see to themselves. */
export const SCM_CREDENTIALS: number = abi.credentials?.constants.SCM_CREDENTIALS ?? -1;

/** Whether datagrams come with the count of those that were dropped before, as control data (Linux). */
export const SO_RXQ_OVFL: number = abi.messages?.constants.SO_RXQ_OVFL ?? -1;

/** Whether datagrams come with their time to live, as control data: of type `IP_TTL` on Linux. */
export const IP_RECVTTL: number = abi.messages?.constants.IP_RECVTTL ?? -1;

/** Whether datagrams come with their hop limit, as control data of type `IPV6_HOPLIMIT`. */
export const IPV6_RECVHOPLIMIT: number = abi.messages?.constants.IPV6_RECVHOPLIMIT ?? -1;

/** Control data: a hop limit. */
export const IPV6_HOPLIMIT: number = abi.messages?.constants.IPV6_HOPLIMIT ?? -1;

/**
 * Whether IPv4 datagrams come with the index of their interface, as control data of the same type: a
 * `struct in_pktinfo`, which begins with it (Linux, macOS).
 */
export const IP_PKTINFO: number = abi.messages?.constants.IP_PKTINFO ?? -1;

/** Whether IPv6 datagrams come with the index of their interface, as control data. */
export const IPV6_RECVPKTINFO: number = abi.messages?.constants.IPV6_RECVPKTINFO ?? -1;

/** Control data: an address and the index of its interface, a `struct in6_pktinfo`. */
export const IPV6_PKTINFO: number = abi.messages?.constants.IPV6_PKTINFO ?? -1;
