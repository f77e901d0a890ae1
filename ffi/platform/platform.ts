/**
 * What POSIX and Winsock do by different calls. Each has a file that fills this in, with bare
 * calls that return what C returns; the rules are written once, above it.
 *
 * @module
 */

import type { Calls, Declarations } from "../libc.ts";

/** Why something was not made: the call that was refused, with its error as the last one. */
export interface Refusal {
  readonly syscall: string;
}

/** Two descriptors that are connected with each other. */
export interface Ends {
  readonly fds: readonly [number, number];
  /** Whether they are non-blocking and close-on-exec already. */
  readonly finished: boolean;
}

/** The calls that move bytes through a descriptor. */
export interface Transfers {
  read(fd: number, buffer: ArrayBufferView, length: number): number;
  write(fd: number, data: ArrayBufferView, length: number): number;
}

/** The calls that move messages, each with C's `struct msghdr`, or Winsock's `WSAMSG`. */
export interface MessageCalls {
  sendmsg(fd: number, header: DataView<ArrayBuffer>, flags: number): number;
  /** The `room` is the length of all buffers. */
  recvmsg(fd: number, header: DataView<ArrayBuffer>, flags: number, room: number): number;
}

/** The calls of sockets that are not the same in all but their declaration. */
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

/** What Winsock's waits leave open, and POSIX's do not. */
export interface WinsockReadiness {
  /** Returns whether `WSAPoll` reports failed connections: since Windows 10 2004. */
  hasReliablePoll(): boolean;
  /** Returns whether a socket is connected. */
  isConnected(fd: number): boolean;
  /** Returns whether a connection is broken, such as by a reset. Nothing is taken from it. */
  isBroken(fd: number): boolean;
}

/** A system's own calls. */
export interface Platform {
  /** Winsock's own questions; `undefined` on POSIX. */
  readonly winsock?: WinsockReadiness;
  /** The names of the calls that stand behind the functions, for messages. */
  readonly names: {
    readonly [
      name in
        | "close"
        | "read"
        | "write"
        | "sendmsg"
        | "recvmsg"
        | "setBlocking"
        | "setCloseOnExec"
    ]: string;
  };
  /**
   * Makes what reads the calling thread's last error: straight after the call that failed. Called
   * before any call can fail, it opens all that it will need.
   */
  errnoReader(): () => number;
  /** Opens a set of the system's socket calls, as {@linkcode libcCalls} does. */
  readonly open: <const D extends Declarations>(declarations: D) => () => Calls<D>;
  /** The system's words for an error number. */
  wordsFor(errno: number): string;
  /** The system's words for one of `getaddrinfo`'s numbers. */
  resolverWordsFor(code: number): string;
  /** Opens the calls that move bytes. */
  readonly transfers: () => Transfers;
  /** Opens the calls that move messages. */
  readonly messages: () => MessageCalls;
  /** Makes a system's own calls behave as POSIX's. */
  adapt<C extends SocketCalls>(calls: () => C): () => C;
  /** Closes a descriptor: 0, or -1. */
  close(fd: number): number;
  /** Tells whether a descriptor is open. */
  isOpen(fd: number): boolean;
  /** Tells whether calls on the descriptor's open file block: 1 or 0, or -1. */
  isBlocking(fd: number): number;
  /** Makes calls on the descriptor's open file block or not: 0, or -1. */
  setBlocking(fd: number, blocking: boolean): number;
  /** Keeps the descriptor from programs that this process starts: 0, or -1. */
  setCloseOnExec(fd: number): number;
  /** Makes two ends, of which the second is written and the first is read. */
  makePipe(): Ends | Refusal;
  /** Makes two sockets that are connected with each other. */
  makePair(family: number, type: number): Ends | Refusal;
  /** The address family of pairs of sockets. */
  readonly pairFamily: number;
  /** Tells whether a descriptor may be the end of a pipe that is written. */
  mayBePipe(fd: number): boolean;
  /** The address family of a socket that has no address yet, where it has none; else -1. */
  familyOfUnbound(fd: number): number;
  /** What makes new sockets non-blocking and close-on-exec at once, ORed to their type, or 0. */
  readonly atBirth: number;
  /** Whether `SO_ERROR` stays when it was read. */
  readonly keepsErrors: boolean;
  /** What a connection that is in progress is told by. */
  readonly connecting: number;
}
