import { assert, assertEquals, assertGreater, assertLess, assertMatch } from "@std/assert";
import { EVENT_WRITE, ready, sendAll, whenReadable } from "../../mod.ts";
import { AF_INET, SOCK_STREAM, Socket } from "../../ffi/socket/mod.ts";
import { answer } from "../../examples/support/dns_answers.ts";
import { concat, words } from "../../examples/support/dns_messages.ts";
import {
  decodeName,
  encodeName,
  type NameOffsets,
  parseName,
} from "../../examples/support/dns_names.ts";
import { RecordTable } from "../../examples/support/dns_table.ts";
import { runCommand } from "../support/command.ts";
import { Example, needsSignals, runExample } from "../support/example_process.ts";
import { isQemu } from "../support/os.ts";
import { linuxOnly, needsProgram } from "../support/skip.ts";
import { needsIpv6, noise, reset } from "../support/sockets.ts";
import { assertUsageErrors, runEach, WRONG_PORTS } from "./command_lines.ts";
import { ask, Connection, decodeResponse, encodeQuery } from "./dns_client.ts";
import { logged } from "./logged.ts";

const needsDig = needsProgram("dig");

/** How much slower the machine is than others. */
const SLOWNESS = isQemu ? 20 : 1;

const NOERROR = 0, FORMERR = 1, NXDOMAIN = 3, NOTIMP = 4, REFUSED = 5;

const LINES = [
  "192.0.2.1 www.example example # as in /etc/hosts",
  "2001:db8::1 www.example",
  "alias.example CNAME www.example",
  "example MX 10 mail.example",
  "example MX 20 backup.example",
  'example 3600 IN TXT "two words" another',
  "example NS ns.example",
  "_http._tcp.example SRV 0 5 80 www.example",
  "far.example CNAME www.elsewhere",
  `large.example TXT ${"x".repeat(60_000)}`,
  ...Array.from({ length: 200 }, (_, i) => `many.example A 10.0.0.${i}`),
];

/** Starts a server that answers from these lines. */
async function start(...args: string[]): Promise<Example> {
  const path = await Deno.makeTempFile({ prefix: "dns_" });
  try {
    await Deno.writeTextFile(path, LINES.join("\n"));
    const flags = ["--allow-ffi", "--allow-read"];
    return await Example.start("dns", ["--port", "0", path, ...args], { flags });
  } finally {
    await Deno.remove(path);
  }
}

/** Connects to it. */
async function connect({ port }: Example): Promise<Socket> {
  const socket = new Socket(AF_INET, SOCK_STREAM);
  socket.connect({ hostname: "127.0.0.1", port });
  await ready(socket, EVENT_WRITE);
  return socket;
}

/** Returns what dig prints for each question. */
async function dig({ port }: Example, ...args: string[]): Promise<string> {
  const command = ["dig", "-p", `${port}`, "@127.0.0.1", "+tries=1", "+time=120", ...args];
  const { code, stdout, stderr } = await runCommand(command);
  assertEquals([code, stderr], [0, ""], stdout);
  return stdout;
}

Deno.test({
  name: "dns.ts answers dig, for each type of record",
  ...needsDig,
  async fn() {
    await using server = await start("--verbose");
    assertMatch(server.firstLine, /^listening on 127\.0\.0\.1:\d+ \(UDP and TCP\)$/);
    for (
      const [question, ...answers] of [
        ["www.example A", "192.0.2.1"],
        ["WWW.ExamPle AAAA", "2001:db8::1"],
        ["-x 192.0.2.1", "www.example."],
        ["-x 2001:db8::1", "www.example."],
        ["alias.example A", "www.example.", "192.0.2.1"],
        ["alias.example CNAME", "www.example."],
        ["far.example A", "www.elsewhere."],
        ["example MX", "10 mail.example.", "20 backup.example."],
        ["example TXT", '"two words" "another"'],
        ["example NS", "ns.example."],
        ["_http._tcp.example SRV", "0 5 80 www.example."],
        ["example AAAA"],
        ["_tcp.example A"],
        ["nothing.example A"],
      ] as const
    ) {
      const output = await dig(server, "+short", ...question.split(" "));
      assertEquals(output.trim().split("\n").filter((line) => line !== ""), answers, question);
    }
    await server.stdout.wait(logged("127.0.0.1:\\d+ A nothing.example NXDOMAIN"));
  },
});

