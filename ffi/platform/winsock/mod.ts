import type { Winsock } from "../../abi/abi.ts";
import { abi } from "../../abi/host.ts";
import { windowsX64 } from "../../abi/windows.ts";
import type { Platform, SocketCalls } from "../platform.ts";
import { libcCalls } from "../../libc.ts";
import { connectPair } from "./loopback_pair.ts";
import { fail, keepingFailure, lastFailure, openErrorCalls, winsockCalls } from "./calls.ts";
import { calls, getOption, isBroken, isConnected, setOption } from "./sockets.ts";
import { windowsBuild } from "./windows_build.ts";

const {
  AF_INET,
  AF_INET6,
  MSG_CTRUNC,
  MSG_TRUNC,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_RCVTIMEO,
  SO_TYPE,
} = abi.constants;
const {
  EMSGSIZE,
  ENOTSOCK,
  EOPNOTSUPP,
  ESOCKTNOSUPPORT,
  EWOULDBLOCK,
} = abi.errno;
const { messages } = abi;

// Where there is no Winsock nothing here is called, and any numbers will do.
const { constants, libraries, WSADATA, WSAPROTOCOL_INFOA }: Winsock = abi.winsock ??
  windowsX64.winsock!;

const startCalls = libcCalls({ WSAStartup: { parameters: ["u16", "buffer"], result: "i32" } });

const kernelCalls = libcCalls({
  FormatMessageW: {
    parameters: ["u32", "pointer", "u32", "u32", "buffer", "u32", "pointer"],
    result: "u32",
  },
  SetHandleInformation: { parameters: ["usize", "u32", "u32"], result: "i32" },
}, libraries.kernel);

/**
 * The receive timeout of an end that is written, which needs none, so as to know it again, as Winsock
 * gives it back as it was set: some 24 days that nobody else would ask for.
 */
const PIPE_MARK = 0x7b1d_5a17;

/** The build of Windows 10 2004: before it, `WSAPoll` does not report failed connections. */
const RELIABLE_POLL = 19_041;

/** What Winsock knows `WSARecvMsg` by. */
const WSAID_WSARECVMSG = new Uint8Array(
  [0xc8, 0xd7, 0x89, 0xf6, 0x1f, 0x6f, 0x6b, 0x43, 0x8a, 0x53, 0xe5, 0x4f, 0xe3, 0x51, 0xc3, 0x22],
);

/** The door of Windows: Winsock, where a descriptor is a socket's handle and nothing else. */
export const winsock: Platform = {
  callNames: {
    close: "closesocket",
    read: "recv",
    write: "send",
    sendmsg: "WSASendMsg",
    recvmsg: "WSARecvMsg",
    setBlocking: "ioctlsocket",
    setCloseOnExec: "SetHandleInformation",
  },
  winsock: { hasReliablePoll: () => windowsBuild() >= RELIABLE_POLL, isConnected, isBroken },
  openCalls: winsockCalls,
  pairFamily: AF_INET,
  newSocketFlags: 0,
  keepsSocketError: true,
  connectPendingErrno: EWOULDBLOCK,

  /** Winsock refuses every call until it was told which version of it is meant: 2.2. */
  errnoReader() {
    openErrorCalls();
    const errno = startCalls().WSAStartup(0x0202, new Uint8Array(WSADATA.size));
    if (errno !== 0) {
      throw new Deno.errors.NotSupported(`Cannot start Winsock 2.2: its error is ${errno}`);
    }
    return lastFailure;
  },

  strerror,

  gaiStrerror: strerror,

  readWriteCalls: once(() => {
    const { recv, send } = calls();
    return {
      read: (fd, buffer, length) => received(recv(fd, buffer, length, 0), length),
      write: (fd, data, length) => send(fd, data, length, 0),
    };
  }),

  messageCalls: once(() => {
    const WSARecvMsg = openWSARecvMsg();
    const moved = new Uint32Array(1);
    return {
      sendmsg(fd, header, flags) {
        const result = calls().WSASendMsg(fd, header, flags, moved, null, null);
        return result < 0 ? result : moved[0];
      },
      recvmsg(fd, header, flags, room) {
        const [at] = messages!.msghdr.fields.msg_flags;
        header.setUint32(at, flags, true);
        if (WSARecvMsg(fd, header, moved, null, null) === 0) return moved[0];
        if (lastFailure() !== EMSGSIZE) return -1;
        // Something was cut: the datagram, or what came with it alone. Of the first Wine tells no flag.
        const told = header.getUint32(at, true);
        if ((told & (MSG_TRUNC | MSG_CTRUNC)) === MSG_CTRUNC) return moved[0];
        header.setUint32(at, told | MSG_TRUNC, true);
        return room;
      },
    };
  }),

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

  close(fd) {
    const result = calls().closesocket(fd);
    if (result === 0 || lastFailure() !== EWOULDBLOCK) return result;
    // It is to linger for some time, which only one that blocks can.
    this.setBlocking(fd, true);
    return calls().closesocket(fd);
  },

  isOpen: (fd) => getOption(fd, SO_TYPE) !== undefined,

  isBlocking() {
    throw new Deno.errors.NotSupported("Cannot tell whether a socket blocks: Winsock does not say");
  },

  setBlocking: (fd, blocking) =>
    calls().ioctlsocket(fd, constants.FIONBIO, new Uint32Array([blocking ? 0 : 1])),

  setCloseOnExec(fd) {
    const { SetHandleInformation } = kernelCalls();
    if (SetHandleInformation(BigInt(fd), constants.HANDLE_FLAG_INHERIT, 0) !== 0) return 0;
    fail(ENOTSOCK); // Its own error is none of Winsock's.
    return -1;
  },

  makePipe() {
    const ends = connectPair(AF_INET);
    if ("fds" in ends) setOption(ends.fds[1], SOL_SOCKET, SO_RCVTIMEO, PIPE_MARK);
    return ends;
  },

  makePair(family, type) {
    const errno = family !== AF_INET && family !== AF_INET6
      ? EOPNOTSUPP
      : type !== SOCK_STREAM
      ? ESOCKTNOSUPPORT
      : 0;
    if (errno === 0) return connectPair(family);
    fail(errno);
    return { syscall: "socketpair" };
  },

  // One that is closed is refused as it is used.
  canBePipeWriter: (fd) => (getOption(fd, SO_RCVTIMEO) ?? PIPE_MARK) === PIPE_MARK,

  familyOfUnbound(fd) {
    const info = new DataView(new ArrayBuffer(WSAPROTOCOL_INFOA.size));
    const size = new Int32Array([info.byteLength]);
    const result = calls().getsockopt(fd, SOL_SOCKET, constants.SO_PROTOCOL_INFOA, info, size);
    return result < 0 ? -1 : info.getInt32(WSAPROTOCOL_INFOA.fields.iAddressFamily[0], true);
  },
};

