import {
  assert,
  assertEquals,
  assertGreater,
  assertGreaterOrEqual,
  assertLess,
  assertMatch,
} from "@std/assert";
import {
  DefaultSelector,
  DevpollSelector,
  EpollSelector,
  EVENT_READ,
  EVENT_WRITE,
  KqueueSelector,
  PollSelector,
  SelectSelector,
} from "../../mod.ts";
import { AF_INET, SOCK_STREAM, Socket } from "../../ffi/socket/mod.ts";
import { linuxOnly, needsProgram } from "../support/skip.ts";
import { needsNc } from "../support/netcat.ts";
import { inTime } from "../support/deadline.ts";
import {
  Example,
  needsSignals,
  needsUnusedHostname,
  unusedHostname,
} from "../support/example_process.ts";
import { keepingPace } from "../support/pace.ts";
import { needsIpv6, noise, reset, untilReadable } from "../support/sockets.ts";
import { untilIdle } from "../support/usage.ts";
import { assertUsageErrors, WRONG_PORTS } from "./command_lines.ts";
import { driveEcho } from "./echo_driver.ts";
import { logged } from "./logged.ts";

const BACKENDS = {
  epoll: EpollSelector,
  poll: PollSelector,
  select: SelectSelector,
  kqueue: KqueueSelector,
  devpoll: DevpollSelector,
};

const needsPython = needsProgram("python3");

const start = (...args: string[]) => Example.start("echo", ["--port", "0", ...args]);

for (const [name, Backend] of Object.entries(BACKENDS)) {
  if (!Backend.isAvailable()) continue; // Another system has it.

  Deno.test({
    name: `echo.ts --backend ${name} echoes 200 connections, which close, half-close or reset`,
    async fn() {
      await using server = await start("--backend", name);
      assertEquals(server.firstLine, `listening on 127.0.0.1:${server.port} (${Backend.name})`);
      assertGreater(driveEcho(server.port, 200), 10 << 20);
      const { signal, stderr } = await server.stop();
      assertEquals(
        [signal, stderr],
        [Deno.build.os === "windows" ? null : "SIGINT", ""],
        "The server ended",
      );
    },
  });

  Deno.test({
    name: `echo.ts --backend ${name} does not read from a client that does not read`,
    ...linuxOnly,
    async fn() {
      await using server = await start("--backend", name);
      using client = await connect(server.port);
      const before = server.memory;
      const block = noise(1 << 20);
      const sent = sendUntilStopped(client, block, 64 << 20);
      assertLess(sent, 64 << 20, "The sender was never stopped");
      assertLess(server.memory - before, 16 << 20, "The server keeps too much");
      client.shutdown("write");
      assertEquals(countEchoed(client, block), sent);
    },
  });
}

Deno.test({
  name: "echo.ts listens on port 1234 by default",
  ...needsUnusedHostname,
  async fn() {
    const hostname = unusedHostname();
    await using server = await Example.start("echo", ["--hostname", hostname]);
    assertMatch(server.firstLine, new RegExp(`^listening on ${hostname}:1234 \\(\\w+Selector\\)$`));
  },
});

Deno.test({
  name: "echo.ts answers nc",
  ...needsNc,
  async fn() {
    await using server = await start();
    const { stdout } = await pipeThrough("nc", ["-N", "127.0.0.1", `${server.port}`], "hello\nyou");
    assertEquals(stdout, "hello\nyou");
  },
});

Deno.test({
  name: "echo.ts answers python3 over several connections at once",
  ...needsPython,
  async fn() {
    await using server = await start();
    const { stdout, code } = await pipeThrough("python3", ["-", `${server.port}`], PYTHON_CLIENT);
    assertEquals([code, stdout.trim()], [0, "20 echoes of 100000 bytes"]);
  },
});

const PYTHON_CLIENT = `
import socket, sys
from concurrent.futures import ThreadPoolExecutor

def echo(i):
    data = bytes([i]) * 100_000
    with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as client:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        received = b"".join(iter(lambda: client.recv(65536), b""))
    assert received == data
    return len(received)

with ThreadPoolExecutor(20) as pool:
    sizes = list(pool.map(echo, range(20)))
print(len(sizes), "echoes of", *set(sizes), "bytes")
`;

