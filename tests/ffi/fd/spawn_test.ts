import { assert, assertEquals } from "@std/assert";
import { ProcessDescriptor } from "../../../ffi/fd/mod.ts";
import { Pipe } from "../../support/descriptors.ts";
import { linuxOnly, type Skip } from "../../support/skip.ts";
import { COUNT_DESCRIPTORS, runProgram } from "../../support/subprocess.ts";
import { type ErrorCase, testErrors } from "../../support/error_cases.ts";
import { needsSpawnErrors, outputOf, waitForEnd } from "./children.ts";

const { spawn } = ProcessDescriptor;

/** The bit of a signal mask. */
const SIGPIPE = 1n << 12n;

function test(name: string, fn: () => void | Promise<void>, skip: Skip = {}): void {
  Deno.test({ name, ...linuxOnly, ...skip, fn });
}

function closed(): ProcessDescriptor {
  const process = new ProcessDescriptor(Deno.pid);
  process.close();
  return process;
}

export const errorCases: readonly ErrorCase[] = [
  {
    name: "ProcessDescriptor.spawn() throws TypeError when an argument is not a string",
    error: TypeError,
    message: /^Cannot start .+: an argument must be a string, received /,
    calls: [() => spawn(3 as never), () => spawn("true", [null as never])],
  },
  {
    name: "ProcessDescriptor.spawn() throws RangeError when an argument contains a NUL",
    error: RangeError,
    message: /^Cannot start .+: an argument must not contain a NUL$/s,
    calls: [() => spawn("tr\0ue"), () => spawn("true", ["\0"])],
  },
  {
    name: "ProcessDescriptor.spawn() throws OSError when there is no such program",
    ...needsSpawnErrors,
    error: ["ENOENT", "posix_spawnp"],
    message: /^Cannot start \.\/no-such-program: /,
    calls: [() => spawn("./no-such-program")],
  },
  {
    name: "ProcessDescriptor.spawn() throws OSError when the file is not a program",
    ...needsSpawnErrors,
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
testErrors(errorCases.map((errorCase) => ({ ...errorCase, ...linuxOnly })));

test("ProcessDescriptor.spawn() passes arguments unchanged", () => {
  const args = ["a b", "", "$HOME", "'\"", "Zürich 🏔", "x".repeat(100_000)];
  assertEquals(outputOf("printf", "%s|", ...args), args.join("|") + "|");
});

test("ProcessDescriptor.spawn() passes the environment and looks in PATH", () => {
  Deno.env.set("READINESS_TEST", "in the environment");
  assertEquals(outputOf("sh", "-c", "echo $READINESS_TEST"), "in the environment\n");
  Deno.env.delete("READINESS_TEST");
});

test("ProcessDescriptor.spawn() passes the streams, which stay open here", () => {
  using input = new Pipe();
  using result = new Pipe();
  input.reader.setBlocking(true);
  using child = spawn("cat", [], { stdin: input.reader, stdout: result.writer });
  input.writer.write(new TextEncoder().encode("through"));
  input.writer.close();
  assertEquals(waitForEnd(child)?.code, 0);
  assert(input.reader.fileno() >= 0);
  assertEquals(result.reader.read(new Uint8Array(100)), 7);
});

test("ProcessDescriptor.spawn() starts programs without blocked signals or ignored SIGPIPE", async () => {
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

test("ProcessDescriptor.spawn() leaves nothing open here and passes no other descriptor", async () => {
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
}, needsSpawnErrors);

test("ProcessDescriptor.spawn() does not start a program when descriptors run out", async () => {
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
