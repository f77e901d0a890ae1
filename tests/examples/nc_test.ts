import { assertEquals, assertGreaterOrEqual, assertLess, assertMatch } from "@std/assert";
import { createHash } from "node:crypto";
import {
  AF_INET,
  type InternetAddress,
  SOCK_DGRAM,
  SOCK_STREAM,
  Socket,
} from "../../ffi/socket/mod.ts";
import { linuxOnly, needs, needsProgram, skipIf } from "../support/skip.ts";
import { needsNc } from "../support/netcat.ts";
import { runCommand } from "../support/command.ts";
import { inTime } from "../support/deadline.ts";
import { runExample, unusedHostname } from "../support/example_process.ts";
import { Lines } from "../support/lines.ts";
import {
  abstractPath,
  acceptFrom,
  datagrams,
  deaf,
  filePath,
  listener,
  needsIpv6,
  noise,
  reset,
  untilReadable,
  unusedPort,
} from "../support/sockets.ts";
import { isWindows } from "../support/os.ts";
import { keepingPace } from "../support/pace.ts";
import { memoryOf, untilIdle } from "../support/usage.ts";
import { assertUsageErrors, runEach } from "./command_lines.ts";

const needsStdin = skipIf(
  isWindows,
  "only sockets are descriptors on Windows, and standard input is not one",
);

const ROOT = new URL("../../", import.meta.url);
const needsPython = needsProgram("python3");

const needsServices = needs("/etc/services", hasServices());

function hasServices(): boolean {
  try {
    return /^http\s+80\/tcp/m.test(Deno.readTextFileSync("/etc/services"));
  } catch {
    return false;
  }
}

const data = noise(5_000_003);

type Program = "nc" | "nc.ts";

/** The program that listens, and the one that connects. */
const pairs: readonly [server: Program, client: Program][] = [
  ["nc", "nc.ts"],
  ["nc.ts", "nc"],
  ["nc.ts", "nc.ts"],
];

for (const [server, client] of pairs) {
  const needed = [server, client].includes("nc") ? needsNc : {};
  for (const family of ["TCP", "Unix"] as const) {
    Deno.test({
      name: `nc.ts: ${client} talks to ${server} -l over ${family}, in turns, to the end`,
      ...needsStdin,
      ...needed,
      async fn() {
        const flags = family === "Unix" ? ["-U"] : [];
        await using there = await Cat.listen(server, flags);
        await using here = Cat.start(client, ["-N", ...flags, ...there.target]);
        for (const text of ["one\n", "two\n", "three\n"]) {
          await here.write(text);
          await there.reads(text);
          await there.write(text.toUpperCase());
          await here.reads(text.toUpperCase());
        }
        await here.end();
        await there.end();
        assertEquals([await here.code, await there.code], [0, 0]);
      },
    });

    for (const sender of ["client", "server"] as const) {
      Deno.test({
        name: `nc.ts: ${client} and ${server} -l transfer 5 MB over ${family} from the ${sender}`,
        ...needsStdin,
        ...needed,
        async fn() {
          const flags = family === "Unix" ? ["-U"] : [];
          // The receiver stays open until the sender has ended.
          await using there = await Cat.listen(server, ["-N", ...flags]);
          await using here = Cat.start(client, ["-N", ...flags, ...there.target]);
          const [from, to] = sender === "client" ? [here, there] : [there, here];
          const sending = from.write(data).then(() => from.end());
          const received = await to.readFully(data.length);
          await sending;
          await to.end();
          assertEquals([await here.code, await there.code], [0, 0]);
          assertEquals(hash(received), hash(data));
        },
      });
    }
  }

  for (const family of ["UDP", "Unix"] as const) {
    Deno.test({
      name: `nc.ts: ${client} -u talks to ${server} -lu over ${family}, one datagram per read`,
      ...needed,
      ...linuxOnly,
      async fn() {
        const flags = family === "Unix" ? ["-uU"] : ["-u"];
        await using there = await Cat.listen(server, flags);
        await using here = Cat.start(client, [...flags, ...there.target]);
        for (const text of ["one\n", "two\n", "x".repeat(9000)]) {
          await here.write(text);
          await there.reads(text);
          await there.write(text.toUpperCase());
          await here.reads(text.toUpperCase());
        }
      },
    });
  }
}

