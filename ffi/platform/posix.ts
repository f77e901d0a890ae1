import { abi } from "../abi/mod.ts";
import { lastErrno, libcCalls } from "../libc.ts";
import { stringAt } from "../memory.ts";
import type { Pair, Platform, Refusal } from "./platform.ts";

const {
  AF_UNIX,
  F_DUPFD_CLOEXEC,
  F_GETFL,
  F_SETFD,
  F_SETFL,
  FD_CLOEXEC,
  O_CLOEXEC,
  O_NONBLOCK,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SO_DOMAIN,
  SO_TYPE,
  SOL_SOCKET,
} = abi.constants;

// Deno takes 0.2 ms to open a call, so that a set has only what is used together.

const errorCalls = libcCalls({
  strerror: { parameters: ["i32"], result: "usize" },
  gai_strerror: { parameters: ["i32"], result: "usize" },
});

const readWriteCalls = libcCalls({
  read: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  write: { parameters: ["i32", "buffer", "u32"], result: "i32" },
});

const messageCalls = libcCalls({
  sendmsg: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  recvmsg: { parameters: ["i32", "buffer", "i32"], result: "i32" },
});

const closeCalls = libcCalls({ close: { parameters: ["i32"], result: "i32" } });

const fcntlCalls = libcCalls({
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
});

// Fillers take up the registers, so that the value is passed on the stack.
const fcntlOnStackCalls = libcCalls({
  fcntl: {
    parameters: ["i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32"],
    result: "i32",
  },
});

const optionCalls = libcCalls({
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
});

const pipeCalls = libcCalls({
  pipe: { parameters: ["buffer"], result: "i32" },
  pipe2: { parameters: ["buffer", "i32"], result: "i32", optional: true },
});

const pairCalls = libcCalls({
  socketpair: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
});

const NEW_SOCKET_FLAGS = SOCK_NONBLOCK === undefined || SOCK_CLOEXEC === undefined
  ? 0
  : SOCK_NONBLOCK | SOCK_CLOEXEC;

/** The calls of every system but Windows: libc's. */
export const posix: Platform = {
  openCalls: libcCalls,
  callNames: {
    close: "close",
    read: "read",
    write: "write",
    sendmsg: "sendmsg",
    recvmsg: "recvmsg",
    setBlocking: "fcntl",
    setInheritable: "fcntl",
  },

  lastErrno,

  strerror: (errno) => stringAt(errorCalls().strerror(errno)),

  gaiStrerror: (code) => stringAt(errorCalls().gai_strerror(code)),

  readWriteCalls,

  close: (fd) => closeCalls().close(fd),

  isOpen: (fd) => fcntl(fd, F_GETFL, 0) >= 0,

  isBlocking(fd) {
    const flags = fcntl(fd, F_GETFL, 0);
    return flags < 0 ? flags : (flags & O_NONBLOCK) === 0 ? 1 : 0;
  },

  setBlocking(fd, blocking) {
    const flags = fcntl(fd, F_GETFL, 0);
    if (flags < 0) return flags;
    const wanted = blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK;
    return wanted === flags ? 0 : fcntl(fd, F_SETFL, wanted);
  },

  setInheritable: (fd, inheritable) => fcntl(fd, F_SETFD, inheritable ? 0 : FD_CLOEXEC),

  duplicate: (fd, min) => fcntl(fd, F_DUPFD_CLOEXEC, min),

  makePipe() {
    const { pipe, pipe2 } = pipeCalls();
    const fds = new Int32Array(2);
    const atOnce = pipe2 !== null && O_CLOEXEC !== undefined;
    const result = atOnce ? pipe2(fds, O_CLOEXEC | O_NONBLOCK) : pipe(fds);
    return pair(result, fds, atOnce, atOnce ? "pipe2" : "pipe");
  },

  /** A socket cannot be; a terminal or a file cannot be distinguished from a pipe. */
  canBePipeWriter: (fd) => getOption(fd, SO_TYPE) < 0,

  makePair(family, type) {
    const fds = new Int32Array(2);
    const result = pairCalls().socketpair(family, type | NEW_SOCKET_FLAGS, 0, fds);
    return pair(result, fds, NEW_SOCKET_FLAGS !== 0, "socketpair");
  },

  pairFamily: AF_UNIX,

  adaptSocketCalls: (calls) => calls,
  messageCalls,
  newSocketFlags: NEW_SOCKET_FLAGS,
  connectPendingErrno: abi.errno.EINPROGRESS,
  keepsSocketError: false,
  familyOfUnbound: (fd) => SO_DOMAIN === undefined ? -1 : getOption(fd, SO_DOMAIN),
};

function fcntl(fd: number, command: number, value: number): number {
  return abi.variadicOnStack
    ? fcntlOnStackCalls().fcntl(fd, command, 0, 0, 0, 0, 0, 0, value)
    : fcntlCalls().fcntl(fd, command, value);
}

/** Returns the value of a `SOL_SOCKET` option, which is 0 or more, or -1. */
function getOption(fd: number, name: number): number {
  const value = new Int32Array(1);
  const size = new Uint32Array([value.byteLength]);
  return optionCalls().getsockopt(fd, SOL_SOCKET, name, value, size) < 0 ? -1 : value[0]!;
}

function pair(
  result: number,
  fds: Int32Array,
  finished: boolean,
  syscall: string,
): Pair | Refusal {
  return result < 0 ? { syscall, errno: lastErrno() } : { fds: [fds[0]!, fds[1]!], finished };
}
