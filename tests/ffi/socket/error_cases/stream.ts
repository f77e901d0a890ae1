import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  SOCK_DGRAM,
  SOCK_STREAM,
  Socket,
} from "../../../../ffi/socket/mod.ts";
import {
  BYTES,
  connected,
  each,
  type ErrorCase,
  LOOPBACK,
  NOT_BYTES,
  NOT_INTEGERS,
  withSocket,
} from "../../../support/error_cases.ts";
import { ACCEPT, BROKEN } from "../../../support/platform.ts";
import { linuxOnly } from "../../../support/skip.ts";
import {
  abstractPath,
  Connection,
  filePath,
  listener,
  needsIpv6,
  needsUnix,
} from "../../../support/sockets.ts";

export const streamErrors: readonly ErrorCase[] = [
  {
    name: "Socket.listen() throws RangeError when the backlog is negative or not an integer",
    error: RangeError,
    message: /^Cannot listen: the backlog must be an integer from 0 to 2147483647, received /,
    calls: each([-1, ...NOT_INTEGERS], (value) => withSocket((socket) => socket.listen(value))()),
  },
  {
    name: "Socket.listen() throws OSError when the socket is a datagram socket",
    error: ["EOPNOTSUPP", "listen"],
    message: /^Cannot listen on fd \d+: /,
    calls: [withSocket((socket) => socket.listen(), AF_INET, SOCK_DGRAM)],
  },
  {
    name: "Socket.accept() throws OSError when the socket is not listening",
    error: ["EINVAL", ACCEPT],
    message: /^Cannot accept a connection on fd \d+: /,
    calls: [withSocket((socket) => socket.accept())],
  },
  {
    name: "Socket.accept() throws OSError when the socket is a datagram socket",
    error: ["EOPNOTSUPP", ACCEPT],
    message: /^Cannot accept a connection on fd \d+: /,
    calls: [withSocket((socket) => socket.accept(), AF_INET, SOCK_DGRAM)],
  },
  {
    name: "Socket.bind() throws OSError when the address is in use",
    ...needsUnix,
    error: ["EADDRINUSE", "bind"],
    message: /^Cannot bind fd \d+ to (127\.0\.0\.1:\d+|\/\S+, which exists \(.+\)): /,
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
    name: "Socket.bind() throws OSError when the socket is bound already",
    error: ["EINVAL", "bind"],
    message: /^Cannot bind fd \d+ to 127\.0\.0\.1:0: /,
    calls: [withSocket((socket) => {
      socket.bind(LOOPBACK);
      socket.bind(LOOPBACK);
    })],
  },
  {
    name: "Socket.bind() throws OSError when no interface has the address",
    error: ["EADDRNOTAVAIL", "bind"],
    message: /^Cannot bind fd \d+ to (203\.0\.113\.7:8080|\[2001:db8::7\]:8080): /,
    calls: [
      withSocket((socket) => socket.bind({ hostname: "203.0.113.7", port: 8080 })),
      ...needsIpv6.ignore
        ? []
        : [withSocket((socket) => socket.bind({ hostname: "2001:db8::7", port: 8080 }), AF_INET6)],
    ],
  },
  {
    name: "Socket.bind() throws OSError when the folder does not exist",
    ...needsUnix,
    error: ["ENOENT", "bind"],
    message: /^Cannot bind fd \d+ to \/no\/such\/socket: /,
    calls: [withSocket((socket) => socket.bind({ path: "/no/such/socket" }), AF_UNIX)],
  },
  {
    name: "Socket.connect() throws OSError when the path does not exist",
    ...needsUnix,
    error: ["ENOENT", "connect"],
    message: /^Cannot connect fd \d+ to \/no\/such\/socket: /,
    calls: [withSocket((socket) => socket.connect({ path: "/no/such/socket" }), AF_UNIX)],
  },
  {
    name: "Socket.connect() throws OSError when no socket listens at the path",
    error: ["ECONNREFUSED", "connect"],
    message: /^Cannot connect fd \d+ to @readiness\S+: /,
    calls: [withSocket((socket) => {
      using deaf = new Socket(AF_UNIX, SOCK_STREAM);
      deaf.bind({ path: abstractPath() });
      socket.connect(deaf.localAddress);
    }, AF_UNIX)],
    ...linuxOnly,
  },
  {
    name: "Socket.connect() throws OSError when the socket is connected already",
    error: ["EISCONN", "connect"],
    message: /^Cannot connect fd \d+ to 127\.0\.0\.1:\d+: /,
    calls: [() => {
      using connection = new Connection();
      // After an asynchronous connect(), the first call on Linux succeeds once more.
      connection.client.connect(connection.listener.localAddress);
      connection.client.connect(connection.listener.localAddress);
    }],
  },
  {
    name: "Socket.recv() throws TypeError when the buffer is not a Uint8Array",
    error: TypeError,
    message: /^Cannot use a buffer: it must be a Uint8Array, received /,
    calls: each(NOT_BYTES, (value) => connected((socket) => socket.recv(value))()),
  },
  {
    name: "Socket.send() throws TypeError when the data is not a Uint8Array",
    error: TypeError,
    message: /^Cannot use a buffer: it must be a Uint8Array, received /,
    calls: each(NOT_BYTES, (value) => connected((socket) => socket.send(value))()),
  },
  {
    name: "Socket.recv() and send() throw RangeError when the flags are not an integer",
    error: RangeError,
    message: /^Cannot (receive|send): the flags must be an integer from /,
    calls: NOT_INTEGERS.flatMap((value) => [
      connected((socket) => socket.recv(BYTES, value as never)),
      connected((socket) => socket.send(BYTES, value as never)),
    ]),
  },
  {
    name: "Socket.recv() throws OSError when the socket is not connected",
    error: ["ENOTCONN", "recv"],
    message: /^Cannot receive on fd \d+: /,
    calls: [withSocket((socket) => socket.recv(BYTES)), withSocket((socket) => socket.read(BYTES))],
  },
  {
    name: "Socket.send() throws OSError when the connection is shut down",
    error: [BROKEN, "send"],
    message: /^Cannot send on fd \d+: /,
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
    name: "Socket.shutdown() throws TypeError when the direction is not one of the three",
    error: TypeError,
    message: /^Cannot shut down fd \d+: the direction must be "read", "write" or "both", received /,
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
      withSocket((socket) => socket.shutdown(how))
    ),
  },
  {
    name: "Socket.remoteAddress throws OSError when the socket is not connected",
    ...needsUnix,
    error: ["ENOTCONN", "getpeername"],
    message: /^Cannot get the remote address of fd \d+: /,
    calls: [
      withSocket((socket) => socket.remoteAddress),
      withSocket((socket) => socket.remoteAddress, AF_UNIX),
    ],
  },
];
