import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertLess,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { RequestReader } from "../../examples/support/http_requests.ts";
import { isWindows } from "../support/os.ts";
import { linuxOnly, needsProgram } from "../support/skip.ts";
import { inTime } from "../support/deadline.ts";
import {
  Example,
  needsSignals,
  needsUnusedHostname,
  unusedHostname,
} from "../support/example_process.ts";
import { keepingPace } from "../support/pace.ts";
import { needsIpv6 } from "../support/sockets.ts";
import { untilIdle } from "../support/usage.ts";
import { assertUsageErrors, WRONG_PORTS } from "./command_lines.ts";
import { answer, ask, assertBackPressure, encode, GET, read, readAll } from "./http_client.ts";
import { logged } from "./logged.ts";

const needsCurl = needsProgram("curl");
const needsWrk = needsProgram("wrk");

const start = (...args: string[]) => Example.start("http", ["--port", "0", ...args]);

const HEAD = "GET / HTTP/1.1\r\nHost: a\r\n";
const POST = "POST / HTTP/1.1\r\nHost: a\r\n";
const CHUNKED = "Transfer-Encoding: chunked\r\n";
const HELLO = answer("200 OK", "Hello, world!\n", "Content-Type: text/plain");
const NOT_ALLOWED = answer("405 Method Not Allowed", "", "Allow: GET, HEAD");

Deno.test({
  name: "http.ts answers curl: GET, HEAD, uploads, and several requests on one connection",
  ...needsCurl,
  async fn() {
    await using server = await start("--verbose");
    const url = `http://127.0.0.1:${server.port}`;
    assertEquals(await curl(`${url}/`), "Hello, world!\n");
    assert(await curl(`${url}/bytes/20000003`) === ".".repeat(20_000_003));
    assertMatch(await curl("-I", `${url}/bytes/7`), /^HTTP\/1\.1 200 OK\r\nContent-Length: 7\r\n/);
    assertMatch(await curl("-i", `${url}/nothing`), /^HTTP\/1\.1 404 .*\r\n\r\nNot found\n$/s);
    const codes = ["-o", isWindows ? "NUL" : "/dev/null", "-w", "%{http_code} "];
    assertEquals(await curl(...codes, "-d", "x".repeat(5000), url), "405 ");
    assertEquals(await curl(...codes, "-d", "x", "-H", "Expect: 100-continue", url), "405 ");
    assertEquals(await curl(...codes, "-d", "x", "-H", "Transfer-Encoding: chunked", url), "405 ");
    assertEquals(await curl(...codes, "--http1.0", url), "200 ");
    assertEquals(
      await curl("-w", "%{num_connects} ", `${url}/?[1-3]`),
      [
        "Hello, world!\n1 ",
        "Hello, world!\n0 ",
        "Hello, world!\n0 ",
      ].join(""),
    );
    await server.stdout.wait(logged("127.0.0.1:\\d+ GET /\\?3 200 OK"));
  },
});

Deno.test({
  name: "http.ts answers wrk over 50 connections without an error",
  ...needsWrk,
  async fn() {
    await using server = await start();
    const args = ["-c50", "-t1", "-d1s", "--timeout", "60s", `http://127.0.0.1:${server.port}/`];
    const output = new Deno.Command("wrk", { args, stdout: "piped" }).output();
    const { code, stdout } = await inTime(output, "the end of wrk");
    const said = new TextDecoder().decode(stdout);
    assertEquals([code, /Non-2xx|Socket errors/.exec(said)], [0, null], said);
    assertMatch(said, /^ +[1-9]\d* requests in/m);
  },
});

Deno.test("http.ts answers pipelined requests in order, also in pieces", async () => {
  await using server = await start();
  assertEquals(await ask(server.port, GET.repeat(5000)), HELLO.repeat(5000));
  const requests =
    `\r\n${GET}${HEAD.replace("GET /", "GET /x")}\r\n${POST}Content-Length: 3\r\n\r\n` +
    `abc${POST}${CHUNKED}\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n` +
    `${HEAD.replace("GET", "HEAD")}\r\n${HEAD.replace("/", "/bytes/3")}\r\n${GET}`;
  const expected = HELLO + answer("404 Not Found", "Not found\n", "Content-Type: text/plain") +
    NOT_ALLOWED + NOT_ALLOWED + HELLO.replace("Hello, world!\n", "") +
    answer("200 OK", "...", "Content-Type: text/plain") + HELLO;
  assertEquals(await ask(server.port, requests), expected);
  const connection = await Deno.connect({ port: server.port });
  connection.setNoDelay();
  for (const byte of requests) await connection.write(encode(byte));
  await connection.closeWrite();
  assertEquals(await readAll(connection), expected);
});

