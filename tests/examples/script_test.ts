import { assert, assertEquals, assertGreaterOrEqual, assertLess, assertMatch } from "@std/assert";
import { DefaultSelector, EVENT_READ } from "../../mod.ts";
import { ProcessDescriptor, pseudoTerminal } from "../../ffi/fd/mod.ts";
import { runCommand } from "../support/command.ts";
import { DEADLINE, inTime } from "../support/deadline.ts";
import { canStart, linuxOnly, needs, type Skip } from "../support/skip.ts";
import { filePath } from "../support/sockets.ts";
import { assertUsageErrors } from "./command_lines.ts";

const EXAMPLE = new URL("../../examples/script.ts", import.meta.url).pathname;
const RUN = [Deno.execPath(), "run", "--allow-ffi", EXAMPLE];

const VIM = ["vim.tiny", "vim"].find(canStart) ?? "vim";

/** Runs a command, and prints how it ended, and the settings of the terminal before and after. */
const WRAPPER = 'trap "" XFSZ; set -- "$(stty -a)" "$@"; before=$1; shift; RUN; code=$?; ' +
  'after=$(stty -a); [ "${before#*;*;*;}" = "${after#*;*;*;}" ] && echo restored; ' +
  'echo "code $code"';

function test(name: string, fn: () => void | Promise<void>, skip: Skip = {}): void {
  Deno.test({ name: `script.ts ${name}`, ...linuxOnly, ...skip, fn });
}

/** The example on a terminal of 100x30 characters. */
class Session implements Disposable {
  readonly path = filePath();
  readonly screen = pseudoTerminal();
  readonly #child: ProcessDescriptor;
  #seen = "";

  constructor(command: readonly string[], run = '"$@"') {
    this.screen.manager.setWindowSize({ rows: 30, columns: 100 });
    const wrapper = WRAPPER.replace("RUN", run);
    const words = [...RUN, this.path, ...command.length > 0 ? ["--", ...command] : []];
    this.#child = ProcessDescriptor.spawn("sh", ["-c", wrapper, "sh", ...words], {
      terminal: this.screen.subsidiary,
      env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", TERM: "xterm", PS1: "$ ", SHELL: "/bin/sh" },
    });
  }

  type(text: string): void {
    const bytes = new TextEncoder().encode(text);
    assertEquals(this.screen.manager.write(bytes), bytes.length);
  }

  /** Waits for text on the screen after what was waited for before, and returns all up to there. */
  async see(text: string): Promise<string> {
    const { manager } = this.screen;
    using selector = new DefaultSelector();
    selector.register(manager, EVENT_READ);
    const buffer = new Uint8Array(65536);
    for (;;) {
      const at = this.#seen.indexOf(text);
      if (at >= 0) {
        const all = this.#seen.slice(0, at + text.length);
        this.#seen = this.#seen.slice(all.length);
        return all;
      }
      const ready = await selector.selectAsync(DEADLINE);
      assertEquals(ready.length, 1, `Waited too long for ${text}, having seen: ${this.#seen}`);
      this.#seen += new TextDecoder("latin1").decode(buffer.subarray(0, manager.read(buffer)!));
    }
  }

  /** Waits for the end of the example, after which the terminal has to be as it was. */
  async end(code: number): Promise<void> {
    const all = await this.see("code ");
    assertMatch(all, /restored\r\ncode $/);
    assertEquals(await this.see("\r\n"), `${code}\r\n`);
    await inTime(this.#child.exited(), "the end");
  }

  /** The recording: its header and its events. */
  recording(): [Header, ...Event[]] {
    return Deno.readTextFileSync(this.path).trimEnd().split("\n").map((line) =>
      JSON.parse(line)
    ) as [Header, ...Event[]];
  }

  /** All recorded output. */
  output(): string {
    return this.events("o").join("");
  }

  events(wanted: string): string[] {
    const [, ...events] = this.recording();
    return events.filter(([, kind]) => kind === wanted).map(([, , text]) => text);
  }

  [Symbol.dispose](): void {
    this.screen[Symbol.dispose](); // Hangs up.
    this.#child.close();
  }
}

type Header = { version: 2; width: number; height: number; timestamp: number; command?: string };
type Event = [time: number, kind: string, text: string];

/** Runs the example without a terminal. */
function runPiped(path: string, command: string, input: string, ...options: string[]) {
  return runCommand([...RUN, ...options, path, "--", "sh", "-c", command], input);
}

Deno.test("script.ts exits with 2 if the command line is wrong", async () => {
  await assertUsageErrors("script", [
    "a b",
    "a b -- ls",
    "--",
    "a --",
    "--size 80",
    "--size 0x1 a",
  ]);
});

