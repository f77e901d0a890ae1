import { assert, assertEquals, assertRejects } from "@std/assert";
import { FileDescriptor, OSError, ProcessDescriptor } from "../../../ffi/fd/mod.ts";
import { DefaultSelector, EVENT_READ } from "../../../mod.ts";
import { BORN, descriptorFlags } from "../../support/descriptors.ts";
import { DEADLINE } from "../../support/deadline.ts";
import { linuxOnly } from "../../support/skip.ts";
import { untilReadable } from "../../support/sockets.ts";
import { runProgram } from "../../support/subprocess.ts";
import { type ErrorCase, testErrors } from "../../support/error_cases.ts";
import { waitForEnd } from "./children.ts";

function test(name: string, fn: () => void | Promise<void>): void {
  Deno.test({ name, ...linuxOnly, fn });
}

const { spawn } = ProcessDescriptor;

function ended(): ProcessDescriptor {
  const child = spawn("true");
  waitForEnd(child);
  return child;
}

function closed(): ProcessDescriptor {
  const process = new ProcessDescriptor(Deno.pid);
  process.close();
  return process;
}

/** Calls a function with this very process. */
function own(call: (process: ProcessDescriptor) => unknown): () => unknown {
  return () => {
    using process = new ProcessDescriptor(Deno.pid);
    return call(process);
  };
}

