/**
 * The numbers of the running system. What it lacks is `undefined`, although the types do not say
 * so: a program for one system needs no checks. Such a flag has no effect, and every call refuses
 * such a family, type, protocol or option.
 *
 * @module
 */

import type { Credentials, Messages } from "../abi/abi.ts";
import { abi, NOTHING } from "../abi/mod.ts";

const constants = abi.constants as Required<typeof abi.constants>;
const credentials = (abi.credentials?.constants ?? NOTHING) as Credentials["constants"];
const messages = (abi.messages?.constants ?? NOTHING) as Required<Messages["constants"]>;

/**
 * Address family: unspecified.
 *
 * @category Constants
 */
export const AF_UNSPEC: number = constants.AF_UNSPEC;

/**
 * Address family: IPv4.
 *
 * @category Constants
 */
export const AF_INET: number = constants.AF_INET;

/**
 * Address family: IPv6.
 *
 * @category Constants
 */
export const AF_INET6: number = constants.AF_INET6;

/**
 * Address family: Unix sockets.
 *
 * @category Constants
 */
export const AF_UNIX: number = constants.AF_UNIX;

/**
 * Socket type: byte stream.
 *
 * @category Constants
 */
export const SOCK_STREAM: number = constants.SOCK_STREAM;

/**
 * Socket type: datagrams.
 *
 * @category Constants
 */
export const SOCK_DGRAM: number = constants.SOCK_DGRAM;

/**
 * Socket type: raw packets of a protocol.
 *
 * @category Constants
 */
export const SOCK_RAW: number = constants.SOCK_RAW;

/**
 * Socket type: datagrams, delivered reliably.
 *
 * @category Constants
 */
export const SOCK_RDM: number = constants.SOCK_RDM;

/**
 * Socket type: connection that preserves message boundaries.
 *
 * @category Constants
 */
export const SOCK_SEQPACKET: number = constants.SOCK_SEQPACKET;

/**
 * Protocol and option level: IPv4.
 *
 * @category Constants
 */
export const IPPROTO_IP: number = constants.IPPROTO_IP;

/**
 * Protocol: ICMP.
 *
 * @category Constants
 */
export const IPPROTO_ICMP: number = constants.IPPROTO_ICMP;

/**
 * Protocol: IGMP.
 *
 * @category Constants
 */
export const IPPROTO_IGMP: number = constants.IPPROTO_IGMP;

/**
 * Protocol and option level: TCP.
 *
 * @category Constants
 */
export const IPPROTO_TCP: number = constants.IPPROTO_TCP;

/**
 * Protocol and option level: UDP.
 *
 * @category Constants
 */
export const IPPROTO_UDP: number = constants.IPPROTO_UDP;

/**
 * Protocol and option level: IPv6.
 *
 * @category Constants
 */
export const IPPROTO_IPV6: number = constants.IPPROTO_IPV6;

/**
 * Protocol: ICMPv6.
 *
 * @category Constants
 */
export const IPPROTO_ICMPV6: number = constants.IPPROTO_ICMPV6;

/**
 * Protocol: UDP with a checksum of part of the data (Linux, FreeBSD, OpenBSD).
 *
 * @category Constants
 */
export const IPPROTO_UDPLITE: number = constants.IPPROTO_UDPLITE;

/**
 * Protocol: IP packets with a header that the program writes.
 *
 * @category Constants
 */
export const IPPROTO_RAW: number = constants.IPPROTO_RAW;

/**
 * Option level: the socket itself.
 *
 * @category Constants
 */
export const SOL_SOCKET: number = constants.SOL_SOCKET;

/**
 * The default backlog of {@linkcode Socket.listen}: the longest that the system's header names.
 *
 * @category Constants
 */
export const SOMAXCONN: number = constants.SOMAXCONN;

/**
 * Whether the socket is listening.
 *
 * @category Constants
 */
export const SO_ACCEPTCONN: number = constants.SO_ACCEPTCONN;

/**
 * Whether the socket may send broadcast datagrams.
 *
 * @category Constants
 */
export const SO_BROADCAST: number = constants.SO_BROADCAST;

/**
 * Whether the system records debugging information.
 *
 * @category Constants
 */
export const SO_DEBUG: number = constants.SO_DEBUG;

/**
 * Whether to send only to directly connected hosts.
 *
 * @category Constants
 */
export const SO_DONTROUTE: number = constants.SO_DONTROUTE;

/**
 * The pending error, which reading clears.
 *
 * @category Constants
 */
export const SO_ERROR: number = constants.SO_ERROR;