Deno.test("http.ts keeps and closes connections as in HTTP/1.1 and HTTP/1.0", async () => {
  await using server = await start();
  const close = HELLO.replace("DATE\r\n", "DATE\r\nConnection: close\r\n");
  const kept = HELLO.replace("DATE\r\n", "DATE\r\nConnection: keep-alive\r\n");
  for (
    const [request, expected] of [
      [`${HEAD}Connection: close\r\n\r\n`, close],
      [`${HEAD}connection: Foo , CLOSE\r\n\r\n`, close],
      ["GET / HTTP/1.0\r\n\r\n", close],
      ["GET / HTTP/1.0\r\nConnection: close\r\nConnection: x\r\n\r\n", close],
      ["GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", kept + HELLO + HELLO],
      ["GET http://a/?x HTTP/1.1\r\nHost: a\r\n\r\n", HELLO + HELLO + HELLO],
      [`${HEAD}Content-Length: 5\r\n\r\nGET /`, HELLO + HELLO + HELLO],
    ]
  ) {
    // Where the server announces it, it closes first.
    const isClosed = expected.includes("close");
    const received = await ask(server.port, request + GET + GET, !isClosed);
    assertEquals([request, received], [request, expected]);
  }
});

/** Requests that are refused, and the status. */
const REFUSED: readonly [request: string, status: string][] = [
  ["nonsense\n", "400 Bad Request"],
  ["\x16\x03\x01\x02\n", "400 Bad Request"],
  ["GET /\r\n", "400 Bad Request"],
  ["GET / HTTP/2.0\r\n", "400 Bad Request"],
  ["GET  / HTTP/1.1\r\n", "400 Bad Request"],
  ["GET /a b HTTP/1.1\r\n", "400 Bad Request"],
  ["GET / HTTP/1.1\r\n\r\n", "400 Bad Request"],
  [`${HEAD}Host: b\r\n\r\n`, "400 Bad Request"],
  [`${HEAD}no field\r\n\r\n`, "400 Bad Request"],
  [`${HEAD}Name : value\r\n\r\n`, "400 Bad Request"],
  [`${HEAD}Name: value\r\n folded\r\n\r\n`, "400 Bad Request"],
  [`${HEAD}Name: value\r\n\tfolded\r\n\r\n`, "400 Bad Request"],
  [`${HEAD}\xa0Name: value\r\n\r\n`, "400 Bad Request"],
  [`${HEAD}\x0bName: value\r\n\r\n`, "400 Bad Request"],
  [`GET / HTTP/1.1\r\n folded: value\r\nHost: a\r\n\r\n`, "400 Bad Request"],
  // Only CR and LF together end a line.
  ["GET / HTTP/1.1\nHost: a\n\n", "400 Bad Request"],
  ["GET / HTTP/1.1\nHost: a\r\n\r\n", "400 Bad Request"],
  ["GET / HTTP/1.1\r\nHost: a\nName: value\r\n\r\n", "400 Bad Request"],
  ["GET / HTTP/1.1\r\n\nHost: a\r\n\r\n", "400 Bad Request"],
  [`${HEAD}\nName: value\r\n\r\n`, "400 Bad Request"],
  [`${HEAD}\n`, "400 Bad Request"],
  [`${HEAD}\r\r\n`, "400 Bad Request"],
  [`\r${GET}`, "400 Bad Request"],
  [`\n${GET}`, "400 Bad Request"],
  [`\r\n\r${GET}`, "400 Bad Request"],
  // Only spaces and tabs surround a value.
  [`${POST}Content-Length: 5\xa0\r\n\r\nabcde`, "400 Bad Request"],
  [`${POST}Content-Length:\xa05\r\n\r\nabcde`, "400 Bad Request"],
  [`${POST}Content-Length: 5\x0b\r\n\r\nabcde`, "400 Bad Request"],
  [`${POST}Transfer-Encoding: chunked\xa0\r\n\r\n0\r\n\r\n`, "501 Not Implemented"],
  [`${POST}Transfer-Encoding:\x85chunked\r\n\r\n0\r\n\r\n`, "501 Not Implemented"],
  [`${POST}${CHUNKED}\r\n3 \r\nabc\r\n0\r\n\r\n`, "400 Bad Request"],
  [`${POST}${CHUNKED}\r\n3\nabc\r\n0\r\n\r\n`, "400 Bad Request"],
  [`${POST}${CHUNKED}\r\n3\r\nabc\n0\r\n\r\n`, "400 Bad Request"],
  [`${POST}${CHUNKED}\r\n0\r\n\n`, "400 Bad Request"],
  [`${HEAD}Name: va\0lue\r\n\r\n`, "400 Bad Request"],
  [`${HEAD}Name: va\rlue\r\n\r\n`, "400 Bad Request"],
  [`${POST}Content-Length: -1\r\n\r\n`, "400 Bad Request"],
  [`${POST}Content-Length: 0x5\r\n\r\n`, "400 Bad Request"],
  [`${POST}Content-Length: 5\r\nContent-Length: 6\r\n\r\n`, "400 Bad Request"],
  [`${POST}Content-Length: 5\r\n${CHUNKED}\r\n0\r\n\r\n`, "400 Bad Request"],
  [`POST / HTTP/1.0\r\n${CHUNKED}\r\n0\r\n\r\n`, "400 Bad Request"],
  [`${POST}${CHUNKED}\r\nx\r\n`, "400 Bad Request"],
  [`${POST}${CHUNKED}\r\n-1\r\n`, "400 Bad Request"],
  [`${POST}${CHUNKED}\r\n3\r\nabcd\r\n0\r\n\r\n`, "400 Bad Request"],
  [`${POST}${CHUNKED}\r\n0\r\nno trailer\r\n\r\n`, "400 Bad Request"],
  [`${POST}${CHUNKED}\r\n${"0".repeat(300)}`, "400 Bad Request"],
  [`${POST}Content-Length: 1048577\r\n\r\n`, "413 Content Too Large"],
  [`${POST}Content-Length: ${"9".repeat(400)}\r\n\r\n`, "413 Content Too Large"],
  [`${POST}${CHUNKED}\r\n100001\r\n`, "413 Content Too Large"],
  [`${POST}${CHUNKED}\r\nffffffff\r\n`, "413 Content Too Large"],
  [`${HEAD}Name: ${"a".repeat(9000)}\r\n\r\n`, "431 Request Header Fields Too Large"],
  ["G".repeat(9000), "431 Request Header Fields Too Large"],
  [
    `${POST}${CHUNKED}\r\n0\r\nName: ${"a".repeat(9000)}\r\n\r\n`,
    "431 Request Header Fields Too Large",
  ],
  [`${POST}Transfer-Encoding: gzip, chunked\r\n\r\n`, "501 Not Implemented"],
];

