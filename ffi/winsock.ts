import type { Winsock } from "./abi/abi.ts";
import { abi } from "./abi/host.ts";
import { windowsX64 } from "./abi/windows.ts";
import type { Door, Ends, Refusal, SocketCalls } from "./door.ts";
import { libcCalls } from "./libc.ts";
import {
  fail,
  keepingFailure,
  lastFailure,
  openErrorCalls,
  winsockCalls,
} from "./winsock_calls.ts";

const {
  AF_INET,
  AF_INET6,
  IPPROTO_TCP,
  MSG_CTRUNC,
  MSG_PEEK,
  MSG_TRUNC,
  SOCK_DGRAM,
  SOCK_STREAM,
  TCP_NODELAY,
} = abi.constants;
const { SOL_SOCKET, SOMAXCONN, SO_RCVTIMEO, SO_TYPE } = abi.constants;
const {
  ECONNABORTED,
  ECONNRESET,
  EINTR,
  EMSGSIZE,
  ENOTCONN,
  ENOTSOCK,
  EOPNOTSUPP,
  ESHUTDOWN,
  ESOCKTNOSUPPORT,
  EWOULDBLOCK,
} = abi.errno;
const { messages, structs: { sockaddr_in, sockaddr_in6 } } = abi;

// Where there is no Winsock nothing here is called, and any numbers will do.
const { constants, libraries, WSADATA, WSAPROTOCOL_INFOA }: Winsock = abi.winsock ??
  windowsX64.winsock!;

const startCalls = libcCalls({ WSAStartup: { parameters: ["u16", "buffer"], result: "i32" } });