Deno.test({
  name: "nc.ts -U takes an abstract name for streams and datagrams",
  ...linuxOnly,
  async fn() {
    for (const flags of [["-U"], ["-uU"]]) {
      const name = abstractPath().replace("\0", "@");
      await using there = Cat.start("nc.ts", ["-lv", ...flags, name]);
      await there.stderr.wait(`${flags[0] === "-U" ? "Listening" : "Bound"} on ${name}`);
      await using here = Cat.start("nc.ts", ["-v", ...flags, name]);
      await here.write("hello");
      await there.reads("hello");
      await there.write("you");
      await here.reads("you");
    }
  },
});

Deno.test({
  name: "nc.ts talks over IPv6",
  ...needsStdin,
  ...needsIpv6,
  async fn() {
    await using there = Cat.start("nc.ts", ["-lv", "::1", "0"]);
    const line = await there.stderr.wait(/^Listening on ::1 \d+$/);
    await using here = Cat.start("nc.ts", ["-v", "::1", line.replace(/.* /, "")]);
    await here.stderr.wait(/^Connection to ::1 \d+ port \[tcp\/\S+\] succeeded!$/);
    await here.write("six");
    await there.reads("six");
  },
});

Deno.test(
  "nc.ts -N half-closes at the end of its input, and prints what comes later",
  needsStdin,
  async () => {
    using server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    await using cat = Cat.start("nc.ts", ["-N", `${server.addr.port}`]);
    using peer = await inTime(server.accept(), "the connection");
    await cat.write("question");
    await cat.end();
    assertEquals(await text(peer), "question");
    await peer.write(encode("answer"));
    peer.close();
    await cat.reads("answer");
    assertEquals(await cat.code, 0);
  },
);

Deno.test(
  "nc.ts keeps the connection open after its input, and -w ends it",
  needsStdin,
  async () => {
    using server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    await using cat = Cat.start("nc.ts", ["-w", "1", `${server.addr.port}`]);
    using peer = await inTime(server.accept(), "the connection");
    const asked = performance.now();
    await cat.write("question");
    await cat.end();
    const buffer = new Uint8Array(100);
    assertEquals(await inTime(peer.read(buffer), "the question"), 8);
    assertEquals(await inTime(peer.read(buffer), "the end"), null);
    assertGreaterOrEqual(performance.now() - asked, 995);
    assertEquals(await cat.code, 0);
  },
);

for (const program of ["nc", "nc.ts"] as const) {
  Deno.test({
    name: `nc.ts: ${program} -q half-closes, and prints what comes within the time`,
    ...program === "nc" ? needsNc : needsStdin,
    async fn() {
      await keepingPace(1700, async (step) => {
        using server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
        await using cat = Cat.start(program, ["-q", "2", "127.0.0.1", `${server.addr.port}`]);
        using peer = await inTime(server.accept(), "the connection");
        await cat.write("question");
        step();
        await cat.end();
        assertEquals(await text(peer), "question");
        await peer.write(encode("answer"));
        peer.close();
        step();
        await cat.reads("answer");
        assertEquals(await cat.code, 0);
      });
    },
  });
}

Deno.test("nc.ts -q ends although its peer does not, and goes on sending", needsStdin, async () => {
  using server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using cat = Cat.start("nc.ts", ["-q", "1", `${server.addr.port}`]);
  using peer = await inTime(server.accept(), "the connection");
  const asked = performance.now();
  await cat.end();
  const trickle = setInterval(() => void peer.write(encode(".")).catch(() => {}), 50);
  assertEquals(await cat.code.finally(() => clearInterval(trickle)), 0);
  assertGreaterOrEqual(performance.now() - asked, 995);
});

for (const program of ["nc", "nc.ts"] as const) {
  Deno.test({
    name: `nc.ts: ${program} -lk takes one connection after the other, also after a reset`,
    ...program === "nc" ? needsNc : needsStdin,
    async fn() {
      await using cat = await Cat.listen(program, ["-k"]);
      const [hostname, port] = [cat.target[0]!, Number(cat.target[1])];
      for (const text of ["one", "two"]) {
        const client = await Deno.connect({ hostname, port });
        await client.write(encode(`from ${text}`));
        await cat.reads(`from ${text}`);
        await cat.write(`to ${text}`);
        assertEquals(await inTime(read(client), "the input"), `to ${text}`);
        client.close();
      }
      if (program === "nc.ts") {
        const broken = new Socket(AF_INET, SOCK_STREAM);
        broken.connect({ hostname, port });
        broken.send(encode("broken"));
        await cat.reads("broken");
        reset(broken);
        await cat.stderr.wait(/ECONNRESET/);
      }
      // The end of its input ends neither the program nor later connections.
      await cat.end();
      for (const text of ["three", "four"]) {
        const client = await Deno.connect({ hostname, port });
        await client.write(encode(text));
        await cat.reads(text);
        client.close();
      }
      cat.kill("SIGTERM");
      assertEquals(await cat.code, 143);
    },
  });
}

