import { isQemu } from "../support/os.ts";
import { assertEquals, assertGreaterOrEqual, assertLess, assertMatch } from "@std/assert";
import { AF_INET, SO_RCVBUF, SOCK_STREAM, Socket, SOL_SOCKET } from "../../ffi/socket/mod.ts";
import { linuxOnly, needsProgram, skipIf } from "../support/skip.ts";
import { needsNc } from "../support/netcat.ts";
import { inTime } from "../support/deadline.ts";
import {
  Example,
  needsSignals,
  needsUnusedHostname,
  unusedHostname,
} from "../support/example_process.ts";
import { Lines } from "../support/lines.ts";
import { keepingPace } from "../support/pace.ts";
import { reset, untilWritable } from "../support/sockets.ts";
import { untilIdle } from "../support/usage.ts";
import { assertUsageErrors, WRONG_PORTS } from "./command_lines.ts";
import { logged } from "./logged.ts";

const needsPython = needsProgram("python3");

const start = (...args: string[]) => Example.start("chat", ["--port", "0", ...args]);

Deno.test("chat.ts passes lines on to all others, and announces guests", async () => {
  await using server = await start();
  await using anna = await Guest.join(server, "anna");
  await using bob = await Guest.join(server, "bob");
  await using carl = await Guest.join(server, "carl");
  await anna.hears("* bob joined", "* carl joined");
  await bob.hears("* carl joined");
  await anna.say("hello");
  await bob.hears("anna: hello");
  await carl.hears("anna: hello");
  await bob.say("hello anna");
  await anna.hears("bob: hello anna");
  await carl.hears("bob: hello anna");
  bob.close();
  await anna.hears("* bob left");
  await carl.hears("* bob left");
  await carl.say("bye");
  await anna.hears("carl: bye");
  assertEquals(anna.lines.text.includes("anna: hello"), false, "A guest hears herself");
});

Deno.test({
  name: "chat.ts serves several nc at once, from joining to the goodbye at SIGINT",
  ...needsNc,
  async fn() {
    await using server = await start();
    await using anna = await Guest.join(server, "anna", nc);
    await using bob = await Guest.join(server, "bob", nc);
    await using carl = await Guest.join(server, "carl", nc);
    await anna.hears("* bob joined", "* carl joined");
    for (const text of ["one", "two", "three"]) {
      await anna.say(text);
      await bob.hears(`anna: ${text}`);
      await carl.hears(`anna: ${text}`);
    }
    bob.close();
    await anna.hears("* bob left");
    await carl.say("Zürich 🏔");
    await anna.hears("carl: Zürich 🏔");
    assertEquals((await server.stop("SIGINT")).code, 0);
    await anna.hears(GOODBYE);
    await carl.hears("* bob left", GOODBYE);
  },
});

