import {
  AF_INET,
  AF_UNIX,
  MSG_PEEK,
  SO_KEEPALIVE,
  SO_TYPE,
  SOCK_STREAM,
  Socket,
  socketpair,
  SOL_SOCKET,
} from "../../../../ffi/socket/mod.ts";
import { Pipe } from "../../../support/descriptors.ts";
import {
  BYTES,
  closed,
  closedElsewhere,
  each,
  type ErrorCase,
  LOOPBACK,
  NOT_DESCRIPTORS,
  NOT_INTEGERS,
  NOT_NUMBERS,
} from "../../../support/error_cases.ts";
import { ACCEPT, CLOSED, isWinsock } from "../../../support/platform.ts";

export const socketErrors: readonly ErrorCase[] = [
  {
    name: "Socket() throws RangeError when an argument is not an integer",
    error: RangeError,
    message:
      /^Cannot create a socket: the (family|type|protocol) must be an integer from -2147483648 to 2147483647, received /,
    calls: [
      ...each([...NOT_INTEGERS, undefined], (value) => new Socket(value, SOCK_STREAM)),
      ...each([...NOT_INTEGERS, undefined], (value) => new Socket(AF_INET, value)),
      ...each(NOT_INTEGERS, (value) => new Socket(AF_INET, SOCK_STREAM, value)),
    ],
  },
  {
    name: "Socket() throws OSError when the system lacks the family",
    error: ["EAFNOSUPPORT", "socket"],
    message: /^Cannot create a socket of family -1, type \d+, protocol 0: /,
    calls: [() => new Socket(-1, SOCK_STREAM)],
  },
  {
    name: "Socket() throws OSError when the type does not have the protocol",
    error: ["EPROTONOSUPPORT|EPROTOTYPE", "socket"],
    message: /^Cannot create a socket of family \d+, type \d+, protocol 17: /,
    calls: [() => new Socket(AF_INET, SOCK_STREAM, 17)],
  },
  {
    name: "Socket.fromFd() throws TypeError when the descriptor is not a number",
    error: TypeError,
    message: /^Cannot adopt a descriptor: it must be a number, received /,
    calls: each(NOT_NUMBERS, (value) => Socket.fromFd(value)),
  },
  {
    name: "Socket.fromFd() throws RangeError when the descriptor is out of range or not an integer",
    error: RangeError,
    message: /^Cannot adopt a descriptor: it must be an integer from 0 to 2147483647, received /,
    calls: each(NOT_DESCRIPTORS, (value) => Socket.fromFd(value)),
  },
  {
    name: "Socket.fromFd() throws OSError when the descriptor is not open",
    error: [CLOSED, "getsockopt"],
    message: /^Cannot adopt fd 2147483647: /,
    calls: [() => Socket.fromFd(0x7fff_ffff)],
  },
  {
    name: "Socket.fromFd() throws OSError when the descriptor is not a socket",
    error: ["ENOTSOCK", "getsockopt"],
    message: /^Cannot adopt fd \d+: /,
    calls: [() => {
      using ends = new Pipe();
      return Socket.fromFd(isWinsock ? 0 : ends.reader.fileno());
    }],
  },
  {
    name: "socketpair() throws RangeError when an argument is not an integer",
    error: RangeError,
    message: /^Cannot create a pair of sockets: the (family|type) must be an integer from /,
    calls: [
      ...each(NOT_INTEGERS, (value) => socketpair(value)),
      ...each(NOT_INTEGERS, (value) => socketpair(AF_UNIX, value)),
    ],
  },
  {
    name: "socketpair() throws OSError when the family has no pairs",
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
    name: "Socket.recv() and read() throw OSError when the socket is closed",
    error: ["EBADF", "recv"],
    message: /^Cannot receive on a closed descriptor: .+ \(EBADF\)$/,
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
    ["bind", "bind", (socket) => socket.bind(LOOPBACK)],
    ["connect", "connect", (socket) => socket.connect(LOOPBACK)],
    ["sendTo", "sendto", (socket) => socket.sendTo(BYTES, LOOPBACK)],
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
      name: `Socket.${name} throws OSError when the socket is closed`,
      error: ["EBADF", syscall] as const,
      message: /a closed descriptor: .+ \(EBADF\)$/,
      calls: [closed(call)],
    },
    {
      name: `Socket.${name} throws OSError when the descriptor was closed elsewhere`,
      error: [CLOSED, syscall] as const,
      message: /fd \d+: .+ \((EBADF|ENOTSOCK)\)$/,
      calls: [closedElsewhere(call)],
    },
  ]),
];