Deno.test("nc.ts -luk prints the datagrams of several senders", needsStdin, async () => {
  await using cat = await Cat.listen("nc.ts", ["-k", "-u"]);
  for (const text of ["one", "two", "three"]) {
    using sender = datagrams();
    sender.sendTo(encode(text), { hostname: cat.target[0]!, port: Number(cat.target[1]) });
    await cat.reads(text);
  }
});

Deno.test("nc.ts takes the names of services", needsServices, async () => {
  const hostname = unusedHostname();
  const [refused, udp, unknown, range] = await runEach("nc", [
    [hostname, "http"],
    ["-lu", "192.0.2.1", "domain"],
    [hostname, "no-such-service"],
    ["-l", "0x50"],
  ]);
  assertEquals(refused!.code, 1);
  assertMatch(
    refused!.stderr,
    RegExp(`connect to ${hostname} port 80 \\(tcp\\) failed: .*ECONNREFUSED`),
  );
  assertMatch(udp!.stderr, /Cannot bind .*192\.0\.2\.1:53: .*EADDRNOTAVAIL/);
  assertEquals([unknown!.code, range!.code], [1, 1]);
});

Deno.test(
  "nc.ts ends with its input from a pipe, not when the peer half-closes",
  needsStdin,
  async () => {
    using server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    await using cat = Cat.start("nc.ts", ["-N", `${server.addr.port}`]);
    using peer = await inTime(server.accept(), "the connection");
    await peer.write(encode("greeting"));
    await peer.closeWrite();
    await cat.reads("greeting");
    const sending = cat.write(data).then(() => cat.end());
    assertEquals(hash(await new Response(peer.readable).bytes()), hash(data));
    await sending;
    assertEquals(await cat.code, 0);
  },
);

Deno.test({
  name: "nc.ts does not read its input while the peer does not take it",
  ...linuxOnly,
  async fn() {
    using server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    await using cat = Cat.start("nc.ts", ["-N", `${server.addr.port}`]);
    using peer = await inTime(server.accept(), "the connection");
    const atFirst = cat.memory;
    const sum = createHash("sha256");
    let sent = 0;
    const sending = (async () => {
      for (; sent < 20; sent++) {
        await cat.write(data);
        sum.update(data);
      }
      await cat.end();
    })();
    await untilIdle(cat.pid);
    assertLess(sent, 20, "The input was never stopped");
    assertLess(cat.memory - atFirst, 64 << 20);
    const received = createHash("sha256");
    for await (const piece of peer.readable) received.update(piece);
    await sending;
    assertEquals(received.digest("hex"), sum.digest("hex"));
    assertEquals(await cat.code, 0);
  },
});

Deno.test({
  name: "nc.ts does not read from the peer while its output is not taken",
  ...linuxOnly,
  async fn() {
    using server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    await using cat = Cat.start("nc.ts", [`${server.addr.port}`]);
    const peer = await inTime(server.accept(), "the connection");
    const atFirst = cat.memory;
    let sent = 0;
    const sending = (async () => {
      for (; sent < 20; sent++) {
        for (let at = 0; at < data.length;) at += await peer.write(data.subarray(at));
      }
      peer.close();
    })();
    await untilIdle(cat.pid);
    assertLess(sent, 20, "The peer was never stopped");
    assertLess(cat.memory - atFirst, 64 << 20);
    // The other direction goes on meanwhile.
    await cat.write("still here");
    assertEquals(await inTime(peer.read(new Uint8Array(100)), "the input"), 10);
    const received = await cat.readFully(20 * data.length);
    await sending;
    await cat.end();
    assertEquals(await cat.code, 0);
    for (let i = 0; i < 20; i++) {
      assertEquals(hash(received.subarray(i * data.length, (i + 1) * data.length)), hash(data));
    }
  },
});

