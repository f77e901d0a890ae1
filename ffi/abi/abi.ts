/**
 * What a table of a system's numbers holds. The other files of this folder fill it in for one
 * system each. They export functions, so that a program makes only the table of its system: it
 * would take milliseconds to make all of them.
 * All other code reads the table and decides by it, not by the name of the system.
 *
 * Names are C's own, so that a C compiler can check each row. A number has one row: a constant of a
 * facility is not among the table's own constants, nor in another facility.
 *
 * @module
 */

import type {
  CanBus,
  Credentials,
  Devpoll,
  Epoll,
  ErrorQueue,
  Eventfd,
  Inotify,
  Interfaces,
  Kqueue,
  Messages,
  Netlink,
  Options,
  Packets,
  Pidfd,
  Signalfd,
  Signals,
  SourceGroups,
  TcpConnectionInfo,
  TcpInfo,
  Termios,
  Timerfd,
  Tun,
  Vsock,
  Winsock,
} from "./facilities.ts";
import type { Struct } from "./struct.ts";

export type * from "./facilities.ts";
export type * from "./struct.ts";

/** The numbers of one system on one processor. */
export interface Abi {
  /**
   * Where libc is, in the order to try: absolute paths, which a scoped permission can name, and
   * perhaps a bare name. That must be one for which the system never looks into the current folder,
   * such as the name of a library that each process has loaded. On Linux it comes first: a machine
   * can have a second libc, whose calls may crash in a process that began with another.
   */
  readonly libc: readonly string[];
  readonly symbols: Symbols;
  /** Whether variadic arguments go on the stack even while registers are free (Apple's arm64). */
  readonly variadicOnStack: boolean;
  /** Whether the path of a Unix socket can be a name outside the file system. */
  readonly abstractPaths?: boolean;
  /** The system whose parameters `sendfile` has, if it is in libc. */
  readonly sendfile?: "linux" | "darwin" | "freebsd";
  /** How many descriptors `select` can take, or `Infinity` if only memory limits it. */
  readonly selectLimit: number;
  readonly structs: Structs;
  readonly constants:
    & { readonly [name in CommonConstant | PosixConstant]: number }
    & { readonly [name in OptionalConstant]?: number };
  /** Every error that the system has, by name. */
  readonly errno: { readonly [name in KnownError]: number } & { readonly [name: string]: number };

  // Facilities: absent if the system lacks them.
  readonly epoll?: Epoll;
  readonly kqueue?: Kqueue;
  readonly devpoll?: Devpoll;
  readonly eventfd?: Eventfd;
  readonly timerfd?: Timerfd;
  readonly inotify?: Inotify;
  readonly signals?: Signals;
  readonly signalfd?: Signalfd;
  readonly pidfd?: Pidfd;
  readonly termios?: Termios;
  readonly tun?: Tun;
  readonly options?: Options;
  readonly tcpInfo?: TcpInfo;
  readonly tcpConnectionInfo?: TcpConnectionInfo;
  readonly messages?: Messages;
  readonly credentials?: Credentials;
  readonly errorQueue?: ErrorQueue;
  readonly sourceGroups?: SourceGroups;
  readonly interfaces?: Interfaces;
  readonly netlink?: Netlink;
  readonly packets?: Packets;
  readonly vsock?: Vsock;
  readonly canBus?: CanBus;
  readonly winsock?: Winsock;
}

/** The numbers of Windows, which lacks some that all other systems have. */
export interface WindowsAbi extends Omit<Abi, "symbols" | "constants" | "errno"> {
  readonly symbols: Omit<Symbols, "errno">;
  readonly constants: Omit<Abi["constants"], PosixConstant>;
  readonly errno: { readonly [name: string]: number };
}

/** The symbols of calls whose names in libc differ between systems. */
export interface Symbols {
  /** The call that returns the address of the calling thread's `errno`. */
  readonly errno: string;
  /** The call that returns the calling thread's last error, on a system without `errno`. */
  readonly lastError?: string;
  readonly select: string;
  readonly socket: string;
}

/** The structures that every system has. */
export interface Structs {
  readonly pollfd: Struct<"fd" | "events" | "revents">;
  readonly timespec: Struct<"tv_sec" | "tv_nsec">;
  readonly timeval: Struct<"tv_sec" | "tv_usec">;
  // On macOS and the BSDs an address begins with its length.
  readonly sockaddr_in: Struct<"sin_family" | "sin_port" | "sin_addr", "sin_len">;
  readonly sockaddr_in6: Struct<
    "sin6_family" | "sin6_port" | "sin6_flowinfo" | "sin6_addr" | "sin6_scope_id",
    "sin6_len"
  >;
  readonly sockaddr_un: Struct<"sun_family" | "sun_path", "sun_len">;
  readonly addrinfo: Struct<
    "ai_flags" | "ai_family" | "ai_socktype" | "ai_protocol" | "ai_addrlen" | "ai_addr" | "ai_next"
  >;
}