/**
 * Whether idle connections are probed.
 *
 * @category Constants
 */
export const SO_KEEPALIVE: number = constants.SO_KEEPALIVE;

/**
 * How long `close` waits until unsent data is sent: a `struct linger`.
 *
 * @category Constants
 */
export const SO_LINGER: number = constants.SO_LINGER;

/**
 * Whether urgent data stays in the stream.
 *
 * @category Constants
 */
export const SO_OOBINLINE: number = constants.SO_OOBINLINE;

/**
 * The size of the receive buffer in bytes.
 *
 * @category Constants
 */
export const SO_RCVBUF: number = constants.SO_RCVBUF;

/**
 * The number of received bytes that makes the socket readable.
 *
 * @category Constants
 */
export const SO_RCVLOWAT: number = constants.SO_RCVLOWAT;

/**
 * The timeout of blocking receives: a `struct timeval`.
 *
 * @category Constants
 */
export const SO_RCVTIMEO: number = constants.SO_RCVTIMEO;

/**
 * Whether an address in the state TIME_WAIT may be bound.
 *
 * @category Constants
 */
export const SO_REUSEADDR: number = constants.SO_REUSEADDR;

/**
 * The size of the send buffer in bytes.
 *
 * @category Constants
 */
export const SO_SNDBUF: number = constants.SO_SNDBUF;

/**
 * The free space in bytes that makes the socket writable.
 *
 * @category Constants
 */
export const SO_SNDLOWAT: number = constants.SO_SNDLOWAT;

/**
 * The timeout of blocking sends: a `struct timeval`.
 *
 * @category Constants
 */
export const SO_SNDTIMEO: number = constants.SO_SNDTIMEO;

/**
 * The socket type.
 *
 * @category Constants
 */
export const SO_TYPE: number = constants.SO_TYPE;

/**
 * Flag: send or receive urgent data.
 *
 * @category Constants
 */
export const MSG_OOB: number = constants.MSG_OOB;

/**
 * Flag: leave the received data in the queue.
 *
 * @category Constants
 */
export const MSG_PEEK: number = constants.MSG_PEEK;

/**
 * Flag: send only to directly connected hosts.
 *
 * @category Constants
 */
export const MSG_DONTROUTE: number = constants.MSG_DONTROUTE;

/**
 * Flag of a received message: its control data was truncated.
 *
 * @category Constants
 */
export const MSG_CTRUNC: number = constants.MSG_CTRUNC;

/**
 * Flag of a received message: it was truncated. As a flag for `recv`, Linux returns the whole size.
 *
 * @category Constants
 */
export const MSG_TRUNC: number = constants.MSG_TRUNC;

/**
 * Flag: wait for the whole buffer, on a blocking socket.
 *
 * @category Constants
 */
export const MSG_WAITALL: number = constants.MSG_WAITALL;

/**
 * Whether small segments are sent immediately.
 *
 * @category Constants
 */
export const TCP_NODELAY: number = constants.TCP_NODELAY;

/**
 * The maximum segment size in bytes.
 *
 * @category Constants
 */
export const TCP_MAXSEG: number = constants.TCP_MAXSEG;

/**
 * The type of service of sent packets.
 *
 * @category Constants
 */
export const IP_TOS: number = constants.IP_TOS;

/**
 * The time to live of sent packets.
 *
 * @category Constants
 */
export const IP_TTL: number = constants.IP_TTL;

/**
 * Whether the program writes the IP header.
 *
 * @category Constants
 */
export const IP_HDRINCL: number = constants.IP_HDRINCL;

/**
 * The interface that sends multicast: an address.
 *
 * @category Constants
 */
export const IP_MULTICAST_IF: number = constants.IP_MULTICAST_IF;

/**
 * The time to live of sent multicast.
 *
 * @category Constants
 */
export const IP_MULTICAST_TTL: number = constants.IP_MULTICAST_TTL;

/**
 * Whether this host receives its own multicast.
 *
 * @category Constants
 */
export const IP_MULTICAST_LOOP: number = constants.IP_MULTICAST_LOOP;

/**
 * Joins a group: a `struct ip_mreq`.
 *
 * @category Constants
 */
export const IP_ADD_MEMBERSHIP: number = constants.IP_ADD_MEMBERSHIP;

/**
 * Leaves a group: a `struct ip_mreq`.
 *
 * @category Constants
 */
export const IP_DROP_MEMBERSHIP: number = constants.IP_DROP_MEMBERSHIP;

/**
 * Whether an IPv6 socket excludes IPv4.
 *
 * @category Constants
 */
