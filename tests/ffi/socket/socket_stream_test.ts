import { assert, assertEquals, assertFalse, assertInstanceOf, assertThrows } from "@std/assert";
import {
  AF_INET,
  AF_UNIX,
  IPPROTO_TCP,
  MSG_DONTWAIT,
  MSG_OOB,
  MSG_PEEK,
  MSG_WAITALL,
  OSError,
  SO_ACCEPTCONN,
  SO_OOBINLINE,
  SO_RCVTIMEO,
  SOCK_DGRAM,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  Socket,
  SOL_SOCKET,
  TCP_NODELAY,
} from "../../../ffi/socket/mod.ts";
import { BORN, descriptorFlags, Pair } from "../../support/descriptors.ts";
import {
  abstractPath,
  acceptFrom,
  assertSameBytes,
  Connection,
  listener,
  needsUnix,
  noise,
  places,
  readFully,
  reset,
  transfer,
  untilReadable,
  untilWritable,
} from "../../support/sockets.ts";
import { streamErrors } from "./error_cases/stream.ts";
import { testErrors } from "../../support/error_cases.ts";
import { BROKEN } from "../../support/platform.ts";
import { linuxOnly, skipIf } from "../../support/skip.ts";
import { isWindows, isWine } from "../../support/os.ts";

const failsAfterShutdown = skipIf(
  isWindows,
  'recv() after shutdown("read") fails with ESHUTDOWN on Windows',
);
const repeatsReset = skipIf(
  isWindows,
  "a reset connection keeps failing, and keeps its peer, on Windows",
);

const MEGABYTES = noise(2_000_003, 7);

testErrors(streamErrors);

for (const place of places) {
  const { name, family, skip } = place;

  Deno.test({
    name: `Socket.localAddress returns the address that bind() set (${name})`,
    ...skip,
    fn() {
      using socket = new Socket(family, SOCK_STREAM);
      const address = place.free();
      socket.bind(address);
      const { localAddress } = socket;
      if ("path" in address) return assertEquals(localAddress, address);
      assert("port" in localAddress && localAddress.port > 0 && "hostname" in address);
      assertEquals(localAddress.hostname, address.hostname);
    },
  });

  Deno.test({
    name: `Socket.accept() returns null when no connection is waiting (${name})`,
    ...skip,
    fn() {
      using server = listener(place);
      assertEquals(server.accept(), null);
      assertEquals(server.accept(), null);
    },
  });

  Deno.test({
    name: `Socket.accept() returns a non-blocking, close-on-exec socket (${name})`,
    ...skip,
    ...linuxOnly,
    fn() {
      using connection = new Connection(place);
      assertInstanceOf(connection.server, Socket);
      assertEquals(descriptorFlags(connection.server.fileno()), BORN);
      assertEquals(connection.listener.accept(), null);
    },
  });

  Deno.test({
    name: `Socket.remoteAddress equals the peer's localAddress (${name})`,
    ...skip,
    fn() {
      using connection = new Connection(place);
      const { client, listener, server } = connection;
      assertEquals(client.remoteAddress, listener.localAddress);
      assertEquals(server.localAddress, listener.localAddress);
      assertEquals(server.remoteAddress, client.localAddress);
      if (family === AF_UNIX) assertEquals(client.localAddress, { path: "" });
    },
  });

  Deno.test({
    name: `Socket.send() and recv() transfer 2 MB unchanged, both ways (${name})`,
    ...skip,
    fn() {
      using connection = new Connection(place);
      const { client, server } = connection;
      const there = transfer(MEGABYTES, client, server, () => client.shutdown("write"));
      assertSameBytes(there, MEGABYTES);
      const back = transfer(MEGABYTES, server, client, () => server.close());
      assertSameBytes(back, MEGABYTES);
    },
  });

  Deno.test({
    name: `Socket.shutdown("write") ends only one direction (${name})`,
    ...skip,
    fn() {
      using connection = new Connection(place);
      const { client, server } = connection;
      client.send(new Uint8Array([1, 2]));
      client.shutdown("write");
      assertEquals(readFully(server, new Uint8Array(10)), 2);
      assertEquals(server.recv(new Uint8Array(1)), 0);
      assertThrows(() => client.send(new Uint8Array(1)), OSError, `(${BROKEN})`);
      assertEquals(server.send(new Uint8Array([3])), 1);
      untilReadable(client);
      assertEquals(client.recv(new Uint8Array(10)), 1);
      assertEquals(client.recv(new Uint8Array(10)), null);
    },
  });

  Deno.test({
    name: `Socket.shutdown("read") makes recv() return 0 (${name})`,
    ...failsAfterShutdown,
    ...skip,
    fn() {
      using connection = new Connection(place);
      assertEquals(connection.client.recv(new Uint8Array(1)), null);
      connection.client.shutdown("read");
      assertEquals(connection.client.recv(new Uint8Array(1)), 0);
      assertEquals(connection.client.send(new Uint8Array(1)), 1);
    },
  });

  Deno.test({
    name: `Socket.shutdown("both") ends both directions (${name})`,
    ...failsAfterShutdown,
    ...skip,
    fn() {
      using connection = new Connection(place);
      connection.client.shutdown("both");
      assertEquals(connection.client.recv(new Uint8Array(1)), 0);
      assertThrows(() => connection.client.send(new Uint8Array(1)), OSError, "(EPIPE)");
      assertEquals(readFully(connection.server, new Uint8Array(1)), 0);
    },
  });
}

