import { abi } from "../../abi/mod.ts";
import { libcCalls } from "../../libc.ts";
import type { Platform, SocketCalls } from "../platform.ts";
import { lastErrno, setLastErrno, winsockCalls } from "./calls.ts";
import { connectPair } from "./loopback_pair.ts";
import { openMessageCalls } from "./messages.ts";
import { calls, getOption, isBroken, isConnected, setOption } from "./sockets.ts";
import { strerror } from "./strerror.ts";
import { windowsBuild } from "./windows_build.ts";

const { AF_INET, AF_INET6, SOCK_DGRAM, SOCK_STREAM, SOL_SOCKET, SO_RCVTIMEO, SO_TYPE } =
  abi.constants;
const { EMSGSIZE, ENOTSOCK, EOPNOTSUPP, ESOCKTNOSUPPORT, EWOULDBLOCK } = abi.errno;

const kernelCalls = libcCalls({
  SetHandleInformation: { parameters: ["usize", "u32", "u32"], result: "i32" },
}, abi.winsock?.libraries.kernel);

/**
 * Marks the end of a pipe that is written to: its receive timeout. That end does not need one,
 * Winsock returns it as it was set, and no program would choose these 24 days.
 */
const PIPE_MARK = 0x7b1d_5a17;

/** The build of Windows 10 2004: before it, `WSAPoll` does not report failed connections. */
const RELIABLE_POLL = 19_041;

/** The calls of Windows: Winsock's, to which a descriptor is the handle of a socket. */
export const winsock: Platform = {
  openCalls: winsockCalls,
  callNames: {
    close: "closesocket",
    read: "recv",
    write: "send",
    sendmsg: "WSASendMsg",
    recvmsg: "WSARecvMsg",
    setBlocking: "ioctlsocket",
    setInheritable: "SetHandleInformation",
  },

  lastErrno,
  strerror,
  gaiStrerror: strerror,

  readWriteCalls: once(() => {
    const { recv, send } = calls();
    return {
      read: (fd, buffer, length) => received(recv(fd, buffer, length, 0), length),
      write: (fd, data, length) => send(fd, data, length, 0),
    };
  }),

  close(fd) {
    const result = calls().closesocket(fd);
    if (result === 0 || lastErrno() !== EWOULDBLOCK) return result;
    // It lingers for some time, for which it must block.
    setBlocking(fd, true);
    return calls().closesocket(fd);
  },

  isOpen: (fd) => getOption(fd, SO_TYPE) !== undefined,

  isBlocking() {
    throw new Deno.errors.NotSupported(
      "Cannot get whether a socket blocks: Winsock has no call for it",
    );
  },

  setBlocking,

  setInheritable(fd, inheritable) {
    const { SetHandleInformation } = kernelCalls();
    const { HANDLE_FLAG_INHERIT } = abi.winsock!.constants;
    const flags = inheritable ? HANDLE_FLAG_INHERIT : 0;
    if (SetHandleInformation(BigInt(fd), HANDLE_FLAG_INHERIT, flags) !== 0) return 0;
    setLastErrno(ENOTSOCK!); // Its own error is not one of Winsock's.
    return -1;
  },

  makePipe() {
    const pair = connectPair(AF_INET);
    if ("fds" in pair) setOption(pair.fds[1], SOL_SOCKET, SO_RCVTIMEO, PIPE_MARK);
    return pair;
  },

  /** A closed one can: the call that uses it fails then. */
  canBePipeWriter: (fd) => (getOption(fd, SO_RCVTIMEO) ?? PIPE_MARK) === PIPE_MARK,

  makePair(family, type) {
    const syscall = "socketpair";
    if (family !== AF_INET && family !== AF_INET6) return { syscall, errno: EOPNOTSUPP! };
    if (type !== SOCK_STREAM) return { syscall, errno: ESOCKTNOSUPPORT! };
    return connectPair(family);
  },

  pairFamily: AF_INET,

  adaptSocketCalls<C extends SocketCalls>(open: () => C): () => C {
    return once((): C => {
      const calls = open();
      const { socket, recv, recvfrom } = calls;
      return {
        ...calls,
        socket(family, type, protocol) {
          const fd = socket(family, type, protocol);
          if (fd >= 0 && type === SOCK_DGRAM) ignoreUnreachablePorts(fd);
          return fd;
        },
        recv: (fd, buffer, length, flags) => received(recv(fd, buffer, length, flags), length),
        recvfrom: (fd, buffer, length, flags, address, size) =>
          received(recvfrom(fd, buffer, length, flags, address, size), length),
      };
    });
  },

  messageCalls: once(openMessageCalls),
  newSocketFlags: 0,
  connectPendingErrno: EWOULDBLOCK,
  keepsSocketError: true,

  familyOfUnbound(fd) {
    const { constants, WSAPROTOCOL_INFOA } = abi.winsock!;
    const info = new DataView(new ArrayBuffer(WSAPROTOCOL_INFOA.size));
    const size = new Int32Array([info.byteLength]);
    const result = calls().getsockopt(fd, SOL_SOCKET, constants.SO_PROTOCOL_INFOA, info, size);
    return result < 0 ? -1 : info.getInt32(WSAPROTOCOL_INFOA.fields.iAddressFamily[0], true);
  },

  winsock: { hasReliablePoll: () => windowsBuild() >= RELIABLE_POLL, isConnected, isBroken },
};

function setBlocking(fd: number, blocking: boolean): number {
  const { FIONBIO } = abi.winsock!.constants;
  return calls().ioctlsocket(fd, FIONBIO, new Uint32Array([blocking ? 0 : 1]));
}

/** Cuts a datagram that is longer than the buffer, as POSIX does; Winsock calls it an error. */
function received(size: number, length: number): number {
  return size < 0 && lastErrno() === EMSGSIZE ? length : size;
}

/**
 * Keeps a datagram that found no receiver from failing the next receive. A system that cannot do
 * that goes on as it is.
 */
function ignoreUnreachablePorts(fd: number): void {
  const { SIO_UDP_CONNRESET } = abi.winsock!.constants;
  const off = new Uint32Array(1);
  const size = new Uint32Array(1);
  calls().WSAIoctl(fd, SIO_UDP_CONNRESET, off, 4, null, 0, size, null, null);
}

/** Makes something on first use, once per isolate. */
function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => made ??= make();
}
