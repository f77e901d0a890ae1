import { assert, assertEquals, assertRejects } from "@std/assert";
import { FileDescriptor, OSError, ProcessDescriptor } from "../../../ffi/fd/mod.ts";
import { DefaultSelector, EVENT_READ } from "../../../mod.ts";
import { BORN, descriptorFlags, Pipe } from "../../support/descriptors.ts";
import { COUNT_DESCRIPTORS, runProgram } from "../../support/subprocess.ts";
import { untilReadable } from "../../support/sockets.ts";
import { type Refusal, testRefusals } from "../socket/refusals.ts";
import { linuxOnly, type Skip, skipIf } from "../../support/skip.ts";
import { isQemu } from "../../support/os.ts";

const cannotTellFailure = skipIf(isQemu, "qemu's child of posix_spawn() cannot report a failure");

const { spawn } = ProcessDescriptor;

/** In a mask of signals. */
const SIGPIPE = 1n << 12n;

function test(name: string, fn: () => void | Promise<void>, skip: Skip = {}): void {
  Deno.test({ name, ...linuxOnly, ...skip, fn });
}

/** Waits for a child's end. */
function end(child: ProcessDescriptor): Deno.CommandStatus | null {
  untilReadable(child);
  return child.wait();
}

/** Starts a program, reads all that it writes, and waits for its end. */
function output(command: string, ...args: string[]): string {
  using ends = new Pipe();
  ends.writer.setBlocking(true);
  using child = spawn(command, args, { stdout: ends.writer, stderr: ends.writer });
  ends.writer.close();
  ends.reader.setBlocking(true);
  let text = "";
  const buffer = new Uint8Array(4096);
  for (let size; (size = ends.reader.read(buffer));) {
    text += new TextDecoder().decode(buffer.subarray(0, size));
  }
  end(child);
  return text;
}

function ended(): ProcessDescriptor {
  const child = spawn("true");
  end(child);
  return child;
}

function closed(): ProcessDescriptor {
  const child = ended();
  child.close();
  return child;
}

/** Calls a function with this very process. */
function own(call: (process: ProcessDescriptor) => unknown): () => unknown {
  return () => {
    using process = new ProcessDescriptor(Deno.pid);
    return call(process);
  };
}

const refusals: Refusal[] = [
  {
    name: "ProcessDescriptor() throws RangeError when it is given no process's number",
    error: RangeError,
    message: /^Cannot open a process: its number must be an integer from 1 to 2147483647, /,
    calls: [0, -1, 1.5, NaN, 2 ** 31, "1", null, undefined].map((pid) => () =>
      new ProcessDescriptor(pid as never)
    ),
  },
  {
    name: "ProcessDescriptor() throws OSError when there is no such process",
    error: ["ESRCH", "pidfd_open"],
    message: /^Cannot open process 2147483647: /,
    calls: [() => new ProcessDescriptor(2 ** 31 - 1)],
  },
  {
    name: "ProcessDescriptor.wait() throws OSError when it is no child, or was waited for",
    error: ["ECHILD", "waitid"],
    message: /^Cannot wait for process \d+, fd \d+: /,
    calls: [own((process) => process.wait()), () => {
      using child = ended();
      child.wait();
    }],
  },
  {
    name: "ProcessDescriptor.wait() throws OSError when it is closed",
    error: ["EBADF", "waitid"],
    message: /^Cannot wait for process \d+, a closed descriptor: /,
    calls: [() => closed().wait()],
  },
  {
    name: "ProcessDescriptor.sendSignal() throws TypeError when there is no such signal",
    error: TypeError,
    message: /^Cannot send a signal to process \d+, fd \d+: this system has no signal /,
    calls: ["SIGNONE", "TERM", null].map((signal) =>
      own((process) => process.sendSignal(signal as never))
    ),
  },
  {
    name: "ProcessDescriptor.sendSignal() throws RangeError when it is no signal's number",
    error: RangeError,
    message: /^Cannot send a signal to process \d+, fd \d+: a signal's number must be /,
    calls: [0, 65, 1.5].map((signal) => own((process) => process.sendSignal(signal))),
  },
  {
    name: "ProcessDescriptor.sendSignal() throws OSError when the process is gone",
    error: ["ESRCH", "pidfd_send_signal"],
    message: /^Cannot send a signal to process \d+, fd \d+: /,
    calls: [() => {
      using child = ended();
      child.sendSignal("SIGTERM");
    }],
  },
  {
    name: "ProcessDescriptor.sendSignal() throws OSError when it is closed",
    error: ["EBADF", "pidfd_send_signal"],
    message: /^Cannot send a signal to process \d+, a closed descriptor: /,
    calls: [() => closed().sendSignal("SIGTERM")],
  },
  {
    name: "ProcessDescriptor.read() throws OSError",
    error: ["EINVAL", "read"],
    message: /^Cannot read from fd \d+: /,
    calls: [own((process) => process.read(new Uint8Array(8)))],
  },
  {
    name: "ProcessDescriptor.spawn() throws TypeError when it is given no string",
    error: TypeError,
    message: /^Cannot start .+: an argument must be a string, received /,
    calls: [() => spawn(3 as never), () => spawn("true", [null as never])],
  },
  {
    name: "ProcessDescriptor.spawn() throws RangeError when a string holds a NUL",
    error: RangeError,
    message: /^Cannot start a program: an argument must not hold a NUL$/,
    calls: [() => spawn("tr\0ue"), () => spawn("true", ["\0"])],
  },
  {
    name: "ProcessDescriptor.spawn() throws OSError when there is no such program",
    ...cannotTellFailure,
    error: ["ENOENT", "posix_spawnp"],
    message: /^Cannot start \.\/no-such-program: /,
    calls: [() => spawn("./no-such-program")],
  },
  {
    name: "ProcessDescriptor.spawn() throws OSError when it is no program",
    ...cannotTellFailure,
    error: ["EACCES", "posix_spawnp"],
    message: /^Cannot start \/etc\/passwd: /,
    calls: [() => spawn("/etc/passwd")],
  },
  {
    name: "ProcessDescriptor.spawn() throws OSError when a stream is closed",
    error: ["EBADF", "posix_spawnp"],
    message: /^Cannot start true: /,
    calls: [() => spawn("true", [], { stdin: closed() })],
  },
];
testRefusals(refusals.map((refusal) => ({ ...refusal, ...linuxOnly })));

