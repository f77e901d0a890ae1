/**
 * Every wrong argument, and every call at the wrong time: what is thrown, as tests, and, for
 * `mod_test.ts`, what of it leaves a descriptor behind.
 *
 * @module
 */

import { assert, assertEquals, assertInstanceOf, assertMatch, assertThrows } from "@std/assert";
import {
  AF_INET,
  AF_INET6,
  AF_NETLINK,
  AF_UNIX,
  FileDescriptor,
  MSG_PEEK,
  OSError,
  SO_KEEPALIVE,
  SO_TYPE,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_STREAM,
  Socket,
  type SocketAddress,
  socketpair,
  SOL_SOCKET,
} from "../../../ffi/socket/mod.ts";
import { Descriptor, Pair, Pipe } from "../../support/descriptors.ts";
import { ACCEPT, BROKEN, CLOSED, isWinsock, names } from "../../support/platform.ts";
import {
  abstractPath,
  Connection,
  filePath,
  listener,
  needsIpv6,
  needsUnix,
} from "../../support/sockets.ts";
import { linuxOnly, type Skip, skipIf } from "../../support/skip.ts";
import { isWindows } from "../../support/os.ts";

const needsOneWayPipe = skipIf(isWindows, "a Windows pipe is two sockets, which read and write");

/** Calls that are all refused alike. */
export interface Refusal extends Skip {
  /** The symbol and the criterion. */
  readonly name: string;
  /** The class of the error, or the code (`ONE|OTHER`) and the system call of an `OSError`. */
  readonly error: typeof TypeError | typeof Deno.errors.NotSupported | readonly [string, string];
  /** What the message is like. */
  readonly message: RegExp;
  readonly calls: readonly (() => unknown)[];
}

/** Declares a test of each refusal. */
export function testRefusals(refusals: readonly Refusal[]): void {
  for (const { name, error: expected, message, calls, ...skip } of refusals) {
    Deno.test({
      name,
      ...skip,
      fn() {
        for (const call of calls) {
          const error = assertThrows(call, Error, undefined, String(call));
          if (typeof expected === "function") {
            assertInstanceOf(error, expected);
          } else {
            assertInstanceOf(error, OSError);
            const [codes, syscall] = expected;
            assert(codes.split("|").includes(error.code), error.message);
            assertEquals(error.syscall, syscall, error.message);
          }
          assertMatch(error.message, message);
        }
      },
    });
  }
}

const BYTES = new Uint8Array(4);
const HERE: SocketAddress = { hostname: "127.0.0.1", port: 0 };

const NO_DESCRIPTORS = [-1, 1.5, NaN, Infinity, 2 ** 31] as const;
const NO_NUMBERS = [undefined, null, "3", 3n, true, {}, Symbol("fd")] as const;
const NO_INTEGERS = [
  NaN,
  1.5,
  Infinity,
  2 ** 31,
  -(2 ** 31) - 1,
  2 ** 40,
  "1",
  1n,
  null,
  true,
  {},
] as const;
const NO_BYTES = [
  undefined,
  null,
  "text",
  4,
  [1, 2],
  {},
  new ArrayBuffer(4),
  new DataView(new ArrayBuffer(4)),
  new Uint16Array(2),
] as const;

/** Calls a function with each of some wrong values. */
function each(values: readonly unknown[], call: (value: never) => unknown): (() => unknown)[] {
  return values.map((value) => () => call(value as never));
}

/** Calls a function with the left of two connected sockets. */
function connected(call: (socket: Socket) => unknown): () => unknown {
  return () => {
    using pair = new Pair();
    return call(pair.left);
  };
}

/** Calls a function with a socket of its own. */
function fresh(
  call: (socket: Socket) => unknown,
  family = AF_INET,
  type = SOCK_STREAM,
): () => unknown {
  return () => {
    using socket = new Socket(family, type);
    return call(socket);
  };
}

/** Calls a function with a socket that is closed. */
function closed(call: (socket: Socket) => unknown): () => unknown {
  return () => {
    const socket = new Socket(AF_INET, SOCK_STREAM);
    socket.close();
    return call(socket);
  };
}

/** Calls a function with a socket whose descriptor somebody else has closed. */
function closedByAnother(call: (socket: Socket) => unknown): () => unknown {
  return () => {
    using pair = new Pair();
    using copy = Descriptor.dupHigh(pair.left.fileno());
    const socket = Socket.fromFd(copy.fd);
    copy.close();
    return call(socket);
  };
}