export const IPV6_V6ONLY: number = constants.IPV6_V6ONLY;

/**
 * The hop limit of sent packets.
 *
 * @category Constants
 */
export const IPV6_UNICAST_HOPS: number = constants.IPV6_UNICAST_HOPS;

/**
 * The interface that sends multicast: an index.
 *
 * @category Constants
 */
export const IPV6_MULTICAST_IF: number = constants.IPV6_MULTICAST_IF;

/**
 * The hop limit of sent multicast.
 *
 * @category Constants
 */
export const IPV6_MULTICAST_HOPS: number = constants.IPV6_MULTICAST_HOPS;

/**
 * Whether this host receives its own multicast.
 *
 * @category Constants
 */
export const IPV6_MULTICAST_LOOP: number = constants.IPV6_MULTICAST_LOOP;

/**
 * Joins a group: a `struct ipv6_mreq`.
 *
 * @category Constants
 */
export const IPV6_JOIN_GROUP: number = constants.IPV6_JOIN_GROUP;

/**
 * Leaves a group: a `struct ipv6_mreq`.
 *
 * @category Constants
 */
export const IPV6_LEAVE_GROUP: number = constants.IPV6_LEAVE_GROUP;

/**
 * The traffic class of sent packets. Also the type of control data with a traffic class.
 *
 * @category Constants
 */
export const IPV6_TCLASS: number = constants.IPV6_TCLASS;

/**
 * Whether datagrams carry their traffic class, as control data of type `IPV6_TCLASS`.
 *
 * @category Constants
 */
export const IPV6_RECVTCLASS: number = constants.IPV6_RECVTCLASS;

/**
 * Address family: packets of a link (Linux).
 *
 * @category Constants
 */
export const AF_PACKET: number = constants.AF_PACKET;

/**
 * Address family: messages to and from the kernel (Linux).
 *
 * @category Constants
 */
export const AF_NETLINK: number = constants.AF_NETLINK;

/**
 * Address family: between a virtual machine and its host (Linux, macOS).
 *
 * @category Constants
 */
export const AF_VSOCK: number = constants.AF_VSOCK;

/**
 * Address family: a CAN bus (Linux).
 *
 * @category Constants
 */
export const AF_CAN: number = constants.AF_CAN;

/**
 * The name of the only interface that the socket uses (Linux).
 *
 * @category Constants
 */
export const SO_BINDTODEVICE: number = constants.SO_BINDTODEVICE;

/**
 * The address family (Linux, OpenBSD).
 *
 * @category Constants
 */
export const SO_DOMAIN: number = constants.SO_DOMAIN;

/**
 * The processor that handles incoming packets (Linux).
 *
 * @category Constants
 */
export const SO_INCOMING_CPU: number = constants.SO_INCOMING_CPU;

/**
 * The mark of sent packets (Linux).
 *
 * @category Constants
 */
export const SO_MARK: number = constants.SO_MARK;

/**
 * Whether a broken connection does not raise SIGPIPE (macOS, the BSDs).
 *
 * @category Constants
 */
export const SO_NOSIGPIPE: number = constants.SO_NOSIGPIPE;

/**
 * The destination of a connection before netfilter redirected it, at level `IPPROTO_IP`: a `struct
 * sockaddr_in` (Linux).
 *
 * @category Constants
 */
export const SO_ORIGINAL_DST: number = constants.SO_ORIGINAL_DST;

/**
 * Whether received messages carry the sender's credentials (Linux).
 *
 * @category Constants
 */
export const SO_PASSCRED: number = constants.SO_PASSCRED;

/**
 * The peer's credentials: a `struct ucred` (Linux).
 *
 * @category Constants
 */
export const SO_PEERCRED: number = constants.SO_PEERCRED;

/**
 * The priority of sent packets (Linux).
 *
 * @category Constants
 */
export const SO_PRIORITY: number = constants.SO_PRIORITY;

/**
 * The protocol.
 *
 * @category Constants
 */
export const SO_PROTOCOL: number = constants.SO_PROTOCOL;

/**
 * Whether several sockets may share an address and its load.
 *
 * @category Constants
 */
export const SO_REUSEPORT: number = constants.SO_REUSEPORT;

/**
 * Whether datagrams carry the time of their arrival in microseconds, as control data of type
 * `SCM_TIMESTAMP`.
 *
 * @category Constants
 */
export const SO_TIMESTAMP: number = constants.SO_TIMESTAMP;

/**
 * The same in nanoseconds, as control data of type `SCM_TIMESTAMPNS` (Linux).
 *
 * @category Constants
 */