Deno.test({
  name: "dns.ts has dig ask again over TCP for what does not fit into a datagram",
  ...needsDig,
  async fn() {
    await using server = await start();
    assertMatch(await dig(server, "many.example"), /, retrying in TCP mode.*ANSWER: 200,/s);
    const outputs = [
      await dig(server, "+ignore", "+noedns", "many.example"),
      await dig(server, "+ignore", "+bufsize=1000", "many.example"),
      await dig(server, "+ignore", "+bufsize=65535", "many.example"),
    ];
    const sizes = outputs.map((output) => {
      assertMatch(output, /flags: qr aa tc rd;/);
      return Number(/MSG SIZE {2}rcvd: (\d+)/.exec(output)![1]);
    });
    for (const [i, limit] of [512, 1000, 1232].entries()) {
      assert(sizes[i]! > limit - 30 && sizes[i]! <= limit, `${sizes[i]} of ${limit} bytes`);
    }
  },
});

Deno.test({
  name: "dns.ts tells dig that a name is unknown, has other types, or cannot be asked for",
  ...needsDig,
  async fn() {
    await using server = await start();
    for (
      const [question, code] of [
        ["nothing.example", "NXDOMAIN"],
        ["www.example TXT", "NOERROR"],
        ["_tcp.example", "NOERROR"],
        ["www.example CH TXT", "REFUSED"],
        ["example +opcode=5", "NOTIMP"],
        ["example +edns=1 +noednsneg", "BADVERS"],
      ] as const
    ) {
      const output = await dig(server, ...question.split(" "));
      assertMatch(output, RegExp(`status: ${code},`), question);
    }
    assertMatch(await dig(server, "example", "AXFR"), /; Transfer failed\./);
  },
});

Deno.test("dns.ts answers Deno's resolver", async () => {
  await using server = await start();
  const options = { nameServer: { ipAddr: "127.0.0.1", port: server.port } };
  assertEquals(await Deno.resolveDns("www.example", "A", options), ["192.0.2.1"]);
  assertEquals(await Deno.resolveDns("www.example", "AAAA", options), ["2001:db8::1"]);
  assertEquals(await Deno.resolveDns("alias.example", "CNAME", options), ["www.example."]);
  assertEquals(await Deno.resolveDns("example", "TXT", options), [["two words", "another"]]);
  assertEquals(await Deno.resolveDns("example", "MX", options), [
    { preference: 10, exchange: "mail.example." },
    { preference: 20, exchange: "backup.example." },
  ]);
  assertEquals(await Deno.resolveDns("_http._tcp.example", "SRV", options), [
    { priority: 0, weight: 5, port: 80, target: "www.example." },
  ]);
  assertEquals((await Deno.resolveDns("many.example", "A", options)).length, 200);
});

Deno.test("dns.ts answers many datagrams at once, also after a delay", async () => {
  await using server = await start("--delay", "300");
  const before = performance.now();
  const responses = await Promise.all(Array.from({ length: 200 }, (_, id) => {
    return ask(server.port, encodeQuery("www.example", "A", { id }));
  }));
  assertLess(performance.now() - before, 50_000); // One after the other take 60 s.
  for (const [i, response] of responses.entries()) {
    const { id, code, counts } = decodeResponse(response);
    assertEquals([id, code, counts], [i, NOERROR, [1, 1, 0, 0]]);
  }
});

Deno.test("dns.ts answers several queries on a connection, in any pieces", async () => {
  await using server = await start("--delay", "20");
  for (const piece of [Infinity, 1, 7]) {
    using connection = await Connection.to(server.port);
    const ids = Array.from({ length: piece === 1 ? 3 : 100 }, (_, id) => id);
    const name = (id: number) => id % 2 === 0 ? "www.example" : "many.example";
    await connection.send(ids.map((id) => encodeQuery(name(id), "A", { id })), piece);
    await connection.end();
    const seen = new Set<number>();
    for (let message; (message = await connection.receive()) !== null;) {
      const { id, isTruncated, counts } = decodeResponse(message);
      assertEquals([isTruncated, counts[1]], [false, id % 2 === 0 ? 1 : 200]);
      seen.add(id);
    }
    assertEquals(seen, new Set(ids));
  }
});

