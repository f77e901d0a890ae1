import { assert, assertEquals, assertMatch } from "@std/assert";
import { DefaultSelector, EVENT_READ } from "../../mod.ts";
import {
  ProcessDescriptor,
  type PseudoTerminal,
  pseudoTerminal,
  type Terminal,
} from "../../ffi/fd/mod.ts";
import { DEADLINE } from "../support/deadline.ts";
import { linuxOnly, needsProgram, type Skip, skipIf } from "../support/skip.ts";
import { runExample } from "../support/example_process.ts";
import { isQemu } from "../support/os.ts";
import { needsSetpriv } from "../support/privileges.ts";
import { assertUsageErrors, runEach } from "./command_lines.ts";

const EXAMPLE = new URL("../../examples/serial.ts", import.meta.url).pathname;
const ESCAPE = "\x1d";

function test(name: string, fn: () => void | Promise<void>, skip: Skip = {}): void {
  Deno.test({ name, ...linuxOnly, ...skip, fn });
}

const serial = (...args: string[]) => [Deno.execPath(), "run", "--allow-ffi", EXAMPLE, ...args];

/** A program at a terminal of its own, and the device at the other end of its line. */
class Session implements Disposable {
  readonly line = pseudoTerminal();
  readonly screen = pseudoTerminal();
  readonly child: ProcessDescriptor;
  readonly #settings: string;

  constructor([program, ...args]: readonly string[]) {
    this.#settings = settingsOf(this.screen);
    this.screen.subsidiary.setBlocking(true);
    const { subsidiary } = this.screen;
    this.child = ProcessDescriptor.spawn(
      program!,
      [...args, this.line.path],
      { stdin: subsidiary, stdout: subsidiary, stderr: subsidiary },
    );
  }

  /** Starts the example, and waits until it is connected. */
  static async connected(...args: string[]): Promise<Session> {
    const session = new Session(serial(...args));
    assertMatch(
      await session.see("\n"),
      /^connected to \/dev\/pts\/\d+ at \d+; leave with Ctrl-. q, /,
    );
    await session.raw();
    return session;
  }