export const SO_TIMESTAMPNS: number = constants.SO_TIMESTAMPNS;

/**
 * Which times of sent and received packets are reported, as control data of type `SCM_TIMESTAMPING`
 * (Linux).
 *
 * @category Constants
 */
export const SO_TIMESTAMPING: number = constants.SO_TIMESTAMPING;

/**
 * Flag: make received descriptors close-on-exec.
 *
 * @category Constants
 */
export const MSG_CMSG_CLOEXEC: number = constants.MSG_CMSG_CLOEXEC;

/**
 * Flag: do not block in this call.
 *
 * @category Constants
 */
export const MSG_DONTWAIT: number = constants.MSG_DONTWAIT;

/**
 * Flag: the end of a record.
 *
 * @category Constants
 */
export const MSG_EOR: number = constants.MSG_EOR;

/**
 * Flag: receive from the error queue (Linux).
 *
 * @category Constants
 */
export const MSG_ERRQUEUE: number = constants.MSG_ERRQUEUE;

/**
 * Flag: more data follows (Linux).
 *
 * @category Constants
 */
export const MSG_MORE: number = constants.MSG_MORE;

/**
 * Flag: do not raise SIGPIPE. Every method that sends sets it.
 *
 * @category Constants
 */
export const MSG_NOSIGNAL: number = constants.MSG_NOSIGNAL;

/**
 * The name of the congestion control algorithm (Linux, FreeBSD).
 *
 * @category Constants
 */
export const TCP_CONGESTION: number = constants.TCP_CONGESTION;

/**
 * Whether partial segments are held back (Linux).
 *
 * @category Constants
 */
export const TCP_CORK: number = constants.TCP_CORK;

/**
 * The seconds to wait for data before a connection can be accepted (Linux).
 *
 * @category Constants
 */
export const TCP_DEFER_ACCEPT: number = constants.TCP_DEFER_ACCEPT;

/**
 * The number of connections opened with data that may wait.
 *
 * @category Constants
 */
export const TCP_FASTOPEN: number = constants.TCP_FASTOPEN;

/**
 * The state of the connection: a `struct tcp_info`.
 *
 * @category Constants
 */
export const TCP_INFO: number = constants.TCP_INFO;

/**
 * The number of keep-alive probes that may go unanswered.
 *
 * @category Constants
 */
export const TCP_KEEPCNT: number = constants.TCP_KEEPCNT;

/**
 * The seconds before an idle connection is probed (macOS: `TCP_KEEPALIVE`).
 *
 * @category Constants
 */
export const TCP_KEEPIDLE: number = constants.TCP_KEEPIDLE ?? abi.options?.constants.TCP_KEEPALIVE;

/**
 * The seconds between keep-alive probes.
 *
 * @category Constants
 */
export const TCP_KEEPINTVL: number = constants.TCP_KEEPINTVL;

/**
 * The seconds that a closed connection waits for its peer (Linux).
 *
 * @category Constants
 */
export const TCP_LINGER2: number = constants.TCP_LINGER2;

/**
 * Whether acknowledgements are sent immediately (Linux).
 *
 * @category Constants
 */
export const TCP_QUICKACK: number = constants.TCP_QUICKACK;

/**
 * The number of attempts to connect (Linux).
 *
 * @category Constants
 */
export const TCP_SYNCNT: number = constants.TCP_SYNCNT;

/**
 * The milliseconds that sent data may stay unacknowledged (Linux).
 *
 * @category Constants
 */
export const TCP_USER_TIMEOUT: number = constants.TCP_USER_TIMEOUT;

/**
 * The size of the datagrams into which the system splits what one call sends (Linux).
 *
 * @category Constants
 */
export const UDP_SEGMENT: number = constants.UDP_SEGMENT;

/**
 * Whether one call may receive several datagrams of the same size joined, which control data of the
 * same type states (Linux).
 *
 * @category Constants
 */
export const UDP_GRO: number = constants.UDP_GRO;

/**
 * Whether the socket may bind to an address that no interface has (Linux).
 *
 * @category Constants
 */
export const IP_FREEBIND: number = constants.IP_FREEBIND;

/**
 * The largest packet that fits the path of a connected socket, in bytes (Linux).
 *
 * @category Constants
 */
export const IP_MTU: number = constants.IP_MTU;

/**
 * Whether the path's limit is discovered: `IP_PMTUDISC_DO` and others (Linux).
 *
 * @category Constants
 */
export const IP_MTU_DISCOVER: number = constants.IP_MTU_DISCOVER;