export const fileDescriptorRefusals: readonly Refusal[] = [
  {
    name: "FileDescriptor() throws TypeError when it is given no number",
    error: TypeError,
    message: /^Cannot adopt a descriptor: it must be a number, received /,
    calls: each(NO_NUMBERS, (value) => new FileDescriptor(value)),
  },
  {
    name: "FileDescriptor() throws RangeError when it is given no descriptor",
    error: RangeError,
    message: /^Cannot adopt a descriptor: it must be an integer from 0 to 2147483647, received /,
    calls: each(NO_DESCRIPTORS, (value) => new FileDescriptor(value)),
  },
  {
    name: "FileDescriptor.read() and write() throw TypeError when they are given no bytes",
    error: TypeError,
    message: /^Cannot use a buffer: it must be a Uint8Array, received /,
    calls: NO_BYTES.flatMap((value) => [
      () => {
        using ends = new Pipe();
        return ends.reader.read(value as never);
      },
      () => {
        using ends = new Pipe();
        return ends.writer.write(value as never);
      },
    ]),
  },
  {
    name: "FileDescriptor.read() throws OSError when the descriptor is for writing",
    ...needsOneWayPipe,
    error: ["EBADF", names.read],
    message: /^Cannot read from fd \d+: .+ \(EBADF\)$/,
    calls: [() => {
      using ends = new Pipe();
      return ends.writer.read(BYTES);
    }],
  },
  {
    name: "FileDescriptor.write() throws OSError when the descriptor is for reading",
    ...needsOneWayPipe,
    error: ["EBADF", names.write],
    message: /^Cannot write to fd \d+: .+ \(EBADF\)$/,
    calls: [() => {
      using ends = new Pipe();
      return ends.reader.write(BYTES);
    }],
  },
  {
    name: "FileDescriptor.read() throws OSError when the descriptor is a folder",
    ...skipIf(isWindows, "only sockets are descriptors on Windows"),
    error: ["EISDIR", "read"],
    message: /^Cannot read from fd \d+: /,
    calls: [() => {
      using folder = Descriptor.open("/");
      return new FileDescriptor(folder.fd).read(BYTES);
    }],
  },
  {
    name: "FileDescriptor.write() throws OSError when nobody reads any more",
    ...skipIf(isWindows, "the first send() to a closed peer succeeds on Windows"),
    error: ["EPIPE", "write"],
    message: /^Cannot write to fd \d+: .+ \(EPIPE\)$/,
    calls: [() => {
      using ends = new Pipe();
      ends.reader.close();
      return ends.writer.write(BYTES);
    }],
  },
  {
    name: "FileDescriptor.read() throws OSError when it is closed",
    error: ["EBADF", names.read],
    message: /^Cannot read from a closed descriptor: /,
    calls: [() => {
      using ends = new Pipe();
      ends.reader.close();
      return ends.reader.read(BYTES);
    }],
  },
  {
    name: "FileDescriptor.write() throws OSError when it is closed",
    error: ["EBADF", names.write],
    message: /^Cannot write to a closed descriptor: /,
    calls: [() => {
      using ends = new Pipe();
      ends.writer.close();
      return ends.writer.write(BYTES);
    }],
  },
  {
    name: "FileDescriptor.setBlocking() throws OSError when it is closed",
    error: ["EBADF", names.setBlocking],
    message: /^Cannot change the flags of /,
    calls: [true, false].map((blocking) => closed((socket) => socket.setBlocking(blocking))),
  },
  {
    name: "FileDescriptor.isBlocking() throws OSError when it is closed",
    ...skipIf(isWindows, "Winsock cannot tell whether a socket blocks"),
    error: ["EBADF", "fcntl"],
    message: /^Cannot change the flags of /,
    calls: [closed((socket) => socket.isBlocking())],
  },
  {
    name: "FileDescriptor.close() throws OSError when somebody else has closed the descriptor",
    error: [CLOSED, names.close],
    message: /^Cannot close fd \d+: /,
    calls: [
      closedByAnother((socket) => socket.close()),
      closedByAnother((socket) => socket[Symbol.dispose]()),
    ],
  },
];

