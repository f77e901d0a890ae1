/**
 * The numbers of the running system. A family, type or option that the system lacks is -1, which
 * every call refuses. A flag that it lacks is 0, which has no effect.
 *
 * @module
 */

import { abi } from "../abi/mod.ts";

const { constants } = abi;

/** Address family: unspecified. */
export const AF_UNSPEC: number = constants.AF_UNSPEC;

/** Address family: IPv4. */
export const AF_INET: number = constants.AF_INET;

/** Address family: IPv6. */
export const AF_INET6: number = constants.AF_INET6;

/** Address family: Unix sockets. */
export const AF_UNIX: number = constants.AF_UNIX;

/** Socket type: byte stream. */
export const SOCK_STREAM: number = constants.SOCK_STREAM;

/** Socket type: datagrams. */
export const SOCK_DGRAM: number = constants.SOCK_DGRAM;

/** Socket type: raw packets of a protocol. */
export const SOCK_RAW: number = constants.SOCK_RAW;

/** Socket type: connection that preserves message boundaries. */
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

/** Protocol: IP packets with a header that the program writes. */
export const IPPROTO_RAW: number = constants.IPPROTO_RAW;

/** Option level: the socket itself. */
export const SOL_SOCKET: number = constants.SOL_SOCKET;

/** The default backlog of {@linkcode Socket.listen}: the longest that the system's header names. */
export const SOMAXCONN: number = constants.SOMAXCONN;

/** Whether the socket is listening. */
export const SO_ACCEPTCONN: number = constants.SO_ACCEPTCONN;

/** Whether the socket may send broadcast datagrams. */
export const SO_BROADCAST: number = constants.SO_BROADCAST;

/** Whether the system records debugging information. */
export const SO_DEBUG: number = constants.SO_DEBUG;

/** Whether to send only to directly connected hosts. */
export const SO_DONTROUTE: number = constants.SO_DONTROUTE;

/** The pending error, which reading clears. */
export const SO_ERROR: number = constants.SO_ERROR;

/** Whether idle connections are probed. */
export const SO_KEEPALIVE: number = constants.SO_KEEPALIVE;

/** How long `close` waits until unsent data is sent: a `struct linger`. */
export const SO_LINGER: number = constants.SO_LINGER;

/** Whether urgent data stays in the stream. */
export const SO_OOBINLINE: number = constants.SO_OOBINLINE;

/** The size of the receive buffer in bytes. */
export const SO_RCVBUF: number = constants.SO_RCVBUF;

/** The number of received bytes that makes the socket readable. */
export const SO_RCVLOWAT: number = constants.SO_RCVLOWAT;

/** The timeout of blocking receives: a `struct timeval`. */
export const SO_RCVTIMEO: number = constants.SO_RCVTIMEO;

/** Whether an address in the state TIME_WAIT may be bound. */
export const SO_REUSEADDR: number = constants.SO_REUSEADDR;

/** The size of the send buffer in bytes. */
export const SO_SNDBUF: number = constants.SO_SNDBUF;

/** The free space in bytes that makes the socket writable. */
export const SO_SNDLOWAT: number = constants.SO_SNDLOWAT;

/** The timeout of blocking sends: a `struct timeval`. */
export const SO_SNDTIMEO: number = constants.SO_SNDTIMEO;

/** The socket type. */
export const SO_TYPE: number = constants.SO_TYPE;

/** Flag: send or receive urgent data. */
export const MSG_OOB: number = constants.MSG_OOB;

/** Flag: leave the received data in the queue. */
export const MSG_PEEK: number = constants.MSG_PEEK;

/** Flag: send only to directly connected hosts. */
export const MSG_DONTROUTE: number = constants.MSG_DONTROUTE;

/** Flag of a received message: its control data was truncated. */
export const MSG_CTRUNC: number = constants.MSG_CTRUNC;

/**
 * Flag of a received message: it was truncated. As a flag for `recv`, Linux returns the whole size.
 */
export const MSG_TRUNC: number = constants.MSG_TRUNC;

/** Flag: wait for the whole buffer, on a blocking socket. */
export const MSG_WAITALL: number = constants.MSG_WAITALL;

