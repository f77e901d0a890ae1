import { assert, assertEquals, assertFalse } from "@std/assert";
import { libcCalls } from "../../../ffi/libc.ts";
import { FileDescriptor, SignalDescriptor } from "../../../ffi/fd/mod.ts";
import { DefaultSelector, EVENT_READ } from "../../../mod.ts";
import { BORN, descriptorFlags } from "../../support/descriptors.ts";
import { DEADLINE } from "../../support/deadline.ts";
import { linuxOnly, needs } from "../../support/skip.ts";
import { type Outcome, runProgram } from "../../support/subprocess.ts";
import { untilReadable } from "../../support/sockets.ts";
import { type ErrorCase, testErrors } from "../../support/error_cases.ts";

const libc = libcCalls({
  raise: { parameters: ["i32"], result: "i32" },
  getpid: { parameters: [], result: "i32" },
  getuid: { parameters: [], result: "u32" },
  pthread_sigmask: { parameters: ["i32", "pointer", "buffer"], result: "i32" },
});

const SIGUSR1 = 10;
const SIGUSR2 = 12;
const REALTIME = 40;

function test(name: string, fn: () => void | Promise<void>): void {
  Deno.test({ name, ...linuxOnly, fn });
}

/** Returns the mask of the signals that this thread blocks. */
function blocked(): bigint {
  const set = new BigUint64Array(16);
  libc().pthread_sigmask(0, null, set);
  return set[0]!;
}

function maskOf(...signals: number[]): bigint {
  return signals.reduce((mask, signal) => mask | 1n << BigInt(signal - 1), 0n);
}

function closed(): SignalDescriptor {
  const signals = new SignalDescriptor(["SIGUSR1"]);
  signals.close();
  return signals;
}

export const errorCases: readonly ErrorCase[] = [
  {
    name: "SignalDescriptor() throws TypeError when the system lacks a signal",
    error: TypeError,
    message: /^Cannot read signals: this system has no signal /,
    calls: ["SIGNONE", "USR1", "SIGINFO", "", "toString", null, {}, 1n].map((signal) => () =>
      new SignalDescriptor([signal as never])
    ),
  },
  {
    name: "SignalDescriptor() throws RangeError when no signal has the number",
    error: RangeError,
    message: /^Cannot read signals: a signal's number must be an integer from 1 to 64, received /,
    calls: [0, -1, 65, 1.5, NaN].map((signal) => () => new SignalDescriptor([signal])),
  },
  {
    name:
      "SignalDescriptor() throws RangeError without signals, and for one that cannot be blocked",
    error: RangeError,
    message: /^Cannot read signals: (there must be one or more|SIG(KILL|STOP) cannot be blocked)$/,
    calls: [[], ["SIGKILL"], ["SIGUSR1", "SIGSTOP"], [9]].map((signals) => () =>
      new SignalDescriptor(signals as Deno.Signal[])
    ),
  },
  {
    name: "SignalDescriptor.readSignal() throws OSError when it is closed",
    error: ["EBADF", "read"],
    message: /^Cannot read from a closed descriptor: /,
    calls: [() => closed().readSignal()],
  },
  {
    name: "SignalDescriptor.read() throws OSError when the buffer is too small",
    error: ["EINVAL", "read"],
    message: /^Cannot read from fd \d+: /,
    calls: [() => {
      using signals = new SignalDescriptor(["SIGUSR1"]);
      signals.read(new Uint8Array(127));
    }],
  },
];
testErrors(errorCases.map((errorCase) => ({ ...errorCase, ...linuxOnly })));

test("SignalDescriptor() blocks no signal when it throws", () => {
  const before = blocked();
  try {
    new SignalDescriptor(["SIGUSR1", "SIGKILL"]);
  } catch {
    // Tested above.
  }
  assertEquals(blocked(), before);
});

test("SignalDescriptor() makes a descriptor, non-blocking and close-on-exec", () => {
  using signals = new SignalDescriptor(["SIGUSR1"]);
  assert(signals instanceof FileDescriptor);
  assertEquals(descriptorFlags(signals.fileno()), BORN);
  assertEquals(signals.readSignal(), null);
  assertFalse(signals.seesProcess);
});

test("SignalDescriptor.readSignal() reads the signals to this thread and their sender", () => {
  using signals = new SignalDescriptor(["SIGUSR1", SIGUSR2, REALTIME]);
  for (const number of [SIGUSR2, REALTIME]) libc().raise(number);
  untilReadable(signals);
  const common = { code: -6, pid: libc().getpid(), uid: libc().getuid(), status: 0, value: 0 };
  assertEquals(signals.readSignal(), { signal: "SIGUSR2", number: SIGUSR2, ...common });
  assertEquals(signals.readSignal(), { signal: null, number: REALTIME, ...common });
  assertEquals(signals.readSignal(), null);
});