Deno.test({
  name: "nc.ts reads and writes regular files and /dev/null",
  ...linuxOnly,
  async fn() {
    const [source, copy] = [filePath(), filePath()];
    Deno.writeFileSync(source, data);
    for (const [from, to] of [[source, copy], ["/dev/null", copy], [source, "/dev/null"]]) {
      await using there = await Cat.listen("nc.ts", ["-N"], `< /dev/null > '${to}'`);
      await using here = Cat.start("nc.ts", ["-N", ...there.target], `< '${from}' > /dev/null`);
      assertEquals([await here.code, await there.code], [0, 0]);
      if (to === copy) {
        const expected = from === source ? data : new Uint8Array();
        assertEquals(hash(Deno.readFileSync(copy)), hash(expected));
      }
    }
  },
});

for (const ending of ["a reset", "SIGINT"] as const) {
  Deno.test({
    name: `nc.ts restores standard input and output, ended by ${ending}`,
    ...linuxOnly,
    async fn() {
      using server = listener();
      const { port } = server.localAddress as InternetAddress;
      // The shell shares the open files and their flags.
      const script = 'echo ready >&2; "$@"; echo "code $?" >&2; read go';
      await using cat = Cat.start("nc.ts", [`${port}`], "", script);
      await cat.stderr.wait("ready");
      const before = [0, 1].map((fd) => flags(cat.pid, fd));
      using peer = acceptFrom(server);
      peer.send(encode("hello"));
      await cat.reads("hello");
      for (const fd of [0, 1]) assertEquals(isNonBlocking(flags(cat.pid, fd)), true);
      const children = `/proc/${cat.pid}/task/${cat.pid}/children`;
      if (ending === "a reset") {
        reset(peer);
        await cat.stderr.wait("code 1");
      } else {
        Deno.kill(Number(Deno.readTextFileSync(children)), "SIGINT");
        await cat.stderr.wait("code 130");
      }
      assertEquals([0, 1].map((fd) => flags(cat.pid, fd)), before);
      assertEquals(before.map(isNonBlocking), [false, false]);
    },
  });
}

Deno.test({
  name: "nc.ts works at a terminal: lines, Ctrl-D, and the end with the peer",
  ...needsPython,
  ...linuxOnly,
  async fn() {
    using server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const python = new Deno.Command("python3", {
      args: ["-c", TYPIST, Deno.execPath(), `${server.addr.port}`],
      cwd: ROOT,
      env: { NO_COLOR: "1" },
      stdout: "piped",
      stderr: "inherit",
    });
    const output = python.output();
    using first = await inTime(server.accept(), "the connection");
    await first.write(encode("name?\n"));
    assertEquals(await text(first), "me\n");
    await first.write(encode("bye\n"));
    first.close();
    using second = await inTime(server.accept(), "the connection");
    await second.write(encode("name?\n"));
    second.close();
    const { code, stdout } = await inTime(output, "the end of python3");
    assertEquals([code, new TextDecoder().decode(stdout)], [0, "0 True\n0 True\n"]);
  },
});

/** Types a name and Ctrl-D into one nc.ts, nothing into another, and prints how each ended. */
const TYPIST = `
import fcntl, os, pty, sys, termios

def run(types):
    mine, theirs = pty.openpty()
    before = fcntl.fcntl(theirs, fcntl.F_GETFL)
    pid = os.fork()
    if pid == 0:
        os.setsid()
        fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)
        for fd in 0, 1, 2:
            os.dup2(theirs, fd)
        os.execv(sys.argv[1], ["deno", "run", "--allow-ffi", "examples/nc.ts", "-N", sys.argv[2]])
    shown = b""
    while b"name?" not in shown:
        shown += os.read(mine, 1000)
    if types:
        os.write(mine, b"me\\n\\x04")
        while b"bye" not in shown:
            shown += os.read(mine, 1000)
    _, status = os.waitpid(pid, 0)
    is_restored = fcntl.fcntl(theirs, fcntl.F_GETFL) == before
    print(os.waitstatus_to_exitcode(status), is_restored, flush=True)

run(True)
run(False)
`;

Deno.test(
  "nc.ts prints what a peer sent that takes no more, and exits with 1",
  needsStdin,
  async () => {
    using server = listener();
    await using cat = Cat.start("nc.ts", [`${(server.localAddress as InternetAddress).port}`]);
    const peer = acceptFrom(server);
    await cat.write("unread");
    untilReadable(peer);
    peer.send(encode("refused"));
    await cat.reads("refused");
    peer.close(); // With something unread: a reset.
    await cat.stderr.wait(/^nc\.ts: Cannot .*ECONNRESET/);
    assertEquals(await cat.code, 1);
  },
);

