/**
 * Negative zero is an integer, and equals 0, but Deno's FFI refuses it.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { FileDescriptor, InotifyDescriptor, ioctl, isTerminal } from "../../ffi/fd/mod.ts";
import {
  AF_INET,
  createServer,
  getOptionBytes,
  interfaceName,
  OSError,
  sendFile,
  SOCK_DGRAM,
  SOCK_STREAM,
  Socket,
  SOL_SOCKET,
} from "../../ffi/socket/mod.ts";
import { EVENT_READ, PollSelector, wake } from "../../mod.ts";
import { Pair } from "../support/descriptors.ts";
import { isWindows } from "../support/os.ts";
import { linuxOnly, skipIf } from "../support/skip.ts";

const BYTES = new Uint8Array(1);
const LOOPBACK = { hostname: "127.0.0.1", port: -0 };

const notWindows = skipIf(isWindows, "Windows takes only sockets");

Deno.test("A descriptor of -0 is that of 0", () => {
  assertEquals(new FileDescriptor(-0).fileno(), 0);
});

Deno.test("A selector takes a descriptor of -0 for 0", notWindows, () => {
  using selector = new PollSelector();
  assertEquals(selector.register({ fileno: () => -0 }, EVENT_READ).fd, 0);
  assertEquals([...selector.getMap().keys()], [0]);
  assertEquals(selector.unregister(-0).fd, 0);
});

Deno.test("Flags, a protocol and a backlog of -0 are 0", () => {
  using pair = new Pair();
  assertEquals(pair.left.send(BYTES, -0), 1);
  assertEquals(pair.right.recv(BYTES, -0), 1);
  new Socket(AF_INET, SOCK_STREAM, -0).close();
  createServer(LOOPBACK, { backlog: -0 }).close();
});

Deno.test("A level, the name of an option and an index of -0 are 0", () => {
  using socket = new Socket(AF_INET, SOCK_DGRAM);
  const calls = [
    () => socket.getOption(-0, -0),
    () => socket.setOption(SOL_SOCKET, -0, -0),
    () => getOptionBytes(socket, -0, -0, 4),
    () => interfaceName(-0),
  ];
  for (const call of calls) assertThrows(call, OSError);
});

Deno.test("What only Linux has takes -0 for 0", linuxOnly, () => {
  assertThrows(() => wake(-0), OSError, "Cannot wake fd 0: ");
  using watcher = new InotifyDescriptor();
  assertThrows(() => watcher.unwatch(-0), OSError, "EINVAL");
  assertEquals(isTerminal(-0), isTerminal(0));
  using pair = new Pair();
  using file = FileDescriptor.open("/dev/null", -0, -0);
  assertEquals(sendFile(pair.left, file, -0, -0), 0);
  const FIOCLEX = 0x5451;
  assertEquals(ioctl(pair.left, FIOCLEX, -0), 0);
});