Deno.test("Socket.connect() returns false when the connection is in progress", () => {
  using server = listener();
  using client = new Socket(AF_INET, SOCK_STREAM);
  assertEquals(client.connect(server.localAddress), false);
  untilWritable(client);
  assertEquals(client.error(), null);
  assertEquals(client.remoteAddress, server.localAddress);
  if (linuxOnly.ignore) return;
  assertEquals(client.connect(server.localAddress), true);
});

Deno.test({
  name: "Socket.connect() returns false again while the connection is in progress",
  ...linuxOnly,
  fn() {
    using server = listener(places[0], 0);
    using waiting = new Socket(AF_INET, SOCK_STREAM);
    waiting.connect(server.localAddress);
    untilReadable(server); // Now its queue is full.
    using client = new Socket(AF_INET, SOCK_STREAM);
    assertFalse(client.connect(server.localAddress));
    assertFalse(client.connect(server.localAddress));
    assertEquals(client.error(), null);
    assertThrows(() => client.remoteAddress, OSError, "(ENOTCONN)");
  },
});

Deno.test("Socket.connect() returns true when it is connected at once", needsUnix, () => {
  using server = listener(places[2]);
  using client = new Socket(AF_UNIX, SOCK_STREAM);
  assertEquals(client.connect(server.localAddress), true);
  using datagrams = new Socket(AF_INET, SOCK_DGRAM);
  assertEquals(datagrams.connect({ hostname: "127.0.0.1", port: 9 }), true);
});

Deno.test({
  name: "Socket.connect() throws EAGAIN when the queue of the listener is full",
  ...linuxOnly,
  fn() {
    using server = listener(places[3], 0);
    using first = new Socket(AF_UNIX, SOCK_STREAM);
    using second = new Socket(AF_UNIX, SOCK_STREAM);
    assert(first.connect(server.localAddress));
    const error = assertThrows(() => second.connect(server.localAddress), OSError);
    assertEquals([error.code, error.syscall], ["EAGAIN", "connect"]);
    using _first = acceptFrom(server);
    assert(second.connect(server.localAddress));
  },
});

Deno.test("Socket.error() returns that the connection was refused, and clears it", () => {
  using deaf = new Socket(AF_INET, SOCK_STREAM); // It has the port, but does not listen.
  deaf.bind({ hostname: "127.0.0.1", port: 0 });
  using client = new Socket(AF_INET, SOCK_STREAM);
  assertFalse(client.connect(deaf.localAddress));
  untilWritable(client);
  const error = client.error();
  assertInstanceOf(error, OSError);
  assertEquals([error.code, error.syscall], ["ECONNREFUSED", "getsockopt"]);
  assert(error.message.startsWith(`The socket fd ${client.fileno()} failed: `), error.message);
  assertEquals(client.error(), null);
});

Deno.test("Socket.error() returns null when there is no error", () => {
  using connection = new Connection();
  assertEquals(connection.client.error(), null);
});

