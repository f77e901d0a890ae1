import { assert, assertEquals, assertGreaterOrEqual, assertThrows } from "@std/assert";
import {
  AF_INET,
  AF_INET6,
  IP_MULTICAST_TTL,
  IP_TTL,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPV6_V6ONLY,
  OSError,
  SO_ERROR,
  SO_KEEPALIVE,
  SO_LINGER,
  SO_RCVBUF,
  SO_RCVTIMEO,
  SO_REUSEADDR,
  SO_SNDBUF,
  SOCK_DGRAM,
  SOCK_STREAM,
  Socket,
  SOL_SOCKET,
  TCP_CONGESTION,
  TCP_KEEPIDLE,
  TCP_NODELAY,
} from "../../../ffi/socket/mod.ts";
import { Pair } from "../../support/descriptors.ts";
import { Connection, needsIpv6, untilReadable } from "../../support/sockets.ts";
import { isWinsock } from "../../support/platform.ts";
import { optionErrors } from "./error_cases/option.ts";
import { testErrors } from "../../support/error_cases.ts";
import { linuxOnly, skipIf, skipUnless } from "../../support/skip.ts";
import { isLinux, isWindows, isWine } from "../../support/os.ts";

testErrors(optionErrors);

const needsNegative = skipUnless(isLinux || isWine, "other systems refuse -1");

/** Systems other than Linux can return any number but 0 for a flag that is set. */
const integers = [
  { name: "SO_REUSEADDR", level: SOL_SOCKET, option: SO_REUSEADDR, values: [1, 0] },
  { name: "SO_KEEPALIVE", level: SOL_SOCKET, option: SO_KEEPALIVE, values: [1, 0] },
  { name: "TCP_NODELAY", level: IPPROTO_TCP, option: TCP_NODELAY, values: [1, 0] },
  {
    name: "TCP_KEEPIDLE",
    level: IPPROTO_TCP,
    option: TCP_KEEPIDLE,
    values: [30, 31],
    skip: skipIf(isWindows, "mingw's headers have no TCP_KEEPIDLE"),
  },
  { name: "IP_TTL", level: IPPROTO_IP, option: IP_TTL, values: [17, 255] },
];

for (const { name, level, option, values, skip = {} } of integers) {
  Deno.test(`Socket.getOption() returns what setOption() set (${name})`, skip, () => {
    using socket = new Socket(AF_INET, SOCK_STREAM);
    for (const value of values) {
      const isFlag = values.includes(0);
      const get = () => {
        const current = socket.getOption(level, option);
        return isFlag ? Math.min(current, 1) : current;
      };
      socket.setOption(level, option, value);
      assertEquals(get(), value);
      const bytes = new Uint8Array(new Int32Array([9, value, 9]).buffer, 4, 4);
      socket.setOption(level, option, values[0]);
      socket.setOption(level, option, bytes);
      assertEquals(get(), value);
    }
  });
}

Deno.test("Socket.setOption() enlarges the buffers", () => {
  using socket = new Socket(AF_INET, SOCK_DGRAM);
  for (const option of [SO_RCVBUF, SO_SNDBUF]) {
    socket.setOption(SOL_SOCKET, option, 10_000);
    const small = socket.getOption(SOL_SOCKET, option);
    assertGreaterOrEqual(small, 10_000);
    socket.setOption(SOL_SOCKET, option, 100_000);
    assertGreaterOrEqual(socket.getOption(SOL_SOCKET, option), small + 50_000);
  }
});

Deno.test("Socket.setOption() accepts a negative number", needsNegative, () => {
  using socket = new Socket(AF_INET, SOCK_DGRAM);
  socket.setOption(IPPROTO_IP, IP_MULTICAST_TTL, 9);
  socket.setOption(IPPROTO_IP, IP_MULTICAST_TTL, -1); // The default again.
  assertEquals(socket.getOption(IPPROTO_IP, IP_MULTICAST_TTL), 1);
});

Deno.test({
  name: "Socket.setOption() sets an option of IPv6",
  ...needsIpv6,
  fn() {
    using socket = new Socket(AF_INET6, SOCK_STREAM);
    for (const value of [0, 1]) {
      socket.setOption(IPPROTO_IPV6, IPV6_V6ONLY, value);
      assertEquals(socket.getOption(IPPROTO_IPV6, IPV6_V6ONLY), value);
    }
  },
});

Deno.test({
  name: "Socket.setOption() accepts the bytes of a name",
  ...linuxOnly,
  fn() {
    using socket = new Socket(AF_INET, SOCK_STREAM);
    socket.setOption(IPPROTO_TCP, TCP_CONGESTION, new TextEncoder().encode("reno"));
    const start = new TextDecoder().decode(
      new Int32Array([socket.getOption(IPPROTO_TCP, TCP_CONGESTION)]),
    );
    assertEquals(start, "reno");
    const unknown = new TextEncoder().encode("no such");
    const error = assertThrows(
      () => socket.setOption(IPPROTO_TCP, TCP_CONGESTION, unknown),
      OSError,
    );
    assertEquals(error.code, "ENOENT");
  },
});

Deno.test("Socket.setOption() accepts a struct linger: close() resets", () => {
  using connection = new Connection();
  const linger = new Uint8Array(new Int32Array([1, 0]).buffer);
  assertEquals(connection.server.getOption(SOL_SOCKET, SO_LINGER), 0);
  connection.server.setOption(SOL_SOCKET, SO_LINGER, linger);
  assertEquals(connection.server.getOption(SOL_SOCKET, SO_LINGER), 1);
  connection.server.close();
  untilReadable(connection.client);
  assertThrows(() => connection.client.recv(new Uint8Array(1)), OSError, "(ECONNRESET)");
});

Deno.test("Socket.setOption() accepts a struct timeval: recv() waits that long", () => {
  using pair = new Pair();
  pair.left.setBlocking(true);
  // Winsock takes milliseconds, and reports a timeout.
  const timeout = isWinsock ? new Uint32Array([20]) : new BigInt64Array([0n, 20_000n]);
  pair.left.setOption(SOL_SOCKET, SO_RCVTIMEO, new Uint8Array(timeout.buffer));
  const start = performance.now();
  const recv = () => pair.left.recv(new Uint8Array(1));
  if (isWinsock) assertThrows(recv, OSError, "(ETIMEDOUT)");
  else assertEquals(recv(), null);
  const waited = performance.now() - start;
  assert(waited >= 19, `waited ${waited} ms`);
});

Deno.test(
  "Socket.getOption() with SO_ERROR clears the error, as error() does",
  skipIf(isWine, "Wine keeps SO_ERROR when it was read, and sets none for a reset"),
  () => {
    using connection = new Connection();
    const linger = new Uint8Array(new Int32Array([1, 0]).buffer);
    connection.server.setOption(SOL_SOCKET, SO_LINGER, linger);
    connection.server.close();
    untilReadable(connection.client);
    const errno = connection.client.getOption(SOL_SOCKET, SO_ERROR);
    assert(errno > 0);
    assertEquals(connection.client.error(), null);
    assertEquals(connection.client.getOption(SOL_SOCKET, SO_ERROR), 0);
  },
);