Deno.test({
  name: "echo.ts --hostname ::1 listens on IPv6",
  ...needsIpv6,
  async fn() {
    await using server = await start("--hostname", "::1");
    assertMatch(server.firstLine, /^listening on \[::1\]:\d+ \(/);
    using client = await Deno.connect({ hostname: "::1", port: server.port });
    assertEquals(await echo(client, "hello"), "hello");
  },
});

Deno.test("echo.ts --verbose logs each connection and how it ended", async () => {
  await using server = await start("--verbose");
  const closed = await Deno.connect({ port: server.port });
  const { port } = closed.localAddr as Deno.NetAddr;
  await server.stdout.wait(logged(`127.0.0.1:${port} connected`));
  closed.close();
  await server.stdout.wait(logged(`127.0.0.1:${port} closed`));
  const broken = await connect(server.port);
  await server.stdout.wait(logged("127.0.0.1:\\d+ connected"));
  reset(broken);
  await server.stdout.wait(logged("127.0.0.1:\\d+ .*ECONNRESET.*"));
});

Deno.test("echo.ts logs nothing by default", async () => {
  await using server = await start();
  reset(await connect(server.port));
  const closed = await Deno.connect({ port: server.port });
  closed.close();
  // When it answers a later one, it has seen the end of both.
  using later = await Deno.connect({ port: server.port });
  assertEquals(await echo(later, "hello"), "hello");
  assertEquals((await server.stop()).stdout, `${server.firstLine}\n`);
});

Deno.test({
  name: "echo.ts rests when descriptors run out, and accepts again when connections end",
  ...linuxOnly,
  async fn() {
    await using server = await Example.start("echo", ["--port", "0"], { descriptors: 40 });
    const clients = [];
    for (let i = 0; i < 60; i++) clients.push(await greet(server.port));
    await server.stderr.wait(/^echo\.ts: .*EMFILE.*resting from accepting$/);
    await untilIdle(server.pid);

    const served = clients.filter(isAnswered);
    const waiting = clients.filter((client) => !served.includes(client));
    assertGreater(served.length, 0);
    assertGreater(waiting.length, 20, "Connections beyond the limit are answered");
    for (const client of served) client.close();
    for (const client of waiting) {
      untilReadable(client);
      client.close();
    }
  },
});

Deno.test("echo.ts --idle closes connections that are silent for so long", async () => {
  await using server = await start("--idle", "2");
  await keepingPace(1700, async (step) => {
    using silent = await Deno.connect({ port: server.port });
    using other = await Deno.connect({ port: server.port });
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const spoke = performance.now();
    assertEquals(await echo(other, "hello"), "hello");
    step();
    assertEquals(await inTime(silent.read(new Uint8Array(1)), "the end"), null);
    assertEquals(await inTime(other.read(new Uint8Array(1)), "the end"), null);
    assertGreaterOrEqual(performance.now() - spoke, 1995);
  });
});

Deno.test("echo.ts --idle closes connections that do not read", async () => {
  await using server = await start("--idle", "1", "--verbose");
  using client = await connect(server.port);
  sendUntilStopped(client, noise(1 << 20), 64 << 20);
  await server.stdout.wait(logged("127.0.0.1:\\d+ idle"));
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`echo.ts ends at ${signal}, also while it has connections`, needsSignals, async () => {
    await using server = await start();
    using client = await Deno.connect({ port: server.port });
    await echo(client, "hello");
    assertEquals((await server.stop(signal)).signal, signal);
    assertEquals(await client.read(new Uint8Array(1)), null);
  });
}

Deno.test("echo.ts exits with 2 if an option is wrong", async () => {
  const mistakes = ["--backend nonsense", "--idle 0", "--idle x", "--verbose=yes", "extra"];
  await assertUsageErrors("echo", [...mistakes, ...WRONG_PORTS]);
});

/** Connects a socket of this package. */
async function connect(port: number): Promise<Socket> {
  const socket = new Socket(AF_INET, SOCK_STREAM);
  using selector = new DefaultSelector();
  socket.connect({ hostname: "127.0.0.1", port });
  selector.register(socket, EVENT_WRITE);
  await inTime(selector.selectAsync(), "the connection");
  assertEquals(socket.error(), null);
  return socket;
}

/** Connects and sends a byte. */
async function greet(port: number): Promise<Socket> {
  const socket = await connect(port);
  socket.send(new Uint8Array(1));
  return socket;
}

function isAnswered(socket: Socket): boolean {
  using selector = new DefaultSelector();
  selector.register(socket, EVENT_READ);
  return selector.select(0).length > 0;
}

/** Sends a block again and again, until the peer takes nothing for a while. */
function sendUntilStopped(socket: Socket, block: Uint8Array, limit: number): number {
  using selector = new DefaultSelector();
  selector.register(socket, EVENT_WRITE);
  let sent = 0;
  while (sent < limit && selector.select(300).length > 0) {
    sent += socket.send(block.subarray(sent % block.length)) ?? 0;
  }
  return sent;
}

/** Receives to the end of the stream, and asserts that it repeats the block. */
function countEchoed(socket: Socket, block: Uint8Array): number {
  const buffer = new Uint8Array(1 << 18);
  let received = 0;
  for (let size; (size = socket.recv(buffer)) !== 0;) {
    if (size === null) untilReadable(socket);
    for (let i = 0; i < (size ?? 0); i++, received++) {
      if (buffer[i] !== block[received % block.length]) throw new Error(`Byte ${received} differs`);
    }
  }
  return received;
}

async function echo(connection: Deno.Conn, text: string): Promise<string> {
  const bytes = new TextEncoder().encode(text);
  await connection.write(bytes);
  let received = "";
  while (received.length < text.length) {
    const size = await inTime(connection.read(bytes), "the echo");
    assert(size !== null);
    received += new TextDecoder().decode(bytes.subarray(0, size));
  }
  return received;
}

/** Runs a program with a text as its standard input. */
async function pipeThrough(
  program: string,
  args: string[],
  input: string,
): Promise<{ code: number; stdout: string }> {
  const options = { args, stdin: "piped", stdout: "piped", stderr: "inherit" } as const;
  await using child = new Deno.Command(program, options).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { code, stdout } = await inTime(child.output(), `the end of ${program}`);
  return { code, stdout: new TextDecoder().decode(stdout) };
}