Deno.test("Socket.accept() does not throw when a waiting connection was reset", () => {
  using server = listener();
  const early = new Socket(AF_INET, SOCK_STREAM);
  early.connect(server.localAddress);
  untilReadable(server);
  reset(early);
  using late = new Socket(AF_INET, SOCK_STREAM);
  late.connect(server.localAddress);
  untilWritable(late);
  // Linux returns the reset connection, other systems skip it.
  let accepted = acceptFrom(server);
  if (!linuxOnly.ignore) untilReadable(accepted); // A program that is being started has a copy.
  try {
    accepted.remoteAddress;
  } catch (error) {
    assertEquals((error as OSError).code, "ENOTCONN");
    assertThrows(() => accepted.recv(new Uint8Array(1)), OSError, "(ECONNRESET)");
    accepted.close();
    accepted = acceptFrom(server);
  }
  assertEquals(accepted.remoteAddress, late.localAddress);
  accepted.close();
  assertEquals(server.accept(), null);
});

Deno.test("Socket.accept() accepts all waiting connections in order", () => {
  using server = listener();
  const clients = Array.from({ length: 20 }, () => new Socket(AF_INET, SOCK_STREAM));
  for (const client of clients) {
    client.connect(server.localAddress);
    untilWritable(client);
  }
  for (const client of clients) {
    using accepted = acceptFrom(server);
    assertEquals(accepted.remoteAddress, client.localAddress);
    client.close();
  }
  assertEquals(server.accept(), null);
});

Deno.test({
  name: "Socket.listen() accepts a backlog from 0 up, and can be called again",
  ...linuxOnly,
  fn() {
    using socket = new Socket(AF_INET, SOCK_STREAM);
    socket.bind({ hostname: "127.0.0.1", port: 0 });
    assertEquals(socket.getOption(SOL_SOCKET, SO_ACCEPTCONN), 0);
    for (const backlog of [0, 1, 0x7fff_ffff, undefined]) {
      socket.listen(backlog);
      assertEquals(socket.getOption(SOL_SOCKET, SO_ACCEPTCONN), 1);
    }
  },
});

Deno.test(
  "Socket.recv() throws ECONNRESET when the peer reset the connection",
  repeatsReset,
  () => {
    using connection = new Connection();
    reset(connection.server);
    untilReadable(connection.client);
    const error = assertThrows(() => connection.client.recv(new Uint8Array(1)), OSError);
    assertEquals([error.code, error.syscall], ["ECONNRESET", "recv"]);
    assertEquals(connection.client.recv(new Uint8Array(1)), 0);
    const broken = assertThrows(() => connection.client.send(new Uint8Array(1)), OSError);
    assertEquals([broken.code, broken.syscall], ["EPIPE", "send"]);
  },
);

Deno.test(
  "Socket.send() sends as many bytes as there is room for",
  skipIf(isWindows, "a Windows socket takes all the bytes of a send()"),
  () => {
    using pair = new Pair();
    const size = pair.left.send(MEGABYTES)!;
    assert(size > 0 && size < MEGABYTES.length, `sent ${size}`);
    assertEquals(pair.left.send(MEGABYTES), null);
    const received = new Uint8Array(size);
    assertEquals(readFully(pair.right, received), size);
    assertSameBytes(received, MEGABYTES.subarray(0, size));
    assertEquals(pair.right.recv(new Uint8Array(1)), null);
  },
);

Deno.test("Socket.send() and recv() use only the bytes of a view", () => {
  using pair = new Pair();
  const data = new Uint8Array([1, 2, 3, 4, 5, 6]);
  assertEquals(pair.left.send(data.subarray(2, 4)), 2);
  const buffer = new Uint8Array(8).fill(9);
  assertEquals(pair.right.recv(buffer.subarray(3, 7)), 2);
  assertEquals(buffer, new Uint8Array([9, 9, 9, 3, 4, 9, 9, 9]));
  assertEquals(pair.left.write(data.subarray(5)), 1);
  assertEquals(pair.right.read(buffer.subarray(7)), 1);
  assertEquals(buffer[7], 6);
});

Deno.test("Socket.send() and recv() of no bytes return 0", () => {
  using connection = new Connection();
  const { client, server } = connection;
  const nothing = new Uint8Array(0);
  assertEquals([client.send(nothing), client.write(nothing)], [0, 0]);
  assertEquals(server.recv(new Uint8Array(1)), null);
  client.send(new Uint8Array(1));
  untilReadable(server);
  assertEquals([server.recv(nothing), server.read(nothing)], [0, 0]);
  assertEquals(server.recv(new Uint8Array(1)), 1);
});