Deno.test("nc.ts ends when nobody reads its output any more", needsStdin, async () => {
  using server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const script = '{ "$@"; echo "code $?" >&2; } | head -n 1';
  await using cat = Cat.start("nc.ts", [`${server.addr.port}`], "", script);
  using peer = await inTime(server.accept(), "the connection");
  const sending = (async () => {
    for (;;) await peer.write(encode("line\n"));
  })().catch(() => {}); // The connection breaks.
  await cat.reads("line\n");
  await cat.stderr.wait("code 141");
  await sending;
});

Deno.test("nc.ts exits with 1 if the peer resets the connection", needsStdin, async () => {
  using server = listener();
  const { port } = server.localAddress as InternetAddress;
  await using cat = Cat.start("nc.ts", ["-v", `${port}`]);
  const peer = acceptFrom(server);
  await cat.stderr.wait(/^Connection to .* succeeded!/);
  reset(peer);
  await cat.stderr.wait(/^nc\.ts: Cannot .*ECONNRESET/);
  assertEquals(await cat.code, 1);
});

Deno.test("nc.ts exits with 1 if it cannot connect or bind", needsStdin, async () => {
  using closed = deaf();
  const { port } = closed.localAddress as InternetAddress;
  const cases = [
    [
      ["127.0.0.1", `${port}`],
      /^nc\.ts: connect to 127\.0\.0\.1 port \d+ \(tcp\) failed: .*\(ECONNREFUSED\)\n$/,
    ],
    [["-U", filePath()], /^nc\.ts: .*ENOENT/],
    [["-uU", filePath()], /^nc\.ts: .*ENOENT/],
    [["-lU", "/no/such/folder/socket"], /^nc\.ts: Cannot bind .*ENOENT/],
    [["-l", "192.0.2.1", "0"], /^nc\.ts: Cannot bind .*EADDRNOTAVAIL/],
  ] as const;
  const runs = await runEach("nc", cases.map(([args]) => [...args]));
  for (const [i, { code, stdout, stderr }] of runs.entries()) {
    const [args, reason] = cases[i]!;
    assertEquals([args, code, stdout], [args, 1, ""]);
    assertMatch(stderr, reason);
    assertEquals(stderr.includes("    at "), false, stderr);
  }
});

Deno.test("nc.ts -u exits with 1 if the port is closed", needsStdin, async () => {
  using closed = deaf(SOCK_DGRAM);
  const { port } = closed.localAddress as InternetAddress;
  await using cat = Cat.start("nc.ts", ["-uv", `${port}`]);
  await cat.stderr.wait(/^Connection to .* succeeded!/);
  await cat.write("hello");
  await cat.stderr.wait(/^nc\.ts: Cannot .*ECONNREFUSED/);
  assertEquals(await cat.code, 1);
});

Deno.test({
  name: "nc.ts -w gives up connecting without an answer",
  ...linuxOnly,
  async fn() {
    using server = listener(undefined, 0);
    const { port } = server.localAddress as InternetAddress;
    using _first = await Deno.connect({ port }); // There is no room for another.
    const { code, stderr } = await runExample("nc", ["-w", "1", `${port}`]);
    assertEquals([code, stderr], [
      1,
      `nc.ts: connect to 127.0.0.1 port ${port} (tcp) failed: No answer within 1 s\n`,
    ]);
  },
});

for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
  Deno.test(
    `nc.ts exits with ${code} at ${signal}, waiting and connected`,
    needsStdin,
    async () => {
      await using waiting = await Cat.listen("nc.ts", []);
      await using there = await Cat.listen("nc.ts", []);
      await using here = Cat.start("nc.ts", there.target);
      await here.write("hello");
      await there.reads("hello");
      for (const cat of [waiting, there]) {
        cat.kill(signal);
        assertEquals(await cat.code, code);
      }
    },
  );
}

Deno.test("nc.ts -lU removes its file if it has permission", needsStdin, async () => {
  const path = filePath();
  const flags = ["--allow-ffi", `--allow-write=${path}`];
  const run = [Deno.execPath(), "run", ...flags, "examples/nc.ts", "-lvU", path];
  await using cat = new Cat('exec "$@"', run, []);
  await cat.stderr.wait(/^Listening on/);
  const peer = await Deno.connect({ transport: "unix", path });
  peer.close();
  await cat.end();
  assertEquals(await cat.code, 0);
  assertEquals(await Deno.stat(path).catch((error) => error.name), "NotFound");
});

