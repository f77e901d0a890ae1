/**
 * What a table of a system's numbers holds. One file a system fills it in; all other code reads
 * the table and decides by it, not by the system's name. Names are C's own, so that a C compiler
 * can check each row.
 *
 * @module
 */

/** A field of a C structure: its offset and its size, both in bytes. */
export type Field = readonly [offset: number, size: number];

/** A C structure: `sizeof` in bytes, and its fields by their C names. */
export interface Struct<Name extends string, Optional extends string = never> {
  readonly size: number;
  readonly fields:
    & { readonly [field in Name]: Field }
    & { readonly [field in Optional]?: Field };
}

/** The structures that every system has. */
export interface Structs {
  readonly pollfd: Struct<"fd" | "events" | "revents">;
  readonly timespec: Struct<"tv_sec" | "tv_nsec">;
  readonly timeval: Struct<"tv_sec" | "tv_usec">;
  // The BSDs begin an address with a byte that holds its length.
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

/** epoll, which Linux and Android have. */
export interface Epoll {
  readonly epoll_event: Struct<"events" | "data">;
  readonly constants: { readonly [name in EpollConstant]: number };
}

type EpollConstant =
  | `EPOLL${"IN" | "OUT" | "_CLOEXEC" | "_CTL_ADD" | "_CTL_DEL" | "_CTL_MOD"}`
  | "O_CLOEXEC";

/** kqueue, which macOS and the BSDs have. */
export interface Kqueue {
  /** The name of the `kevent` call in libc. */
  readonly symbol: string;
  readonly kevent: Struct<"ident" | "filter" | "flags" | "fflags" | "data" | "udata", "ext">;
  readonly constants: { readonly [name in KqueueConstant]: number };
}

type KqueueConstant =
  | `EV_${"ADD" | "DELETE" | "ERROR" | "EOF" | "RECEIPT"}`
  | `EVFILT_${"READ" | "WRITE"}`;

/** /dev/poll, which Solaris has. */
export interface Devpoll {
  readonly dvpoll: Struct<"dp_fds" | "dp_nfds" | "dp_timeout">;
  readonly constants: { readonly [name in DevpollConstant]: number };
}

type DevpollConstant = "DP_POLL" | "POLLREMOVE" | "O_RDWR" | "O_CLOEXEC";

/** The constants that every system has. */
export type CommonConstant =
  | `AF_${"UNSPEC" | "INET" | "INET6" | "UNIX"}`
  | `SOCK_${"STREAM" | "DGRAM" | "RAW" | "SEQPACKET"}`
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
    | "LEAVE_GROUP"}`
  | `SHUT_${"RD" | "WR" | "RDWR"}`
  | `POLL${"IN" | "OUT" | "ERR" | "HUP" | "NVAL"}`
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
  | `F_${"GETFL" | "SETFL" | "SETFD"}`
  | "FD_CLOEXEC"
  | "O_NONBLOCK"
  | "TCP_MAXSEG";

/** The constants that some systems lack: a row that is absent says so. */
export type OptionalConstant =
  | `AF_${"PACKET" | "NETLINK"}`
  | `SOCK_${"NONBLOCK" | "CLOEXEC"}`
  | `SO_${
    | "BINDTODEVICE"
    | "DOMAIN"
    | "INCOMING_CPU"
    | "MARK"
    | "NOSIGPIPE"
    | "PASSCRED"
    | "PEERCRED"
    | "PRIORITY"
    | "PROTOCOL"
    | "REUSEPORT"}`
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
  | `EAI_${"ADDRFAMILY" | "NODATA" | "OVERFLOW" | "SYSTEM"}`
  | "O_CLOEXEC"
  | `EFD_${"CLOEXEC" | "NONBLOCK"}`;

/** Error names that the code itself tells apart; a table holds all that the system has. */
export type KnownError =
  | "EAGAIN"
  | "EALREADY"
  | "EBADF"
  | "ECONNABORTED"
  | "EEXIST"
  | "EINPROGRESS"
  | "EINTR"
  | "EINVAL"
  | "EMFILE"
  | "ENFILE"
  | "ENOENT"
  | "ENOSYS"
  | "EPROTO"
  | "EWOULDBLOCK";

/** The numbers of one system on one processor. */
export interface Abi {
  /** Where libc is: a bare name first, then the absolute paths that a scoped permission can name. */
  readonly libc: readonly string[];
  /** The symbols whose names differ between systems. */
  readonly symbols: {
    /** Gives the address of the calling thread's `errno`. */
    readonly errno: string;
    /** Gives the calling thread's last error itself, where that is in no `errno`. */
    readonly lastError?: string;
    readonly select: string;
    readonly socket: string;
  };
  /** Whether variadic arguments go on the stack even while registers are free (Apple's arm64). */
  readonly variadicOnStack: boolean;
  /** The descriptors that `select` can tell at the most, or `Infinity` where only memory limits. */
  readonly selectLimit: number;
  readonly structs: Structs;
  readonly constants:
    & { readonly [name in CommonConstant | PosixConstant]: number }
    & { readonly [name in OptionalConstant]?: number };
  readonly epoll?: Epoll;
  readonly kqueue?: Kqueue;
  readonly devpoll?: Devpoll;
  readonly errno: { readonly [name in KnownError]: number } & { readonly [name: string]: number };
}

/** The numbers of Windows, which lacks some of what all others have. */
export interface WindowsAbi extends Omit<Abi, "symbols" | "constants" | "errno"> {
  readonly symbols: Omit<Abi["symbols"], "errno">;
  readonly constants: Omit<Abi["constants"], PosixConstant>;
  readonly errno: { readonly [name: string]: number };
}
