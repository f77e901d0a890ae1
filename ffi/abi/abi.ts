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

type EpollConstant = `EPOLL${
  | "IN"
  | "OUT"
  | "_CLOEXEC"
  | "_CTL_ADD"
  | "_CTL_DEL"
  | "_CTL_MOD"}`;

/** kqueue, which macOS and the BSDs have. */
export interface Kqueue {
  /** The name of the `kevent` call in libc. */
  readonly symbol: string;
  /** The size of that call's `nchanges` and `nevents`: of an `int` or of a `size_t`. */
  readonly countSize: 4 | 8;
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

type DevpollConstant = "DP_POLL" | "POLLREMOVE";

/** Linux's timers that are descriptors. */
export interface Timerfd {
  readonly itimerspec: Struct<"it_interval" | "it_value">;
  readonly constants: { readonly [name in TimerfdConstant]: number };
}

type TimerfdConstant = "CLOCK_MONOTONIC" | `TFD_${"CLOEXEC" | "NONBLOCK"}`;

/** Linux's counters that are descriptors. */
export interface Eventfd {
  readonly constants: { readonly [name in EventfdConstant]: number };
}

type EventfdConstant = `EFD_${"CLOEXEC" | "NONBLOCK" | "SEMAPHORE"}`;

/** Linux's watches on files. */
export interface Inotify {
  readonly inotify_event: Struct<"wd" | "mask" | "cookie" | "len">;
  readonly constants: { readonly [name in InotifyConstant]: number };
}

type InotifyConstant = `IN_${
  | "ACCESS"
  | "ALL_EVENTS"
  | "ATTRIB"
  | "CLOEXEC"
  | "CLOSE_NOWRITE"
  | "CLOSE_WRITE"
  | "CREATE"
  | "DELETE"
  | "DELETE_SELF"
  | "DONT_FOLLOW"
  | "EXCL_UNLINK"
  | "IGNORED"
  | "ISDIR"
  | "MASK_ADD"
  | "MODIFY"
  | "MOVED_FROM"
  | "MOVED_TO"
  | "MOVE_SELF"
  | "NONBLOCK"
  | "ONESHOT"
  | "ONLYDIR"
  | "OPEN"
  | "Q_OVERFLOW"
  | "UNMOUNT"}`;

/** The numbers of signals, where descriptors have to do with them. */
export interface Signals {
  readonly constants: { readonly [name in SignalConstant]: number };
}

type SignalConstant = `SIG${
  | "ABRT"
  | "ALRM"
  | "BUS"
  | "CHLD"
  | "CONT"
  | "FPE"
  | "HUP"
  | "ILL"
  | "INT"
  | "IO"
  | "KILL"
  | "PIPE"
  | "PROF"
  | "PWR"
  | "QUIT"
  | "SEGV"
  | "STKFLT"
  | "STOP"
  | "SYS"
  | "TERM"
  | "TRAP"
  | "TSTP"
  | "TTIN"
  | "TTOU"
  | "URG"
  | "USR1"
  | "USR2"
  | "VTALRM"
  | "WINCH"
  | "XCPU"
  | "XFSZ"}`;

/** Linux's signals that are read from a descriptor. */
export interface Signalfd {
  readonly signalfd_siginfo: Struct<
    `ssi_${"signo" | "code" | "pid" | "uid" | "status" | "int"}`
  >;
  readonly constants: {
    readonly [name in `SFD_${"CLOEXEC" | "NONBLOCK"}` | `SIG_${"BLOCK" | "UNBLOCK"}`]: number;
  };
}

/** Linux's processes that are descriptors. */
export interface Pidfd {
  readonly siginfo_t: Struct<"si_code" | "si_pid" | "si_status">;
  readonly constants: { readonly [name in PidfdConstant]: number };
}

type PidfdConstant =
  | `SYS_pidfd_${"open" | "send_signal"}`
  | "P_PIDFD"
  | "WEXITED"
  | "WNOHANG"
  | "WNOWAIT"
  | "CLD_EXITED"
  | `POSIX_SPAWN_${"SETSIGDEF" | "SETSIGMASK"}`;

type TermiosStruct = Struct<
  `c_${"iflag" | "oflag" | "cflag" | "lflag" | "cc" | "ispeed" | "ospeed"}`
>;

/** Terminals, on systems that keep a line's speed as a plain number. */
export interface Termios {
  /** For `tcgetattr` and `tcsetattr`. */
  readonly termios?: TermiosStruct;
  /** Linux's, for `ioctl`, as the other one has codes for speeds. */
  readonly termios2?: TermiosStruct;
  readonly winsize: Struct<`ws_${"row" | "col" | "xpixel" | "ypixel"}`>;
  readonly constants:
    & { readonly [name in TermiosConstant]: number }
    & { readonly [name in Termios2Constant]?: number };
}

type TermiosConstant =
  | `TIOC${"GWINSZ" | "SWINSZ" | "SBRK" | "CBRK"}`
  | "IGNBRK"
  | "BRKINT"
  | "PARMRK"
  | "INPCK"
  | "ISTRIP"
  | "INLCR"
  | "IGNCR"
  | "ICRNL"
  | "IXON"
  | "IXOFF"
  | "OPOST"
  | "CSIZE"
  | `CS${"5" | "6" | "7" | "8"}`
  | "CSTOPB"
  | "CREAD"
  | "PARENB"
  | "PARODD"
  | "CLOCAL"
  | "CRTSCTS"
  | "ISIG"
  | "ICANON"
  | "ECHO"
  | "ECHONL"
  | "IEXTEN"
  | "VMIN"
  | "VTIME"
  | "TCSANOW";

type Termios2Constant = "TCGETS2" | "TCSETS2" | "CBAUD" | "CIBAUD" | "BOTHER" | `B${Speed}`;

/** The speeds that have a code on Linux. */
type Speed =
  | 50
  | 75
  | 110
  | 134
  | 150
  | 200
  | 300
  | 600
  | 1200
  | 1800
  | 2400
  | 4800
  | 9600
  | 19200
  | 38400
  | 57600
  | 115200
  | 230400
  | 460800
  | 500000
  | 576000
  | 921600
  | 1000000
  | 1152000
  | 1500000
  | 2000000
  | 2500000
  | 3000000
  | 3500000
  | 4000000;

/** Messages with control data, on systems whose `sendmsg` takes these. */
export interface Messages {
  readonly msghdr: Struct<
    `msg_${"name" | "namelen" | "iov" | "iovlen" | "control" | "controllen" | "flags"}`
  >;
  readonly cmsghdr: Struct<`cmsg_${"len" | "level" | "type"}`>;
  readonly iovec: Struct<`iov_${"base" | "len"}`>;
  readonly constants:
    & { readonly [name in MessageConstant]: number }
    & { readonly [name in OptionalMessageConstant]?: number };
}

/** The last two tell how control data is aligned: its header, and what follows a byte of it. */
type MessageConstant = "CMSG_LEN(0)" | "CMSG_SPACE(1)";

type OptionalMessageConstant =
  | "SCM_RIGHTS"
  | "SO_RXQ_OVFL"
  | `IP_${"PKTINFO" | "RECVTTL"}`
  | `IPV6_${"RECVHOPLIMIT" | "HOPLIMIT" | "RECVPKTINFO" | "PKTINFO"}`;

/** Linux's credentials of whoever sent a message. */
export interface Credentials {
  readonly ucred: Struct<"pid" | "uid" | "gid">;
  readonly constants: { readonly SCM_CREDENTIALS: number };
}

/** Options that are structures. */
export interface Options {
  readonly linger: Struct<`l_${"onoff" | "linger"}`>;
  readonly ip_mreq: Struct<`imr_${"multiaddr" | "interface"}`>;
  /** With an interface's number in it, where `IP_ADD_MEMBERSHIP` takes it. */
  readonly ip_mreqn?: Struct<`imr_${"multiaddr" | "address" | "ifindex"}`>;
  readonly ipv6_mreq: Struct<`ipv6mr_${"multiaddr" | "interface"}`>;
  /** macOS's own names: what others call `SO_LINGER` and `TCP_KEEPIDLE`. */
  readonly constants: { readonly [name in "SO_LINGER_SEC" | "TCP_KEEPALIVE"]?: number };
}

/** Linux's packet sockets. */
export interface Packets {
  readonly sockaddr_ll: Struct<
    `sll_${"family" | "protocol" | "ifindex" | "hatype" | "pkttype" | "halen" | "addr"}`
  >;
  readonly constants: { readonly [name in PacketConstant]: number };
}

type PacketConstant =
  | `ETH_P_${"ALL" | "ARP" | "IP" | "IPV6"}`
  | "SOL_PACKET"
  | `PACKET_${"HOST" | "BROADCAST" | "MULTICAST" | "OTHERHOST" | "OUTGOING" | "STATISTICS"}`;

/** Winsock, which Windows has where the others have POSIX's calls. */
export interface Winsock {
  /** The libraries beside Winsock's own, each as {@linkcode Abi.libc}: a bare name, then a path. */
  readonly libraries: {
    readonly [name in "interfaces" | "memory" | "kernel" | "native"]: readonly [string, string];
  };
  readonly WSADATA: Struct<never>;
  readonly WSAPROTOCOL_INFOA: Struct<"iAddressFamily">;
  readonly OSVERSIONINFOW: Struct<"dwOSVersionInfoSize" | "dwBuildNumber">;
  readonly constants: { readonly [name in WinsockConstant]: number };
}

type WinsockConstant =
  | "FIONBIO"
  | "POLLRDNORM"
  | "SIO_UDP_CONNRESET"
  | "SIO_GET_EXTENSION_FUNCTION_POINTER"
  | "SO_EXCLUSIVEADDRUSE"
  | "SO_PROTOCOL_INFOA"
  | "HANDLE_FLAG_INHERIT"
  | `FORMAT_MESSAGE_${"FROM_SYSTEM" | "IGNORE_INSERTS" | "MAX_WIDTH_MASK"}`;

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
  | `F_${"GETFD" | "SETFD" | "GETFL" | "SETFL" | "DUPFD_CLOEXEC"}`
  | "FD_CLOEXEC"
  | `O_${"RDONLY" | "WRONLY" | "RDWR" | "CREAT" | "EXCL" | "TRUNC" | "APPEND"}`
  | `O_${"CLOEXEC" | "NOCTTY" | "NONBLOCK"}`
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
  | `EAI_${"ADDRFAMILY" | "NODATA" | "OVERFLOW" | "SYSTEM"}`;

/** Error names that the code itself tells apart; a table holds all that the system has. */
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
  | "EMFILE"
  | "ENFILE"
  | "ENOENT"
  | "ENOSYS"
  | "EPERM"
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
  /** Whether a Unix socket's path can be a name in no file system. */
  readonly abstractPaths?: boolean;
  /** The descriptors that `select` can tell at the most, or `Infinity` where only memory limits. */
  readonly selectLimit: number;
  readonly structs: Structs;
  readonly constants:
    & { readonly [name in CommonConstant | PosixConstant]: number }
    & { readonly [name in OptionalConstant]?: number };
  readonly epoll?: Epoll;
  readonly kqueue?: Kqueue;
  readonly devpoll?: Devpoll;
  readonly timerfd?: Timerfd;
  readonly eventfd?: Eventfd;
  readonly inotify?: Inotify;
  readonly signals?: Signals;
  readonly signalfd?: Signalfd;
  readonly pidfd?: Pidfd;
  readonly termios?: Termios;
  readonly messages?: Messages;
  readonly credentials?: Credentials;
  readonly options?: Options;
  readonly packets?: Packets;

  readonly winsock?: Winsock;
  readonly errno: { readonly [name in KnownError]: number } & { readonly [name: string]: number };
}

/** The numbers of Windows, which lacks some of what all others have. */
export interface WindowsAbi extends Omit<Abi, "symbols" | "constants" | "errno"> {
  readonly symbols: Omit<Abi["symbols"], "errno">;
  readonly constants: Omit<Abi["constants"], PosixConstant>;
  readonly errno: { readonly [name: string]: number };
}
