import type { GrowingStruct, Struct } from "./struct.ts";

/** Numbers by their names. */
type Numbers<Name extends string, Optional extends string = never> =
  & { readonly [name in Name]: number }
  & { readonly [name in Optional]?: number };

// Readiness

/** epoll, of Linux and Android. */
export interface Epoll {
  readonly epoll_event: Struct<"events" | "data">;
  readonly constants: Numbers<
    | `EPOLL${"IN" | "PRI" | "OUT" | "ERR" | "HUP" | "RDHUP" | "ET" | "ONESHOT" | "EXCLUSIVE"}`
    | `EPOLL_${"CLOEXEC" | "CTL_ADD" | "CTL_DEL" | "CTL_MOD"}`
  >;
}

/** kqueue, of macOS and the BSDs. */
export interface Kqueue {
  /** The symbol of `kevent` in libc. */
  readonly symbol: string;
  /** The size of its `nchanges` and `nevents` in bytes: of an `int` or of a `size_t`. */
  readonly countSize: 4 | 8;
  readonly kevent: Struct<"ident" | "filter" | "flags" | "fflags" | "data" | "udata", "ext">;
  readonly constants: Numbers<
    | `EV_${"ADD" | "DELETE" | "ENABLE" | "DISABLE" | "ONESHOT" | "CLEAR" | "RECEIPT" | "DISPATCH"}`
    | `EV_${"ERROR" | "EOF"}`
    | `EVFILT_${"READ" | "WRITE"}`,
    "EVFILT_EXCEPT" | "NOTE_OOB"
  >;
}

/** /dev/poll, of Solaris and illumos. */
export interface Devpoll {
  readonly dvpoll: Struct<"dp_fds" | "dp_nfds" | "dp_timeout">;
  readonly constants: Numbers<"DP_POLL" | "POLLREMOVE">;
}

// Descriptors

/** Linux's counters. */
export interface Eventfd {
  readonly constants: Numbers<`EFD_${"CLOEXEC" | "NONBLOCK" | "SEMAPHORE"}`>;
}

/** Linux's timers. */
export interface Timerfd {
  readonly itimerspec: Struct<"it_interval" | "it_value">;
  readonly constants: Numbers<"CLOCK_MONOTONIC" | `TFD_${"CLOEXEC" | "NONBLOCK"}`>;
}