test("ProcessDescriptor() opens a process, non-blocking and close-on-exec", () => {
  using process = new ProcessDescriptor(Deno.pid);
  assert(process instanceof FileDescriptor);
  assertEquals(process.pid, Deno.pid);
  assertEquals(descriptorFlags(process.fileno()), BORN);
});

test("ProcessDescriptor.wait() tells how a child ended", () => {
  for (const code of [0, 7, 255]) {
    using child = spawn("sh", ["-c", `exit ${code}`]);
    assertEquals(end(child), { success: code === 0, code, signal: null });
  }
});

test("ProcessDescriptor.wait() returns null while the child runs", () => {
  using child = spawn("sleep", ["60"]);
  assertEquals(child.wait(), null);
  assertEquals(child.wait({ reap: false }), null);
  child.sendSignal("SIGKILL");
  assertEquals(end(child), { success: false, code: 137, signal: "SIGKILL" });
});

test("ProcessDescriptor.wait() leaves the child there when it is told to", () => {
  using child = spawn("sh", ["-c", "exit 3"]);
  untilReadable(child);
  const status = { success: false, code: 3, signal: null };
  for (const reap of [false, false, true]) assertEquals(child.wait({ reap }), status);
});

test("ProcessDescriptor.sendSignal() sends SIGTERM unless told, and any by its number", () => {
  using first = spawn("sleep", ["60"]);
  first.sendSignal();
  assertEquals(end(first)?.signal, "SIGTERM");
  using second = spawn("sleep", ["60"]);
  second.sendSignal(40);
  assertEquals(end(second), { success: false, code: 168, signal: null });
});

test("ProcessDescriptor ends a wait of a selector, of either kind", async () => {
  using selector = new DefaultSelector();
  using first = spawn("sleep", ["0.05"]);
  selector.register(first, EVENT_READ);
  assertEquals(selector.select(10_000).length, 1);
  selector.unregister(first);
  first.wait();
  using second = spawn("sleep", ["0.05"]);
  selector.register(second, EVENT_READ);
  assertEquals((await selector.selectAsync(10_000)).length, 1);
  second.wait();
});

test("ProcessDescriptor looks at a child of Deno's until the event loop turns", async () => {
  const child = new Deno.Command("sh", { args: ["-c", "exit 5"] }).spawn();
  using process = new ProcessDescriptor(child.pid);
  untilReadable(process);
  const status = { success: false, code: 5, signal: null };
  assertEquals(process.wait({ reap: false }), status);
  assertEquals({ ...await child.status }, status);
  // It stays readable when Deno has waited for it.
  untilReadable(process);
  await assertRejects(async () => await process.wait(), OSError, "ECHILD");
});

test("ProcessDescriptor.wait() takes a child away from Deno, whose status is rejected", async () => {
  const { stdout, stderr } = await runProgram(`
    const child = new Deno.Command("true").spawn();
    using process = new descriptors.ProcessDescriptor(child.pid);
    using selector = new selectors.DefaultSelector();
    selector.register(process, EVENT_READ);
    selector.select();
    const { code } = process.wait();
    console.log(code, await child.status.catch((error) => error.message));
  `);
  assertEquals([stdout, stderr], ["0 No child processes (os error 10)", ""]);
});

