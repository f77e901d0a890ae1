// The headers of a system, with the names that the tables use.

#define _GNU_SOURCE
#define _DARWIN_UNLIMITED_SELECT
#define __APPLE_USE_RFC_3542

#ifdef _WIN32
#define _WIN32_WINNT 0x0A00
#include <winsock2.h>
#include <ws2tcpip.h>
#include <mswsock.h>
#include <afunix.h>
#define SHUT_RD SD_RECEIVE
#define SHUT_WR SD_SEND
#define SHUT_RDWR SD_BOTH
#define WSADATA WSAData
#define WSAPROTOCOL_INFOA _WSAPROTOCOL_INFOA
#define OSVERSIONINFOW _OSVERSIONINFOW
#define msghdr _WSAMSG
#define msg_name name
#define msg_namelen namelen
#define msg_iov lpBuffers
#define msg_iovlen dwBufferCount
#define msg_control Control.buf
#define msg_controllen Control.len
#define msg_flags dwFlags
#define cmsghdr _WSACMSGHDR
#define iovec _WSABUF
#define iov_base buf
#define iov_len len
#define CMSG_LEN(length) WSA_CMSG_LEN(length)
#define CMSG_SPACE(length) WSA_CMSG_SPACE(length)
#define IPV6_RECVHOPLIMIT IPV6_HOPLIMIT
#define IPV6_RECVPKTINFO IPV6_PKTINFO
#else
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#endif

#include <stddef.h>
#include <time.h>

#ifdef __linux__
#include <linux/can.h>
#include <linux/can/raw.h>
#include <linux/errqueue.h>
#include <linux/if_ether.h>
#include <linux/if_tun.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
// Has more fields in struct tcp_info than <netinet/tcp.h>.
#include <linux/tcp.h>
#include <linux/udp.h>
#include <linux/vm_sockets.h>
#include <netpacket/packet.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
// Has struct termios2, beside a struct termios of its own.
#define termios kernel_termios
#include <asm/termbits.h>
#undef termios
#include <asm/ioctls.h>
#elif !defined(_WIN32)
#include <netinet/tcp.h>
#include <sys/uio.h>
#endif

#if __has_include(<sys/event.h>)
#include <sys/event.h>
#endif