Deno.test({
  name: "chat.ts passes on a thousand lines of python3's guests in order",
  ...needsPython,
  async fn() {
    await using server = await start();
    await using python = new Deno.Command("python3", {
      args: ["-c", PYTHON_GUESTS, `${server.port}`],
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const { code, stdout } = await inTime(python.output(), "the end of python3");
    const said = new TextDecoder().decode(stdout).trim();
    assertEquals([code, said], [0, "10 guests heard 900 lines each"]);
  },
});

const PYTHON_GUESTS = `
import socket, sys
from concurrent.futures import ThreadPoolExecutor

def join(name):
    guest = socket.create_connection(("127.0.0.1", int(sys.argv[1]))).makefile("rw", newline="\\n")
    print(name, file=guest, flush=True)
    while not guest.readline().startswith("* Welcome"):
        pass
    return guest

def talk(named):
    name, guest = named
    for i in range(100):
        print(i, file=guest, flush=True)
    heard = {other: 0 for other in guests if other != name}
    while sum(heard.values()) < 900:
        line = guest.readline()
        if not line.startswith("*"):
            other, i = line.split(": ")
            assert int(i) == heard[other], line
            heard[other] += 1
    return sum(heard.values())

guests = {f"guest {i}": join(f"guest {i}") for i in range(10)}
with ThreadPoolExecutor(10) as pool:
    heard = list(pool.map(talk, guests.items()))
print(len(heard), "guests heard", *set(heard), "lines each")
`;

const GOODBYE = "* The chat ends here. Goodbye!";

for (const [signal, status] of [["SIGINT", 0], ["SIGTERM", 143]] as const) {
  Deno.test(
    `chat.ts says goodbye to everyone at ${signal} and exits with ${status}`,
    needsSignals,
    async () => {
      await using server = await start();
      await using anna = await Guest.join(server, "anna");
      await using nameless = await Guest.connect(server);
      await nameless.hears(/^\* Who are you/);
      const { code, stdout, stderr } = await server.stop(signal);
      assertEquals([code, stdout, stderr], [status, `${server.firstLine}\n`, ""]);
      for (const guest of [anna, nameless]) {
        await guest.hears(GOODBYE);
        await guest.lines.ended;
      }
    },
  );
}

Deno.test("chat.ts exits with 0 at SIGINT without a guest", needsSignals, async () => {
  await using server = await start();
  assertEquals((await server.stop()).code, 0);
});

Deno.test(
  "chat.ts does not wait long for a guest who does not take the goodbye",
  needsSignals,
  async () => {
    await using server = await start();
    await using anna = await Guest.join(server, "anna");
    await using bob = await Guest.join(server, "bob");
    using _first = await joinSlowly(server, "first", anna);
    await speak(anna, bob, 30);
    using _second = await joinSlowly(server, "second", anna);
    // When the first one has too much unread, the second one's buffers are just full.
    let hasLeft = false;
    const leaving = anna.hears("* first left").then(() => hasLeft = true);
    while (!hasLeft) await speak(anna, bob, 1);
    await leaving;
    assertEquals(anna.lines.text.includes("* second left"), false);
    const { code, stderr } = await server.stop();
    assertEquals([code, stderr.includes("second")], [0, false]);
    await anna.hears(GOODBYE);
  },
);

Deno.test("chat.ts drops guests who say nothing for --idle seconds", async () => {
  await using server = await start("--idle", "1");
  await keepingPace(700, async (step) => {
    await using anna = await Guest.join(server, "anna");
    await using nameless = await Guest.connect(server);
    await new Promise((resolve) => setTimeout(resolve, 200));
    const spoke = performance.now();
    await anna.say("a line restarts the clock");
    step();
    await anna.hears("* You have said nothing for 1 s. Goodbye!");
    await anna.lines.ended;
    assertGreaterOrEqual(performance.now() - spoke, 995);
    await nameless.hears("* You have said nothing for 1 s. Goodbye!");
    await nameless.lines.ended;
  });
  await using bob = await Guest.join(server, "bob");
  assertMatch(bob.lines.text, /only you/);
});

Deno.test("chat.ts drops a line that is too long, and says so", async () => {
  await using server = await start();
  await using anna = await Guest.join(server, "anna");
  await using bob = await Guest.join(server, "bob");
  await bob.say("x".repeat(4096));
  await bob.say("y".repeat(4097));
  await bob.say("z".repeat(1_000_000));
  await bob.say("after");
  await anna.hears(`bob: ${"x".repeat(4096)}`, "bob: after");
  const refusal = "* That line is dropped: it has more than 4096 bytes";
  await bob.hears(refusal, refusal);
  assertEquals(/yy|zz/.test(anna.lines.text), false);
});

Deno.test("chat.ts joins the pieces of lines, also of a character", async () => {
  await using server = await start();
  await using anna = await Guest.join(server, "anna");
  await using bob = await Guest.join(server, "bob");
  for (const byte of encode("Zürich 🏔\r\n\r\n\ntwo\nthree\nhal")) await bob.write([byte]);
  await anna.hears("bob: Zürich 🏔", "bob: two", "bob: three");
  bob.closeWrite();
  await anna.hears("bob: hal", "* bob left");
});

Deno.test("chat.ts replaces invalid UTF-8 and control characters", async () => {
  await using server = await start();
  await using anna = await Guest.join(server, "anna");
  await using bob = await Guest.join(server, "bob");
  await bob.write([0xff, 0x61, 0xc3, 0x0a]);
  await anna.hears("bob: \ufffda\ufffd");
  await bob.say("\x1b[2Jcleared\x00\tby a tab\u009b2J");
  await anna.hears("bob: \ufffd[2Jcleared\ufffd\tby a tab\ufffd2J");
});

Deno.test("chat.ts asks again when a name is wrong or taken", async () => {
  await using server = await start();
  await using _anna = await Guest.join(server, "anna");
  await using bob = await Guest.connect(server);
  for (const wrong of ["", "  ", "* the server", "an:na", "x".repeat(33)]) {
    await bob.say(wrong);
    await bob.hears(/^\* A name has 1 to 32 characters/);
  }
  await bob.say("anna");
  await bob.hears("* There is a anna here already. Another name?");
  await bob.say(" bob ");
  await bob.hears("* Welcome, bob. Here are: anna");
});

Deno.test(
  "chat.ts drops a guest who does not read, and no other",
  linuxOnly,
  async () => {
    await using server = await start();
    await using anna = await Guest.join(server, "anna");
    await using bob = await Guest.join(server, "bob");
    // The memory of the work itself does not count.
    let spoken = 500;
    await speak(anna, bob, spoken);
    using _slow = await joinSlowly(server, "slow", anna);
    const before = server.memory;
    let hasLeft = false;
    const leaving = anna.hears("* slow left").then(() => hasLeft = true);
    for (; !hasLeft; spoken += 10) {
      assertLess(spoken, 10_000, "The guest is never dropped");
      await speak(anna, bob, 10);
    }
    await leaving;
    assertLess(server.memory - before, 32 << 20);
    assertMatch(
      await server.stderr.wait(/slow/),
      /^chat\.ts: 127\.0\.0\.1:\d+ slow does not read and is dropped, with \d+ byte/,
    );
    assertEquals(bob.lines.text.split(LONG_LINE).length - 1, spoken);
  },
);

Deno.test("chat.ts serves others while a guest floods it with short lines", {
  ...needsSignals,
  ...skipIf(isQemu, "an emulated processor takes minutes for a million lines"),
}, async () => {
  await using server = await start();
  await using anna = await Guest.join(server, "anna");
  await using bob = await Guest.join(server, "bob");
  const listeners = await Promise.all(Array.from({ length: 30 }, async (_, i) => {
    const connection = await tcp(server.port);
    await connection.write(encode(`listener ${i}\n`));
    return connection;
  }));
  const heard = listeners.map(async (connection) => {
    let lines = 0;
    try {
      for await (const piece of connection.readable) {
        for (const byte of piece) if (byte === 10) lines++;
      }
    } catch {
      // The end of the server can reset the connection.
    }
    return lines;
  });
  await using flooder = await Guest.join(server, "x".repeat(32));
  const flood = encode("y\n".repeat(32_768));
  server.kill("SIGSTOP"); // So that the flood and the others' lines arrive at the same time.
  const flooding = flooder.write([...flood]);
  for (let i = 0; i < 10; i++) await anna.say(`${i}`);
  server.kill("SIGCONT");
  await flooding;
  for (let i = 0; i < 10; i++) await bob.hears(`anna: ${i}`);
  const [before] = bob.lines.text.split("anna: 9\n");
  assertLess(before!.split(": y\n").length, 8192, "The flood came first");
  await flooder.say("the end");
  await bob.hears(`${"x".repeat(32)}: the end`);
  await server.stop("SIGKILL");
  for (const lines of await Promise.all(heard)) assertGreaterOrEqual(lines, 32_768);
});

Deno.test("chat.ts announces a guest whose connection is reset, and goes on", async () => {
  await using server = await start("--verbose");
  await using anna = await Guest.join(server, "anna");
  reset(await joinSlowly(server, "bob", anna));
  await anna.hears("* bob left");
  await server.stdout.wait(logged("127.0.0.1:\\d+ bob .*ECONNRESET.*"));
  for (let i = 0; i < 50; i++) reset(connectSlowly(server));
  await using _carl = await Guest.join(server, "carl");
  await anna.hears("* carl joined");
});

Deno.test("chat.ts --verbose logs who joins and leaves", async () => {
  await using server = await start("--verbose");
  const anna = await Guest.join(server, "anna");
  await server.stdout.wait(logged("127.0.0.1:\\d+ connected"));
  await server.stdout.wait(logged("127.0.0.1:\\d+ anna joined"));
  anna.close();
  await server.stdout.wait(logged("127.0.0.1:\\d+ anna left"));
});

Deno.test({
  name: "chat.ts lets guests in when others leave if descriptors run out",
  ...linuxOnly,
  async fn() {
    await using server = await Example.start("chat", ["--port", "0"], { descriptors: 45 });
    const inside = [];
    const outside = [];
    for (let i = 0; i < 50; i++) outside.push(await Guest.connect(server));
    await server.stderr.wait(/EMFILE.*resting from accepting$/);
    await untilIdle(server.pid);
    while (outside.length > 0) {
      const guest = outside.shift()!;
      await guest.hears(/^\* Who are you/);
      inside.push(guest);
      if (inside.length > 5) inside.shift()!.close();
    }
    for (const guest of inside) guest.close();
  },
});

Deno.test({
  name: "chat.ts listens on port 1235 by default",
  ...needsUnusedHostname,
  async fn() {
    const hostname = unusedHostname();
    await using server = await Example.start("chat", ["--hostname", hostname]);
    assertMatch(server.firstLine, new RegExp(`^listening on ${hostname}:1235 \\(\\w+Selector\\)$`));
  },
});

Deno.test("chat.ts exits with 2 if an option is wrong", async () => {
  const mistakes = ["--idle 0", "--idle 1.5", "--idle soon", "extra"];
  await assertUsageErrors("chat", [...mistakes, ...WRONG_PORTS]);
});

/** A guest's connection. */
interface Line {
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly writable: WritableStream<Uint8Array<ArrayBufferLike>>;
  readonly ended?: Promise<unknown>;
  close(): void;
}

/** A guest who reads all the time. */
class Guest implements AsyncDisposable {
  readonly lines: Lines;
  readonly #line: Line;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBufferLike>>;

  private constructor(line: Line) {
    this.#line = line;
    this.lines = new Lines(line.readable);
    this.#writer = line.writable.getWriter();
  }

  static async connect({ port }: Example, by: (port: number) => Line | Promise<Line> = tcp) {
    return new Guest(await by(port));
  }

  static async join(server: Example, name: string, by?: (port: number) => Line | Promise<Line>) {
    const guest = await Guest.connect(server, by);
    await guest.say(name);
    await guest.hears(/^\* Welcome, /);
    return guest;
  }

  async say(text: string): Promise<void> {
    await this.#writer.write(encode(`${text}\n`));
  }

  async write(bytes: number[]): Promise<void> {
    await this.#writer.write(new Uint8Array(bytes));
  }

  /** Waits for lines, in their order. */
  async hears(...lines: (string | RegExp)[]): Promise<void> {
    for (const line of lines) await this.lines.wait(line);
  }

  close(): void {
    this.#line.close();
  }

  closeWrite(): void {
    (this.#line as Deno.TcpConn).closeWrite();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.close();
    } catch {
      // It is closed already.
    }
    await Promise.all([this.lines.ended, this.#line.ended]);
  }
}

function tcp(port: number): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname: "127.0.0.1", port });
}

/** A guest behind nc, which ends with its standard input. */
function nc(port: number): Line {
  const child = new Deno.Command("nc", {
    args: ["127.0.0.1", `${port}`],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const { stdout: readable, stdin: writable, status: ended } = child;
  return { readable, writable, ended, close: () => child.kill() };
}

/** A guest who does not read, and has little room for what is not read. */
function connectSlowly({ port }: Example): Socket {
  const socket = new Socket(AF_INET, SOCK_STREAM);
  socket.setOption(SOL_SOCKET, SO_RCVBUF, 4096);
  if (!socket.connect({ hostname: "127.0.0.1", port })) untilWritable(socket);
  return socket;
}

/** Joins without reading, and waits until another guest has heard of it. */
async function joinSlowly(server: Example, name: string, other: Guest): Promise<Socket> {
  const socket = connectSlowly(server);
  socket.send(encode(`${name}\n`));
  await other.hears(`* ${name} joined`);
  return socket;
}

const LONG_LINE = "x".repeat(4000);

/** Says long lines and waits until another guest has heard them, so that only slow ones lag. */
async function speak(guest: Guest, to: Guest, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await guest.say(LONG_LINE);
  for (let i = 0; i < count; i++) await to.hears(`anna: ${LONG_LINE}`);
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