export const socketRefusals: readonly Refusal[] = [
  {
    name: "Socket() throws RangeError when an argument is no integer",
    error: RangeError,
    message:
      /^Cannot use a (family|type|protocol): it must be an integer from -2147483648 to 2147483647, received /,
    calls: [
      ...each([...NO_INTEGERS, undefined], (value) => new Socket(value, SOCK_STREAM)),
      ...each([...NO_INTEGERS, undefined], (value) => new Socket(AF_INET, value)),
      ...each(NO_INTEGERS, (value) => new Socket(AF_INET, SOCK_STREAM, value)),
    ],
  },
  {
    name: "Socket() throws OSError when the system lacks the family",
    error: ["EAFNOSUPPORT", "socket"],
    message: /^Cannot make a socket of family -1, type \d+, protocol 0: /,
    calls: [() => new Socket(-1, SOCK_STREAM)],
  },
  {
    name: "Socket() throws OSError when the protocol does not fit the type",
    error: ["EPROTONOSUPPORT|EPROTOTYPE", "socket"],
    message: /^Cannot make a socket of family \d+, type \d+, protocol 17: /,
    calls: [() => new Socket(AF_INET, SOCK_STREAM, 17)],
  },
  {
    name: "Socket.fromFd() throws TypeError when it is given no number",
    error: TypeError,
    message: /^Cannot adopt a descriptor: it must be a number, received /,
    calls: each(NO_NUMBERS, (value) => Socket.fromFd(value)),
  },
  {
    name: "Socket.fromFd() throws RangeError when it is given no descriptor",
    error: RangeError,
    message: /^Cannot adopt a descriptor: it must be an integer from 0 to 2147483647, received /,
    calls: each(NO_DESCRIPTORS, (value) => Socket.fromFd(value)),
  },
  {
    name: "Socket.fromFd() throws OSError when the descriptor is not open",
    error: [CLOSED, "getsockopt"],
    message: /of fd 2147483647: /,
    calls: [() => Socket.fromFd(0x7fff_ffff)],
  },
  {
    name: "Socket.fromFd() throws OSError when the descriptor is no socket",
    error: ["ENOTSOCK", "getsockopt"],
    message: /of fd \d+: /,
    calls: [() => {
      using ends = new Pipe();
      return Socket.fromFd(isWinsock ? 0 : ends.reader.fileno());
    }],
  },
  {
    name: "socketpair() throws RangeError when an argument is no integer",
    error: RangeError,
    message: /^Cannot use a (family|type): it must be an integer from /,
    calls: [
      ...each(NO_INTEGERS, (value) => socketpair(value)),
      ...each(NO_INTEGERS, (value) => socketpair(AF_UNIX, value)),
    ],
  },
  {
    name: "socketpair() throws OSError when the family has none",
    error: ["EOPNOTSUPP", "socketpair"],
    message: /^Cannot make a pair of sockets: /,
    calls: [() => socketpair(isWinsock ? AF_UNIX : AF_INET)],
  },
  {
    name: "socketpair() throws OSError when the system lacks the type",
    error: ["ESOCKTNOSUPPORT|EPROTONOSUPPORT", "socketpair"],
    message: /^Cannot make a pair of sockets: /,
    calls: [() => socketpair(undefined, 7)],
  },
  {
    name: "Socket.recv() and read() throw OSError when it is closed",
    error: ["EBADF", "recv"],
    message: /^Cannot receive from a closed descriptor: .+ \(EBADF\)$/,
    calls: [
      closed((socket) => socket.recv(BYTES)),
      closed((socket) => socket.read(BYTES)),
      closed((socket) => socket.recv(BYTES, MSG_PEEK)),
    ],
  },
  ...([
    ["send", "send", (socket) => socket.send(BYTES)],
    ["write", "send", (socket) => socket.write(BYTES)],
    ["recvFrom", "recvfrom", (socket) => socket.recvFrom(BYTES)],
    ["bind", "bind", (socket) => socket.bind(HERE)],
    ["connect", "connect", (socket) => socket.connect(HERE)],
    ["sendTo", "sendto", (socket) => socket.sendTo(BYTES, HERE)],
    ["listen", "listen", (socket) => socket.listen()],
    ["accept", ACCEPT, (socket) => socket.accept()],
    ["error", "getsockopt", (socket) => socket.error()],
    ["shutdown", "shutdown", (socket) => socket.shutdown("both")],
    ["getOption", "getsockopt", (socket) => socket.getOption(SOL_SOCKET, SO_TYPE)],
    ["setOption", "setsockopt", (socket) => socket.setOption(SOL_SOCKET, SO_KEEPALIVE, 1)],
    ["localAddress", "getsockname", (socket) => socket.localAddress],
    ["remoteAddress", "getpeername", (socket) => socket.remoteAddress],
  ] as [string, string, (socket: Socket) => unknown][]).flatMap(([name, syscall, call]) => [
    {
      name: `Socket.${name} throws OSError when it is closed`,
      error: ["EBADF", syscall] as const,
      message: /a closed descriptor: .+ \(EBADF\)$/,
      calls: [closed(call)],
    },
    {
      name: `Socket.${name} throws OSError when somebody else has closed the descriptor`,
      error: [CLOSED, syscall] as const,
      message: /fd \d+: .+ \((EBADF|ENOTSOCK)\)$/,
      calls: [closedByAnother(call)],
    },
  ]),
];