/**
 * Value of `IP_MTU_DISCOVER`: routers may split the packets (Linux).
 *
 * @category Constants
 */
export const IP_PMTUDISC_DONT: number = constants.IP_PMTUDISC_DONT;

/**
 * Value of `IP_MTU_DISCOVER`: routers may not, and a larger packet fails with `EMSGSIZE` (Linux).
 *
 * @category Constants
 */
export const IP_PMTUDISC_DO: number = constants.IP_PMTUDISC_DO;

/**
 * Value of `IP_MTU_DISCOVER`: routers may not, and a larger packet is sent all the same (Linux).
 *
 * @category Constants
 */
export const IP_PMTUDISC_PROBE: number = constants.IP_PMTUDISC_PROBE;

/**
 * Whether errors such as those of ICMP are queued, for `receiveMessage` with the flag
 * `MSG_ERRQUEUE`. Also the type of their control data (Linux).
 *
 * @category Constants
 */
export const IP_RECVERR: number = constants.IP_RECVERR;

/**
 * Whether datagrams carry their type of service, as control data: of type `IP_TOS` on Linux.
 *
 * @category Constants
 */
export const IP_RECVTOS: number = constants.IP_RECVTOS;

/**
 * Whether the socket may send from, and accept connections to, any address (Linux).
 *
 * @category Constants
 */
export const IP_TRANSPARENT: number = constants.IP_TRANSPARENT;

/**
 * Whether errors such as those of ICMPv6 are queued, as with `IP_RECVERR` (Linux).
 *
 * @category Constants
 */
export const IPV6_RECVERR: number = constants.IPV6_RECVERR;

/**
 * Whether the socket may send from, and accept connections to, any address (Linux).
 *
 * @category Constants
 */
export const IPV6_TRANSPARENT: number = constants.IPV6_TRANSPARENT;

/**
 * Control message: descriptors. `sendMessage` and `receiveMessage` handle it.
 *
 * @category Constants
 */
export const SCM_RIGHTS: number = messages.SCM_RIGHTS;

/**
 * Control message: credentials (Linux). `sendMessage` and `receiveMessage` handle it.
 *
 * @category Constants
 */
export const SCM_CREDENTIALS: number = credentials.SCM_CREDENTIALS;

/**
 * Control message: a `struct timeval`.
 *
 * @category Constants
 */
export const SCM_TIMESTAMP: number = messages.SCM_TIMESTAMP;

/**
 * Control message: a `struct timespec` (Linux).
 *
 * @category Constants
 */
export const SCM_TIMESTAMPNS: number = messages.SCM_TIMESTAMPNS;

/**
 * Control message: three `struct timespec`, the first of the system's clock, the last of the
 * hardware's (Linux).
 *
 * @category Constants
 */
export const SCM_TIMESTAMPING: number = messages.SCM_TIMESTAMPING;

/**
 * Whether datagrams carry the number of datagrams dropped before, as control data (Linux).
 *
 * @category Constants
 */
export const SO_RXQ_OVFL: number = messages.SO_RXQ_OVFL;

/**
 * Whether datagrams carry their time to live, as control data: of type `IP_TTL` on Linux.
 *
 * @category Constants
 */
export const IP_RECVTTL: number = messages.IP_RECVTTL;

/**
 * Whether datagrams carry their hop limit, as control data of type `IPV6_HOPLIMIT`.
 *
 * @category Constants
 */
export const IPV6_RECVHOPLIMIT: number = messages.IPV6_RECVHOPLIMIT;

/**
 * Control message: a hop limit.
 *
 * @category Constants
 */
export const IPV6_HOPLIMIT: number = messages.IPV6_HOPLIMIT;

/**
 * Whether IPv4 datagrams carry the index of their interface, as control data of the same type: a
 * `struct in_pktinfo`, which begins with it (Linux, macOS).
 *
 * @category Constants
 */
export const IP_PKTINFO: number = messages.IP_PKTINFO;

/**
 * Whether IPv4 datagrams carry the address that they were sent to, as control data of the same type
 * (macOS, the BSDs).
 *
 * @category Constants
 */
export const IP_RECVDSTADDR: number = messages.IP_RECVDSTADDR;

/**
 * Whether IPv6 datagrams carry their interface, as control data of type `IPV6_PKTINFO`.
 *
 * @category Constants
 */
export const IPV6_RECVPKTINFO: number = messages.IPV6_RECVPKTINFO;

/**
 * Control message: an address and the index of an interface, a `struct in6_pktinfo`.
 *
 * @category Constants
 */
export const IPV6_PKTINFO: number = messages.IPV6_PKTINFO;