/** The constants that every system has. */
export type CommonConstant =
  | `AF_${"UNSPEC" | "INET" | "INET6" | "UNIX"}`
  | `SOCK_${"STREAM" | "DGRAM" | "RAW" | "RDM" | "SEQPACKET"}`
  | `IPPROTO_${"IP" | "ICMP" | "IGMP" | "TCP" | "UDP" | "IPV6" | "ICMPV6" | "RAW"}`
  | "SOL_SOCKET"
  | "SOMAXCONN"
  | `SO_${
    | "ACCEPTCONN"
    | "BROADCAST"
    | "DEBUG"
    | "DONTROUTE"
    | "ERROR"
    | "KEEPALIVE"
    | "LINGER"
    | "OOBINLINE"
    | "RCVBUF"
    | "RCVLOWAT"
    | "RCVTIMEO"
    | "REUSEADDR"
    | "SNDBUF"
    | "SNDLOWAT"
    | "SNDTIMEO"
    | "TYPE"}`
  | `MSG_${"OOB" | "PEEK" | "DONTROUTE" | "CTRUNC" | "TRUNC" | "WAITALL"}`
  | "TCP_NODELAY"
  | `IP_${
    | "TOS"
    | "TTL"
    | "HDRINCL"
    | "MULTICAST_IF"
    | "MULTICAST_TTL"
    | "MULTICAST_LOOP"
    | "ADD_MEMBERSHIP"
    | "DROP_MEMBERSHIP"}`
  | `IPV6_${
    | "V6ONLY"
    | "UNICAST_HOPS"
    | "MULTICAST_IF"
    | "MULTICAST_HOPS"
    | "MULTICAST_LOOP"
    | "JOIN_GROUP"
    | "LEAVE_GROUP"
    | "TCLASS"
    | "RECVTCLASS"}`
  | `SHUT_${"RD" | "WR" | "RDWR"}`
  | `POLL${"IN" | "PRI" | "OUT" | "ERR" | "HUP" | "NVAL" | "RDBAND"}`
  | "FIONREAD"
  | "NI_NUMERICHOST"
  | `EAI_${
    | "AGAIN"
    | "BADFLAGS"
    | "FAIL"
    | "FAMILY"
    | "MEMORY"
    | "NONAME"
    | "SERVICE"
    | "SOCKTYPE"}`;

/** The constants that every system but Windows has. */
export type PosixConstant =
  | `F_${"GETFD" | "SETFD" | "GETFL" | "SETFL" | "DUPFD_CLOEXEC"}`
  | "FD_CLOEXEC"
  | `O_${
    | "RDONLY"
    | "WRONLY"
    | "RDWR"
    | "APPEND"
    | "CLOEXEC"
    | "CREAT"
    | "EXCL"
    | "NOCTTY"
    | "NONBLOCK"
    | "TRUNC"}`
  | "TCP_MAXSEG";

/** The constants that some systems lack. */
export type OptionalConstant =
  | `AF_${"PACKET" | "NETLINK" | "VSOCK" | "CAN"}`
  | `SOCK_${"NONBLOCK" | "CLOEXEC"}`
  | "IPPROTO_UDPLITE"
  | `SO_${
    | "BINDTODEVICE"
    | "DOMAIN"
    | "INCOMING_CPU"
    | "MARK"
    | "NOSIGPIPE"
    | "ORIGINAL_DST"
    | "PASSCRED"
    | "PEERCRED"
    | "PRIORITY"
    | "PROTOCOL"
    | "REUSEPORT"
    | "TIMESTAMP"
    | "TIMESTAMPING"
    | "TIMESTAMPNS"}`
  | `MSG_${"CMSG_CLOEXEC" | "DONTWAIT" | "EOR" | "ERRQUEUE" | "MORE" | "NOSIGNAL"}`
  | `TCP_${
    | "CONGESTION"
    | "CORK"
    | "DEFER_ACCEPT"
    | "FASTOPEN"
    | "INFO"
    | "KEEPCNT"
    | "KEEPIDLE"
    | "KEEPINTVL"
    | "LINGER2"
    | "QUICKACK"
    | "SYNCNT"
    | "USER_TIMEOUT"}`
  | `UDP_${"GRO" | "SEGMENT"}`
  | `IP_${
    | "FREEBIND"
    | "MTU"
    | "MTU_DISCOVER"
    | "PMTUDISC_DO"
    | "PMTUDISC_DONT"
    | "PMTUDISC_PROBE"
    | "RECVERR"
    | "RECVTOS"
    | "TRANSPARENT"}`
  | `IPV6_${"RECVERR" | "TRANSPARENT"}`
  | "POLLRDHUP"
  | `EAI_${"ADDRFAMILY" | "NODATA" | "OVERFLOW" | "SYSTEM"}`;

/** The errors that the code distinguishes. */
export type KnownError =
  | "EACCES"
  | "EAGAIN"
  | "EALREADY"
  | "EBADF"
  | "ECONNABORTED"
  | "EEXIST"
  | "EINPROGRESS"
  | "EINTR"
  | "EINVAL"
  | "ELOOP"
  | "EMFILE"
  | "ENFILE"
  | "ENOENT"
  | "ENOSYS"
  | "EPERM"
  | "EPIPE"
  | "EPROTO"
  | "EWOULDBLOCK";