/** Replaces the names of programs, what follows a reason, and the names that only nc looks up. */
function normalize(output: string): string {
  return output.replace(/^nc(\.ts)?: /gm, "").replace(/ \(E[A-Z]+\)$/gm, "")
    .replace(/ on localhost /g, " on 127.0.0.1 ").replace(/\d{5}$/gm, "PORT");
}

Deno.test({
  name: "nc.ts -z prints and exits as nc does",
  ...needsStdin,
  ...needsNc,
  async fn() {
    using server = listener();
    const { port } = server.localAddress as InternetAddress;
    using refusing = deaf();
    const closed = (refusing.localAddress as InternetAddress).port;
    const commandLines = [
      ["-zv", "127.0.0.1", `${port}`],
      ["-zv", "127.0.0.1", `${closed}`],
      ["-z", "127.0.0.1", `${closed}`],
      ["-znv", "127.0.0.1", "1-3"],
      ["-4zv", "localhost", "1"],
      ["-zv", "-s", "127.0.0.9", "127.0.0.1", `${port}`],
      ["-z", "127.0.0.1", `${port}`],
      ["-zv", "127.0.0.1", "3-1"],
    ];
    const ours = await runEach("nc", commandLines);
    for (const [i, args] of commandLines.entries()) {
      const theirs = await runCommand(["nc", ...args]);
      assertEquals([args, ours[i]!.code], [args, theirs.code]);
      assertEquals(normalize(ours[i]!.stderr), normalize(theirs.stderr));
      assertEquals([ours[i]!.stdout, theirs.stdout], ["", ""]);
    }
  },
});

Deno.test({
  name: "nc.ts exits as nc does if the command line is wrong",
  ...needsNc,
  async fn() {
    const mistakes = [
      [],
      ["127.0.0.1"],
      ["-l"],
      ["-x"],
      ["127.0.0.1", "0"],
      ["127.0.0.1", "65536"],
      ["127.0.0.1", "no-such-service"],
      ["-k", "127.0.0.1", "80"],
      ["-lz", "80"],
      ["-w", "x", "127.0.0.1", "80"],
      ["-q", "x", "127.0.0.1", "80"],
      ["-4", "::1", "80"],
      ["-n", "localhost", "80"],
      ["no-such-host.invalid", "80"],
    ];
    for (const [i, ours] of (await runEach("nc", mistakes)).entries()) {
      const theirs = await runCommand(["nc", ...mistakes[i]!]);
      assertEquals([mistakes[i], ours.code], [mistakes[i], theirs.code]);
      assertEquals([ours.stdout, theirs.stdout], ["", ""]);
      assertMatch(ours.stderr, /^nc\.ts: /);
    }
  },
});

for (const server of ["nc", "nc.ts"] as const) {
  Deno.test({
    name: `nc.ts: nc prints the same with -v as nc.ts, connected to ${server} -l from -s and -p`,
    ...linuxOnly,
    ...needsNc,
    async fn() {
      const from = unusedHostname();
      for (const flags of [[], ["-u"]]) {
        const printed: string[] = [];
        for (const client of ["nc", "nc.ts"] as const) {
          const port = unusedPort();
          await using there = await Cat.listen(server, ["-n", ...flags]);
          const local = ["-s", from, "-p", `${port}`];
          await using here = Cat.start(client, ["-v", ...flags, ...local, ...there.target]);
          await here.write("hello");
          assertEquals(
            await there.stderr.wait(/^Connection/),
            `Connection received on ${from} ${port}`,
          );
          printed.push((await here.stderr.wait(/succeeded!$/)).replace(/ \d+ port/, " PORT port"));
        }
        assertEquals(printed[0], printed[1]);
      }
    },
  });
}

