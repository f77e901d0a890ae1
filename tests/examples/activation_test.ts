import { assertEquals, assertMatch } from "@std/assert";
import { AF_INET, AF_UNIX, SOCK_DGRAM, SOCK_STREAM, Socket } from "../../ffi/socket/mod.ts";
import { runCommand } from "../support/command.ts";
import { linuxOnly, needsProgram, skipIf } from "../support/skip.ts";
import { needsNc } from "../support/netcat.ts";
import { inTime } from "../support/deadline.ts";
import { Example, runExample } from "../support/example_process.ts";
import { Lines } from "../support/lines.ts";
import { keepingPace } from "../support/pace.ts";
import { abstractPath, untilReadable, unusedPort } from "../support/sockets.ts";
import { isWindows } from "../support/os.ts";
import { through } from "./activated.ts";
import { assertUsageErrors } from "./command_lines.ts";

const needsActivate = needsProgram("systemd-socket-activate");
const needsPython = needsProgram("python3");

const ROOT = new URL("../../", import.meta.url);

const start = (kinds: string, names?: string, ...args: string[]) =>
  Example.start("activation", args, { through: through(kinds, names) });

Deno.test({
  name: "activation.ts serves on a socket of systemd-socket-activate",
  ...needsActivate,
  ...needsNc,
  async fn() {
    const port = unusedPort();
    const args = ["-l", `127.0.0.1:${port}`, "--fdname", "echo", "-E", "HOME", "-E", "DENO_DIR"];
    const run = [Deno.execPath(), "run", "--allow-ffi", "examples/activation.ts", "--idle", "1"];
    await using activate = new Deno.Command("systemd-socket-activate", {
      args: [...args, ...run],
      cwd: ROOT,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const [said, complaints] = [new Lines(activate.stdout), new Lines(activate.stderr)];
    await complaints.wait(/^Listening on /);
    const { stdout } = await runCommand(["nc", "-N", "127.0.0.1", `${port}`], "hello");
    assertEquals(stdout, "hello");
    await said.wait(`echo: listening on 127.0.0.1:${port}`);
    assertEquals((await inTime(activate.status, "the end of being idle")).code, 0);
  },
});

Deno.test({
  name: "activation.ts tells systemd when it serves, and when it ends",
  ...linuxOnly,
  ...needsPython,
  async fn() {
    const path = abstractPath();
    using manager = new Socket(AF_UNIX, SOCK_DGRAM);
    manager.bind({ path });
    const variable = `NOTIFY_SOCKET=${path.replace("\0", "@")}`;
    await using server = await Example.start("activation", [], {
      through: (command) => ["env", variable, ...through("stream")(command)],
    });
    const buffer = new Uint8Array(100);
    const receive = () => {
      untilReadable(manager);
      return new TextDecoder().decode(buffer.subarray(0, manager.recv(buffer)!));
    };
    assertEquals(receive(), "READY=1");
    server.kill("SIGINT");
    assertEquals(receive(), "STOPPING=1");
    assertEquals((await server.end()).code, 0);
  },
});

Deno.test({
  name: "activation.ts serves on listening sockets, datagram sockets and connections",
  ...needsPython,
  ...linuxOnly,
  async fn() {
    await using server = await start(
      "stream dgram pair stream",
      "web:dns:inetd:web",
      "--idle",
      "60",
    );
    const lines = [server.firstLine];
    for (let i = 0; i < 3; i++) lines.push(await server.stdout.wait(/./));
    const patterns = [
      /^web: listening on /,
      /^dns: datagrams on /,
      /^inetd: connection on \(unnamed\)$/,
      /^web: l/,
    ];
    patterns.forEach((pattern, i) => assertMatch(lines[i], pattern));
    for (const line of [lines[0], lines[3]]) {
      const connection = await Deno.connect({ port: Number(/:(\d+)$/.exec(line)![1]) });
      await connection.write(new TextEncoder().encode("hello"));
      await connection.closeWrite();
      assertEquals(await new Response(connection.readable).text(), "hello");
    }
    using client = new Socket(AF_INET, SOCK_DGRAM);
    client.connect({ hostname: "127.0.0.1", port: Number(/:(\d+)$/.exec(lines[1])![1]) });
    client.send(new Uint8Array(7));
    untilReadable(client);
    assertEquals(client.recv(new Uint8Array(9)), 7);
    const { code, stderr } = await server.stop();
    assertEquals([code, stderr], [0, ""]);
  },
});

Deno.test({
  name: "activation.ts ends with its only connection",
  ...needsPython,
  async fn() {
    await using server = await start("pair");
    const { code, stdout } = await server.end();
    assertEquals([code, stdout], [0, "unknown: connection on (unnamed)\n"]);
  },
});

Deno.test({
  name: "activation.ts ends when it is idle, but not while there is a connection",
  ...needsPython,
  async fn() {
    await keepingPace(700, async (step) => {
      await using server = await start("stream", "", "--idle", "1");
      step();
      const [, port] = /:(\d+)$/.exec(server.firstLine)!;
      using client = new Socket(AF_INET, SOCK_STREAM);
      client.connect({ hostname: "127.0.0.1", port: Number(port) });
      step();
      await new Promise((resolve) => setTimeout(resolve, 1200));
      client.setBlocking(true);
      client.send(new Uint8Array(3));
      assertEquals(client.recv(new Uint8Array(9)), 3);
      client.close();
      assertEquals((await server.end()).code, 0);
    });
  },
});

Deno.test({
  name: "activation.ts closes silent connections, and ends when it is idle without them",
  ...needsPython,
  async fn() {
    await using server = await start("stream", "", "--idle", "1", "--timeout", "1");
    using client = await Deno.connect({ port: Number(/:(\d+)$/.exec(server.firstLine)![1]) });
    assertEquals(await inTime(client.read(new Uint8Array(1)), "the end"), null);
    assertEquals((await server.end()).code, 0);
  },
});

Deno.test({
  name: "activation.ts exits with 1 and a reason if it cannot serve on what it was started with",
  ...needsPython,
  async fn() {
    const cases = [
      ["file", "log", "", /^activation\.ts: Cannot serve on log: not a socket$/],
      ["stream", "", "0", /There is no socket in LISTEN_FDS; --help shows how/],
      ["stream", "", "x", /LISTEN_FDS must be an integer from 0 to 65536, received "x"$/],
      ["stream", "a:b", "", /LISTEN_FDS is 1, but LISTEN_FDNAMES has 2 names$/],
      ["stream", "", "60", /^activation\.ts: Cannot take over fd \d+: /],
    ] as const;
    await Promise.all(cases.map(async ([kinds, names, count, message]) => {
      const options = { through: through(kinds, names, count) };
      const { code, stdout, stderr } = await runExample("activation", [], options);
      assertEquals([kinds, code, stdout], [kinds, 1, ""]);
      assertMatch(stderr.trim(), message);
    }));
  },
});

Deno.test(
  "activation.ts exits with 1 if it was started without a socket",
  skipIf(isWindows, "Windows has no socket activation"),
  async () => {
    const { code, stdout, stderr } = await runExample("activation");
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr, /^activation\.ts: There is no socket in LISTEN_FDS; --help shows how/);
  },
);

Deno.test("activation.ts exits with 2 if an option is wrong", async () => {
  await assertUsageErrors("activation", ["--idle 0", "--idle x", "--timeout 0", "extra"]);
});

Deno.test("activation.ts --help shows how to use systemd-socket-activate", async () => {
  const { code, stdout } = await runExample("activation", ["--help"], { flags: [] });
  assertEquals(code, 0);
  assertMatch(stdout, /^ {2}systemd-socket-activate -l 127\.0\.0\.1:1234 -E HOME deno run /m);
});