/** Finds the call that no library exports: Winsock gives its address. */
function openWSARecvMsg() {
  const WSARecvMsg = {
    parameters: ["i32", "buffer", "buffer", "pointer", "pointer"],
    result: "i32",
  } as const;
  const fd = calls().socket(AF_INET, SOCK_DGRAM, 0);
  const address = new BigUint64Array(1);
  const size = new Uint32Array(1);
  const { SIO_GET_EXTENSION_FUNCTION_POINTER: ask } = constants;
  const id = WSAID_WSARECVMSG;
  const result = calls().WSAIoctl(fd, ask, id, id.length, address, 8, size, null, null);
  const errno = lastFailure();
  if (fd >= 0) calls().closesocket(fd);
  if (result < 0) {
    throw new Deno.errors.NotSupported(`Cannot open WSARecvMsg: Winsock's error is ${errno}`);
  }
  const pointer = new Deno.UnsafeFnPointer(Deno.UnsafePointer.create(address[0])!, WSARecvMsg);
  return keepingFailure((...args: Parameters<typeof pointer.call>) => pointer.call(...args));
}

/** Winsock has no words, but its errors are among the system's, which speaks the user's language. */
function strerror(errno: number): string {
  return wordsFromSystem(errno) || `Windows error ${errno}`;
}

function wordsFromSystem(errno: number): string {
  const { FORMAT_MESSAGE_FROM_SYSTEM, FORMAT_MESSAGE_IGNORE_INSERTS } = constants;
  const text = new Uint16Array(1024);
  const length = kernelCalls().FormatMessageW(
    // Without line breaks.
    FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS |
      constants.FORMAT_MESSAGE_MAX_WIDTH_MASK,
    null,
    errno >>> 0,
    0,
    text,
    text.length,
    null,
  );
  return String.fromCharCode(...text.subarray(0, length)).replace(/[\s.]+$/, "");
}

/** A datagram that is longer than its room is cut, as everywhere else; Winsock calls it an error. */
function received(size: number, length: number): number {
  return size < 0 && lastFailure() === EMSGSIZE ? length : size;
}

/**
 * Keeps a datagram that nobody received from failing the next one that is received, from whomever
 * it is. A system that cannot do that goes on as it does.
 */
function ignoreUnreachablePorts(fd: number): void {
  const off = new Uint32Array(1);
  const size = new Uint32Array(1);
  calls().WSAIoctl(fd, constants.SIO_UDP_CONNRESET, off, 4, null, 0, size, null, null);
}

/** Does something on first use, once an isolate. */
function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => made ??= make();
}