test("ProcessDescriptor.spawn() hands arguments over as they are", () => {
  const args = ["a b", "", "$HOME", "'\"", "Zürich 🏔", "x".repeat(100_000)];
  assertEquals(output("printf", "%s|", ...args), args.join("|") + "|");
});

test("ProcessDescriptor.spawn() hands the environment over, and PATH finds the program", () => {
  Deno.env.set("READINESS_TEST", "in the environment");
  assertEquals(output("sh", "-c", "echo $READINESS_TEST"), "in the environment\n");
  Deno.env.delete("READINESS_TEST");
});

test("ProcessDescriptor.spawn() hands the streams over, which stay open here", () => {
  using input = new Pipe();
  using result = new Pipe();
  input.reader.setBlocking(true);
  using child = spawn("cat", [], { stdin: input.reader, stdout: result.writer });
  input.writer.write(new TextEncoder().encode("through"));
  input.writer.close();
  assertEquals(end(child)?.code, 0);
  assert(input.reader.fileno() >= 0);
  assertEquals(result.reader.read(new Uint8Array(100)), 7);
});

test("ProcessDescriptor.spawn() starts programs with no signal blocked, nor SIGPIPE ignored", async () => {
  const { stdout, stderr } = await runProgram(`
    using signals = new descriptors.SignalDescriptor(["SIGUSR1", "SIGTERM"]);
    using child = descriptors.ProcessDescriptor.spawn("grep", ["-E", "Sig(Blk|Ign)", "/proc/self/status"]);
    using selector = new selectors.DefaultSelector();
    selector.register(child, EVENT_READ);
    selector.select();
    child.wait();
  `);
  const [, blocked, ignored] = /^SigBlk:\s*(\w+)\nSigIgn:\s*(\w+)$/.exec(stdout)!;
  assertEquals([BigInt(`0x${blocked}`), stderr], [0n, ""]);
  assertEquals(BigInt(`0x${ignored}`) & SIGPIPE, 0n);
});

test("ProcessDescriptor.spawn() leaves nothing open here, and hands no descriptor over", async () => {
  const { stdout, stderr } = await runProgram(`
    const { ProcessDescriptor } = descriptors;
    ${COUNT_DESCRIPTORS}
    const use = () => {
      using child = ProcessDescriptor.spawn("true");
      using selector = new selectors.DefaultSelector();
      selector.register(child, EVENT_READ);
      selector.select();
      child.wait();
    };
    use();
    const before = countDescriptors();
    for (let i = 0; i < 20; i++) use();
    console.log(countDescriptors() - before);
    using event = new descriptors.EventDescriptor();
    using child = ProcessDescriptor.spawn("test", ["-e", "/proc/self/fd/" + event.fileno()]);
    using selector = new selectors.DefaultSelector();
    selector.register(child, EVENT_READ);
    selector.select();
    console.log(child.wait().code);
    console.log(Deno.readTextFileSync("/proc/thread-self/children").trim());
  `);
  assertEquals([stdout, stderr], ["0\n1", ""]);
});

test("ProcessDescriptor.spawn() leaves nothing behind when there is no such program", async () => {
  const { stdout, stderr } = await runProgram(`
    ${COUNT_DESCRIPTORS}
    const use = () => {
      try { descriptors.ProcessDescriptor.spawn("./no-such-program"); } catch {}
    };
    use();
    const before = countDescriptors();
    for (let i = 0; i < 20; i++) use();
    console.log(countDescriptors() - before);
    console.log(Deno.readTextFileSync("/proc/thread-self/children").trim());
  `);
  assertEquals([stdout, stderr], ["0", ""]);
}, cannotTellFailure);

test("ProcessDescriptor.spawn() starts no program when there is no descriptor for it", async () => {
  const folder = await Deno.makeTempDir();
  const { stdout, stderr } = await runProgram(`
    descriptors.ProcessDescriptor.spawn("true").close();
    const fds = [];
    for (;;) try { fds.push(new descriptors.EventDescriptor()); } catch { break; }
    try { descriptors.ProcessDescriptor.spawn("touch", ["${folder}/started"]); }
    catch (error) { console.log(error.code); }
    fds.pop().close();
    const child = descriptors.ProcessDescriptor.spawn("true");
    console.log(child.pid > 0);
    for (const fd of fds) fd.close(); // Deno may want some at the end.
  `);
  assertEquals([stdout, stderr], ["EMFILE\ntrue", ""]);
  assertEquals([...Deno.readDirSync(folder)], []);
  await Deno.remove(folder);
});