Deno.test("http.ts answers a bad request with an error, and no request after it", async () => {
  await using server = await start();
  for (const [request, status] of REFUSED) {
    // The answer comes before the end of what the client sends.
    const received = await ask(server.port, request, false);
    const expected = answer(status, "", "Connection: close");
    assertEquals([request, received], [request, expected]);
    assertEquals([request, await ask(server.port, request + GET, false)], [request, expected]);
  }
  assertEquals(await ask(server.port, GET), HELLO);
});

Deno.test("RequestReader.next() returns the same wherever the bytes are split", () => {
  const good = [
    GET,
    `${POST}Content-Length: 3\r\n\r\nabc`,
    `${POST}${CHUNKED}\r\n3\r\nabc\r\n0\r\n\r\n`,
  ];
  for (const text of [...good.map((request) => request + GET), ...REFUSED.map(([text]) => text)]) {
    if (text.length > 1000) continue;
    const expected = readAs(text, text.length);
    for (let split = 1; split < text.length; split++) {
      assertEquals([text, split, readAs(text, split)], [text, split, expected]);
    }
  }
});

/** Reads requests in two pieces. Returns the method of each, or the status to refuse it with. */
function readAs(text: string, split: number): string[] {
  const reader = new RequestReader();
  const results: string[] = [];
  for (const piece of [text.slice(0, split), text.slice(split)]) {
    reader.push(encode(piece));
    for (let next; (next = reader.next()) !== null;) {
      results.push(typeof next === "string" ? next : next.method);
    }
  }
  return results;
}

Deno.test("http.ts answers Expect: 100-continue", async () => {
  await using server = await start();
  using connection = await Deno.connect({ port: server.port });
  await connection.write(encode(`${POST}Expect: 100-continue\r\nContent-Length: 3\r\n\r\n`));
  assertEquals(await read(connection), "HTTP/1.1 100 Continue\r\n\r\n");
  await connection.write(encode("abc"));
  assertEquals(await read(connection), NOT_ALLOWED);
});

Deno.test({
  name: "http.ts does not read from a client that does not read, and answers everything later",
  ...linuxOnly,
  async fn() {
    await using server = await start();
    await assertBackPressure(server, HELLO);
  },
});