  /** Waits until the terminal is raw: at most just after the program is connected. */
  async raw(): Promise<void> {
    while (settingsOf(this.screen) === this.#settings) await pause();
  }

  type(text: string): void {
    send(this.screen.manager, text);
  }

  /** Waits for text on the screen, and returns all up to there. */
  see(text: string): Promise<string> {
    return receive(this.screen.manager, text);
  }

  answer(text: string): void {
    send(this.line.manager, text);
  }

  /** Waits for what the device is sent. */
  hear(text: string): Promise<string> {
    return receive(this.line.manager, text);
  }

  /** Waits for the end, after which the terminal has to be as it was. */
  end(): Deno.CommandStatus | null {
    using selector = new DefaultSelector();
    selector.register(this.child, EVENT_READ);
    assertEquals(selector.select(DEADLINE).length, 1, "It does not end");
    assertEquals(settingsOf(this.screen), this.#settings);
    return this.child.wait();
  }

  [Symbol.dispose](): void {
    try {
      this.child.sendSignal("SIGKILL");
      this.end();
    } catch {
      // It has ended.
    }
    for (const closing of [this.child, this.line, this.screen]) closing[Symbol.dispose]();
  }
}

function settingsOf(pair: PseudoTerminal): string {
  const { stdout } = new Deno.Command("stty", { args: ["-a", "-F", pair.path] }).outputSync();
  return new TextDecoder().decode(stdout);
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}

function send(terminal: Terminal, text: string): void {
  const bytes = new TextEncoder().encode(text);
  assertEquals(terminal.write(bytes), bytes.length);
}

async function receive(terminal: Terminal, text: string): Promise<string> {
  using selector = new DefaultSelector();
  selector.register(terminal, EVENT_READ);
  const buffer = new Uint8Array(65536);
  for (let all = "";;) {
    if (all.includes(text)) return all;
    const ready = await selector.selectAsync(DEADLINE);
    assertEquals(ready.length, 1, `Waited too long for ${text}, having received: ${all}`);
    all += new TextDecoder("latin1").decode(buffer.subarray(0, terminal.read(buffer)!));
  }
}

/** Runs it with input that is no terminal. */
function pipeThrough(input: Uint8Array<ArrayBuffer>, path: string): Deno.ChildProcess {
  const child = new Deno.Command(Deno.execPath(), {
    args: serial(path).slice(1),
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  // Not waited for: it goes on as the line takes it.
  new Blob([input]).stream().pipeTo(child.stdin);
  return child;
}

Deno.test("serial.ts exits with 2 if the command line is wrong", async () => {
  const path = "/dev/missing";
  await assertUsageErrors("serial", [
    "",
    `${path} ${path}`,
    `--speed 0 ${path}`,
    `--speed fast ${path}`,
    `--mode 9N1 ${path}`,
    `--mode 8 ${path}`,
    `--flow x ${path}`,
    `--escape 1 ${path}`,
  ]);
});

test("serial.ts exits with 1 if the line is missing or not a terminal", async () => {
  const expected = {
    "/dev/missing": /^serial\.ts: Cannot open the terminal \/dev\/missing: .*\(ENOENT\)\n$/,
    "/dev/null": /^serial\.ts: Cannot open the terminal \/dev\/null: .*\(ENOTTY\)\n$/,
  };
  const runs = await runEach("serial", Object.keys(expected).map((path) => [path]));
  for (const [i, { code, stdout, stderr }] of runs.entries()) {
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr, Object.values(expected)[i]!);
  }
});

test("serial.ts sends keys as they are pressed, and shows what comes in", async () => {
  using session = await Session.connected("--speed", "9600", "--mode", "8n2", "--flow=software");
  const { speed, stopBits, flowControl } = session.line.subsidiary.settings();
  assertEquals([speed, stopBits, flowControl], [9600, 2, "software"]);
  for (const keys of ["A", "\r", "\x03\x04\x1a", "\x7f\x1b[A"]) {
    session.type(keys);
    assertEquals(await session.hear(keys), keys);
  }
  session.answer("OK\r\n\x1b[1m\xff");
  await session.see("OK\r\n\x1b[1m");
  session.type(`bye${ESCAPE}qlost`);
  assertEquals(await session.hear("bye"), "bye");
  assertEquals(session.end(), { success: true, code: 0, signal: null });
});

test("serial.ts --escape sets the escape key", async () => {
  using session = await Session.connected("--escape", "a");
  session.type(`${ESCAPE}x`);
  assertEquals(await session.hear("x"), `${ESCAPE}x`);
  session.type("\x01\x01y");
  assertEquals(await session.hear("y"), "\x01y");
  session.type("\x01");
  session.type("q");
  assertEquals(session.end()?.code, 0);
});

test("serial.ts sends a break, and goes on", async () => {
  using session = await Session.connected();
  session.type(`x${ESCAPE}by`);
  assertEquals(await session.hear("y"), "xy");
  session.type(`${ESCAPE}q`);
  assertEquals(session.end()?.code, 0);
}, skipIf(isQemu, "qemu has no TIOCSBRK"));

test("serial.ts shows what is typed with --echo, until Ctrl-] e", async () => {
  using session = await Session.connected("--echo");
  session.type("one\r");
  assertEquals(await session.see("one\r\n"), "one\r\n");
  session.type(`${ESCAPE}etwo`);
  assertEquals(await session.hear("two"), "one\rtwo");
  session.answer("answer");
  assertEquals(await session.see("answer"), "answer");
  session.type(`${ESCAPE}q`);
  assertEquals(session.end()?.code, 0);
});

test("serial.ts lists its commands at Ctrl-] ? and unknown ones, and sends nothing", async () => {
  using session = await Session.connected();
  for (const key of ["?", "z"]) {
    session.type(`${ESCAPE}${key}`);
    assertMatch(
      await session.see("sends Ctrl-]\r\n"),
      /^Ctrl-\] \? shows this\r\nCtrl-\] q leaves\r\n/,
    );
  }
  session.type("x");
  assertEquals(await session.hear("x"), "x");
});

test("serial.ts --log appends what comes in to a file", async () => {
  const path = Deno.makeTempFileSync({ prefix: "serial_" });
  Deno.writeTextFileSync(path, "before\n");
  using session = await Session.connected("--log", path);
  session.answer("after\r\n\xff");
  await session.see("after\r\n");
  session.type(`x${ESCAPE}q`);
  assertEquals(await session.hear("x"), "x");
  assertEquals(session.end()?.code, 0);
  const expected = new TextEncoder().encode("before\nafter\r\n\xff");
  assertEquals(Deno.readFileSync(path), expected);
  Deno.removeSync(path);
});

test("serial.ts says how to get the permission for a line", async () => {
  using line = pseudoTerminal();
  Deno.chmodSync(line.path, 0);
  const { code, stderr } = await runExample("serial", [line.path], {
    // Without these, root needs the permission, too.
    through: (command) =>
      Deno.uid() === 0
        ? ["setpriv", "--bounding-set", "-dac_override,-dac_read_search", ...command]
        : command,
  });
  assertEquals(code, 1);
  assertMatch(stderr, /^serial\.ts: Cannot open the terminal .*\(EACCES\)\nJoin the group of /);
}, needsSetpriv);

test("serial.ts exits with 1 if it cannot write the log", async () => {
  using line = pseudoTerminal();
  const [{ code, stderr }] = await runEach("serial", [["--log", "/no/such/folder/log", line.path]]);
  assertEquals(code, 1);
  assertMatch(stderr, /serial\.ts: Cannot open \/no\/such\/folder\/log.*\(ENOENT\)\n$/);
});

test("serial.ts restores the terminal and the line when a signal ends it", async () => {
  for (const [signal, code] of [["SIGINT", 0], ["SIGTERM", 143]] as const) {
    using session = await Session.connected("--speed", "300");
    session.child.sendSignal(signal);
    assertEquals(session.end()?.code, code);
    assertEquals(session.line.subsidiary.settings().speed, 38_400);
    session.answer("a\r");
    assertEquals(await session.hear("a\r\n"), "a\r\n");
  }
});

test("serial.ts exits with 1 and restores the terminal when the line hangs up", async () => {
  using session = await Session.connected();
  session.line.subsidiary.close();
  session.line.manager.close();
  await session.see("serial.ts: The line hung up\r\n");
  assertEquals(session.end()?.code, 1);
});

test("serial.ts sends a file to its end, and shows what comes later", async () => {
  using line = pseudoTerminal();
  using _raw = line.subsidiary.raw();
  const input = new Uint8Array(300_000).map((_, i) => i * 7 + (i >> 8));
  const child = pipeThrough(input, line.path);
  const received = new Uint8Array(input.length);
  using selector = new DefaultSelector();
  selector.register(line.manager, EVENT_READ);
  for (let size = 0; size < input.length;) {
    assertEquals((await selector.selectAsync(DEADLINE)).length, 1, `Received ${size} bytes`);
    size += line.manager.read(received.subarray(size)) ?? 0;
  }
  assert(received.every((byte, i) => byte === input[i]));
  send(line.manager, "answer");
  const reader = child.stdout.getReader();
  assertEquals(new TextDecoder().decode((await reader.read()).value), "answer");
  await reader.cancel();
  child.kill("SIGINT");
  assertEquals((await child.status).code, 0);
  assertMatch(
    await new Response(child.stderr).text(),
    /^connected to \/dev\/pts\/\d+ at 115200\n$/,
  );
});

for (const echo of [false, true]) {
  test(`serial.ts does what picocom does, ${echo ? "with" : "without"} local echo`, async () => {
    const folder = await Deno.makeTempDir();
    const [log, theirLog] = [`${folder}/ours`, `${folder}/theirs`];
    const picocom = ["picocom", "-qr", "-e", "]", "-b", "9600"];
    const programs = [
      { command: serial("-b", "9600", ...echo ? ["-e"] : ["-l", log]), quit: "q" },
      { command: [...picocom, ...echo ? ["-c"] : ["-g", theirLog]], quit: "\x11" },
    ];
    const [ours, theirs] = await Promise.all(programs.map(async ({ command, quit }) => {
      using session = new Session(command);
      await session.raw();
      // Control characters, such as Ctrl-C, Ctrl-Z and those of flow control, and others.
      session.type(`AT\r\n\x03\x1a\x11\x13\x7f\t\0é${ESCAPE}${ESCAPE}.`);
      const heard = await session.hear(".");
      const settings = settingsOf(session.line);
      session.answer("OK\r\n\x1b[1mé\0done");
      const seen = await session.see("done");
      session.type(`${ESCAPE}${quit}`);
      const banner = /^connected[^\n]*\n/;
      return { heard, settings, seen: seen.replace(banner, ""), status: session.end() };
    }));
    assertEquals(ours, theirs);
    if (!echo) assertEquals(await Deno.readTextFile(log), await Deno.readTextFile(theirLog));
    await Deno.remove(folder, { recursive: true });
  }, needsProgram("picocom"));
}