Deno.test("dns.ts closes connections that are idle, or trickle", async () => {
  await using server = await start("--idle", "1");
  using silent = await Connection.to(server.port);
  using trickling = await Connection.to(server.port);
  const query = encodeQuery("many.example", "A");
  assertEquals(await silent.receive(), null);
  const end = trickling.receive();
  let isOpen = true;
  end.then(() => isOpen = false);
  for (let i = 0; isOpen; i++) {
    await trickling.write(query.subarray(i % 20, i % 20 + 1)).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assertEquals(await end, null);
  using after = await Connection.to(server.port);
  await after.send([query]);
  assertEquals(decodeResponse((await after.receive())!).counts[1], 200);
});

Deno.test("dns.ts closes connections that do not read", async () => {
  await using server = await start("--idle", "1", "--verbose");
  using deaf = await connect(server);
  const query = encodeQuery("large.example", "TXT");
  await sendAll(deaf, concat(Array(10_000).fill(concat([words(query.length), query]))));
  await server.stdout.wait(logged("127.0.0.1:\\d+ The client is too slow"));
});

Deno.test("dns.ts serves no more connections than it should, and the others later", async () => {
  await using server = await start("--connections", "2", "--idle", "30");
  const connections = await Promise.all([1, 2, 3].map(() => Connection.to(server.port)));
  const query = encodeQuery("www.example", "A");
  for (const connection of connections) await connection.send([query]);
  const waiting = connections.map((connection) => connection.receive());
  const isServed = [false, false, false];
  waiting.forEach((response, i) => response.then(() => isServed[i] = true));
  await Promise.all(waiting.slice(0, 2));
  assertEquals(decodeResponse(await ask(server.port, query)).code, NOERROR);
  assertEquals(isServed, [true, true, false]);
  connections[0]![Symbol.dispose]();
  assertEquals(decodeResponse((await waiting[2])!).code, NOERROR);
  for (const connection of connections.slice(1)) connection[Symbol.dispose]();
});

Deno.test("dns.ts survives whatever it is sent, over UDP and TCP", async () => {
  await using server = await start("--idle", "5");
  const { port } = server;
  for (let i = 0; i < 3000 / SLOWNESS; i += 10) {
    const messages = Array.from({ length: 10 }, (_, j) => mutate(i + j));
    const last = encodeQuery("www.example", "A", { id: i });
    await ask(port, [...messages, last]);
  }
  for (let i = 0; i < 100 / SLOWNESS; i++) {
    using connection = await Connection.to(port);
    await connection.write(noise(1000, i)).catch(() => {});
    await connection.send([mutate(i), mutate(i + 1)]).catch(() => {});
    if (i % 2 === 0) await connection.end().catch(() => {});
  }
  const query = encodeQuery("www.example", "A");
  assertEquals(decodeResponse(await ask(port, query)).code, NOERROR);
  using connection = await Connection.to(port);
  await connection.send([new Uint8Array(), new Uint8Array(5), query]);
  assertEquals(decodeResponse((await connection.receive())!).code, NOERROR);
});

Deno.test("dns.ts survives connections that are reset", async () => {
  await using server = await start("--delay", "5");
  const query = encodeQuery("many.example", "A");
  const message = concat([words(query.length), query]);
  for (let i = 0; i < 60 / SLOWNESS; i++) {
    const socket = await connect(server);
    socket.send(i % 3 === 0 ? message.subarray(0, 9) : concat([message, message, message]));
    if (i % 2 === 0) {
      await whenReadable(socket, () => i % 3 === 0 ? 0 : socket.recv(new Uint8Array(1)));
    }
    reset(socket);
  }
  assertEquals(decodeResponse(await ask(server.port, query)).code, NOERROR);
});

Deno.test("dns.ts answers malformed queries with FORMERR, and ignores what is not a query", async () => {
  await using server = await start();
  const { port } = server;
  const codeOf = async (messages: Uint8Array | readonly Uint8Array[]) =>
    decodeResponse(await ask(port, messages)).code;
  const pointer = Uint8Array.of(0xc0, 12);
  const query = encodeQuery("www.example", "A");
  for (
    const message of [
      query.subarray(0, -1),
      query.subarray(0, 20),
      query.subarray(0, 12),
      encodeQuery("www.example", "A", { counts: [0, 0, 0, 0] }),
      encodeQuery("www.example", "A", { counts: [2, 0, 0, 0] }),
      encodeQuery("www.example", "A", { counts: [1, 0, 0, 1] }),
      encodeQuery("www.example", "A", { counts: [1, 65535, 65535, 65535] }),
      encodeQuery("www.example", "A", { rest: new Uint8Array(1) }),
      encodeQuery("www.example", "A", {
        counts: [1, 0, 0, 2],
        rest: encodeQuery("", "OPT", { size: 4096 }).subarray(-22),
      }),
      Uint8Array.of(...query.subarray(0, 12), ...pointer, 0, 1, 0, 1),
      Uint8Array.of(...query.subarray(0, 12), 0x40, 0, 0, 1, 0, 1),
    ]
  ) {
    assertEquals(await codeOf(message), FORMERR);
  }
  assertEquals(await codeOf(encodeQuery("www.example", "A", { flags: 0x2800 })), NOTIMP);
  assertEquals(await codeOf(encodeQuery("www.example", "A", { class: 3 })), REFUSED);
  assertEquals(await codeOf(encodeQuery("", "A")), NXDOMAIN);
  const response = encodeQuery("www.example", "A", { flags: 0x8000 });
  const ignored = [new Uint8Array(), new Uint8Array(11), response];
  assertEquals(await codeOf([...ignored, query]), NOERROR);
});

Deno.test({
  name: "dns.ts answers from the address that was asked, if it listens on all",
  ...linuxOnly,
  ...needsIpv6,
  async fn() {
    const query = encodeQuery("www.example", "A");
    for (const hostname of ["0.0.0.0", "::"]) {
      await using server = await start("--hostname", hostname);
      for (const asked of ["127.0.0.1", "127.1.2.3"]) {
        assertEquals(decodeResponse(await ask(server.port, query, asked)).code, NOERROR);
      }
    }
    await using server = await start("--hostname", "::1");
    assertMatch(server.firstLine, /^listening on \[::1\]:\d+ \(/);
  },
});

Deno.test({
  name: "dns.ts ends when it is interrupted, and prints how many it answered",
  ...needsSignals,
  async fn() {
    await using server = await start();
    const query = encodeQuery("www.example", "A");
    using connection = await Connection.to(server.port);
    await connection.send([query, query.subarray(0, -1), new Uint8Array(3)]);
    await connection.receive();
    await connection.receive();
    await ask(server.port, query);
    const { code, stdout, stderr } = await server.stop();
    assertEquals([code, stderr], [0, ""]);
    assertMatch(stdout, /\n2 answered, 1 malformed, 1 ignored\n$/);
    assertEquals(await connection.receive(), null);
  },
});

Deno.test({
  name: "dns.ts goes on when it runs out of descriptors",
  ...linuxOnly,
  async fn() {
    const args = ["--port", "0", "--record", LINES[0]!];
    await using server = await Example.start("dns", args, { descriptors: 40 });
    const query = encodeQuery("www.example", "A");
    const connections = await Promise.all(
      Array.from({ length: 60 }, () => Connection.to(server.port)),
    );
    await server.stderr.wait(/Cannot accept .*\(EMFILE\); resting$/);
    assertEquals(decodeResponse(await ask(server.port, query)).code, NOERROR);
    for (const connection of connections.slice(0, 50)) connection[Symbol.dispose]();
    const last = connections.at(-1)!;
    await last.send([query]);
    assertEquals(decodeResponse((await last.receive())!).code, NOERROR);
    for (const connection of connections.slice(50)) connection[Symbol.dispose]();
  },
});

Deno.test("dns.ts exits with 2 for wrong options, and with the line for wrong records", async () => {
  await assertUsageErrors("dns", [
    "",
    ...WRONG_PORTS,
    "--ttl -1",
    "--delay x",
    "--idle 0",
    "--connections 0",
    ["--record", "x"],
    ["--record", "# only a comment"],
    ["--record", "www.example A 192.0.2.256"],
    ["--record", "192.0.2.1"],
    ["--record", "..example A 192.0.2.1"],
    ["--record", `${"x".repeat(64)} A 192.0.2.1`],
    ["--record", `${"x.".repeat(127)}xx A 192.0.2.1`],
    ["--record", "münchen.example A 192.0.2.1"],
    ["--record", "www.example FOO 1"],
    ["--record", 'www.example TXT "open'],
    ["--record", "www.example MX mail.example"],
    ["--record", "a.example CNAME b.example", "--record", "a.example A 192.0.2.1"],
  ]);
  const lines = [["--record", "::1 a", "--record", "a CNAME b"], ["--record", "x"]];
  const [run, untyped] = await runEach("dns", lines);
  assertEquals(run!.stderr, 'dns.ts: Line 2 of --record: "a" has a CNAME and another record\n');
  assertMatch(untyped!.stderr, /: The type must be one of A, .*, TXT; the line has none\n$/);
});

Deno.test("dns.ts exits with 1 if it cannot read a file", async () => {
  for (
    const [flags, reason] of [[["--allow-read"], /^dns\.ts: Cannot read no-such-file: [^:]*\n$/], [
      [],
      /--allow-read/,
    ]] as const
  ) {
    const { code, stdout, stderr } = await runExample("dns", ["no-such-file"], {
      flags: ["--no-prompt", ...flags],
    });
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr, reason);
  }
});

Deno.test("names are encoded and decoded, whatever their bytes, compressed or not", () => {
  const known: NameOffsets = new Map();
  let message: Uint8Array = new Uint8Array(12);
  const names = [".", "example", "www.EXAMPLE", "a.www.example", "a\\.b.example", "x\\032\\255.y"];
  for (let i = 0; i < 200; i++) {
    names.push(`${[...noise(1 + i % 15, i)].map(escape).join("")}.x${i % 9}`);
  }
  for (const name of [...names, ...names].map(parseName)) {
    const plain = encodeName(name, 0);
    assertEquals(decodeName(plain, 0), { name, end: plain.length });
    const compressed = encodeName(name, message.length, known);
    assert(compressed.length <= plain.length);
    const offset = message.length;
    message = concat([message, compressed]);
    const decoded = decodeName(message, offset);
    assertEquals(decoded.name.toLowerCase(), name.toLowerCase());
    assertEquals(decoded.end, message.length);
  }

  function escape(byte: number): string {
    return `\\${`${byte}`.padStart(3, "0")}`;
  }
});

Deno.test("the answer to any message is valid, and fits", () => {
  const table = new RecordTable(60);
  for (const line of LINES) table.add(line);
  let answered = 0;
  for (let i = 0; i < 30_000 / SLOWNESS; i++) {
    const message = i % 2 === 0 ? mutate(i) : noise(i % 200, i);
    for (const isDatagram of [true, false]) {
      const response = answer(table, message, isDatagram)?.response;
      if (response === undefined) continue;
      answered++;
      const { id } = decodeResponse(response);
      assertEquals(id, message[0]! << 8 | message[1]!);
      assert(response.length >= 12 && response.length <= (isDatagram ? 1232 : 65_535));
    }
  }
  assertGreater(answered, 20_000 / SLOWNESS);
});

/** Returns a query of which a few bytes are different. */
function mutate(seed: number): Uint8Array {
  const random = noise(20, seed);
  const names = ["www.example", "alias.example", "example", "many.example", "", "a.b.c.d.e.f"];
  const name = names[random[0]! % names.length]!;
  const type = ["A", "AAAA", "MX", "TXT"][random[14]! % 4]!;
  const message = encodeQuery(name, type, random[1]! % 2 === 0 ? {} : { size: 4096 });
  for (let i = 0; i < random[2]! % 4; i++) {
    message[random[3 + i]! % message.length] = random[8 + i]!;
  }
  return random[15]! % 4 === 0 ? message.subarray(0, random[16]! % message.length) : message;
}
