import { abi } from "../../abi/mod.ts";
import { lastErrno, winsockCalls } from "./calls.ts";

const { MSG_PEEK, SOL_SOCKET } = abi.constants;
const { EINTR, EMSGSIZE, ENOTCONN, ESHUTDOWN, EWOULDBLOCK } = abi.errno;

/** The calls on sockets. Windows uses 31 bits of a handle's 64: it is passed as an `int`. */
export const calls = winsockCalls({
  WSAIoctl: {
    parameters: ["i32", "u32", "buffer", "u32", "buffer", "u32", "buffer", "pointer", "pointer"],
    result: "i32",
  },
  WSASendMsg: {
    parameters: ["i32", "buffer", "u32", "buffer", "pointer", "pointer"],
    result: "i32",
  },
  accept: { parameters: ["i32", "pointer", "pointer"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  closesocket: { parameters: ["i32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  getpeername: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  ioctlsocket: { parameters: ["i32", "u32", "buffer"], result: "i32" },
  listen: { parameters: ["i32", "i32"], result: "i32" },
  recv: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },
  select: {
    parameters: ["i32", "buffer", "buffer", "buffer", "buffer"],
    result: "i32",
  },
  send: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "i32"], result: "i32" },
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
});

/** Returns the value of a `SOL_SOCKET` option, or `undefined` if it is not an open socket. */
export function getOption(fd: number, name: number): number | undefined {
  const value = new Int32Array(1);
  const size = new Int32Array([value.byteLength]);
  return calls().getsockopt(fd, SOL_SOCKET, name, value, size) < 0 ? undefined : value[0];
}

/** Sets an option: 0, or -1. */
export function setOption(fd: number, level: number, name: number, value: number): number {
  return calls().setsockopt(fd, level, name, new Int32Array([value]), 4);
}

/** Returns whether a socket is connected. */
export function isConnected(fd: number): boolean {
  const address = new Uint8Array(128);
  return calls().getpeername(fd, address, sizeOf(address)) === 0;
}

/** The errors of `recv` on a socket that is not a broken connection. */
const UNBROKEN = [EINTR, EMSGSIZE, ENOTCONN, ESHUTDOWN, EWOULDBLOCK];

/** Returns whether a connection is broken, such as by a reset. Nothing is taken from it. */
export function isBroken(fd: number): boolean {
  return isReadable(fd, 0) && // Otherwise `recv` would wait, if the socket blocks.
    calls().recv(fd, new Uint8Array(1), 1, MSG_PEEK) < 0 && !UNBROKEN.includes(lastErrno());
}

/** Waits until a socket is readable, for some seconds at most. */
export function isReadable(fd: number, seconds: number): boolean {
  const set = new Int32Array([1, 0, fd, 0]); // A count, padding, a handle of 64 bits.
  return calls().select(0, set, null, null, new Int32Array([seconds, 0])) === 1;
}

/** Returns the size of an address, as the calls take and change it. */
export function sizeOf(bytes: Uint8Array): Int32Array<ArrayBuffer> {
  return new Int32Array([bytes.length]);
}