/** Linux's watches of files. */
export interface Inotify {
  readonly inotify_event: Struct<"wd" | "mask" | "cookie" | "len">;
  readonly constants: Numbers<InotifyConstant>;
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

/** The signals that Linux has. */
export interface Signals {
  readonly constants: Numbers<SignalConstant>;
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

/** Linux's queues of signals. */
export interface Signalfd {
  readonly signalfd_siginfo: Struct<
    `ssi_${"signo" | "code" | "pid" | "uid" | "status" | "int"}`
  >;
  readonly constants: Numbers<
    `SFD_${"CLOEXEC" | "NONBLOCK"}` | `SIG_${"BLOCK" | "UNBLOCK"}`
  >;
}

/** Linux's processes. */
export interface Pidfd {
  readonly siginfo_t: Struct<"si_code" | "si_pid" | "si_status">;
  readonly constants: Numbers<
    | `SYS_pidfd_${"open" | "send_signal"}`
    | "P_PIDFD"
    | "WEXITED"
    | "WNOHANG"
    | "WNOWAIT"
    | "CLD_EXITED"
    | "X_OK"
    | `POSIX_SPAWN_${"SETSID" | "SETSIGDEF" | "SETSIGMASK"}`
  >;
}

/** Terminals, on systems that keep a line's speed as a plain number. */
export interface Termios {
  /** For `tcgetattr` and `tcsetattr`. */
  readonly termios?: TermiosStruct;
  /** Linux's, for `ioctl`: its `termios` has codes for speeds. */
  readonly termios2?: TermiosStruct;
  readonly winsize: Struct<`ws_${"row" | "col" | "xpixel" | "ypixel"}`>;
  readonly constants: Numbers<TermiosConstant, Termios2Constant>;
}

type TermiosStruct = Struct<
  `c_${"iflag" | "oflag" | "cflag" | "lflag" | "cc" | "ispeed" | "ospeed"}`
>;

type TermiosConstant =
  | `TIOC${"GWINSZ" | "SWINSZ" | "SBRK" | "CBRK" | "SCTTY"}`
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

/** Linux's TUN and TAP devices. */
export interface Tun {
  readonly ifreq: Struct<`ifr_${"name" | "flags"}`>;
  readonly constants: Numbers<
    `TUN${"SETIFF" | "GETIFF" | "SETPERSIST"}` | `IFF_${"TUN" | "TAP" | "NO_PI"}`
  >;
}

// Sockets

/** Socket options that are structures. */
export interface Options {
  readonly linger: Struct<`l_${"onoff" | "linger"}`>;
  readonly ip_mreq: Struct<`imr_${"multiaddr" | "interface"}`>;
  /** With the index of an interface, if `IP_ADD_MEMBERSHIP` takes it. */
  readonly ip_mreqn?: Struct<`imr_${"multiaddr" | "address" | "ifindex"}`>;
  readonly ipv6_mreq: Struct<`ipv6mr_${"multiaddr" | "interface"}`>;
  /** macOS's names for what other systems call `SO_LINGER` and `TCP_KEEPIDLE`. */
  readonly constants: Numbers<never, "SO_LINGER_SEC" | "TCP_KEEPALIVE">;
}

/** What `TCP_INFO` reports. */
export interface TcpInfo {
  /** Whose numbers of states and units the values have. */
  readonly dialect: "linux" | "bsd";
  readonly tcp_info: GrowingStruct<
    | `tcpi_${"state" | "options" | "rto" | "snd_mss" | "rcv_mss" | "last_data_recv" | "rtt"}`
    | `tcpi_${"rttvar" | "snd_ssthresh" | "snd_cwnd" | "rcv_space"}`,
    | `tcpi_${"ca_state" | "retransmits" | "probes" | "backoff" | "ato" | "unacked" | "sacked"}`
    | `tcpi_${"lost" | "retrans" | "last_data_sent" | "last_ack_sent" | "last_ack_recv" | "pmtu"}`
    | `tcpi_${"rcv_ssthresh" | "advmss" | "reordering" | "rcv_rtt" | "total_retrans"}`
    | `tcpi_${"pacing_rate" | "max_pacing_rate" | "bytes_acked" | "bytes_received"}`
    | `tcpi_${"segs_out" | "segs_in" | "notsent_bytes" | "min_rtt" | "data_segs_in"}`
    | `tcpi_${"data_segs_out" | "delivery_rate" | "busy_time" | "rwnd_limited"}`
    | `tcpi_${"sndbuf_limited" | "delivered" | "delivered_ce" | "bytes_sent" | "bytes_retrans"}`
    | `tcpi_${"dsack_dups" | "reord_seen" | "rcv_ooopack" | "snd_wnd" | "snd_rexmitpack"}`
    | `tcpi_${"snd_zerowin"}`
  >;
}

/** What macOS's own `TCP_CONNECTION_INFO` reports. */
export interface TcpConnectionInfo {
  readonly tcp_connection_info: GrowingStruct<
    | `tcpi_${"state" | "options" | "flags" | "rto" | "maxseg" | "snd_ssthresh" | "snd_cwnd"}`
    | `tcpi_${"snd_wnd" | "snd_sbbytes" | "rcv_wnd" | "rttcur" | "srtt" | "rttvar"}`
    | `tcpi_${"txpackets" | "txbytes" | "txretransmitbytes" | "txretransmitpackets"}`
    | `tcpi_${"rxpackets" | "rxbytes" | "rxoutoforderbytes"}`
  >;
  readonly constants: Numbers<"TCP_CONNECTION_INFO">;
}

/** Messages with control data. */
export interface Messages {
  readonly msghdr: Struct<
    `msg_${"name" | "namelen" | "iov" | "iovlen" | "control" | "controllen" | "flags"}`
  >;
  /** For several messages in one call. */
  readonly mmsghdr?: Struct<`msg_${"hdr" | "len"}`>;
  readonly cmsghdr: Struct<`cmsg_${"len" | "level" | "type"}`>;
  readonly iovec: Struct<`iov_${"base" | "len"}`>;
  readonly in_pktinfo?: Struct<`ipi_${"ifindex" | "addr"}`, "ipi_spec_dst">;
  readonly in6_pktinfo?: Struct<`ipi6_${"addr" | "ifindex"}`>;
  readonly constants: Numbers<
    // How control data is aligned: its header, and what follows a byte of it.
    "CMSG_LEN(0)" | "CMSG_SPACE(1)",
    | `SCM_${"RIGHTS" | "TIMESTAMP" | "TIMESTAMPING" | "TIMESTAMPNS"}`
    | "SO_RXQ_OVFL"
    | `IP_${"PKTINFO" | "RECVDSTADDR" | "RECVTTL"}`
    | `IPV6_${"RECVHOPLIMIT" | "HOPLIMIT" | "RECVPKTINFO" | "PKTINFO"}`
  >;
}

/** The credentials of the process that sent a message, on Linux. */
export interface Credentials {
  readonly ucred: Struct<"pid" | "uid" | "gid">;
  readonly constants: Numbers<"SCM_CREDENTIALS">;
}

/** The errors of sent packets, such as those that ICMP reports, on Linux. */
export interface ErrorQueue {
  readonly sock_extended_err: Struct<
    `ee_${"errno" | "origin" | "type" | "code" | "info" | "data"}`
  >;
  readonly constants: Numbers<
    `SO_EE_ORIGIN_${"NONE" | "LOCAL" | "ICMP" | "ICMP6" | "TIMESTAMPING" | "ZEROCOPY"}`
  >;
}

/** Multicast groups of either family, of any or of chosen senders. */
export interface SourceGroups {
  readonly group_req: Struct<`gr_${"interface" | "group"}`>;
  readonly group_source_req: Struct<`gsr_${"interface" | "group" | "source"}`>;
  readonly constants: Numbers<
    `MCAST_${"JOIN" | "LEAVE"}_${"GROUP" | "SOURCE_GROUP"}` | `MCAST_${"BLOCK" | "UNBLOCK"}_SOURCE`
  >;
}

/** Network interfaces, on systems with POSIX's calls. */
export interface Interfaces {
  readonly if_nameindex: Struct<`if_${"index" | "name"}`>;
  readonly constants: Numbers<
    `IFF_${"UP" | "BROADCAST" | "LOOPBACK" | "POINTOPOINT" | "RUNNING" | "MULTICAST"}`
  >;
}

/** Linux's messages from and to the kernel's network configuration. */
export interface Netlink {
  readonly sockaddr_nl: Struct<`nl_${"family" | "pid" | "groups"}`>;
  readonly nlmsghdr: Struct<`nlmsg_${"len" | "type" | "flags" | "seq" | "pid"}`>;
  readonly ifinfomsg: Struct<`ifi_${"family" | "type" | "index" | "flags" | "change"}`>;
  readonly ifaddrmsg: Struct<`ifa_${"family" | "prefixlen" | "flags" | "scope" | "index"}`>;
  readonly rtmsg: Struct<
    `rtm_${
      | "family"
      | "dst_len"
      | "src_len"
      | "tos"
      | "table"
      | "protocol"
      | "scope"
      | "type"
      | "flags"}`
  >;
  readonly rtattr: Struct<`rta_${"len" | "type"}`>;
  readonly constants: Numbers<
    | "SOL_NETLINK"
    | `NETLINK_${"ROUTE" | "ADD_MEMBERSHIP" | "DROP_MEMBERSHIP"}`
    | `NLMSG_${"ERROR" | "DONE"}`
    | `NLM_F_${"REQUEST" | "MULTI" | "ACK" | "DUMP" | "REPLACE" | "EXCL" | "CREATE" | "APPEND"}`
    | `RTM_${"NEW" | "DEL" | "GET"}${"LINK" | "ADDR" | "ROUTE"}`
    | "RTMGRP_LINK"
    | `RTMGRP_${"IPV4" | "IPV6"}_${"IFADDR" | "ROUTE"}`
    | `IFLA_${"ADDRESS" | "IFNAME" | "MTU" | "OPERSTATE"}`
    | `IFA_${"ADDRESS" | "LOCAL" | "LABEL"}`
    | `RTA_${"DST" | "OIF" | "GATEWAY" | "PRIORITY" | "PREFSRC" | "MULTIPATH" | "TABLE"}`
  >;
}

/** Linux's packet sockets. */
export interface Packets {
  readonly sockaddr_ll: Struct<
    `sll_${"family" | "protocol" | "ifindex" | "hatype" | "pkttype" | "halen" | "addr"}`
  >;
  readonly constants: Numbers<
    | `ETH_P_${"ALL" | "ARP" | "IP" | "IPV6"}`
    | "SOL_PACKET"
    | `PACKET_${"HOST" | "BROADCAST" | "MULTICAST" | "OTHERHOST" | "OUTGOING" | "STATISTICS"}`
  >;
}

/** Linux's sockets between a virtual machine and its host. */
export interface Vsock {
  readonly sockaddr_vm: Struct<`svm_${"family" | "port" | "cid"}`>;
  readonly constants: Numbers<
    `VMADDR_${"CID_ANY" | "CID_HYPERVISOR" | "CID_LOCAL" | "CID_HOST" | "PORT_ANY"}`
  >;
}

/** Linux's sockets on a CAN bus. */
export interface CanBus {
  readonly sockaddr_can: Struct<`can_${"family" | "ifindex"}`>;
  readonly can_frame: Struct<`can_${"id" | "dlc"}` | "data">;
  readonly constants: Numbers<
    | `CAN_${"RAW" | "EFF_FLAG" | "RTR_FLAG" | "ERR_FLAG"}`
    | "SOL_CAN_RAW"
    | `CAN_RAW_${"FILTER" | "LOOPBACK" | "RECV_OWN_MSGS"}`
  >;
}

/** What Windows has in place of POSIX's calls. */
export interface Winsock {
  /** The libraries other than Winsock's own, each as in `libc`. */
  readonly libraries: {
    readonly [name in "interfaces" | "memory" | "kernel" | "native"]: readonly string[];
  };
  readonly WSADATA: Struct<never>;
  readonly WSAPROTOCOL_INFOA: Struct<"iAddressFamily">;
  readonly OSVERSIONINFOW: Struct<"dwOSVersionInfoSize" | "dwBuildNumber">;
  readonly constants: Numbers<
    | "FIONBIO"
    | "POLLRDNORM"
    | "SIO_UDP_CONNRESET"
    | "SIO_GET_EXTENSION_FUNCTION_POINTER"
    | "SO_EXCLUSIVEADDRUSE"
    | "SO_PROTOCOL_INFOA"
    | "HANDLE_FLAG_INHERIT"
    | `FORMAT_MESSAGE_${"FROM_SYSTEM" | "IGNORE_INSERTS" | "MAX_WIDTH_MASK"}`
  >;
}