Deno.test("Socket.recv() returns 0 at the end of the stream, again and again", () => {
  using connection = new Connection();
  connection.client.send(new Uint8Array(1));
  connection.client.close();
  const buffer = new Uint8Array(2);
  assertEquals(readFully(connection.server, buffer), 1);
  assertEquals([1, 2].map(() => connection.server.recv(buffer)), [0, 0]);
});

Deno.test("Socket.recv() with MSG_PEEK leaves the bytes in the queue", () => {
  using pair = new Pair();
  pair.left.send(new Uint8Array([1, 2, 3]));
  const buffer = new Uint8Array(2);
  assertEquals(pair.right.recv(buffer, MSG_PEEK), 2);
  assertEquals(buffer, new Uint8Array([1, 2]));
  assertEquals(pair.right.recv(new Uint8Array(9), MSG_PEEK), 3);
  assertEquals(pair.right.recv(new Uint8Array(9)), 3);
  assertEquals(pair.right.recv(new Uint8Array(9), MSG_PEEK), null);
});

Deno.test(
  "Socket.send() with MSG_OOB sends beside the stream",
  skipIf(isWine, "Wine's recv() with MSG_OOB does not fail while there is no urgent byte"),
  () => {
    using connection = new Connection();
    const { client, server } = connection;
    assertThrows(() => server.recv(new Uint8Array(1), MSG_OOB), OSError, "(EINVAL)");
    assertEquals(client.send(new Uint8Array([33]), MSG_OOB), 1);
    assertEquals(client.send(new Uint8Array([1])), 1); // It makes the peer readable.
    untilReadable(server);
    const buffer = new Uint8Array(4);
    assertEquals(server.recv(buffer, MSG_OOB), 1);
    assertEquals(buffer[0], 33);
    assertEquals(server.recv(buffer), 1);
    assertEquals(buffer[0], 1);
  },
);

Deno.test("Socket.send() with MSG_OOB sends in the stream when the receiver set SO_OOBINLINE", () => {
  using connection = new Connection();
  const { client, server } = connection;
  server.setOption(SOL_SOCKET, SO_OOBINLINE, 1);
  client.send(new Uint8Array([33]), MSG_OOB);
  const buffer = new Uint8Array(1);
  assertEquals(readFully(server, buffer), 1);
  assertEquals(buffer[0], 33);
});

Deno.test(
  "Socket.recv() with MSG_WAITALL waits for the whole buffer",
  skipIf(isWindows, "recv() with MSG_WAITALL loses what came before the timeout on Windows"),
  () => {
    using pair = new Pair();
    pair.right.setBlocking(true);
    // struct timeval of a 64-bit system: 20 ms.
    const timeout = new BigInt64Array([0n, 20_000n]);
    pair.right.setOption(SOL_SOCKET, SO_RCVTIMEO, new Uint8Array(timeout.buffer));
    pair.left.send(new Uint8Array([1, 2, 3, 4]));
    assertEquals(pair.right.recv(new Uint8Array(4), MSG_WAITALL), 4);
    pair.left.send(new Uint8Array([5, 6]));
    const start = performance.now();
    assertEquals(pair.right.recv(new Uint8Array(4), MSG_WAITALL), 2);
    assert(performance.now() - start >= 19);
  },
);

Deno.test(
  "Socket.recv() with MSG_DONTWAIT does not wait on a blocking socket",
  skipIf(isWindows, "Windows has no MSG_DONTWAIT"),
  () => {
    using pair = new Pair();
    pair.left.setBlocking(true);
    assertEquals(pair.left.recv(new Uint8Array(4), MSG_DONTWAIT), null);
  },
);

Deno.test(
  "Socket.recvFrom() returns the peer's address on a stream",
  skipIf(isWindows, "a Windows pair is connected over loopback"),
  () => {
    using connection = new Connection();
    const { client, server } = connection;
    client.send(new Uint8Array(3));
    untilReadable(server);
    const buffer = new Uint8Array(8);
    assertEquals(server.recvFrom(buffer), { size: 3, address: client.localAddress });
    assertEquals(server.recvFrom(buffer), null);
    using pair = new Pair();
    pair.left.send(new Uint8Array(2));
    assertEquals(pair.right.recvFrom(buffer), { size: 2, address: { path: "" } });
    pair.left.close();
    untilReadable(pair.right);
    assertEquals(pair.right.recvFrom(buffer), { size: 0, address: { path: "" } });
  },
);

