import { assertEquals, assertGreater, assertMatch, assertStringIncludes } from "@std/assert";
import { linuxOnly, needsProgram, skipIf } from "../support/skip.ts";
import { inTime } from "../support/deadline.ts";
import { Example, runExample, unusedHostname } from "../support/example_process.ts";
import { isWindows } from "../support/os.ts";
import { untilIdle } from "../support/usage.ts";
import { assertUsageErrors, WRONG_PORTS } from "./command_lines.ts";
import { answer, ask, assertBackPressure, encode, GET, readAll } from "./http_client.ts";

const needsReusePort = skipIf(
  isWindows,
  "Windows has no SO_REUSEPORT, by which workers share a port",
);

const FLAGS = { flags: ["--allow-ffi", "--allow-read=."] };
const needsPython = needsProgram("python3");

const start = (...args: string[]) => Example.start("workers", ["--port", "0", ...args], FLAGS);

const HELLO = answer("200 OK", "Hello, world!\n", "Content-Type: text/plain");

Deno.test({
  name: "workers.ts spreads connections over all workers, and prints their counts",
  ...linuxOnly,
  async fn() {
    await using server = await start("--workers", "3");
    assertMatch(server.firstLine, /^listening on 127\.0\.0\.1:\d+ \(\w+Selector, 3 workers\)$/);
    const answers = await Promise.all(
      Array.from({ length: 120 }, (_, i) => ask(server.port, GET.repeat(i % 3))),
    );
    answers.forEach((answer, i) => assertEquals(answer, HELLO.repeat(i % 3)));
    const { code, counts, stderr } = await stop(server);
    assertEquals([code, stderr, counts.length], [0, "", 3]);
    assertEquals(counts.reduce((sum, count) => sum + count), 120);
    for (const count of counts) assertGreater(count, 0, "A worker had nothing to do");
  },
});

Deno.test({
  name: "workers.ts --share lets all workers accept from one socket",
  ...linuxOnly,
  async fn() {
    await using server = await start("--workers", "3", "--share");
    const answers = await Promise.all(Array.from({ length: 60 }, () => ask(server.port, GET)));
    for (const answer of answers) assertEquals(answer, HELLO);
    const { code, counts, stderr } = await stop(server);
    assertEquals([code, stderr, counts.length], [0, "", 3]);
    assertEquals(counts.reduce((sum, count) => sum + count), 60);
  },
});

Deno.test("workers.ts answers fetch()", needsReusePort, async () => {
  await using server = await start("--workers", "2");
  using client = Deno.createHttpClient({});
  for (let i = 0; i < 10; i++) {
    const response = await fetch(`http://127.0.0.1:${server.port}/${i}`, { client });
    assertEquals([response.status, await response.text()], [200, "Hello, world!\n"]);
  }
  const { code, counts } = await stop(server);
  assertEquals([code, counts.reduce((sum, count) => sum + count)], [0, 10]);
});

