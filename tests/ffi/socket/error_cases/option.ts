import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  getOptionBytes,
  peerCredentials,
  setKeepAlive,
  setLinger,
  SO_TYPE,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
} from "../../../../ffi/socket/mod.ts";
import {
  closed,
  connected,
  each,
  type ErrorCase,
  NOT_INTEGERS,
  withDatagrams,
  withSocket,
} from "../../../support/error_cases.ts";
import { linuxOnly } from "../../../support/skip.ts";
import { Connection } from "../../../support/sockets.ts";

export const optionErrors: readonly ErrorCase[] = [
  {
    name: "Socket.getOption() throws RangeError when an argument is not an integer",
    error: RangeError,
    message: /^Cannot get an option: the (level|name) must be an integer from /,
    calls: [undefined, ...NOT_INTEGERS].flatMap((value) => [
      connected((socket) => socket.getOption(value as never, SO_TYPE)),
      connected((socket) => socket.getOption(SOL_SOCKET, value as never)),
    ]),
  },
  {
    name: "Socket.setOption() throws RangeError when an argument is not an integer",
    error: RangeError,
    message: /^Cannot set an option: the (level|name|value) must be an integer from /,
    calls: [undefined, ...NOT_INTEGERS].flatMap((value) => [
      connected((socket) => socket.setOption(value as never, SO_TYPE, 1)),
      connected((socket) => socket.setOption(SOL_SOCKET, value as never, 1)),
      connected((socket) => socket.setOption(SOL_SOCKET, SO_TYPE, value as never)),
      connected((socket) => socket.setOption(SOL_SOCKET, SO_TYPE, new ArrayBuffer(4) as never)),
    ]),
  },
  {
    name: "Socket.getOption() throws OSError when the system lacks the option",
    error: ["ENOPROTOOPT", "getsockopt"],
    message: /^Cannot get option -1 at level \d+ of fd \d+: /,
    calls: [connected((socket) => socket.getOption(SOL_SOCKET, -1))],
  },
  {
    name: "Socket.setOption() throws OSError when the system lacks the option",
    error: ["ENOPROTOOPT", "setsockopt"],
    message: /^Cannot set (option -1 at level \d+|SO_TYPE) of fd \d+: /,
    calls: [
      connected((socket) => socket.setOption(SOL_SOCKET, -1, 1)),
      connected((socket) => socket.setOption(SOL_SOCKET, SO_TYPE, 1)),
    ],
  },
  {
    name: "Socket.setOption() throws OSError when there are too few bytes",
    error: ["EINVAL", "setsockopt"],
    message: /^Cannot set SO_LINGER of fd \d+: /,
    calls: [0, 3].map((size) =>
      connected((socket) => socket.setOption(SOL_SOCKET, 13, new Uint8Array(size)))
    ),
    ...linuxOnly,
  },
];

export const structureErrors: readonly ErrorCase[] = [
  {
    name: "setLinger() throws RangeError when the seconds are out of range",
    error: RangeError,
    message:
      /^Cannot set the linger time: the seconds must be an integer from 0 to 32767, received /,
    calls: each(
      [-1, 32_768, 1.5, NaN, "1", undefined, true],
      (seconds) => withDatagrams((socket) => setLinger(socket, seconds))(),
    ),
  },
  {
    name: "setKeepAlive() throws RangeError when a number is out of range",
    error: RangeError,
    message:
      /^Cannot set the keep-alive (idle time|interval|count): it must be an integer from 1 to /,
    calls: [0, -1, 1.5, NaN, "1", null].flatMap((value) =>
      ["idle", "interval", "count"].map((name) =>
        withSocket((socket) => setKeepAlive(socket, { [name]: value }))
      )
    ),
  },
  {
    name: "setKeepAlive() throws OSError when a number is above the system's limit",
    error: ["EINVAL", "setsockopt"],
    message: /^Cannot set TCP_KEEPIDLE of fd \d+: /,
    calls: [withSocket((socket) => setKeepAlive(socket, { idle: 40_000 }))],
    ...linuxOnly,
  },
  {
    name:
      "getOptionBytes() throws RangeError when an argument is not an integer or the size is negative",
    error: RangeError,
    message: /^Cannot get an option: the (level|name|size) must be an integer from /,
    calls: [
      ...NOT_INTEGERS.flatMap((value) => [
        withDatagrams((socket) => getOptionBytes(socket, value as never, SO_TYPE, 4)),
        withDatagrams((socket) => getOptionBytes(socket, SOL_SOCKET, value as never, 4)),
        withDatagrams((socket) => getOptionBytes(socket, SOL_SOCKET, SO_TYPE, value as never)),
      ]),
      withDatagrams((socket) => getOptionBytes(socket, SOL_SOCKET, SO_TYPE, -1)),
    ],
  },
  {
    name: "getOptionBytes() throws OSError when the system lacks the option",
    error: ["ENOPROTOOPT", "getsockopt"],
    message: /^Cannot get option -1 at level \d+ of fd \d+: /,
    calls: [withDatagrams((socket) => getOptionBytes(socket, SOL_SOCKET, -1, 4))],
  },
  {
    name: "setLinger() and setKeepAlive() throw OSError when the socket is closed",
    error: ["EBADF", "setsockopt"],
    message: /a closed descriptor: /,
    calls: [
      closed((socket) => setLinger(socket, 1)),
      closed((socket) => setKeepAlive(socket, null)),
    ],
  },
  {
    name: "peerCredentials() throws TypeError when the socket is not a Unix socket",
    error: TypeError,
    message:
      /^Cannot get the peer's credentials: the socket must be a Unix socket, received family \d+$/,
    calls: [
      withSocket((socket) => peerCredentials(socket), AF_INET, SOCK_STREAM),
      withSocket((socket) => peerCredentials(socket), AF_INET6, SOCK_DGRAM),
      () => {
        using connection = new Connection();
        peerCredentials(connection.server);
      },
    ],
    ...linuxOnly,
  },
  {
    name: "peerCredentials() throws OSError when the socket has no peer",
    error: ["ENOTCONN", "getsockopt"],
    message: /^Cannot get the peer's credentials of fd \d+: /,
    calls: [
      withSocket((socket) => peerCredentials(socket), AF_UNIX, SOCK_STREAM),
      withSocket((socket) => peerCredentials(socket), AF_UNIX, SOCK_DGRAM),
    ],
    ...linuxOnly,
  },
  {
    name: "peerCredentials() throws OSError when the socket is closed",
    error: ["EBADF", "getsockopt"],
    message: /a closed descriptor: /,
    calls: [closed((socket) => peerCredentials(socket))],
    ...linuxOnly,
  },
];