test("exits with 1 if the command or the folder is missing, and keeps a recording", async () => {
  const path = filePath();
  const run = (...args: string[]) => runCommand([...RUN, ...args]);
  const missing = await run(path, "--", "no-such-program");
  assertEquals([missing.code, missing.stdout], [1, ""]);
  assertMatch(missing.stderr, /^script\.ts: Cannot start no-such-program: .*\(ENOENT\)\n$/);
  // The file that it made is empty, and does not hinder.
  assertEquals((await run(path, "--", "echo", "first")).stdout, "first\r\n");
  const again = await run(path, "--", "echo", "second");
  assertEquals([again.code, again.stdout], [1, ""]);
  assertEquals(again.stderr, `script.ts: The file ${path} is not empty; --overwrite replaces it\n`);
  assertMatch(Deno.readTextFileSync(path), /"first\\r\\n"\]\n$/);
  assertEquals((await run("--overwrite", path, "--", "echo", "2")).stdout, "2\r\n");
  assertMatch(Deno.readTextFileSync(path), /^\{[^\n]*\n\[[\d.]+,"o","2\\r\\n"\]\n$/);
  assertEquals(Deno.statSync(path).mode! & 0o777, 0o600);
  const full = await run("/dev/full", "--", "true");
  assertEquals(full.code, 1);
  assertMatch(full.stderr, /^script\.ts: Cannot write .*\(ENOSPC\)\n$/);
  const nowhere = await run("/no/such/folder", "--", "true");
  assertEquals(nowhere.code, 1);
  assertMatch(nowhere.stderr, /^script\.ts: Cannot open .*\/no\/such\/folder.*\(ENOENT\)\n$/);
});

test("records what a shell prints, with timing, and passes its exit code on", async () => {
  using session = new Session([]);
  await session.see(`recording to ${session.path}\r\n`);
  await session.see("$ ");
  session.type("echo one; sleep 0.3; echo two; tty\r");
  await session.see("\r\ntwo\r\n");
  assertMatch(await session.see("\r\n$ "), /^\/dev\/pts\/\d+\r\n/);
  session.type("exit 7\r");
  await session.end(7);
  const [header, ...events] = session.recording();
  assertEquals(header, { version: 2, width: 100, height: 30, timestamp: header.timestamp });
  assertLess(Math.abs(header.timestamp - Date.now() / 1000), 100);
  assertMatch(
    session.output(),
    /^\$ echo one.* tty\r\none\r\ntwo\r\n\/dev\/pts\/\d+\r\n\$ exit 7\r\n$/,
  );
  const [one, two] = [/(^|\n)one\r/, /(^|\n)two\r/].map((line) =>
    events.find(([, , text]) => line.test(text))![0]
  );
  const pause = two! - one!;
  assert(pause > 0.28 && pause < 200, `A pause of ${pause} s`);
  for (let i = 1; i < events.length; i++) assertGreaterOrEqual(events[i]![0], events[i - 1]![0]);
});

test("gives a shell job control: Ctrl-C, Ctrl-Z, fg and /dev/tty", async () => {
  using session = new Session(["sh", "-i"]);
  await session.see("$ ");
  session.type("sh -c 'echo ready; exec sleep 100'\r");
  await session.see("\r\nready\r\n");
  session.type("\x03");
  await session.see("$ ");
  session.type("sh -c 'echo start >/dev/tty; kill -STOP $$; echo resumed'\r");
  await session.see("\r\nstart\r\n");
  await session.see("Stopped");
  await session.see("$ ");
  session.type("fg\r");
  await session.see("\r\nresumed\r\n");
  session.type("cat\r");
  await session.see("cat\r\n");
  session.type("line\r");
  await session.see("line\r\nline\r\n");
  session.type("\x1a");
  await session.see("Stopped");
  for (let i = 0; i < 2; i++) { // The first one warns of the job.
    session.type("exit 0\r");
    await session.see("exit 0\r\n");
  }
  await session.end(0);
});

test("passes on that a signal ended the command", async () => {
  using session = new Session(["sh", "-c", "kill -KILL $$"]);
  await session.end(137);
});

test("passes the size of the window on, also when it changes", async () => {
  using session = new Session([
    "sh",
    "-c",
    "trap 'stty size; exit 0' WINCH; stty size; while :; do sleep 0.05; done",
  ]);
  await session.see("30 100\r\n");
  session.screen.manager.setWindowSize({ rows: 40, columns: 132 });
  await session.see("40 132\r\n");
  await session.end(0);
  assertEquals(session.events("r"), ["132x40"]);
});

test("does not record a password", async () => {
  using session = new Session([
    "sh",
    "-c",
    'stty -echo; printf "Password: "; read word; stty echo; echo; echo "${#word} characters"',
  ]);
  await session.see("Password: ");
  session.type("secret\r");
  await session.see("6 characters\r\n");
  await session.end(0);
  assertEquals(session.output(), "Password: \r\n6 characters\r\n");
});