export const streamRefusals: readonly Refusal[] = [
  {
    name: "Socket.listen() throws RangeError when the backlog is negative or no integer",
    error: RangeError,
    message: /^Cannot use a backlog: it must be an integer from 0 to 2147483647, received /,
    calls: each([-1, ...NO_INTEGERS], (value) => fresh((socket) => socket.listen(value))()),
  },
  {
    name: "Socket.listen() throws OSError when the socket is for datagrams",
    error: ["EOPNOTSUPP", "listen"],
    message: /^Cannot listen on fd \d+: /,
    calls: [fresh((socket) => socket.listen(), AF_INET, SOCK_DGRAM)],
  },
  {
    name: "Socket.accept() throws OSError when the socket does not listen",
    error: ["EINVAL", ACCEPT],
    message: /^Cannot accept from fd \d+: /,
    calls: [fresh((socket) => socket.accept())],
  },
  {
    name: "Socket.accept() throws OSError when the socket is for datagrams",
    error: ["EOPNOTSUPP", ACCEPT],
    message: /^Cannot accept from fd \d+: /,
    calls: [fresh((socket) => socket.accept(), AF_INET, SOCK_DGRAM)],
  },
  {
    name: "Socket.bind() throws OSError when the address is in use",
    ...needsUnix,
    error: ["EADDRINUSE", "bind"],
    message: /^Cannot bind (127\.0\.0\.1:\d+|\/\S+) to fd \d+: /,
    calls: [() => {
      using server = listener();
      using socket = new Socket(AF_INET, SOCK_STREAM);
      return socket.bind(server.localAddress);
    }, () => {
      using first = new Socket(AF_UNIX, SOCK_STREAM);
      using second = new Socket(AF_UNIX, SOCK_STREAM);
      first.bind({ path: filePath() });
      return second.bind(first.localAddress);
    }],
  },
  {
    name: "Socket.bind() throws OSError when it is bound already",
    error: ["EINVAL", "bind"],
    message: /^Cannot bind 127\.0\.0\.1:0 to fd \d+: /,
    calls: [fresh((socket) => {
      socket.bind(HERE);
      socket.bind(HERE);
    })],
  },
  {
    name: "Socket.bind() throws OSError when no interface has the address",
    error: ["EADDRNOTAVAIL", "bind"],
    message: /^Cannot bind (203\.0\.113\.7:8080|\[2001:db8::7\]:8080) to fd \d+: /,
    calls: [
      fresh((socket) => socket.bind({ hostname: "203.0.113.7", port: 8080 })),
      ...needsIpv6.ignore
        ? []
        : [fresh((socket) => socket.bind({ hostname: "2001:db8::7", port: 8080 }), AF_INET6)],
    ],
  },
  {
    name: "Socket.bind() throws OSError when the folder is not there",
    ...needsUnix,
    error: ["ENOENT", "bind"],
    message: /^Cannot bind \/no\/such\/socket to fd \d+: /,
    calls: [fresh((socket) => socket.bind({ path: "/no/such/socket" }), AF_UNIX)],
  },
  {
    name: "Socket.connect() throws OSError when the path is not there",
    ...needsUnix,
    error: ["ENOENT", "connect"],
    message: /^Cannot connect to \/no\/such\/socket from fd \d+: /,
    calls: [fresh((socket) => socket.connect({ path: "/no/such/socket" }), AF_UNIX)],
  },
  {
    name: "Socket.connect() throws OSError when nobody listens at the path",
    error: ["ECONNREFUSED", "connect"],
    message: /^Cannot connect to @readiness\S+ from fd \d+: /,
    calls: [fresh((socket) => {
      using deaf = new Socket(AF_UNIX, SOCK_STREAM);
      deaf.bind({ path: abstractPath() });
      socket.connect(deaf.localAddress);
    }, AF_UNIX)],
    ...linuxOnly,
  },
  {
    name: "Socket.connect() throws OSError when the socket is connected",
    error: ["EISCONN", "connect"],
    message: /^Cannot connect to 127\.0\.0\.1:\d+ from fd \d+: /,
    calls: [() => {
      using connection = new Connection();
      // After an attempt that was in progress, Linux says once more that it is done.
      connection.client.connect(connection.listener.localAddress);
      connection.client.connect(connection.listener.localAddress);
    }],
  },
  {
    name: "Socket.recv() throws TypeError when it is given no bytes",
    error: TypeError,
    message: /^Cannot use a buffer: it must be a Uint8Array, received /,
    calls: each(NO_BYTES, (value) => connected((socket) => socket.recv(value))()),
  },
  {
    name: "Socket.send() throws TypeError when it is given no bytes",
    error: TypeError,
    message: /^Cannot use a buffer: it must be a Uint8Array, received /,
    calls: each(NO_BYTES, (value) => connected((socket) => socket.send(value))()),
  },
  {
    name: "Socket.recv() and send() throw RangeError when the flags are no integer",
    error: RangeError,
    message: /^Cannot use a mask of flags: it must be an integer from /,
    calls: NO_INTEGERS.flatMap((value) => [
      connected((socket) => socket.recv(BYTES, value as never)),
      connected((socket) => socket.send(BYTES, value as never)),
    ]),
  },
  {
    name: "Socket.recv() throws OSError when the socket is not connected",
    error: ["ENOTCONN", "recv"],
    message: /^Cannot receive from fd \d+: /,
    calls: [fresh((socket) => socket.recv(BYTES)), fresh((socket) => socket.read(BYTES))],
  },
  {
    name: "Socket.send() throws OSError when the connection is shut down",
    error: [BROKEN, "send"],
    message: /^Cannot send to fd \d+: /,
    calls: [
      connected((socket) => {
        socket.shutdown("write");
        socket.send(BYTES);
      }),
      connected((socket) => {
        socket.shutdown("both");
        socket.write(BYTES);
      }),
    ],
  },
  {
    name: "Socket.shutdown() throws TypeError when it is given no direction",
    error: TypeError,
    message: /^Cannot shut down fd \d+: say "read", "write" or "both", received /,
    calls: each(
      [undefined, null, 0, "", "READ", "toString", "constructor", "__proto__", Symbol("read")],
      (value) => connected((socket) => socket.shutdown(value))(),
    ),
  },
  {
    name: "Socket.shutdown() throws OSError when the socket is not connected",
    error: ["ENOTCONN", "shutdown"],
    message: /^Cannot shut down fd \d+: /,
    calls: (["read", "write", "both"] as const).map((how) =>
      fresh((socket) => socket.shutdown(how))
    ),
  },
  {
    name: "Socket.remoteAddress throws OSError when the socket is not connected",
    ...needsUnix,
    error: ["ENOTCONN", "getpeername"],
    message: /^Cannot tell the peer of fd \d+: /,
    calls: [
      fresh((socket) => socket.remoteAddress),
      fresh((socket) => socket.remoteAddress, AF_UNIX),
    ],
  },
];

