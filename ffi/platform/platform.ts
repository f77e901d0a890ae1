/**
 * What POSIX and Winsock do by different calls. Each fills this interface in with bare calls, which
 * return what C returns: a negative result is a failure, whose errno is read at once. The rules
 * are written once, above it.
 *
 * @module
 */

import type { Calls, Declarations } from "../libc.ts";

/** A system's own calls. */
export interface Platform extends Errors, Descriptors, Pairs, Sockets {
  /**
   * Opens a set of the system's socket calls on first use.
   *
   * @param declarations The calls, declared as for `Deno.dlopen`
   * @returns A function that returns the calls
   */
  readonly openCalls: <const D extends Declarations>(declarations: D) => () => Calls<D>;
  /** The names of the calls that stand behind the functions here, for error messages. */
  readonly callNames: { readonly [name in NamedCall]: string };
  /** What Winsock's waits leave open; `undefined` on POSIX. */
  readonly winsock?: WinsockReadiness;
}

type NamedCall =
  | "close"
  | "read"
  | "write"
  | "sendmsg"
  | "recvmsg"
  | "setBlocking"
  | "setInheritable";

/** The errors of calls. */
export interface Errors {
  /** Returns the errno of the calling thread. It opens nothing, as that would change it. */
  readonly lastErrno: () => number;
  /** Returns the system's message for an errno. */
  strerror(errno: number): string;
  /** Returns the system's message for one of `getaddrinfo`'s codes. */
  gaiStrerror(code: number): string;
}

/** Calls on any descriptor. */
export interface Descriptors {
  /** Opens the calls that move bytes. */
  readonly readWriteCalls: () => ReadWriteCalls;
  /** Closes a descriptor: 0, or -1. */
  close(fd: number): number;
  /** Returns whether a descriptor is open. */
  isOpen(fd: number): boolean;
  /** Returns 1 if calls on the descriptor's open file block, 0 if not, or -1. */
  isBlocking(fd: number): number;
  /** Makes calls on the descriptor's open file block, or return at once: 0, or -1. */
  setBlocking(fd: number, blocking: boolean): number;
  /** Passes the descriptor on to programs that this process starts, or keeps it: 0, or -1. */
  setInheritable(fd: number, inheritable: boolean): number;
  /** Duplicates a descriptor, close-on-exec, onto a number of `min` or higher. Not on Windows. */
  duplicate?(fd: number, min: number): number;
}

/** The calls that move bytes through a descriptor. */
export interface ReadWriteCalls {
  read(fd: number, buffer: ArrayBufferView, length: number): number;
  write(fd: number, data: ArrayBufferView, length: number): number;
}

/** Descriptors that are made in pairs. */
export interface Pairs {
  /** Makes a pipe: the end to read from, then the end to write to. */
  makePipe(): Pair | Refusal;
  /** Returns whether a descriptor can be the end of a pipe to write to, as far as is known. */
  canBePipeWriter(fd: number): boolean;
  /** Makes two connected sockets. */
  makePair(family: number, type: number): Pair | Refusal;
  /** The address family that pairs of sockets have by default. */
  readonly pairFamily: number;
}

/** Two descriptors, connected with each other. */
export interface Pair {
  readonly fds: readonly [number, number];
  /** Whether they are non-blocking and close-on-exec already. */
  readonly finished: boolean;
}

/** Why a pair was not made. */
export interface Refusal {
  /** The call that failed. */
  readonly syscall: string;
  /** Its errno. */
  readonly errno: number;
}

/** Calls on sockets. */
export interface Sockets {
  /** Makes a system's own calls behave as POSIX's. */
  adaptSocketCalls<C extends SocketCalls>(calls: () => C): () => C;
  /** Opens the calls that move messages. */
  readonly messageCalls: () => MessageCalls;
  /** Makes a new socket non-blocking and close-on-exec: ORed to its type; 0 if nothing does. */
  readonly newSocketFlags: number;
  /** The errno of a pending `connect()`. */
  readonly connectPendingErrno: number;
  /** Whether `SO_ERROR` keeps its value once it is read. */
  readonly keepsSocketError: boolean;
  /** Returns the family of a socket without an address, where `getsockname` fails; else -1. */
  familyOfUnbound(fd: number): number;
}

/** The calls of sockets that differ in more than their declaration. */
export interface SocketCalls {
  socket(family: number, type: number, protocol: number): number;
  recv(fd: number, buffer: ArrayBufferView | null, length: number, flags: number): number;
  recvfrom(
    fd: number,
    buffer: ArrayBufferView | null,
    length: number,
    flags: number,
    address: ArrayBufferView | null,
    size: ArrayBufferView | null,
  ): number;
}

/** The calls that move messages, each with C's `struct msghdr`, or Winsock's `WSAMSG`. */
export interface MessageCalls {
  sendmsg(fd: number, header: DataView<ArrayBuffer>, flags: number): number;
  /** The `room` is the length of all buffers. */
  recvmsg(fd: number, header: DataView<ArrayBuffer>, flags: number, room: number): number;
}

/** What Winsock's waits leave open. */
export interface WinsockReadiness {
  /** Returns whether `WSAPoll` reports failed connections: since Windows 10 2004. */
  hasReliablePoll(): boolean;
  /** Returns whether a socket is connected. */
  isConnected(fd: number): boolean;
  /** Returns whether a connection is broken, such as by a reset. Nothing is taken from it. */
  isBroken(fd: number): boolean;
}