export const errorCases: readonly ErrorCase[] = [
  {
    name: "ProcessDescriptor() throws RangeError when the process ID is out of range",
    error: RangeError,
    message: /^Cannot open a process: its ID must be an integer from 1 to 2147483647, /,
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
    name: "ProcessDescriptor.wait() throws OSError when the process is not a child",
    error: ["ECHILD", "waitid"],
    message: /^Cannot wait for process \d+, fd \d+: /,
    calls: [own((process) => process.wait())],
  },
  {
    name: "ProcessDescriptor.wait() throws OSError when it is closed",
    error: ["EBADF", "waitid"],
    message: /^Cannot wait for process \d+, a closed descriptor: /,
    calls: [() => closed().wait()],
  },
  {
    name: "ProcessDescriptor.sendSignal() throws TypeError when the system lacks the signal",
    error: TypeError,
    message: /^Cannot send a signal to process \d+, fd \d+: this system has no signal /,
    calls: ["SIGNONE", "TERM", null].map((signal) =>
      own((process) => process.sendSignal(signal as never))
    ),
  },
  {
    name: "ProcessDescriptor.sendSignal() throws RangeError when no signal has the number",
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
];
testErrors(errorCases.map((errorCase) => ({ ...errorCase, ...linuxOnly })));

test("ProcessDescriptor() opens a process, non-blocking and close-on-exec", () => {
  using process = new ProcessDescriptor(Deno.pid);
  assert(process instanceof FileDescriptor);
  assertEquals(process.pid, Deno.pid);
  assertEquals(descriptorFlags(process.fileno()), BORN);
});

test("ProcessDescriptor.wait() returns how a child ended", () => {
  for (const code of [0, 7, 255]) {
    using child = spawn("sh", ["-c", `exit ${code}`]);
    assertEquals(waitForEnd(child), { success: code === 0, code, signal: null });
  }
});

test("ProcessDescriptor.wait() returns null while the child runs", () => {
  using child = spawn("sleep", ["60"]);
  assertEquals(child.wait(), null);
  assertEquals(child.wait({ reap: false }), null);
  child.sendSignal("SIGKILL");
  assertEquals(waitForEnd(child), { success: false, code: 137, signal: "SIGKILL" });
});

test("ProcessDescriptor.wait() with reap: false leaves the child for a later wait", () => {
  using child = spawn("sh", ["-c", "exit 3"]);
  untilReadable(child);
  const status = { success: false, code: 3, signal: null };
  for (const reap of [false, false, true]) assertEquals(child.wait({ reap }), status);
});

test("ProcessDescriptor.wait() returns the status again, also after exited() and close()", async () => {
  const status = { success: false, code: 3, signal: null };
  using first = spawn("sh", ["-c", "exit 3"]);
  for (const again of [waitForEnd(first), first.wait(), first.wait({ reap: false })]) {
    assertEquals(again, status);
  }
  using second = spawn("sh", ["-c", "exit 3"]);
  await second.exited();
  assertEquals(second.wait(), status);
  second.close();
  assertEquals([second.wait(), await second.exited()], [status, status]);
});

test("ProcessDescriptor.sendSignal() sends SIGTERM by default, or any signal by number", () => {
  using first = spawn("sleep", ["60"]);
  first.sendSignal();
  assertEquals(waitForEnd(first)?.signal, "SIGTERM");
  using second = spawn("sleep", ["60"]);
  second.sendSignal(40);
  assertEquals(waitForEnd(second), { success: false, code: 168, signal: null });
});

test("ProcessDescriptor ends select() and selectAsync()", async () => {
  using selector = new DefaultSelector();
  using first = spawn("sleep", ["0.05"]);
  selector.register(first, EVENT_READ);
  assertEquals(selector.select(DEADLINE).length, 1);
  selector.unregister(first);
  first.wait();
  using second = spawn("sleep", ["0.05"]);
  selector.register(second, EVENT_READ);
  assertEquals((await selector.selectAsync(DEADLINE)).length, 1);
  second.wait();
});

test("ProcessDescriptor.wait() sees Deno's child until the event loop runs", async () => {
  const child = new Deno.Command("sh", { args: ["-c", "exit 5"] }).spawn();
  using process = new ProcessDescriptor(child.pid);
  untilReadable(process);
  const status = { success: false, code: 5, signal: null };
  assertEquals(process.wait({ reap: false }), status);
  assertEquals({ ...await child.status }, status);
  // It stays readable after Deno has waited for it.
  untilReadable(process);
  await assertRejects(async () => await process.wait(), OSError, "ECHILD");
});

test("ProcessDescriptor.wait() reaps Deno's child, whose status then rejects", async () => {
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

test("ProcessDescriptor.exited() resolves with the status, also several times", async () => {
  using child = spawn("sh", ["-c", "sleep 0.05; exit 7"]);
  const status = { success: false, code: 7, signal: null };
  assertEquals(await Promise.all([child.exited(), child.exited()]), [status, status]);
  assertEquals(await child.exited(), status);
  using other = spawn("sleep", ["60"]);
  const exit = other.exited();
  other.sendSignal("SIGTERM");
  assertEquals(await exit, { success: false, code: 143, signal: "SIGTERM" });
});

test("ProcessDescriptor.exited() resolves after wait() has returned the status", async () => {
  using child = spawn("true");
  const status = waitForEnd(child);
  assertEquals(await child.exited(), status!);
});

test("ProcessDescriptor.exited() waits for many children at once", async () => {
  const children = Array.from({ length: 40 }, (_, i) => spawn("sh", ["-c", `exit ${i}`]));
  const statuses = await Promise.all(children.map((child) => child.exited()));
  assertEquals(statuses.map(({ code }) => code), children.map((_, i) => i));
  for (const child of children) child.close();
});

test("ProcessDescriptor.exited() rejects when it is aborted, and leaves the child", async () => {
  using child = spawn("sleep", ["60"]);
  await assertRejects(
    () => child.exited({ signal: AbortSignal.timeout(5) }),
    DOMException,
    "timeout",
  );
  const reason = new RangeError("no longer interested");
  await assertRejects(
    () => child.exited({ signal: AbortSignal.abort(reason) }),
    RangeError,
    "no longer",
  );
  child.sendSignal("SIGKILL");
  assertEquals((await child.exited()).signal, "SIGKILL");
});

test("ProcessDescriptor.exited() rejects when the descriptor is closed", async () => {
  const child = spawn("sleep", ["60"]);
  const { pid } = child;
  const exit = child.exited();
  // On a slow machine the wait begins only after the event loop has turned.
  await new Promise((resolve) => setTimeout(resolve, 100));
  child.sendSignal("SIGKILL");
  child.close();
  await assertRejects(() => exit, Deno.errors.BadResource);
  await assertRejects(() => child.exited(), OSError, "EBADF");
  using again = new ProcessDescriptor(pid);
  assertEquals((await again.exited()).signal, "SIGKILL");
});

test("ProcessDescriptor.exited() rejects when the process is not a child", async () => {
  using process = new ProcessDescriptor(Deno.pid);
  await assertRejects(() => process.exited(), OSError, "ECHILD");
});