Deno.test({
  name: "http.ts produces a large body as the client takes it, and serves others meanwhile",
  ...linuxOnly,
  async fn() {
    await using server = await start();
    const before = server.memory;
    using slow = await Deno.connect({ port: server.port });
    await slow.write(encode(HEAD.replace("/", "/bytes/1000000000") + "\r\n"));
    assertStringIncludes(await read(slow), "\r\nContent-Length: 1000000000\r\n");
    using fast = await Deno.connect({ port: server.port });
    await fast.write(encode(HEAD.replace("/", "/bytes/1000000000") + "\r\n"));
    const buffer = new Uint8Array(1 << 18);
    for (let received = 0; received < 200 << 20;) {
      received += await inTime(fast.read(buffer), "data") ?? 0;
    }
    assertEquals(await ask(server.port, GET), HELLO);
    assertLess(server.memory - before, 100 << 20);
  },
});

Deno.test("http.ts --idle closes silent connections, but not busy ones", async () => {
  await using server = await start("--idle", "2");
  await keepingPace(1500, async (step) => {
    using silent = await Deno.connect({ port: server.port });
    using half = await Deno.connect({ port: server.port });
    await half.write(encode(HEAD));
    using busy = await Deno.connect({ port: server.port });
    const isEnded = inTime(silent.read(new Uint8Array(1)), "the end");
    let hasEnded = false;
    isEnded.then(() => hasEnded = true, () => {});
    for (; !hasEnded; step()) {
      await busy.write(encode(GET));
      assertEquals(await read(busy), HELLO);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assertEquals(await isEnded, null);
    assertEquals(await inTime(half.read(new Uint8Array(1)), "the end"), null);
  });
});

Deno.test("http.ts closes connections whose requests take too long", async () => {
  await using server = await start("--timeout", "1", "--idle", "60");
  const answer408 = answer("408 Request Timeout", "", "Connection: close");
  /** Sends a byte again and again, which is never idle, until the connection ends. */
  const drip = async (request: string, bytes: string): Promise<string> => {
    using connection = await Deno.connect({ port: server.port });
    const received = readAll(connection);
    let hasEnded = false;
    received.finally(() => hasEnded = true);
    await connection.write(encode(request));
    for (let i = 0; !hasEnded; i++) {
      await connection.write(encode(bytes[i % bytes.length]!)).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return await received;
  };
  const started = performance.now();
  const answers = await Promise.all([
    drip("", "G"),
    drip("", "\r\n"),
    drip(`${HEAD}X: `, "a"),
    drip(`${POST}Content-Length: 100000\r\n\r\n`, "a"),
    drip(`${POST}${CHUNKED}\r\n`, "1\r\na\r\n"),
  ]);
  for (const received of answers) assertEquals(received, answer408);
  assertGreaterOrEqual(performance.now() - started, 1000);
  // Many requests may take longer together.
  using busy = await Deno.connect({ port: server.port });
  for (let i = 0; i < 30; i++) {
    await busy.write(encode(GET));
    assertEquals(await read(busy), HELLO);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
});

Deno.test({
  name: "http.ts rests when descriptors run out, and accepts again when connections end",
  ...linuxOnly,
  async fn() {
    await using server = await Example.start("http", ["--port", "0"], { descriptors: 40 });
    const connections: Deno.Conn[] = [];
    for (let i = 0; i < 60; i++) connections.push(await Deno.connect({ port: server.port }));
    await server.stderr.wait(/EMFILE.*resting from accepting$/);
    await untilIdle(server.pid);
    for (const connection of connections) connection.close();
    assertEquals(await ask(server.port, GET), HELLO);
  },
});

Deno.test({
  name: "http.ts --hostname ::1 listens on IPv6",
  ...needsIpv6,
  async fn() {
    await using server = await start("--hostname", "::1");
    assertMatch(server.firstLine, /^listening on \[::1\]:\d+ \(/);
  },
});

Deno.test({
  name: "http.ts listens on port 8000 by default",
  ...needsUnusedHostname,
  async fn() {
    const hostname = unusedHostname();
    await using server = await Example.start("http", ["--hostname", hostname]);
    assert(server.firstLine.startsWith(`listening on ${hostname}:8000 (`));
  },
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`http.ts ends at ${signal}, also while it has connections`, needsSignals, async () => {
    await using server = await start();
    using connection = await Deno.connect({ port: server.port });
    await connection.write(encode(GET));
    assertEquals(await read(connection), HELLO);
    assertEquals((await server.stop(signal)).signal, signal);
  });
}

Deno.test("http.ts exits with 2 if an option is wrong", async () => {
  await assertUsageErrors("http", ["extra", "--idle 0", "--timeout 0", ...WRONG_PORTS]);
});

async function curl(...args: string[]): Promise<string> {
  const output = new Deno.Command("curl", {
    args: ["-sS", ...args],
    stdout: "piped",
    stderr: "inherit",
  }).output();
  const { code, stdout } = await inTime(output, "the end of curl");
  assertEquals(code, 0);
  return new TextDecoder().decode(stdout);
}