// A handle has 64 bits, of which Windows uses 31: it is passed as a descriptor is elsewhere.
const calls = winsockCalls({
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

/** What Winsock knows `WSARecvMsg` by. */
const WSAID_WSARECVMSG = new Uint8Array(
  [0xc8, 0xd7, 0x89, 0xf6, 0x1f, 0x6f, 0x6b, 0x43, 0x8a, 0x53, 0xe5, 0x4f, 0xe3, 0x51, 0xc3, 0x22],
);

/** The door of Windows: Winsock, where a descriptor is a socket's handle and nothing else. */
export const winsock: Door = {
  names: {
    close: "closesocket",
    read: "recv",
    write: "send",
    sendmsg: "WSASendMsg",
    recvmsg: "WSARecvMsg",
    setBlocking: "ioctlsocket",
    setCloseOnExec: "SetHandleInformation",
  },
  open: winsockCalls,
  pairFamily: AF_INET,
  atBirth: 0,
  keepsErrors: true,
  connecting: EWOULDBLOCK,

  /** Winsock refuses every call until it was told which version of it is meant: 2.2. */
  errnoReader() {
    openErrorCalls();
    const errno = startCalls().WSAStartup(0x0202, new Uint8Array(WSADATA.size));
    if (errno !== 0) {
      throw new Deno.errors.NotSupported(`Cannot start Winsock 2.2: its error is ${errno}`);
    }
    return lastFailure;
  },

  wordsFor,

  resolverWordsFor: wordsFor,

  transfers: once(() => {
    const { recv, send } = calls();
    return {
      read: (fd, buffer, length) => received(recv(fd, buffer, length, 0), length),
      write: (fd, data, length) => send(fd, data, length, 0),
    };
  }),

  messages: once(() => {
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

  adapt<C extends SocketCalls>(open: () => C): () => C {
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
    const ends = connect(AF_INET);
    if ("fds" in ends) setOption(ends.fds[1], SOL_SOCKET, SO_RCVTIMEO, PIPE_MARK);
    return ends;
  },

  makePair(family, type) {
    const errno = family !== AF_INET && family !== AF_INET6
      ? EOPNOTSUPP
      : type !== SOCK_STREAM
      ? ESOCKTNOSUPPORT
      : 0;
    if (errno === 0) return connect(family);
    fail(errno);
    return { syscall: "socketpair" };
  },

  // One that is closed is refused as it is used.
  mayBePipe: (fd) => (getOption(fd, SO_RCVTIMEO) ?? PIPE_MARK) === PIPE_MARK,

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
function wordsFor(errno: number): string {
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

/** How long one end waits for the other, which is there already unless somebody broke it, in seconds. */
const PATIENCE = 5;

/**
 * Connects two sockets over loopback. Others can connect to the port too while it is open: whoever
 * is not at the other end's address is sent away.
 */
function connect(family: number): Ends | Refusal {
  const { accept, bind, closesocket, connect, getpeername, getsockname, listen, socket } = calls();
  const open: number[] = [];
  const opened = (fd: number): number => {
    if (fd >= 0) open.push(fd);
    return fd;
  };
  const refusal = (syscall: string): Refusal => {
    const errno = lastFailure();
    for (const fd of open) closesocket(fd);
    fail(errno);
    return { syscall };
  };

  const listener = opened(socket(family, SOCK_STREAM, 0));
  if (listener < 0) return refusal("socket");
  if (setOption(listener, SOL_SOCKET, constants.SO_EXCLUSIVEADDRUSE, 1) < 0) {
    return refusal("setsockopt");
  }
  const address = loopback(family);
  if (bind(listener, address, address.length) < 0) return refusal("bind");
  if (listen(listener, SOMAXCONN) < 0) return refusal("listen");
  if (getsockname(listener, address, sizeOf(address)) < 0) return refusal("getsockname");

  const client = opened(socket(family, SOCK_STREAM, 0));
  if (client < 0) return refusal("socket");
  if (connect(client, address, address.length) < 0) return refusal("connect");
  const wanted = loopback(family);
  if (getsockname(client, wanted, sizeOf(wanted)) < 0) return refusal("getsockname");

  for (;;) {
    if (!isReadable(listener, PATIENCE)) {
      fail(ECONNABORTED);
      return refusal("accept");
    }
    const server = opened(accept(listener, null, null));
    if (server < 0) {
      if (lastFailure() === ECONNRESET) continue; // A stranger who left again.
      return refusal("accept");
    }
    const peer = loopback(family);
    if (getpeername(server, peer, sizeOf(peer)) === 0 && isSame(peer, wanted)) {
      closesocket(listener);
      for (const fd of [server, client]) setOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
      return { fds: [server, client], finished: false };
    }
    closesocket(server);
    open.pop();
  }
}

/** Tells whether a socket is connected. */
export function hasPeer(fd: number): boolean {
  const address = new Uint8Array(128);
  return calls().getpeername(fd, address, sizeOf(address)) === 0;
}

/** What `recv` says of a socket that is no broken connection, though it has nothing to give. */
const UNBROKEN = [EINTR, EMSGSIZE, ENOTCONN, ESHUTDOWN, EWOULDBLOCK];

/** Tells whether a connection broke, such as by a reset, without taking anything from it. */
export function isBroken(fd: number): boolean {
  return isReadable(fd, 0) && // Else `recv` would wait, if the socket blocks.
    calls().recv(fd, new Uint8Array(1), 1, MSG_PEEK) < 0 && !UNBROKEN.includes(lastFailure());
}

/** Waits for some seconds until a socket is readable. */
function isReadable(fd: number, seconds: number): boolean {
  const set = new Int32Array([1, 0, fd, 0]); // A count, padding, a handle of 64 bits.
  return calls().select(0, set, null, null, new Int32Array([seconds, 0])) === 1;
}

/** The loopback address with a port that the system picks, in C's form. */
function loopback(family: number): Uint8Array<ArrayBuffer> {
  const { size, address: [at, width], first } = family === AF_INET
    ? { size: sockaddr_in.size, address: sockaddr_in.fields.sin_addr, first: 127 }
    : { size: sockaddr_in6.size, address: sockaddr_in6.fields.sin6_addr, first: 0 };
  const bytes = new Uint8Array(size);
  bytes[sockaddr_in.fields.sin_family[0]] = family;
  bytes[at] = first;
  bytes[at + width - 1] = 1;
  return bytes;
}

function sizeOf(bytes: Uint8Array): Int32Array<ArrayBuffer> {
  return new Int32Array([bytes.length]);
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.every((byte, i) => byte === b[i]);
}

/** The value of an option of sockets, or `undefined` of what is no open socket. */
function getOption(fd: number, name: number): number | undefined {
  const value = new Int32Array(1);
  const size = new Int32Array([value.byteLength]);
  return calls().getsockopt(fd, SOL_SOCKET, name, value, size) < 0 ? undefined : value[0];
}

function setOption(fd: number, level: number, name: number, value: number): number {
  return calls().setsockopt(fd, level, name, new Int32Array([value]), 4);
}

/** Does something on first use, once an isolate. */
function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => made ??= make();
}
