/**
 * Skips, by name and with the reason, the tests of what a system lacks or an emulator gets wrong.
 * `deno task test:windows` and `test:arm64` load it before the test files (`deno test --preload`).
 *
 * @module
 */

/** Why tests are skipped, and the names of those: of an example in the documentation, what it calls. */
type Skips = readonly (readonly [why: string, names: readonly string[]])[];

const WINDOWS: Skips = [
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
  ]],
  ["Wine keeps SO_ERROR when it was read, and sets none for a reset", [
    "Socket.getOption() with SO_ERROR clears the error, as error() does",
    "Socket.error() tells that the connection was refused, and forgets it",
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
  ["the resolver takes an empty name for this machine's", [
    "resolve() throws OSError when the name is none",
    "Socket throws OSError when the name cannot be resolved",
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
    "workers.ts ends at SIGINT with 0, busy, idle and with connections",
    "workers.ts ends at SIGTERM with 0, busy, idle and with connections",
    "chat.ts waits for a guest who does not take the goodbye, but not for long",
  ]],
  ["there is no SO_REUSEPORT, by which its workers share a port", [
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
  ["sendMessage() and receiveMessage() are not there: Winsock has no sendmsg as POSIX has it", [
    "sendMessage() and receiveMessage() throw TypeError when they are given no bytes",
    "sendMessage() and receiveMessage() throw RangeError when an option is no integer",
    "receiveMessage() throws RangeError when an option is out of range",
    "sendMessage() throws TypeError when a descriptor is none",
    "sendMessage() throws RangeError when a descriptor is closed or out of range",
    "sendMessage() throws OSError when somebody else has closed a descriptor",
    "sendMessage() throws TypeError when control data is no bytes",
    "sendMessage() throws RangeError when control data is of no level or type",
    "sendMessage() throws TypeError when the address is of another family",
    "sendMessage() throws OSError when the name does not resolve",
    "sendMessage() throws RangeError when the port is out of range",
    "sendMessage() throws OSError when the datagram is too long",
    "sendMessage() throws OSError when it is closed",
    "receiveMessage() throws OSError when it is closed",
    "sendMessage() and receiveMessage() tell whose a datagram is (IPv4)",
    "receiveMessage() says that a datagram is larger than the buffers (IPv4)",
    "sendMessage() and receiveMessage() tell whose a datagram is (IPv6)",
    "receiveMessage() says that a datagram is larger than the buffers (IPv6)",
    "sendMessage() gathers and receiveMessage() scatters many buffers of all sizes",
    "sendMessage() and receiveMessage() use just the part that a view shows",
    "receiveMessage() fills small buffers where they are after collections",
    "sendMessage() returns WOULD_BLOCK when there is no room, receiveMessage() 0 at the end",
    "sendMessage() passes descriptors on, in order, close-on-exec (stream)",
    "sendMessage() passes descriptors on, in order, close-on-exec (datagram)",
    "ReceivedMessage closes its descriptors at the end of a using block, but for detached ones",
    "sendMessage() refuses control data that a stream would lose, and sends it in a datagram",
    "sendMessage() takes a descriptor as other control data, too",
    "sendMessage() throws NotCapable that names the flag without permission",
    "sendMessage() raises no SIGPIPE when the connection is broken",
    "receiveMessage() tells of a stream whose it is as recvFrom() does",
  ]],
  ["Winsock does not tell whether a socket blocks", [
    "FileDescriptor.isBlocking() throws OSError when it is closed",
    "FileDescriptor.isBlocking() tells what setBlocking() set, for each end alone",
  ]],
  ["struct linger and multicast have another layout there, which the package does not know yet", [
    "setLinger() throws RangeError when the seconds are out of range",
    "options that are structures throw OSError when the socket is closed",
    "setLinger() of 0 resets the connection as the socket is closed",
    "setLinger() of null sends what is unsent",
  ]],
  ["there is no MSG_DONTWAIT", [
    "Socket.recv() does not wait with MSG_DONTWAIT though the socket blocks",
  ]],
];

const EMULATED_ARM64: Skips = [
  ["qemu ends the process at a select() of more than 1,024 bits", [
    "SelectSelector.select() takes descriptors above 1023",
    "SelectSelector.unregister() of the highest lets the sets shrink",
    "SelectSelector.select() takes 5000 descriptors",
    "bench --quick --only dispatch measures every peer and writes the results",
  ]],
  ["qemu's child of posix_spawn() cannot tell that it failed: it does not share memory", [
    "ProcessDescriptor.spawn() throws OSError when there is no such program",
    "ProcessDescriptor.spawn() throws OSError when it is no program",
    "ProcessDescriptor.spawn() leaves nothing behind when there is no such program",
    "watch.ts exits with 1 when there is no such command",
  ]],
  ["qemu says nothing of control data that there is no room for, and writes over the end of it", [
    "receiveMessage() closes descriptors that were not asked for, and says so",
    "receiveMessage() says that there was no room for credentials",
  ]],
  ["qemu passes no control data on with no bytes", [
    "sendMessage() sends control data with a datagram of no bytes",
  ]],
  ["qemu has no IPV6_MULTICAST_IF", [
    "joinGroup() has a socket receive what is sent to a group (IPv6, lo)",
    "joinGroup() has a socket receive what is sent to a group (IPv6, 1)",
    "setMulticastHops(), setMulticastLoop() and setMulticastInterface() set the options of IPv6",
    "multicast.ts receives IPv6 by an interface's name and index",
  ]],
  ["qemu has no SO_RXQ_OVFL", [
    "receiveMessage() tells how many datagrams the system dropped before",
    "udp_echo.ts counts the datagrams that the system dropped, and answers the others",
  ]],
  ["qemu has no PACKET_STATISTICS", [
    "sniff.ts prints the packets of a port, once each, of IPv4, IPv6, UDP and TCP",
    "sniff.ts counts malformed packets, and goes on",
    "sniff.ts exits when it has printed as many packets as it is told",
  ]],
  ["qemu has no TIOCSBRK", [
    "Terminal.sendBreak() is over when it says, and when the terminal is closed meanwhile",
    "serial.ts sends a break, and goes on",
    "example of .sendBreak(",
  ]],
];

const EXAMPLE = "example of ";

const skips = [
  ...(Deno.build.os === "windows" ? WINDOWS : []),
  ...(Deno.env.get("READINESS_EMULATED") === "arm64" ? EMULATED_ARM64 : []),
];

if (skips.length > 0) {
  const declare = Deno.test as unknown as (...args: unknown[]) => void;
  const skip = (name: string, fn: unknown): boolean => {
    // The own name of an example is no more than its lines.
    const isMeant = (wanted: string) =>
      wanted === name ||
      name.startsWith("file:") && wanted.startsWith(EXAMPLE) &&
        `${fn}`.includes(wanted.slice(EXAMPLE.length));
    const why = skips.find(([, names]) => names.some(isMeant))?.[0];
    if (why !== undefined) console.log(`Skipped here: ${name}: ${why}`);
    return why !== undefined;
  };
  (Deno as { test: unknown }).test = Object.assign((...args: unknown[]) => {
    const [first] = args;
    if (typeof first === "string") {
      const options = args.length > 2 ? args[1] as Deno.TestDefinition : undefined;
      const ignore = options?.ignore || skip(first, args.at(-1));
      declare({ ...options, name: first, ignore, fn: args.at(-1) });
    } else {
      const { name, ignore, fn } = first as Deno.TestDefinition;
      declare({ ...first as Deno.TestDefinition, ignore: ignore || skip(name, fn) });
    }
  }, declare);
}