for (const place of places.slice(0, 2)) {
  Deno.test({
    name: `Socket.recvFrom() receives all data of a connection that is over (${place.name})`,
    ...repeatsReset,
    ...place.skip,
    fn() {
      using connection = new Connection(place);
      const { client, server } = connection;
      server.shutdown("write");
      assertEquals(readFully(client, new Uint8Array(1)), 0);
      client.send(new Uint8Array([1, 2, 3]));
      client.close();
      const buffer = new Uint8Array(3);
      let size = 0;
      while (size < 3) {
        untilReadable(server);
        size += server.recvFrom(buffer.subarray(size))!.size;
      }
      assertEquals(buffer, new Uint8Array([1, 2, 3]));
      untilReadable(server);
      assertThrows(() => server.remoteAddress, OSError, "(ENOTCONN)");
      const hostname = place.family === AF_INET ? "0.0.0.0" : "::";
      assertEquals(server.recvFrom(buffer), { size: 0, address: { hostname, port: 0 } });
    },
  });
}

Deno.test("Socket.sendTo() ignores the address on a connection", () => {
  using connection = new Connection();
  const { client, listener, server } = connection;
  assertEquals(client.sendTo(new Uint8Array(3), listener.localAddress), 3);
  assertEquals(readFully(server, new Uint8Array(3)), 3);
});

Deno.test("Socket.connect() resolves a name", () => {
  using server = listener();
  const address = server.localAddress;
  assert("port" in address);
  using client = new Socket(AF_INET, SOCK_STREAM);
  client.connect({ hostname: "localhost", port: address.port });
  untilWritable(client);
  assertEquals(client.error(), null);
  assertEquals(client.remoteAddress, address);
});

Deno.test({
  name: "Socket.accept() works with sequenced packets",
  ...linuxOnly,
  fn() {
    using server = new Socket(AF_UNIX, SOCK_SEQPACKET);
    server.bind({ path: abstractPath() });
    server.listen();
    using client = new Socket(AF_UNIX, SOCK_SEQPACKET);
    assert(client.connect(server.localAddress));
    using accepted = acceptFrom(server);
    client.send(new Uint8Array([1, 2, 3]));
    client.send(new Uint8Array([4]));
    const buffer = new Uint8Array(9);
    assertEquals([accepted.recv(buffer), accepted.recv(buffer)], [3, 1]);
  },
});

Deno.test("Socket.setBlocking() makes recv() wait", async () => {
  // Another thread sends while this one is blocked, or shortly before.
  using pair = new Pair();
  const module = new URL("../../../ffi/socket/mod.ts", import.meta.url);
  const source = `
    import { Socket } from "${module}";
    self.onmessage = ({ data: [fd, bell] }) => {
      Atomics.wait(bell, 0, 0);
      Socket.fromFd(fd).send(new Uint8Array([1, 2]));
    };
    self.postMessage("ready");
  `;
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const worker = new Worker(url, { type: "module" });
  await new Promise((resolve) => worker.onmessage = resolve);
  const bell = new Int32Array(new SharedArrayBuffer(4));
  worker.postMessage([pair.right.fileno(), bell]);
  assertEquals(pair.left.recv(new Uint8Array(1)), null);
  pair.left.setBlocking(true);
  Atomics.store(bell, 0, 1);
  Atomics.notify(bell, 0);
  assertEquals(pair.left.recv(new Uint8Array(9)), 2);
  worker.terminate();
  URL.revokeObjectURL(url);
});

Deno.test("Socket.setOption() on an accepted connection does not change the listener", () => {
  using connection = new Connection();
  assertEquals(connection.server.getOption(IPPROTO_TCP, TCP_NODELAY), 0);
  connection.server.setOption(IPPROTO_TCP, TCP_NODELAY, 1);
  assertEquals(connection.listener.getOption(IPPROTO_TCP, TCP_NODELAY), 0);
});