Deno.test({
  name: "workers.ts answers python3's http.client on one connection",
  ...needsReusePort,
  ...needsPython,
  async fn() {
    await using server = await start("--workers", "1");
    await using python = new Deno.Command("python3", {
      args: ["-c", PYTHON_CLIENT, `${server.port}`],
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const { code, stdout } = await inTime(python.output(), "the end of python3");
    assertEquals([code, new TextDecoder().decode(stdout)], [0, "200 200 200 405 200\n"]);
  },
});

const PYTHON_CLIENT = `
import http.client, sys

client = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
statuses = []
for method in "GET", "GET", "GET", "POST", "GET":
    client.request(method, "/path?query", body="x" * 100_000 if method == "POST" else None)
    response = client.getresponse()
    statuses.append(response.status)
    assert response.read() == (b"Hello, world!\\n" if response.status == 200 else b"")
print(*statuses)
`;

Deno.test(
  "workers.ts answers pipelined requests, also in pieces",
  needsReusePort,
  async () => {
    await using server = await start("--workers", "1");
    assertEquals(await ask(server.port, GET.repeat(5000)), HELLO.repeat(5000));
    const connection = await Deno.connect({ port: server.port });
    connection.setNoDelay();
    for (const byte of GET + "\r\n" + GET) await connection.write(encode(byte));
    await connection.closeWrite();
    assertEquals(await readAll(connection), HELLO + HELLO);
  },
);

Deno.test(
  "workers.ts keeps and closes connections as in HTTP/1.1 and HTTP/1.0",
  needsReusePort,
  async () => {
    await using server = await start("--workers", "1");
    const more = GET.repeat(2);
    const close = HELLO.replace("DATE\r\n", "DATE\r\nConnection: close\r\n");
    const kept = HELLO.replace("DATE\r\n", "DATE\r\nConnection: keep-alive\r\n");
    for (
      const [request, expected] of [
        ["GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", close],
        ["GET / HTTP/1.1\r\nHost: x\r\nconnection: Foo , CLOSE\r\n\r\n", close],
        ["GET / HTTP/1.0\r\n\r\n", close],
        ["GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", kept + HELLO + HELLO],
        ["GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", HELLO + HELLO + HELLO],
      ]
    ) {
      // Where the server announces it, it closes first.
      const received = await ask(server.port, request + more, !expected.includes("close"));
      assertEquals([request, received], [request, expected]);
    }
  },
);

Deno.test(
  "workers.ts answers a bad request with an error, and no request after it",
  needsReusePort,
  async () => {
    await using server = await start("--workers", "1");
    const head = "GET / HTTP/1.1\r\n";
    for (
      const [request, status] of [
        ["nonsense\n", "400 Bad Request"],
        ["\x16\x03\x01\x02\n", "400 Bad Request"],
        ["GET /\r\n", "400 Bad Request"],
        ["GET / HTTP/2.0\r\n", "400 Bad Request"],
        ["GET  / HTTP/1.1\r\n", "400 Bad Request"],
        [`${head}\r\n`, "400 Bad Request"],
        [`${head}Host: a\r\nHost: b\r\n\r\n`, "400 Bad Request"],
        [`${head}Host: a\r\nno field\r\n\r\n`, "400 Bad Request"],
        [`${head}Host: a\r\nContent-Length: 5\r\n\r\n`, "400 Bad Request"],
        [`${head}Host: a\r\nTransfer-Encoding: chunked\r\n\r\n`, "400 Bad Request"],
        ["POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", "405 Method Not Allowed"],
        [`${head}Host: ${"a".repeat(9000)}\r\n\r\n`, "431 Request Header Fields Too Large"],
        ["G".repeat(9000), "431 Request Header Fields Too Large"],
      ]
    ) {
      const received = await ask(server.port, request + GET, false);
      assertEquals([request, received.split("\r\n")[0]], [request, `HTTP/1.1 ${status}`]);
      assertStringIncludes(received, "\r\nConnection: close\r\n");
      assertEquals(received.split("HTTP/1.1").length, 2, received);
    }
    assertEquals(await ask(server.port, GET), HELLO);
  },
);

Deno.test({
  name: "workers.ts does not read from a client that does not read, and answers everything later",
  ...linuxOnly,
  async fn() {
    await using server = await start("--workers", "1");
    await assertBackPressure(server, HELLO);
  },
});

for (const [signal, status] of [["SIGINT", 0], ["SIGTERM", 143]] as const) {
  Deno.test(
    `workers.ts exits with ${status} at ${signal}, busy, idle and with connections`,
    needsReusePort,
    async () => {
      await using server = await start("--workers", "4");
      await using idle = await start("--workers", "4");
      const { port } = server;
      using connection = await Deno.connect({ port });
      await connection.write(encode(GET));
      await inTime(connection.read(new Uint8Array(1000)), "an answer");
      let isEnding = false;
      const busy = Array.from({ length: 8 }, async () => {
        // The end of the server can cut an answer short.
        while (!isEnding) await ask(port, GET).catch(() => {});
      });
      const { code, counts } = await stop(server, signal);
      isEnding = true;
      await Promise.all(busy);
      assertEquals([code, counts.length], [status, 4]);
      assertGreater(counts.reduce((sum, count) => sum + count), 0);
      const { code: idleCode, counts: none } = await stop(idle, signal);
      assertEquals([idleCode, none], [status, [0, 0, 0, 0]]);
    },
  );
}

Deno.test(
  "workers.ts starts one worker per core by default",
  needsReusePort,
  async () => {
    await using server = await start();
    assertStringIncludes(server.firstLine, `, ${navigator.hardwareConcurrency} workers)`);
    const { counts } = await stop(server);
    assertEquals(counts.length, navigator.hardwareConcurrency);
  },
);

Deno.test(
  "workers.ts exits with 1 if other processes share the port",
  needsReusePort,
  async () => {
    await using first = await start("--workers", "1");
    const { code, stderr } = await runExample("workers", ["--port", `${first.port}`], FLAGS);
    assertEquals(code, 1);
    assertMatch(stderr, /\(EADDRINUSE\)/);
  },
);

Deno.test(
  "workers.ts exits with 1 and names the flag if it cannot read its modules",
  needsReusePort,
  async () => {
    const { code, stdout, stderr } = await runExample("workers", ["--port", "0"]);
    assertEquals([code, stdout], [1, ""]);
    assertStringIncludes(stderr, "run again with the --allow-read flag");
  },
);

Deno.test({
  name: "workers.ts listens on port 8000 by default",
  ...linuxOnly,
  async fn() {
    const hostname = unusedHostname();
    await using server = await Example.start("workers", ["--hostname", hostname], FLAGS);
    assertStringIncludes(server.firstLine, `listening on ${hostname}:8000 (`);
  },
});

Deno.test({
  name: "workers.ts rests when descriptors run out, and accepts again when connections end",
  ...linuxOnly,
  async fn() {
    const options = { ...FLAGS, descriptors: 60 };
    await using server = await Example.start("workers", ["--port", "0", "--workers", "2"], options);
    const connections = [];
    for (let i = 0; i < 80; i++) connections.push(await Deno.connect({ port: server.port }));
    await server.stderr.wait(/^workers\.ts: .*EMFILE.*resting from accepting$/);
    await untilIdle(server.pid);
    for (const connection of connections) connection.close();
    assertEquals(await ask(server.port, GET), HELLO);
    assertEquals((await stop(server)).code, 0);
  },
});

Deno.test("workers.ts ends at a signal during its start", needsReusePort, async () => {
  await Promise.all([50, 100, 150, 200, 250, 300].map(async (delay) => {
    await using child = new Deno.Command(Deno.execPath(), {
      args: ["run", ...FLAGS.flags, "examples/workers.ts", "--port", "0", "--workers", "4"],
      cwd: new URL("../../", import.meta.url),
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    await new Promise((resolve) => setTimeout(resolve, delay));
    child.kill("SIGTERM");
    const { code } = await inTime(child.status, "the end");
    assertEquals([delay, code], [delay, 143]);
  }));
});

Deno.test("workers.ts exits with 2 if an option is wrong", async () => {
  const mistakes = ["--workers 0", "--workers 1000", "--workers two", "extra"];
  await assertUsageErrors("workers", [...mistakes, ...WRONG_PORTS]);
});

/** Stops the server and reads the counts that it prints. */
async function stop(server: Example, signal?: Deno.Signal) {
  const { code, stdout, stderr } = await server.stop(signal);
  const lines = stdout.trim().split("\n").slice(1);
  const counts = lines.map((line, i) => {
    assertMatch(line, new RegExp(`^worker ${i + 1}: \\d+ requests$`));
    return Number(line.split(" ")[2]);
  });
  return { code, stderr, counts };
}