export const datagramRefusals: readonly Refusal[] = [
  {
    name: "Socket.recvFrom() throws TypeError when it is given no bytes",
    error: TypeError,
    message: /^Cannot use a buffer: it must be a Uint8Array, received /,
    calls: each(NO_BYTES, (value) => connected((socket) => socket.recvFrom(value))()),
  },
  {
    name: "Socket.sendTo() throws TypeError when it is given no bytes",
    error: TypeError,
    message: /^Cannot use a buffer: it must be a Uint8Array, received /,
    calls: each(NO_BYTES, (value) => fresh((socket) => socket.sendTo(value, HERE))()),
  },
  {
    name: "Socket.recvFrom() and sendTo() throw RangeError when the flags are no integer",
    error: RangeError,
    message: /^Cannot use a mask of flags: it must be an integer from /,
    calls: NO_INTEGERS.flatMap((value) => [
      connected((socket) => socket.recvFrom(BYTES, value as never)),
      fresh((socket) => socket.sendTo(BYTES, HERE, value as never)),
    ]),
  },
  {
    name: "Socket.send() throws OSError when a datagram socket is not connected",
    error: [isWinsock ? "ENOTCONN" : "EDESTADDRREQ", "send"],
    message: /^Cannot send to fd \d+: /,
    calls: [fresh((socket) => socket.send(BYTES), AF_INET, SOCK_DGRAM)],
  },
  {
    name: "Socket.sendTo() throws OSError when the datagram is too long",
    error: ["EMSGSIZE", "sendto"],
    message: /^Cannot send to 127\.0\.0\.1:9 from fd \d+: /,
    calls: [
      fresh(
        (socket) => socket.sendTo(new Uint8Array(70_000), { hostname: "127.0.0.1", port: 9 }),
        AF_INET,
        SOCK_DGRAM,
      ),
    ],
  },
  {
    name: "Socket.sendTo() throws OSError when nobody is at the path",
    error: ["ECONNREFUSED", "sendto"],
    message: /^Cannot send to @readiness\S+ from fd \d+: /,
    calls: [
      fresh(
        (socket) => socket.sendTo(BYTES, { path: abstractPath() }),
        AF_UNIX,
        SOCK_DGRAM,
      ),
    ],
    ...linuxOnly,
  },
];

