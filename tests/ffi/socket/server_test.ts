import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  AF_INET,
  createConnection,
  createServer,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  OSError,
  type ServerOptions,
  SO_ACCEPTCONN,
  SO_REUSEADDR,
  SO_REUSEPORT,
  type SocketAddress,
  SOL_SOCKET,
} from "../../../ffi/socket/mod.ts";
import { isWindows } from "../../support/os.ts";
import { linuxOnly, skipIf, windowsOnly } from "../../support/skip.ts";
import {
  acceptFrom,
  filePath,
  listenAgain,
  needsIpv6,
  needsUnix,
  places,
  unusedPort,
} from "../../support/sockets.ts";
import { COUNT_DESCRIPTORS, runProgram } from "../../support/subprocess.ts";

const loopback = { hostname: "127.0.0.1", port: 0 };

for (const place of places) {
  Deno.test(
    `createServer() listens for connections (${place.name})`,
    place.skip ?? {},
    async () => {
      using server = createServer(place.free());
      assertEquals(server.accept(), null);
      using client = await createConnection(server.localAddress);
      using connection = acceptFrom(server);
      assertEquals(connection.remoteAddress, client.localAddress);
      assertEquals(connection.localAddress, server.localAddress);
    },
  );
}

Deno.test(
  "createServer() returns a socket whose address has the type that was given",
  needsUnix,
  () => {
    using internet = createServer(loopback);
    assert(internet.localAddress.port > 0);
    const path = filePath();
    using unix = createServer({ path });
    assertEquals(unix.localAddress.path, path);
    using exact = createServer({ hostname: "127.0.0.1", port: 0 } as const);
    const { port }: { port: number } = exact.localAddress; // Not of the type 0.
    assert(port > 0);
  },
);

Deno.test("createServer() resolves a name", () => {
  using server = createServer({ hostname: "localhost", port: 0 });
  assert(["127.0.0.1", "::1"].includes(server.localAddress.hostname));
});

