/**
 * Tables of calls that fail, for tests of their errors and of what they leave open.
 *
 * @module
 */

import { assert, assertEquals, assertInstanceOf, assertMatch, assertThrows } from "@std/assert";
import {
  AF_INET,
  OSError,
  SOCK_DGRAM,
  SOCK_STREAM,
  Socket,
  type SocketAddress,
} from "../../ffi/socket/mod.ts";
import { Descriptor, Pair } from "./descriptors.ts";
import type { Skip } from "./skip.ts";

/** Calls that fail with the same error. */
export interface ErrorCase extends Skip {
  /** The name of the test: the function, the error and the reason. */
  readonly name: string;
  /** The class of the error, or the code (`ONE|OTHER`) and the system call of an `OSError`. */
  readonly error: typeof TypeError | typeof Deno.errors.NotSupported | readonly [string, string];
  /** Matches the message. */
  readonly message: RegExp;
  readonly calls: readonly (() => unknown)[];
}

/** Declares a test of each case. */
export function testErrors(cases: readonly ErrorCase[]): void {
  for (const { name, error: expected, message, calls, ...skip } of cases) {
    Deno.test(name, skip, () => {
      for (const call of calls) {
        const error = assertThrows(call, Error, undefined, String(call));
        if (typeof expected === "function") {
          assertInstanceOf(error, expected);
        } else {
          assertInstanceOf(error, OSError);
          const [codes, syscall] = expected;
          assert(codes.split("|").includes(error.code), error.message);
          assertEquals(error.syscall, syscall, error.message);
        }
        assertMatch(error.message, message);
      }
    });
  }
}

/** A free port of the loopback interface. */
export const LOOPBACK: SocketAddress = { hostname: "127.0.0.1", port: 0 };

/** Four bytes to send, or room to receive them. */
export const BYTES: Uint8Array<ArrayBuffer> = new Uint8Array(4);

/** Values that are not descriptors. */
export const NOT_DESCRIPTORS = [-1, 1.5, NaN, Infinity, 2 ** 31] as const;

/** Values that are not numbers. */
export const NOT_NUMBERS = [undefined, null, "3", 3n, true, {}, Symbol("fd")] as const;

/** Values that are not 32-bit integers. */
export const NOT_INTEGERS = [
  NaN,
  1.5,
  Infinity,
  2 ** 31,
  -(2 ** 31) - 1,
  2 ** 40,
  "1",
  1n,
  null,
  true,
  {},
] as const;

/** Values that are not a `Uint8Array`. */
export const NOT_BYTES = [
  undefined,
  null,
  "text",
  4,
  [1, 2],
  {},
  new ArrayBuffer(4),
  new DataView(new ArrayBuffer(4)),
  new Uint16Array(2),
] as const;

/** Calls a function with each of several wrong values. */
export function each(
  values: readonly unknown[],
  call: (value: never) => unknown,
): (() => unknown)[] {
  return values.map((value) => () => call(value as never));
}

/** Calls a function with one of two connected sockets. */
export function connected(call: (socket: Socket) => unknown): () => unknown {
  return () => {
    using pair = new Pair();
    return call(pair.left);
  };
}

/** Calls a function with a new socket, by default a stream socket. */
export function withSocket(
  call: (socket: Socket) => unknown,
  family = AF_INET,
  type = SOCK_STREAM,
): () => unknown {
  return () => {
    using socket = new Socket(family, type);
    return call(socket);
  };
}

/** Calls a function with a new datagram socket. */
export function withDatagrams(
  call: (socket: Socket) => unknown,
  family = AF_INET,
): () => unknown {
  return withSocket(call, family, SOCK_DGRAM);
}

/** Calls a function with a closed socket. */
export function closed(call: (socket: Socket) => unknown): () => unknown {
  return withSocket((socket) => {
    socket.close();
    return call(socket);
  });
}

/** Calls a function with a socket whose descriptor was closed elsewhere. */
export function closedElsewhere(call: (socket: Socket) => unknown): () => unknown {
  return () => {
    using pair = new Pair();
    using copy = Descriptor.dupHigh(pair.left.fileno());
    const socket = Socket.fromFd(copy.fd);
    copy.close();
    return call(socket);
  };
}