export const optionRefusals: readonly Refusal[] = [
  {
    name: "Socket.getOption() throws RangeError when an argument is no integer",
    error: RangeError,
    message: /^Cannot use (a level|an option): it must be an integer from /,
    calls: [undefined, ...NO_INTEGERS].flatMap((value) => [
      connected((socket) => socket.getOption(value as never, SO_TYPE)),
      connected((socket) => socket.getOption(SOL_SOCKET, value as never)),
    ]),
  },
  {
    name: "Socket.setOption() throws RangeError when an argument is no integer",
    error: RangeError,
    message: /^Cannot use (a level|an option|a value): it must be an integer from /,
    calls: [undefined, ...NO_INTEGERS].flatMap((value) => [
      connected((socket) => socket.setOption(value as never, SO_TYPE, 1)),
      connected((socket) => socket.setOption(SOL_SOCKET, value as never, 1)),
      connected((socket) => socket.setOption(SOL_SOCKET, SO_TYPE, value as never)),
      connected((socket) => socket.setOption(SOL_SOCKET, SO_TYPE, new ArrayBuffer(4) as never)),
    ]),
  },
  {
    name: "Socket.getOption() throws OSError when the system lacks the option",
    error: ["ENOPROTOOPT", "getsockopt"],
    message: /^Cannot get option -1 of level \d+ of fd \d+: /,
    calls: [connected((socket) => socket.getOption(SOL_SOCKET, -1))],
  },
  {
    name: "Socket.setOption() throws OSError when the system lacks the option",
    error: ["ENOPROTOOPT", "setsockopt"],
    message: /^Cannot set option (-1|\d+) of level \d+ of fd \d+: /,
    calls: [
      connected((socket) => socket.setOption(SOL_SOCKET, -1, 1)),
      connected((socket) => socket.setOption(SOL_SOCKET, SO_TYPE, 1)),
    ],
  },
  {
    name: "Socket.setOption() throws OSError when the bytes are too few",
    error: ["EINVAL", "setsockopt"],
    message: /^Cannot set option \d+ of level \d+ of fd \d+: /,
    calls: [0, 3].map((size) =>
      connected((socket) => socket.setOption(SOL_SOCKET, 13, new Uint8Array(size)))
    ),
    ...linuxOnly,
  },
];

/** Calls a function with each of the calls that take an address. */
function withAddress(address: unknown, family = AF_INET): (() => unknown)[] {
  return [
    fresh((socket) => socket.bind(address as SocketAddress), family, SOCK_DGRAM),
    fresh((socket) => socket.connect(address as SocketAddress), family, SOCK_DGRAM),
    fresh((socket) => socket.sendTo(BYTES, address as SocketAddress), family, SOCK_DGRAM),
  ];
}