Deno.test("createServer() takes a raw address", () => {
  const bytes = new Uint8Array([0, 0, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
  using server = createServer({ family: AF_INET, bytes });
  const { localAddress } = server;
  assert("port" in localAddress && localAddress.port > 0);
});

Deno.test("createServer() listens at a name that Linux chooses", linuxOnly, async () => {
  using server = createServer({ path: "" });
  assertEquals(server.localAddress.path.length, 6);
  using _client = await createConnection(server.localAddress);
});

Deno.test("createServer() listens again at once after connections", async () => {
  const server = createServer(loopback);
  const { localAddress } = server;
  const client = await createConnection(localAddress);
  const connection = acceptFrom(server);
  for (const socket of [connection, client, server]) socket.close();
  await listenAgain(localAddress);
});

Deno.test("createServer() sets SO_REUSEADDR", skipIf(isWindows, "it means more on Windows"), () => {
  using server = createServer(loopback);
  assert(server.getOption(SOL_SOCKET, SO_REUSEADDR) !== 0);
});

Deno.test("createServer() does not set SO_REUSEADDR on Windows", windowsOnly, () => {
  using server = createServer(loopback);
  assertEquals(server.getOption(SOL_SOCKET, SO_REUSEADDR), 0);
});

Deno.test("createServer() throws OSError when the address is in use", () => {
  using server = createServer(loopback);
  const { localAddress } = server;
  const error = assertThrows(() => createServer(localAddress), OSError, `:${localAddress.port}: `);
  assertEquals(error.code, "EADDRINUSE");
});

Deno.test("createServer() throws OSError when the path exists", needsUnix, () => {
  const path = filePath();
  using _server = createServer({ path });
  const error = assertThrows(() => createServer({ path }), OSError);
  assertEquals([error.code, error.syscall], ["EADDRINUSE", "bind"]);
});

Deno.test("createServer() shares a port with reusePort", linuxOnly, () => {
  using first = createServer(loopback, { reusePort: true });
  using second = createServer(first.localAddress, { reusePort: true });
  assertEquals(second.localAddress, first.localAddress);
  assert(second.getOption(SOL_SOCKET, SO_REUSEPORT) !== 0);
  assertThrows(() => createServer(first.localAddress), OSError, "(EADDRINUSE)");
});

Deno.test("createServer() does not support reusePort on Windows", windowsOnly, () => {
  assertThrows(
    () => createServer(loopback, { reusePort: true }),
    Deno.errors.NotSupported,
    "SO_REUSEPORT",
  );
});

Deno.test("createServer() with dualStack accepts IPv4 too", needsIpv6, async () => {
  using server = createServer({ hostname: "::", port: 0 }, { dualStack: true });
  const { port } = server.localAddress;
  for (const hostname of ["127.0.0.1", "::1"]) {
    using client = await createConnection({ hostname, port });
    using connection = acceptFrom(server);
    const expected = hostname === "::1" ? "::1" : "::ffff:127.0.0.1";
    assertEquals(connection.remoteAddress.hostname, expected);
    assertEquals(connection.remoteAddress.port, client.localAddress.port);
  }
});

Deno.test("createServer() without dualStack leaves IPv4 to another server", needsIpv6, () => {
  const port = unusedPort();
  using server = createServer({ hostname: "::", port });
  assert(server.getOption(IPPROTO_IPV6, IPV6_V6ONLY) !== 0);
  createServer({ hostname: "0.0.0.0", port }).close();
  createServer({ hostname: "0:0::0", port: 0 }, { dualStack: true }).close();
});

Deno.test("createServer() passes the backlog on", linuxOnly, async () => {
  using server = createServer(loopback, { backlog: 0 });
  assert(server.getOption(SOL_SOCKET, SO_ACCEPTCONN) !== 0);
  const { localAddress } = server;
  using _waiting = await createConnection(localAddress); // Linux lets one wait.
  const signal = AbortSignal.timeout(100);
  await assertRejects(() => createConnection(localAddress, { signal }), DOMException, "timeout");
});

/** Calls that fail, each with the class of its error and a part of the message. */
const refusals: [SocketAddress, ServerOptions, typeof TypeError, string][] = [
  [undefined as never, {}, TypeError, "it must have a hostname"],
  [{ hostname: "127.0.0.1" } as never, {}, TypeError, "it must have a hostname"],
  [{ hostname: "127.0.0.1", port: 65_536 }, {}, RangeError, "its port"],
  [{ hostname: "a\0b", port: 0 }, {}, RangeError, "its hostname"],
  [{ family: AF_INET, bytes: new Uint8Array(99) }, {}, RangeError, "99 bytes"],
  [loopback, { backlog: -1 }, RangeError, "the backlog"],
  [loopback, { backlog: 1.5 }, RangeError, "the backlog"],
  [loopback, { dualStack: true }, TypeError, 'dualStack needs the hostname "::"'],
  [{ hostname: "::1", port: 0 }, { dualStack: true }, TypeError, "dualStack needs"],
  [{ path: "/tmp/x" }, { dualStack: true }, TypeError, "dualStack needs"],
  [{ path: "/tmp/x" }, { reusePort: true }, TypeError, "reusePort needs a port"],
];

for (const expected of [TypeError, RangeError]) {
  Deno.test(`createServer() throws ${expected.name} when an argument is wrong`, () => {
    for (const [address, options, error, message] of refusals) {
      if (error === expected) assertThrows(() => createServer(address, options), error, message);
    }
  });
}

Deno.test("createServer() throws OSError when the name cannot be resolved", () => {
  const error = assertThrows(
    () => createServer({ hostname: "no-such-host.invalid", port: 0 }),
    OSError,
  );
  assertEquals(error.syscall, "getaddrinfo");
});

Deno.test("createServer() leaves no descriptor open when it fails", needsUnix, async () => {
  const { code, stdout, stderr } = await runProgram(`
    const server = sockets.createServer({ hostname: "127.0.0.1", port: 0 });
    const calls = [
      () => sockets.createServer(server.localAddress),
      () => sockets.createServer({ hostname: "127.0.0.1", port: 0 }, { backlog: -1 }),
      () => sockets.createServer({ hostname: "192.0.2.1", port: 0 }),
      () => sockets.createServer({ path: "/nonexistent/folder/socket" }),
      () => sockets.createServer({ path: "" + "x".repeat(200) }),
    ];
    const attempt = (call) => {
      try { call(); console.log("no error"); } catch { /* As it should be. */ }
    };
    calls.forEach(attempt);
    ${COUNT_DESCRIPTORS}
    const before = countDescriptors();
    calls.forEach(attempt);
    console.log(countDescriptors() - before);
  `);
  assertEquals([code, stdout], [0, "0"], stderr);
});
