import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  openTerminal,
  OSError,
  ProcessDescriptor,
  pseudoTerminal,
  type Terminal,
} from "../../../ffi/fd/mod.ts";
import { linuxOnly } from "../../support/skip.ts";
import { untilReadable } from "../../support/sockets.ts";
import { runProgram } from "../../support/subprocess.ts";
import { readText, waitForEnd } from "./children.ts";
import { write } from "./terminals.ts";

const { spawn } = ProcessDescriptor;

function test(name: string, fn: () => void | Promise<void>): void {
  Deno.test({ name, ...linuxOnly, fn });
}

/** Reads from a manager until it has a text, or to the hangup of the other side. */
function readUntil(manager: Terminal, wanted: string): string {
  const buffer = new Uint8Array(4096);
  let text = "";
  while (!text.includes(wanted)) {
    untilReadable(manager);
    try {
      text += new TextDecoder().decode(buffer.subarray(0, manager.read(buffer)!));
    } catch (error) {
      if (error instanceof OSError && error.code === "EIO") break;
      throw error;
    }
  }
  return text;
}

/** Runs a shell script on a terminal of its own, and returns what it prints. */
function printed(script: string): string {
  using pair = pseudoTerminal();
  using child = spawn("sh", ["-c", script], { terminal: pair.subsidiary });
  pair.subsidiary.close();
  const text = readUntil(pair.manager, "\0");
  waitForEnd(child);
  return text.replaceAll("\r\n", "\n");
}

test("ProcessDescriptor.spawn() makes a terminal the child's controlling terminal", () => {
  assertMatch(
    printed("tty; echo to the terminal > /dev/tty"),
    /^\/dev\/pts\/\d+\nto the terminal\n$/,
  );
  const [pid, group, session, device, foreground] = printed(
    "echo $$; cut -d' ' -f 5,6,7,8 < /proc/$$/stat",
  ).trim().split(/\s/);
  assertEquals([group, session, foreground], [pid, pid, pid]);
  assert(device !== "0");
});

test("ProcessDescriptor.spawn() makes the terminal the child's three streams", () => {
  assertMatch(
    printed("for fd in 0 1 2; do readlink /proc/$$/fd/$fd; done"),
    /^(\/dev\/pts\/\d+)\n\1\n\1\n$/,
  );
});

test("ProcessDescriptor.spawn() on a terminal takes other streams too", () => {
  using pair = pseudoTerminal();
  const script = "cat; echo terminal > /dev/tty; echo out; echo err >&2";
  using child = spawn("sh", ["-c", script], {
    terminal: pair.subsidiary,
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
  child.stdin.write(new TextEncoder().encode("in "));
  child.stdin.close();
  assertEquals([readText(child.stdout), readText(child.stderr)], ["in out\n", "err\n"]);
  assertEquals(readUntil(pair.manager, "\n"), "terminal\r\n");
  waitForEnd(child);
  using other = spawn("tty", [], { terminal: openTerminal(pair.path), stdout: "pipe" });
  assertEquals(readText(other.stdout), `${pair.path}\n`);
  waitForEnd(other);
});

test("ProcessDescriptor.spawn() on a terminal lets a key interrupt the child", () => {
  using pair = pseudoTerminal();
  using child = spawn("sh", ["-c", "echo ready; exec sleep 60"], { terminal: pair.subsidiary });
  readUntil(pair.manager, "ready");
  write(pair.manager, "\x03");
  assertEquals(waitForEnd(child)?.signal, "SIGINT");
});

test("ProcessDescriptor.spawn() on a terminal sends SIGWINCH when its size changes", () => {
  using pair = pseudoTerminal();
  pair.manager.setWindowSize({ rows: 24, columns: 80 });
  const script = "trap 'stty size; exit' WINCH; stty size; while :; do sleep 0.02; done";
  using child = spawn("sh", ["-c", script], { terminal: pair.subsidiary });
  readUntil(pair.manager, "24 80");
  pair.manager.setWindowSize({ rows: 40, columns: 100 });
  readUntil(pair.manager, "40 100");
  assertEquals(waitForEnd(child)?.code, 0);
});

test("ProcessDescriptor.spawn() on a terminal ends the child with SIGHUP when it hangs up", () => {
  using pair = pseudoTerminal();
  using child = spawn("sleep", ["60"], { terminal: pair.subsidiary });
  pair[Symbol.dispose]();
  assertEquals(waitForEnd(child)?.signal, "SIGHUP");
});

test("ProcessDescriptor.spawn() on a terminal gives a shell job control", () => {
  using pair = pseudoTerminal();
  using child = spawn("sh", ["-im"], { terminal: pair.subsidiary, env: { PS1: "$ ", ENV: "" } });
  pair.subsidiary.close();
  readUntil(pair.manager, "$ ");
  write(pair.manager, "sh -c 'echo started; exec sleep 60'\n");
  readUntil(pair.manager, "started\r\n");
  write(pair.manager, "\x1a");
  assertMatch(readUntil(pair.manager, "$ "), /Stopped|Suspended/);
  write(pair.manager, "exit 7\n");
  readUntil(pair.manager, "stopped jobs");
  write(pair.manager, "exit 7\n");
  const rest = readUntil(pair.manager, "\0");
  assertEquals(waitForEnd(child)?.code, 7, rest);
});

test("ProcessDescriptor.spawn() on a terminal gives every signal its default action", async () => {
  const { stdout, stderr } = await runProgram(
    `
    using pair = descriptors.pseudoTerminal();
    for (const terminal of [pair.subsidiary, undefined]) {
      using child = descriptors.ProcessDescriptor.spawn("grep", ["SigIgn", "/proc/self/status"], {
        stdout: "pipe",
        ...(terminal === undefined ? {} : { terminal }),
      });
      child.stdout.setBlocking(true);
      const buffer = new Uint8Array(100);
      const text = new TextDecoder().decode(buffer.subarray(0, child.stdout.read(buffer)));
      console.log(parseInt(text.split("\\t")[1], 16) & 2);
      child.stdout.read(buffer);
      using selector = new selectors.DefaultSelector();
      selector.register(child, EVENT_READ);
      selector.select();
      child.wait();
    }
    `,
    ["--allow-all"],
    {},
    (command) => ["sh", "-c", 'trap "" INT; exec "$@"', "sh", ...command],
  );
  assertEquals([stdout, stderr], ["0\n2", ""]);
});

test("ProcessDescriptor.spawn() takes a terminal that is a standard stream here", async () => {
  const { stdout, stderr } = await runProgram(`
    const { dup2 } = Deno.dlopen("libc.so.6", {
      dup2: { parameters: ["i32", "i32"], result: "i32" },
    }).symbols;
    using pair = descriptors.pseudoTerminal();
    dup2(pair.subsidiary.fileno(), 0);
    using child = descriptors.ProcessDescriptor.spawn("tty", [], {
      terminal: new descriptors.Terminal(0),
      stdout: "pipe",
    });
    child.stdout.setBlocking(true);
    const buffer = new Uint8Array(100);
    const text = new TextDecoder().decode(buffer.subarray(0, child.stdout.read(buffer)));
    console.log(text.trim() === pair.path);
    using selector = new selectors.DefaultSelector();
    selector.register(child, EVENT_READ);
    selector.select();
    console.log(child.wait().code);
  `);
  assertEquals([stdout, stderr], ["true\n0", ""]);
});