/** Whether small segments are sent immediately. */
export const TCP_NODELAY: number = constants.TCP_NODELAY;

/** The maximum segment size in bytes. */
export const TCP_MAXSEG: number = constants.TCP_MAXSEG ?? -1;

/** The type of service of sent packets. */
export const IP_TOS: number = constants.IP_TOS;

/** The time to live of sent packets. */
export const IP_TTL: number = constants.IP_TTL;

/** Whether the program writes the IP header. */
export const IP_HDRINCL: number = constants.IP_HDRINCL;

/** The interface that sends multicast: an address. */
export const IP_MULTICAST_IF: number = constants.IP_MULTICAST_IF;

/** The time to live of sent multicast. */
export const IP_MULTICAST_TTL: number = constants.IP_MULTICAST_TTL;

/** Whether this host receives its own multicast. */
export const IP_MULTICAST_LOOP: number = constants.IP_MULTICAST_LOOP;

/** Joins a group: a `struct ip_mreq`. */
export const IP_ADD_MEMBERSHIP: number = constants.IP_ADD_MEMBERSHIP;

/** Leaves a group: a `struct ip_mreq`. */
export const IP_DROP_MEMBERSHIP: number = constants.IP_DROP_MEMBERSHIP;

/** Whether an IPv6 socket excludes IPv4. */
export const IPV6_V6ONLY: number = constants.IPV6_V6ONLY;

/** The hop limit of sent packets. */
export const IPV6_UNICAST_HOPS: number = constants.IPV6_UNICAST_HOPS;

/** The interface that sends multicast: an index. */
export const IPV6_MULTICAST_IF: number = constants.IPV6_MULTICAST_IF;

/** The hop limit of sent multicast. */
export const IPV6_MULTICAST_HOPS: number = constants.IPV6_MULTICAST_HOPS;

/** Whether this host receives its own multicast. */
export const IPV6_MULTICAST_LOOP: number = constants.IPV6_MULTICAST_LOOP;

/** Joins a group: a `struct ipv6_mreq`. */
export const IPV6_JOIN_GROUP: number = constants.IPV6_JOIN_GROUP;

/** Leaves a group: a `struct ipv6_mreq`. */
export const IPV6_LEAVE_GROUP: number = constants.IPV6_LEAVE_GROUP;

/** Address family: packets of a link (Linux). */
export const AF_PACKET: number = constants.AF_PACKET ?? -1;

/** Address family: messages to and from the kernel (Linux). */
export const AF_NETLINK: number = constants.AF_NETLINK ?? -1;

/** The name of the only interface that the socket uses (Linux). */
export const SO_BINDTODEVICE: number = constants.SO_BINDTODEVICE ?? -1;

/** The address family (Linux, OpenBSD). */
export const SO_DOMAIN: number = constants.SO_DOMAIN ?? -1;

/** The processor that handles incoming packets (Linux). */
export const SO_INCOMING_CPU: number = constants.SO_INCOMING_CPU ?? -1;

/** The mark of sent packets (Linux). */
export const SO_MARK: number = constants.SO_MARK ?? -1;

/** Whether a broken connection does not raise SIGPIPE (macOS, the BSDs). */
export const SO_NOSIGPIPE: number = constants.SO_NOSIGPIPE ?? -1;

/** Whether received messages carry the sender's credentials (Linux). */
export const SO_PASSCRED: number = constants.SO_PASSCRED ?? -1;

/** The peer's credentials: a `struct ucred` (Linux). */
export const SO_PEERCRED: number = constants.SO_PEERCRED ?? -1;

/** The priority of sent packets (Linux). */
export const SO_PRIORITY: number = constants.SO_PRIORITY ?? -1;

/** The protocol. */
export const SO_PROTOCOL: number = constants.SO_PROTOCOL ?? -1;

/** Whether several sockets may share an address and its load. */
export const SO_REUSEPORT: number = constants.SO_REUSEPORT ?? -1;

/** Flag: make received descriptors close-on-exec. */
export const MSG_CMSG_CLOEXEC: number = constants.MSG_CMSG_CLOEXEC ?? 0;

/** Flag: do not block in this call. */
export const MSG_DONTWAIT: number = constants.MSG_DONTWAIT ?? 0;

