import { assert, assertEquals, assertLess, assertMatch, assertRejects } from "@std/assert";
import { createHash } from "node:crypto";
import { AF_INET, type InternetAddress, SOCK_STREAM, Socket } from "../../ffi/socket/mod.ts";
import { isWindows } from "../support/os.ts";
import { linuxOnly, needsProgram, skipIf } from "../support/skip.ts";
import { inTime } from "../support/deadline.ts";
import { Lines } from "../support/lines.ts";
import { keepingPace } from "../support/pace.ts";
import {
  Example,
  needsSignals,
  needsUnusedHostname,
  runExample,
  unusedHostname,
} from "../support/example_process.ts";
import {
  acceptFrom,
  listener,
  needsIpv6,
  noise,
  reset,
  untilReadable,
} from "../support/sockets.ts";
import { untilIdle } from "../support/usage.ts";
import { assertUsageErrors } from "./command_lines.ts";
import { logged } from "./logged.ts";

const needsCurl = needsProgram("curl");

const block = noise((1 << 20) + 1);

/** How much is sent, in blocks: 64 MB. */
const BLOCKS = 61;

const start = (port: number, ...args: string[]) =>
  Example.start("proxy", ["--listen", "127.0.0.1:0", "--to", `127.0.0.1:${port}`, ...args]);

Deno.test({
  name: "proxy.ts forwards 64 MB both ways at once to slow readers, with bounded memory",
  ...linuxOnly,
  async fn() {
    using server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    await using proxy = await start(server.addr.port);
    assertMatch(proxy.firstLine, /^listening on 127\.0\.0\.1:\d+ \(\w+\), to 127\.0\.0\.1:\d+$/);
    const before = proxy.memory;
    const [client, target] = await connectThrough(proxy.port, server);
    using _client = client;
    using _target = target;
    let most = 0;
    const seen = () => most = Math.max(most, proxy.memory);
    const sums = await Promise.all([
      sendBlocks(client),
      sendBlocks(target),
      receiveSlowly(client, seen),
      receiveSlowly(target, seen),
    ]);
    assertEquals(new Set(sums).size, 1, "What came is not what was sent");
    assertLess(most - before, 100 << 20);
  },
});

for (const side of ["client", "target"] as const) {
  Deno.test({
    name: `proxy.ts does not read while the ${side} does not, and forwards everything later`,
    ...linuxOnly,
    async fn() {
      using server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      await using proxy = await start(server.addr.port);
      const atFirst = proxy.memory;
      const [client, target] = await connectThrough(proxy.port, server);
      using reader = side === "client" ? client : target;
      using writer = side === "client" ? target : client;
      let sent = 0;
      const sending = sendBlocks(writer, () => sent++);
      await untilIdle(proxy.pid);
      assertLess(sent, BLOCKS, "The sender was never stopped");
      assertLess(proxy.memory - atFirst, 32 << 20);
      assertEquals(await receiveSlowly(reader), await sending);
    },
  });
}

Deno.test("proxy.ts forwards a half-close, and the other direction stays open", async () => {
  using server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using proxy = await start(server.addr.port);
  const [client, target] = await connectThrough(proxy.port, server);
  using _client = client;
  using _target = target;
  await client.write(encode("question"));
  await client.closeWrite();
  assertEquals(await text(target), "question");
  await target.write(encode("answer"));
  await target.closeWrite();
  assertEquals(await text(client), "answer");
});

Deno.test("proxy.ts forwards many connections at once, also empty and short ones", async () => {
  using server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using proxy = await start(server.addr.port, "--limit", "20");
  const serving = (async () => {
    for (let i = 0; i < 100; i++) {
      const target = await server.accept();
      target.readable.pipeTo(target.writable);
    }
  })();
  await Promise.all(Array.from({ length: 100 }, async (_, i) => {
    using client = await Deno.connect({ port: proxy.port });
    const sent = block.subarray(i, i + i * i);
    const [received] = await Promise.all([bytes(client), writeAll(client, sent)]);
    assertEquals(hash(received), hash(sent), `Connection ${i}`);
  }));
  await inTime(serving, "the connections");
});

Deno.test("proxy.ts --limit lets more connections wait until one ends", async () => {
  using server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using proxy = await start(server.addr.port, "--limit", "1", "--verbose");
  const [client, target] = await connectThrough(proxy.port, server);
  using waiting = await Deno.connect({ port: proxy.port });
  await waiting.write(encode("first"));
  // While the second one waits, the first one is served.
  await client.write(encode("second"));
  assertEquals(await read(target), "second");
  assertEquals(proxy.stdout.text.match(/ connected$/gm)?.length, 1);
  client.close();
  target.close();
  using next = await inTime(server.accept(), "the next connection");
  assertEquals(await read(next), "first");
});