test("records characters that come in pieces whole, and bytes that are not UTF-8", async () => {
  using session = new Session([
    "sh",
    "-c",
    "printf '\\342\\202'; sleep 0.1; printf '\\254\\377x\\303'",
  ]);
  await session.end(0);
  assertEquals(session.output(), "€\ufffdx\ufffd");
});

test("shows and records vim", async () => {
  const file = filePath();
  using session = new Session([VIM, "-u", "NONE", "-i", "NONE", "-n", file]);
  await session.see("~");
  session.type("ihello\x1b");
  await session.see("hello");
  session.screen.manager.setWindowSize({ rows: 20, columns: 60 });
  do { // Until vim has received the signal.
    session.type(":set columns?\r");
    await session.see("columns=");
  } while (!(await session.see("\x1b")).startsWith("60"));
  session.type(":wq\r");
  await session.end(0);
  assertEquals(Deno.readTextFileSync(file), "hello\n");
  assertEquals(session.events("r"), ["60x20"]);
  assertMatch(session.output(), /hello/);
}, needs("vim", canStart(VIM)));

test("types input that is piped, and ends it", async () => {
  const path = filePath();
  // A line without an end, and two readers.
  const command = "stty -echo; echo; wc -lc; read word; echo $?";
  const { code, stdout } = await runPiped(path, command, "a\nb");
  assertEquals(code, 0);
  assertMatch(stdout, /\r\n +1 +3\r\n1\r\n$/);
});

test("types a large file as the command reads it", async () => {
  const path = filePath();
  const input = Array.from({ length: 20_000 }, (_, i) => `line ${i}\n`).join("");
  const command = "stty -echo; sleep 0.3; while read word i; do n=$i; done; echo last $n";
  const { stdout } = await runPiped(path, command, input);
  assertMatch(stdout, /last 19999\r\n$/);
});

test("has a window of --size where there is no terminal", async () => {
  const path = filePath();
  const { stdout } = await runPiped(path, "stty size", "", "--size", "70x20");
  assertEquals(stdout, "20 70\r\n");
  assertMatch(Deno.readTextFileSync(path), /^\{"version":2,"width":70,"height":20,/);
});

test("records all output of a command that ends at once", async () => {
  const path = filePath();
  const { stdout } = await runPiped(path, "seq 50000", "");
  const expected = Array.from({ length: 50_000 }, (_, i) => `${i + 1}\r\n`).join("");
  assert(stdout === expected);
  const [, ...events] = Deno.readTextFileSync(path).trimEnd().split("\n");
  assert(events.map((line) => JSON.parse(line)[2]).join("") === expected);
});

test("restores the terminal and hangs up when a signal ends it", async () => {
  for (const [signal, code] of [["INT", 0], ["TERM", 143], ["HUP", 129], ["QUIT", 131]] as const) {
    const witness = filePath();
    using session = new Session([
      "sh",
      "-c",
      `trap 'echo hung up > ${witness}; exit' HUP; kill -${signal} $PPID; while :; do sleep 0.05; done`,
    ]);
    await session.end(code);
    assertEquals(Deno.readTextFileSync(witness), "hung up\n");
  }
});

test("restores the terminal before it waits for a command that ignores the hang-up", async () => {
  using session = new Session([
    "sh",
    "-c",
    "trap '' HUP; while kill -TERM $PPID; do sleep 0.5; done",
  ]);
  await session.end(143);
});

test("ends and restores the terminal when nobody reads its output any more", async () => {
  using session = new Session(["yes"], '{ "$@"; echo "ended with $?" >&2; } | head -n 2');
  await session.see("ended with 141\r\n");
  await session.end(0); // The code of head.
});

test("restores the terminal when the recording cannot be written", async () => {
  using session = new Session(["sh", "-c", "prlimit --fsize=10000 --pid $PPID; exec yes"]);
  assertMatch(await session.see("EFBIG"), /script\.ts: Cannot write to fd \d+: .*EFBIG$/);
  await session.end(1);
});

test("waits for a slow reader, and a signal ends it meanwhile", async () => {
  const path = filePath();
  const child = new Deno.Command(RUN[0]!, {
    args: [...RUN.slice(1), path, "--", "sh", "-c", "exec yes"],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const sizes = () => {
    try {
      return Deno.statSync(path).size;
    } catch {
      return 0;
    }
  };
  // The recording stops growing when the pipe is full.
  for (let last = -1; last !== sizes() || last < 65_536;) {
    last = sizes();
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  assertLess(sizes(), 1_000_000);
  child.kill("SIGTERM");
  assertEquals((await inTime(child.status, "the end")).code, 143);
  await child.stdout.cancel();
  await child.stderr.cancel();
});