/** Flag: the end of a record. */
export const MSG_EOR: number = constants.MSG_EOR ?? 0;

/** Flag: receive from the error queue (Linux). */
export const MSG_ERRQUEUE: number = constants.MSG_ERRQUEUE ?? 0;

/** Flag: more data follows (Linux). */
export const MSG_MORE: number = constants.MSG_MORE ?? 0;

/** Flag: do not raise SIGPIPE. Every method that sends sets it. */
export const MSG_NOSIGNAL: number = constants.MSG_NOSIGNAL ?? 0;

/** The name of the congestion control algorithm (Linux, FreeBSD). */
export const TCP_CONGESTION: number = constants.TCP_CONGESTION ?? -1;

/** Whether partial segments are held back (Linux). */
export const TCP_CORK: number = constants.TCP_CORK ?? -1;

/** The seconds to wait for data before a connection can be accepted (Linux). */
export const TCP_DEFER_ACCEPT: number = constants.TCP_DEFER_ACCEPT ?? -1;

/** The number of connections opened with data that may wait. */
export const TCP_FASTOPEN: number = constants.TCP_FASTOPEN ?? -1;

/** The state of the connection: a `struct tcp_info`. */
export const TCP_INFO: number = constants.TCP_INFO ?? -1;

/** The number of keep-alive probes that may go unanswered. */
export const TCP_KEEPCNT: number = constants.TCP_KEEPCNT ?? -1;

/** The seconds before an idle connection is probed (macOS: `TCP_KEEPALIVE`). */
export const TCP_KEEPIDLE: number = constants.TCP_KEEPIDLE ?? -1;

/** The seconds between keep-alive probes. */
export const TCP_KEEPINTVL: number = constants.TCP_KEEPINTVL ?? -1;

/** The seconds that a closed connection waits for its peer (Linux). */
export const TCP_LINGER2: number = constants.TCP_LINGER2 ?? -1;

/** Whether acknowledgements are sent immediately (Linux). */
export const TCP_QUICKACK: number = constants.TCP_QUICKACK ?? -1;

/** The number of attempts to connect (Linux). */
export const TCP_SYNCNT: number = constants.TCP_SYNCNT ?? -1;

/** The milliseconds that sent data may stay unacknowledged (Linux). */
export const TCP_USER_TIMEOUT: number = constants.TCP_USER_TIMEOUT ?? -1;

/** Control message: descriptors. `sendMessage` and `receiveMessage` handle it. */
export const SCM_RIGHTS: number = abi.messages?.constants.SCM_RIGHTS ?? -1;

/** Control message: credentials (Linux). `sendMessage` and `receiveMessage` handle it. */
export const SCM_CREDENTIALS: number = abi.credentials?.constants.SCM_CREDENTIALS ?? -1;

/** Whether datagrams carry the number of datagrams dropped before, as control data (Linux). */
export const SO_RXQ_OVFL: number = abi.messages?.constants.SO_RXQ_OVFL ?? -1;

/** Whether datagrams carry their time to live, as control data: of type `IP_TTL` on Linux. */
export const IP_RECVTTL: number = abi.messages?.constants.IP_RECVTTL ?? -1;

/** Whether datagrams carry their hop limit, as control data of type `IPV6_HOPLIMIT`. */
export const IPV6_RECVHOPLIMIT: number = abi.messages?.constants.IPV6_RECVHOPLIMIT ?? -1;

/** Control message: a hop limit. */
export const IPV6_HOPLIMIT: number = abi.messages?.constants.IPV6_HOPLIMIT ?? -1;

/**
 * Whether IPv4 datagrams carry the index of their interface, as control data of the same type: a
 * `struct in_pktinfo`, which begins with it (Linux, macOS).
 */
export const IP_PKTINFO: number = abi.messages?.constants.IP_PKTINFO ?? -1;

/** Whether IPv6 datagrams carry their interface, as control data of type `IPV6_PKTINFO`. */
export const IPV6_RECVPKTINFO: number = abi.messages?.constants.IPV6_RECVPKTINFO ?? -1;

/** Control message: an address and the index of an interface, a `struct in6_pktinfo`. */
export const IPV6_PKTINFO: number = abi.messages?.constants.IPV6_PKTINFO ?? -1;