Deno.test("nc.ts exits with 1 if the command line is wrong", async () => {
  await assertUsageErrors("nc", [
    "-l",
    "-U",
    "-U a b",
    "localhost 80 81",
    "0",
    "65536",
    "a b c",
    "no-such-service",
    "127.0.0.1 no-such-service",
    "127.0.0.1 -u 0",
    "no-such-host.invalid 80",
    "-u no-such-host.invalid 80",
    "-l 65536",
    "-w 0 80",
    "-w soon 80",
    "-k 80",
    "-lz 80",
    "-4 -6 80",
    "-p x 80",
    "-p 65536 80",
    "-lp 80 80",
    "-U -p 80 path",
    "-n localhost 80",
    "-n http",
    "1-65536",
    "1-",
    "-4 ::1 80",
    // On Windows it exits earlier.
    ...isWindows ? [] : [
      "-l no-such-host.invalid 0",
      `-U ${"long/".repeat(30)}`,
      `-lU ${"long/".repeat(30)}`,
    ],
  ]);
});

/** nc or nc.ts in a process of its own. */
class Cat implements AsyncDisposable {
  readonly stderr: Lines;
  /** How to connect to it, if it listens. */
  target: string[];
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #output: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;
  #rest = new Uint8Array();

  constructor(script: string, command: string[], target: string[]) {
    this.#child = new Deno.Command("sh", {
      args: ["-c", script, "sh", ...command],
      cwd: ROOT,
      env: { NO_COLOR: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.target = target;
    this.stderr = new Lines(this.#child.stderr);
    this.#input = this.#child.stdin.getWriter();
    this.#output = this.#child.stdout.getReader();
  }

  static start(program: Program, args: string[], files = "", script = 'exec "$@"'): Cat {
    const command = program === "nc"
      ? ["nc"]
      : [Deno.execPath(), "run", "--allow-ffi", "examples/nc.ts"];
    return new Cat(`${script} ${files}`, [...command, ...args], []);
  }

  /** Starts a program that listens, and waits until it does. */
  static async listen(program: Program, flags: string[], files?: string): Promise<Cat> {
    const path = flags.some((flag) => flag.includes("U")) ? filePath() : undefined;
    const where = path === undefined ? ["127.0.0.1", "0"] : [path];
    const cat = Cat.start(program, ["-lv", ...flags, ...where], files);
    const line = await cat.stderr.wait(/^(?:Listening|Bound) on /);
    cat.target = path === undefined ? ["127.0.0.1", /\d+$/.exec(line)![0]] : [path];
    return cat;
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Its resident memory, in bytes (Linux). */
  get memory(): number {
    return memoryOf(this.pid);
  }

  get code(): Promise<number> {
    return inTime(this.#child.status, "the end of nc").then(({ code }) => code);
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Writes to its standard input. */
  async write(data: string | Uint8Array<ArrayBuffer>): Promise<void> {
    await inTime(this.#input.write(typeof data === "string" ? encode(data) : data), "the input");
  }

  /** Ends its standard input, unless that is broken already. */
  async end(): Promise<void> {
    await this.#input.close().catch(() => {});
  }

  /** Waits until it has printed a text. */
  async reads(text: string): Promise<void> {
    assertEquals(new TextDecoder().decode(await this.readFully(text.length)), text);
  }

  /** Waits until it has printed so many bytes. */
  async readFully(size: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(size);
    for (let at = 0; at < size;) {
      if (this.#rest.length === 0) {
        const { value } = await inTime(this.#output.read(), "its output");
        if (value === undefined) {
          throw new Error(`It ended after ${at} of ${size} bytes: ${this.stderr.text}`);
        }
        this.#rest = value;
      }
      const piece = this.#rest.subarray(0, size - at);
      bytes.set(piece, at);
      this.#rest = this.#rest.subarray(piece.length);
      at += piece.length;
    }
    return bytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await Promise.allSettled([this.end(), this.#output.cancel()]);
    await Promise.all([this.#child.status, this.stderr.ended]);
  }
}

/** The flags of a process's open file (Linux). */
function flags(pid: number, fd: number): string {
  return /flags:\s*(\d+)/.exec(Deno.readTextFileSync(`/proc/${pid}/fdinfo/${fd}`))![1];
}

function isNonBlocking(flags: string): boolean {
  return (parseInt(flags, 8) & 0o4000) !== 0;
}

async function read(connection: Deno.Conn): Promise<string> {
  const buffer = new Uint8Array(1000);
  return new TextDecoder().decode(buffer.subarray(0, await connection.read(buffer) ?? 0));
}

async function text(connection: Deno.Conn): Promise<string> {
  const buffer = new Uint8Array(1000);
  let received = "";
  for (let size; (size = await inTime(connection.read(buffer), "the end")) !== null;) {
    received += new TextDecoder().decode(buffer.subarray(0, size));
  }
  return received;
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

function hash(data: Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}