Deno.test("proxy.ts --verbose logs from where, how many bytes both ways, and how long", async () => {
  using server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using proxy = await start(server.addr.port, "-v");
  for (const [question, answer] of [["hello", "hi"], ["", ""]] as const) {
    const [client, target] = await connectThrough(proxy.port, server);
    using _client = client;
    using _target = target;
    const from = `127\\.0\\.0\\.1:${client.localAddr.port}`;
    await proxy.stdout.wait(logged(`${from} connected`));
    await writeAll(client, encode(question));
    assertEquals(await text(target), question);
    await writeAll(target, encode(answer));
    assertEquals(await text(client), answer);
    const counts =
      `${question.length} bytes to 127\\.0\\.0\\.1:${server.addr.port}, ${answer.length} bytes back`;
    await proxy.stdout.wait(logged(`${from} closed; ${counts}, \\d+\\.\\d\\d s`));
  }
});

Deno.test({
  name: "proxy.ts forwards what socat forwards, also beside it in a chain",
  ...needsProgram("socat"),
  ...linuxOnly,
  async fn() {
    using server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const serving = (async () => {
      for (let i = 0; i < 3; i++) {
        using target = await server.accept();
        await writeAll(target, encode(await receiveSlowly(target)));
      }
    })();
    await using direct = await start(server.addr.port);
    await using socat = new Deno.Command("socat", {
      args: ["-d", "-d", "TCP-LISTEN:0,fork,bind=127.0.0.1", `TCP:127.0.0.1:${direct.port}`],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const said = new Lines(socat.stderr);
    const [, port] = /:(\d+)$/.exec(await said.wait(/listening on .*:\d+$/))!;
    await using chained = await start(Number(port));
    const outcomes = await Promise.all(
      [direct.port, Number(port), chained.port].map(async (port) => {
        using client = await Deno.connect({ port });
        await writeAll(client, block);
        return await text(client);
      }),
    );
    assertEquals(outcomes, Array(3).fill(hash(block)));
    await inTime(serving, "the connections");
    socat.kill();
    await socat.status;
  },
});

const needsResetError = skipIf(isWindows, "Winsock sets no SO_ERROR for a reset");

for (const side of ["client", "target"] as const) {
  const name = `proxy.ts resets a pair whose ${side} half-closed and was then reset`;
  Deno.test(name, needsResetError, async () => {
    using server = listener();
    const { port } = server.localAddress as InternetAddress;
    await using proxy = await start(port, "--limit", "1", "--verbose");
    using client = new Socket(AF_INET, SOCK_STREAM);
    client.connect({ hostname: "127.0.0.1", port: proxy.port });
    using target = acceptFrom(server);
    const [broken, other] = side === "client" ? [client, target] : [target, client];
    broken.shutdown("write");
    untilReadable(other);
    assertEquals(other.recv(new Uint8Array(1)), 0);
    reset(broken);
    await proxy.stdout.wait(logged("127.0.0.1:\\d+ (?!connected|closed).*"));
    assertMatch(other.error()?.code ?? "none", /^(EPIPE|ECONNRESET)$/);
    using _next = await Deno.connect({ port: proxy.port });
    acceptFrom(server).close();
  });
}

Deno.test({
  name: "proxy.ts resets a pair whose client is reset while the target does not answer",
  ...linuxOnly,
  async fn() {
    using server = listener(undefined, 0);
    const { port } = server.localAddress as InternetAddress;
    using _first = await Deno.connect({ port }); // There is no room for another.
    await using proxy = await start(port, "--verbose");
    const client = new Socket(AF_INET, SOCK_STREAM);
    client.connect({ hostname: "127.0.0.1", port: proxy.port });
    await proxy.stdout.wait(logged("127.0.0.1:\\d+ connected"));
    reset(client);
    await proxy.stdout.wait(logged("127.0.0.1:\\d+ .*ECONNRESET.*"));
  },
});

Deno.test("proxy.ts --idle resets silent pairs, so that others have their turn", async () => {
  await keepingPace(700, async (step) => {
    using server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    await using proxy = await start(server.addr.port, "--limit", "2", "--idle", "1");
    step();
    const [silent, itsTarget] = await connectThrough(proxy.port, server);
    const [busy, echoing] = await connectThrough(proxy.port, server);
    using connections = new DisposableStack();
    for (const connection of [silent, itsTarget, busy, echoing]) connections.use(connection);
    const sending = echoing.readable.pipeTo(echoing.writable);
    sending.catch(() => {});
    using waiting = await Deno.connect({ port: proxy.port });
    await writeAll(waiting, encode("hello"));
    let isServed = false;
    const serving = inTime(server.accept(), "the waiting connection").then(async (target) => {
      isServed = true;
      assertEquals(await text(target), "hello");
      target.close();
    });
    serving.catch(() => {});
    for (; !isServed; step()) {
      await busy.write(encode("busy"));
      assertEquals(await read(busy), "busy");
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await serving;
    await assertReset(() => silent);
    await assertReset(() => itsTarget);
    busy.close();
    await sending;
  });
});

Deno.test({
  name: "proxy.ts forwards curl to a server and back",
  ...needsCurl,
  async fn() {
    await using echo = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      (request) => new Response(request.body),
    );
    await using proxy = await start(echo.addr.port);
    const body = noise(20_000_003);
    const args = ["-sS", "--data-binary", "@-", `http://127.0.0.1:${proxy.port}/`];
    await using curl = new Deno.Command("curl", { args, stdin: "piped", stdout: "piped" }).spawn();
    const writing = new Blob([body]).stream().pipeTo(curl.stdin);
    const { code, stdout } = await inTime(curl.output(), "the end of curl");
    await writing;
    assertEquals([code, hash(stdout)], [0, hash(body)]);
  },
});

Deno.test("proxy.ts forwards a reset of the client, and goes on", async () => {
  using server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using proxy = await start(server.addr.port, "--verbose");
  const client = new Socket(AF_INET, SOCK_STREAM);
  client.connect({ hostname: "127.0.0.1", port: proxy.port });
  const target = await inTime(server.accept(), "the connection");
  client.send(encode("hello"));
  assertEquals(await read(target), "hello");
  reset(client);
  await assertReset(() => target);
  await proxy.stdout.wait(logged("127.0.0.1:\\d+ .*ECONNRESET.*"));
  const [again, through] = await connectThrough(proxy.port, server);
  again.close();
  through.close();
});

Deno.test("proxy.ts forwards a reset of the target, and goes on", async () => {
  using server = listener();
  await using proxy = await start((server.localAddress as InternetAddress).port, "--verbose");
  for (let i = 0; i < 2; i++) {
    const client = await Deno.connect({ port: proxy.port });
    const target = acceptFrom(server);
    target.send(encode("hello"));
    assertEquals(await read(client), "hello");
    reset(target);
    await assertReset(() => client);
    await proxy.stdout.wait(logged("127.0.0.1:\\d+ .*ECONNRESET.*"));
  }
});

Deno.test("proxy.ts resets a connection if the target refuses it, and goes on", async () => {
  using taken = new Socket(AF_INET, SOCK_STREAM);
  taken.bind({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.localAddress as { port: number };
  await using proxy = await start(port);
  for (let i = 0; i < 3; i++) {
    await assertReset(() => Deno.connect({ port: proxy.port }));
    await proxy.stderr.wait(
      new RegExp(`^proxy\\.ts: Cannot connect to 127\\.0\\.0\\.1:${port}: .*ECONNREFUSED`),
    );
  }
  taken.listen();
  using _client = await Deno.connect({ port: proxy.port });
  acceptFrom(taken).close();
});

Deno.test({
  name: "proxy.ts rests when descriptors run out, and accepts again when connections end",
  ...linuxOnly,
  async fn() {
    using server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const args = ["--listen", "127.0.0.1:0", "--to", `127.0.0.1:${server.addr.port}`];
    await using proxy = await Example.start("proxy", args, { descriptors: 40 });
    const clients: Deno.Conn[] = [];
    for (let i = 0; i < 30; i++) clients.push(await Deno.connect({ port: proxy.port }));
    await proxy.stderr.wait(/EMFILE.*resting from accepting$/);
    await untilIdle(proxy.pid);
    for (const client of clients) client.close();
    using later = await Deno.connect({ port: proxy.port });
    await writeAll(later, encode("hello"));
    for (;;) {
      using target = await inTime(server.accept(), "the later connection");
      if (await text(target).catch(() => "") === "hello") break;
    }
  },
});

Deno.test({
  name: "proxy.ts listens on IPv6 and connects to IPv4",
  ...needsIpv6,
  async fn() {
    using server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const args = ["--listen", "[::1]:0", "--to", `localhost:${server.addr.port}`];
    await using proxy = await Example.start("proxy", args);
    assertMatch(proxy.firstLine, /^listening on \[::1\]:\d+ /);
    using client = await Deno.connect({ hostname: "::1", port: proxy.port });
    using target = await inTime(server.accept(), "the connection");
    await writeAll(client, encode("six"));
    assertEquals(await text(target), "six");
  },
});

Deno.test({
  name: "proxy.ts listens on 127.0.0.1:8080 by default",
  ...needsUnusedHostname,
  async fn() {
    const hostname = unusedHostname();
    const { stdout } = await runExample("proxy", ["--help"], { flags: [] });
    assertMatch(stdout, /--listen HOST:PORT .*\(127\.0\.0\.1:8080\)/);
    const args = ["--listen", `${hostname}:8080`, "--to", ":1"];
    await using proxy = await Example.start("proxy", args);
    assert(proxy.firstLine.startsWith(`listening on ${hostname}:8080 (`));
  },
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`proxy.ts ends at ${signal}, also while it has connections`, needsSignals, async () => {
    using server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    await using proxy = await start(server.addr.port);
    const [client, target] = await connectThrough(proxy.port, server);
    using _client = client;
    using _target = target;
    assertEquals((await proxy.stop(signal)).signal, signal);
    assertEquals(await read(client), "");
  });
}

Deno.test("proxy.ts exits with 2 if an option is wrong", async () => {
  await assertUsageErrors("proxy", [
    "extra",
    "--listen 127.0.0.1:0",
    "--to localhost",
    "--to 127.0.0.1:0",
    "--to 127.0.0.1:65536",
    "--to 127.0.0.1:http",
    "--to 127.0.0.1:",
    "--to ::1:80",
    "--to no-such-host.invalid:80",
    "--to :80 --listen 127.0.0.1:65536",
    "--to :80 --listen 127.0.0.1",
    "--to :80 --limit 0",
    "--to :80 --idle 0",
  ]);
});

async function connectThrough(
  port: number,
  server: Deno.TcpListener,
): Promise<[client: Deno.TcpConn, target: Deno.TcpConn]> {
  const client = await Deno.connect({ port });
  return [client, await inTime(server.accept(), "the connection")];
}

/** Sends 64 MB and half-closes; returns their checksum. */
async function sendBlocks(connection: Deno.Conn, sent: () => void = () => {}): Promise<string> {
  const sum = createHash("sha256");
  for (let i = 0; i < BLOCKS; i++, sent()) {
    for (let at = 0; at < block.length;) at += await connection.write(block.subarray(at));
    sum.update(block);
  }
  await connection.closeWrite();
  return sum.digest("hex");
}

/** Receives to the end, with pauses; returns the checksum. */
async function receiveSlowly(connection: Deno.Conn, seen: () => void = () => {}): Promise<string> {
  const sum = createHash("sha256");
  const buffer = new Uint8Array(1 << 18);
  let size: number | null;
  for (let turn = 0; (size = await inTime(connection.read(buffer), "data")) !== null; turn++) {
    sum.update(buffer.subarray(0, size));
    if (turn % 4 > 0) continue;
    seen();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return sum.digest("hex");
}

/** Asserts that a connection is reset, if not as soon as it is made. */
async function assertReset(connect: () => Deno.Conn | Promise<Deno.Conn>): Promise<void> {
  const reading = async () => {
    using connection = await connect();
    while (await connection.read(new Uint8Array(1000)) !== null);
  };
  await inTime(assertRejects(reading, Deno.errors.ConnectionReset), "the reset");
}

async function writeAll(connection: Deno.Conn, data: Uint8Array): Promise<void> {
  for (let at = 0; at < data.length;) at += await connection.write(data.subarray(at));
  await connection.closeWrite();
}

async function bytes(connection: Deno.Conn): Promise<Uint8Array<ArrayBuffer>> {
  return await inTime(new Response(connection.readable).bytes(), "the end");
}

async function text(connection: Deno.Conn): Promise<string> {
  const buffer = new Uint8Array(1000);
  let received = "";
  for (let size; (size = await inTime(connection.read(buffer), "the end")) !== null;) {
    received += new TextDecoder().decode(buffer.subarray(0, size));
  }
  return received;
}

async function read(connection: Deno.Conn): Promise<string> {
  const buffer = new Uint8Array(1000);
  const size = await inTime(connection.read(buffer), "data") ?? 0;
  return new TextDecoder().decode(buffer.subarray(0, size));
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

function hash(data: Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}