export const addressRefusals: readonly Refusal[] = [
  {
    name: "Socket throws TypeError when it is given no address",
    error: TypeError,
    message:
      /^Cannot use an address: it must have a hostname \(string\) and a port \(number\), or a path \(string\)$/,
    calls: [
      undefined,
      null,
      "127.0.0.1:80",
      80,
      {},
      { hostname: "127.0.0.1" },
      { port: 80 },
      { hostname: "127.0.0.1", port: "80" },
      { hostname: 2130706433, port: 80 },
      { path: 5 },
      { path: new Uint8Array(5) },
    ].flatMap((address) => withAddress(address)),
  },
  {
    name: "Socket throws RangeError when the port is out of range",
    error: RangeError,
    message: /^Cannot use an address: its port must be an integer from 0 to 65535, received /,
    calls: [-1, 65_536, 80.5, NaN, Infinity].flatMap((port) =>
      withAddress({ hostname: "127.0.0.1", port })
    ),
  },
  {
    name: "Socket throws TypeError when the address is of another family",
    ...needsUnix,
    error: TypeError,
    message: /^Cannot use a (path|hostname) as the address of a socket of family \d+$/,
    calls: [
      ...withAddress({ path: "/tmp/socket" }, AF_INET),
      ...withAddress(HERE, AF_UNIX),
      ...needsIpv6.ignore ? [] : withAddress({ path: "/tmp/socket" }, AF_INET6),
    ],
  },
  {
    name: "Socket throws TypeError when its family has other addresses",
    error: TypeError,
    message: /^Cannot use a (path|hostname) as the address of a socket of family 16$/,
    calls: [{ path: "/tmp/socket" }, HERE].flatMap((address) => [
      fresh((socket) => socket.bind(address), AF_NETLINK, SOCK_RAW),
      fresh((socket) => socket.connect(address), AF_NETLINK, SOCK_RAW),
      fresh((socket) => socket.sendTo(BYTES, address), AF_NETLINK, SOCK_RAW),
    ]),
    ...linuxOnly,
  },
  {
    name: "Socket.localAddress throws NotSupported when its family has other addresses",
    error: Deno.errors.NotSupported,
    message: /^Cannot read an address of family 16$/,
    calls: [
      fresh((socket) => socket.localAddress, AF_NETLINK, SOCK_RAW),
      fresh((socket) => socket.remoteAddress, AF_NETLINK, SOCK_RAW),
    ],
    ...linuxOnly,
  },
  {
    name: "Socket throws RangeError when the path is empty",
    ...needsUnix,
    error: RangeError,
    message: /^Cannot use a path: it is empty/,
    calls: withAddress({ path: "" }, AF_UNIX),
  },
  {
    name: "Socket throws RangeError when the path holds a NUL",
    ...needsUnix,
    error: RangeError,
    message: /^Cannot use a path: it must not hold a NUL but as its first character$/,
    calls: withAddress({ path: "/tmp/a\0b" }, AF_UNIX),
  },
  {
    name: "Socket throws RangeError when the path is too long",
    error: RangeError,
    message:
      /^Cannot use a path of (109|110|1001) bytes, its closing NUL included: the system takes 108$/,
    calls: ["/" + "a".repeat(107), "/a" + "é".repeat(53) + "b", "/" + "b".repeat(999)].flatMap(
      (path) => withAddress({ path }, AF_UNIX),
    ),
    ...linuxOnly,
  },
  {
    name: "Socket throws RangeError when the abstract name is too long",
    error: RangeError,
    message: /^Cannot use a path of 109 bytes: the system takes 108$/,
    calls: withAddress({ path: "\0" + "a".repeat(108) }, AF_UNIX),
    ...linuxOnly,
  },
  {
    name: "Socket throws RangeError when the hostname holds a NUL",
    error: RangeError,
    message: /^Cannot use a hostname: it must not hold a NUL$/,
    calls: withAddress({ hostname: "127.0.0.1\0.example.org", port: 80 }),
  },
  {
    name: "Socket throws OSError when the name cannot be resolved",
    error: ["EAI_NONAME", "getaddrinfo"],
    message: /^Cannot resolve "": .+ \(EAI_NONAME\)$/,
    calls: withAddress({ hostname: "", port: 80 }),
  },
];

/** All of them. */
export const refusals: readonly Refusal[] = [
  ...fileDescriptorRefusals,
  ...socketRefusals,
  ...streamRefusals,
  ...datagramRefusals,
  ...optionRefusals,
  ...addressRefusals,
];