test("SignalDescriptor ends select()", () => {
  using signals = new SignalDescriptor(["SIGUSR1"]);
  using selector = new DefaultSelector();
  selector.register(signals, EVENT_READ);
  assertEquals(selector.select(0), []);
  libc().raise(SIGUSR1);
  assertEquals(selector.select(DEADLINE).length, 1);
});

test("SignalDescriptor.close() unblocks the signals that no other descriptor reads", () => {
  const before = blocked();
  const first = new SignalDescriptor(["SIGUSR1", "SIGUSR2"]);
  const second = new SignalDescriptor(["SIGUSR2", REALTIME]);
  assertEquals(blocked(), before | maskOf(SIGUSR1, SIGUSR2, REALTIME));
  first.close();
  first.close();
  assertEquals(blocked(), before | maskOf(SIGUSR2, REALTIME));
  second[Symbol.dispose]();
  assertEquals(blocked(), before);
});

test("SignalDescriptor.close() drops unread signals, which would end the program", () => {
  const signals = new SignalDescriptor(["SIGUSR1", REALTIME]);
  for (const number of [SIGUSR1, REALTIME, REALTIME]) libc().raise(number);
  signals.close();
});

test("SignalDescriptor.detach() leaves the signals blocked", async () => {
  const { stdout, stderr } = await runProgram(`
    const { raise } = Deno.dlopen("libc.so.6", {
      raise: { parameters: ["i32"], result: "i32" },
    }).symbols;
    const signals = new descriptors.SignalDescriptor(["SIGUSR2"]);
    const fd = signals.detach();
    signals.close();
    raise(${SIGUSR2}); // It would end the program.
    console.log(fd > 0);
  `);
  assertEquals([stdout, stderr], ["true", ""]);
});

test("SignalDescriptor does not see a signal to the process, which takes effect", async () => {
  const { signal, stdout } = await runProgram(`
    const signals = new descriptors.SignalDescriptor(["SIGTERM"]);
    console.log(signals.seesProcess);
    Deno.kill(Deno.pid, "SIGTERM");
    using selector = new selectors.DefaultSelector();
    selector.register(signals, EVENT_READ);
    selector.select();
    console.log(signals.readSignal());
  `);
  assertEquals([signal, stdout], ["SIGTERM", "false"]);
});

const blocking = needs(
  "an env that can block signals",
  Deno.build.os === "linux" &&
    new Deno.Command("env", { args: ["--block-signal=USR1", "true"], stderr: "null" })
      .outputSync().success,
);

Deno.test({
  name: "SignalDescriptor sees every signal if Deno was started with it blocked",
  ...linuxOnly,
  ...blocking,
  async fn() {
    const module = new URL("../../../ffi/fd/mod.ts", import.meta.url);
    const { stdout, stderr } = await runBlocked(`
      import { DefaultSelector, EVENT_READ } from "${new URL("../../../mod.ts", import.meta.url)}";
      import { SignalDescriptor } from "${module}";
      using signals = new SignalDescriptor(["SIGTERM", "SIGUSR1"]);
      using selector = new DefaultSelector();
      selector.register(signals, EVENT_READ);
      const { pid } = Deno;
      Deno.kill(pid, "SIGTERM");
      const seen = [signals.seesProcess, selector.select().length];
      seen.push(signals.readSignal().signal);
      const wait = selector.selectAsync();
      setTimeout(() => Deno.kill(pid, "SIGUSR1"), 50);
      seen.push((await wait).length);
      const info = signals.readSignal();
      console.log(...seen, info.signal, info.pid === pid, info.code);
    `);
    assertEquals([stdout, stderr], ["true 1 SIGTERM 1 SIGUSR1 true 0", ""]);
  },
});

/** Runs a program that starts with SIGTERM and SIGUSR1 blocked. */
async function runBlocked(source: string): Promise<Pick<Outcome, "stdout" | "stderr">> {
  const run = [Deno.execPath(), "run", "--no-config", "--quiet", "--allow-all", "-"];
  const child = new Deno.Command("env", {
    args: ["--block-signal=TERM,USR1", ...run],
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(source));
  await writer.close();
  const output = await child.output();
  const [stdout, stderr] = [output.stdout, output.stderr].map((bytes) =>
    new TextDecoder().decode(bytes).trim()
  );
  return { stdout, stderr };
}
