import type { Skips } from "./skip_by_name.ts";

/** What Windows lacks, or Wine gets wrong, which says so then. */
export const onWindows: Skips = [
  ["a handle cannot be made to stand for another socket: there is no dup2", [
    "SelectSelector.select() reports nothing of a reused descriptor's old key",
    "SelectSelector.select() reports nothing of an open file that lives on in a duplicate",
    "SelectSelector.select() goes on after a duplicate came back under its number",
    "SelectSelector.unregister() keeps an event from its number's next owner",
    "FileDescriptor.close() closes the descriptor",
    "FileDescriptor.close() leaves a descriptor that was reused alone",
  ]],
  ["the sets list handles, and no bits: handle_sets_test.ts is about them", [
    "SelectSelector.select() takes descriptors above 1023",
  ]],
  ["only sockets are descriptors: handle_sets_test.ts tests that others are refused", [
    "SelectSelector.select() takes a regular file as always ready",
    "wake() throws OSError for a file that cannot be written",
    "FileDescriptor.read() throws OSError when the descriptor is a folder",
  ]],
  ["a pipe is a pair of sockets, each of which reads and writes", [
    "FileDescriptor.read() throws OSError when the descriptor is for writing",
    "FileDescriptor.write() throws OSError when the descriptor is for reading",
    "FileDescriptor.write() throws OSError when nobody reads any more",
    "FileDescriptor.write() throws EPIPE in a program that does nothing against SIGPIPE",
  ]],
  ["it uses Unix sockets: Wine has none, and Windows none for datagrams", [
    "Socket throws TypeError when the address is of another family",
    "Socket throws RangeError when the path is empty",
    "Socket throws RangeError when the path holds a NUL",
    "Socket.recvFrom() tells an empty path of a sender without a name",
    "Socket.sendTo() and send() return WOULD_BLOCK when there is no room",
    "Socket.recvFrom() receives from a pair",
    "Socket.bind() throws OSError when the address is in use",
    "Socket.bind() throws OSError when the folder is not there",
    "Socket.connect() throws OSError when the path is not there",
    "Socket.connect() returns true when it is connected at once",
    "Socket.remoteAddress throws OSError when the socket is not connected",
    "Socket() makes a socket of the type, non-blocking and close-on-exec (Unix stream)",
    "Socket() makes a socket of the type, non-blocking and close-on-exec (Unix datagram)",
    "socketpair() keeps messages apart (Unix datagram)",
    "the socket module needs no permission but --allow-ffi",
    "the socket module needs no permission but --allow-ffi=<libc>",
    "the socket module leaves no descriptor behind",
    "sendMessage() throws TypeError when the address is of another family",
    "multicast throws TypeError when the socket is of another family",
  ]],
  ["a pair is connected over loopback, so its ends have addresses", [
    "Socket.recvFrom() tells of a stream whose it is",
    "socketpair() makes two Unix stream sockets that are connected",
  ]],
  ['recv() after shutdown("read") fails with ESHUTDOWN', [
    'Socket.shutdown("read") lets recv() return 0 (IPv4)',
    'Socket.shutdown("read") lets recv() return 0 (IPv6)',
    'Socket.shutdown("both") ends both directions (IPv4)',
    'Socket.shutdown("both") ends both directions (IPv6)',
  ]],
  ["a socket takes all of what one send() gives it, whatever its size", [
    "FileDescriptor.write() writes as many bytes as there is room for",
    "Socket.send() sends as many bytes as there is room for",
  ]],
  ["select() tells of a broken connection as readable, and as writable just while there is room", [
    "SelectSelector.select() reports the broken pipe of a writer",
  ]],
  ["recv() of no bytes waits for some: it returns WOULD_BLOCK", [
    "FileDescriptor.read() and write() of no bytes return 0",
  ]],
  ["the package has Winsock not tell of it: it would fail the next datagram that is received", [
    "Socket.recv() and recvFrom() throw ECONNREFUSED when nobody took the datagram",
    "Socket takes IPv4 in on an IPv6 address unless IPV6_V6ONLY is set",
  ]],
  ["Wine keeps SO_ERROR when it was read, and sets none for a reset", [
    "Socket.getOption() with SO_ERROR clears the error, as error() does",
  ]],
  ["a connection that was reset says so once and again, and keeps its peer", [
    "Socket.accept() does not throw when a connection was reset before",
    "Socket.recv() throws ECONNRESET when the peer reset the connection",
    "Socket.recvFrom() loses nothing of a connection that is over (IPv4)",
    "Socket.recvFrom() loses nothing of a connection that is over (IPv6)",
  ]],
  ["Wine's recv() with MSG_OOB does not fail while there is no urgent byte", [
    "Socket.send() sends with MSG_OOB beside the stream",
  ]],
  ["recv() with MSG_WAITALL fails when the time is up, and says nothing of what came", [
    "Socket.recv() waits with MSG_WAITALL for the whole buffer",
  ]],
  ["only sockets are descriptors, so there is no other to adopt", [
    "Socket.fromFd() leaves a descriptor that it refuses open",
  ]],
  ["Wine passes the number on that Linux's resolver gives", [
    "resolve() throws OSError when the number is of another family",
  ]],
  ["ws2_32 of mingw has no such option, so the table has none", [
    "Socket.getOption() tells what setOption() set (TCP_KEEPIDLE)",
  ]],
  ["a signal ends a program there without its listeners", [
    "chat.ts says goodbye to everyone at SIGINT and exits with 0",
    "chat.ts says goodbye to everyone at SIGTERM and exits with 0",
    "chat.ts exits with 0 at SIGINT when nobody is there",
    "echo.ts ends at SIGINT, also while it has connections",
    "echo.ts ends at SIGTERM, also while it has connections",
    "udp_echo.ts drops and counts what is larger than it takes",
    "http.ts ends at SIGINT, also while it has connections",
    "http.ts ends at SIGTERM, also while it has connections",
    "proxy.ts ends at SIGINT, also while it has connections",
    "proxy.ts ends at SIGTERM, also while it has connections",
    "workers.ts ends at SIGINT with 0, busy, idle and with connections",
    "workers.ts ends at SIGTERM with 0, busy, idle and with connections",
    "chat.ts waits for a guest who does not take the goodbye, but not for long",
  ]],
  ["only sockets are descriptors: standard input is none", [
    "nc.ts: nc.ts talks to nc.ts -l over TCP, in turns and to the end",
    "nc.ts: nc.ts and nc.ts -l pass 5 MB on over TCP, sent by the client",
    "nc.ts: nc.ts and nc.ts -l pass 5 MB on over TCP, sent by the server",
    "nc.ts: nc.ts talks to nc.ts -l over Unix, in turns and to the end",
    "nc.ts: nc.ts and nc.ts -l pass 5 MB on over Unix, sent by the client",
    "nc.ts: nc.ts and nc.ts -l pass 5 MB on over Unix, sent by the server",
    "nc.ts talks over IPv6",
    "nc.ts half-closes at the end of its input, and prints what comes after that",
    "nc.ts -k keeps the connection open after its input, and -w ends it",
    "nc.ts ends with its input when that is on a pipe, not when the peer half-closes",
    "nc.ts prints what a peer sent that takes no more, then exits with 1 and says why",
    "nc.ts exits with 1 when the peer resets the connection",
    "nc.ts exits with 1 and says so when it cannot connect",
    "nc.ts -u exits with 1 when nobody is there",
    "nc.ts ends at SIGINT with 130, waiting and connected",
    "nc.ts ends at SIGTERM with 130, waiting and connected",
    "nc.ts -lU removes its file when it may",
  ]],
  ["there is no SO_REUSEPORT, by which its workers share a port", [
    "workers.ts exits with 1 and names the flag when it has no permission",
    "workers.ts exits with 1 and says so when the address is not this machine's",
    "workers.ts exits with 1 and says so when the port is in use",
    "workers.ts answers fetch()",
    "workers.ts answers a pipeline in full, also one that comes in pieces",
    "workers.ts keeps and ends connections as HTTP/1.1 and HTTP/1.0 have it",
    "workers.ts answers nonsense with an error, and nothing after it",
    "workers.ts starts as many workers as there are cores unless told",
    "workers.ts exits with 1 when others share the port already",
    "workers.ts exits with 1 and names the flag when it may not read its modules",
  ]],
  ["a command line holds no more than 32,767 characters", [
    "echo_client.ts gets a megabyte back",
  ]],
  ["it looks into /proc", [
    "chat.ts drops a reader who does not take messages, with a log, and no other",
  ]],
  ["messages bring no descriptors: there is no SCM_RIGHTS", [
    "sendMessage() throws OSError when somebody else has closed a descriptor",
    "sendMessage() returns WOULD_BLOCK when there is no room, receiveMessage() 0 at the end",
    "sendMessage() passes descriptors on, in order, close-on-exec (stream)",
    "sendMessage() passes descriptors on, in order, close-on-exec (datagram)",
    "ReceivedMessage closes its descriptors at the end of a using block, but for detached ones",
    "sendMessage() refuses control data that a stream would lose, and sends it in a datagram",
    "sendMessage() takes a descriptor as other control data, too",
  ]],
  ["there are no signals, and the first send() to a peer that has closed succeeds", [
    "sendMessage() raises no SIGPIPE when the connection is broken",
  ]],
  ["there is no socket activation", [
    "sendMessage() throws NotCapable that names the flag without permission",
    "activation.ts exits with 1 when it was started without a socket",
  ]],
  ["a group of IPv4 is joined by the interface's address: there is no struct ip_mreqn", [
    "joinGroup() on one interface by its name is left by its index",
  ]],
  ["Wine says EINVAL", [
    "leaveGroup() throws OSError when the socket has not joined",
  ]],
  ["descriptors do not pass over Unix sockets", [
    "fdpass.ts exits with 1 when it has nobody to meet, or its path is too long or in use",
  ]],
  ["Winsock does not tell whether a socket blocks", [
    "FileDescriptor.isBlocking() throws OSError when it is closed",
    "FileDescriptor.isBlocking() tells what setBlocking() set, for each end alone",
  ]],
  ["there is no MSG_DONTWAIT", [
    "Socket.recv() does not wait with MSG_DONTWAIT though the socket blocks",
  ]],
  ["one option has receiving switched on and names what is received", [
    "constants that name one thing differ within their kind",
  ]],
  ["it is about what Windows lacks", [
    "the examples in backends/epoll.ts",
    "the examples in ffi/socket/activation.ts",
    "the examples in ffi/socket/eventfd.ts",
    "the examples in ffi/socket/inotify.ts",
    "the examples in ffi/socket/message.ts",
    "the examples in ffi/socket/pidfd.ts",
    "the examples in ffi/socket/signalfd.ts",
    "the examples in ffi/socket/terminal.ts",
    "the examples in ffi/socket/timerfd.ts",
  ]],
  ["there is no poll", [
    "the examples in backends/poll.ts",
  ]],
];
