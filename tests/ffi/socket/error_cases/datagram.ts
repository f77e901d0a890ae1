import { AF_INET, AF_UNIX, SOCK_DGRAM } from "../../../../ffi/socket/mod.ts";
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
import { isWinsock } from "../../../support/platform.ts";
import { linuxOnly } from "../../../support/skip.ts";
import { abstractPath } from "../../../support/sockets.ts";

export const datagramErrors: readonly ErrorCase[] = [
  {
    name: "Socket.recvFrom() throws TypeError when the buffer is not a Uint8Array",
    error: TypeError,
    message: /^Cannot use a buffer: it must be a Uint8Array, received /,
    calls: each(NOT_BYTES, (value) => connected((socket) => socket.recvFrom(value))()),
  },
  {
    name: "Socket.sendTo() throws TypeError when the data is not a Uint8Array",
    error: TypeError,
    message: /^Cannot use a buffer: it must be a Uint8Array, received /,
    calls: each(NOT_BYTES, (value) => withSocket((socket) => socket.sendTo(value, LOOPBACK))()),
  },
  {
    name: "Socket.recvFrom() and sendTo() throw RangeError when the flags are not an integer",
    error: RangeError,
    message: /^Cannot (receive|send): the flags must be an integer from /,
    calls: NOT_INTEGERS.flatMap((value) => [
      connected((socket) => socket.recvFrom(BYTES, value as never)),
      withSocket((socket) => socket.sendTo(BYTES, LOOPBACK, value as never)),
    ]),
  },
  {
    name: "Socket.send() throws OSError when a datagram socket is not connected",
    error: [isWinsock ? "ENOTCONN" : "EDESTADDRREQ", "send"],
    message: /^Cannot send on fd \d+: /,
    calls: [withSocket((socket) => socket.send(BYTES), AF_INET, SOCK_DGRAM)],
  },
  {
    name: "Socket.sendTo() throws OSError when the datagram is too long",
    error: ["EMSGSIZE", "sendto"],
    message: /^Cannot send to 127\.0\.0\.1:9 on fd \d+: /,
    calls: [
      withSocket(
        (socket) => socket.sendTo(new Uint8Array(70_000), { hostname: "127.0.0.1", port: 9 }),
        AF_INET,
        SOCK_DGRAM,
      ),
    ],
  },
  {
    name: "Socket.sendTo() throws OSError when no socket is bound to the path",
    error: ["ECONNREFUSED", "sendto"],
    message: /^Cannot send to @readiness\S+ on fd \d+: /,
    calls: [
      withSocket(
        (socket) => socket.sendTo(BYTES, { path: abstractPath() }),
        AF_UNIX,
        SOCK_DGRAM,
      ),
    ],
    ...linuxOnly,
  },
];
