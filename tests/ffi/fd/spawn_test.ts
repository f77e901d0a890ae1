import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  FileDescriptor,
  pipe,
  ProcessDescriptor,
  pseudoTerminal,
  type SpawnOptions,
} from "../../../ffi/fd/mod.ts";
import { BORN, descriptorFlags, Pipe } from "../../support/descriptors.ts";
import { linuxOnly, type Skip } from "../../support/skip.ts";
import { COUNT_DESCRIPTORS, runProgram } from "../../support/subprocess.ts";
import { each, type ErrorCase, testErrors } from "../../support/error_cases.ts";
import { needsSpawnErrors, outputOf, readText, waitForEnd } from "./children.ts";
import { closedTerminal } from "./terminals.ts";

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
    name: "ProcessDescriptor.spawn() throws TypeError when the arguments are not an array",
    error: TypeError,
    message: /^Cannot start true: the arguments must be an array, received /,
    calls: each(["-c", null, 5, new Set(["a"])], (args) => spawn("true", args)),
  },
  {
    name: "ProcessDescriptor.spawn() throws TypeError when a stream is not a descriptor",
    error: TypeError,
    message: /^Cannot start true with this std(in|out|err): the file must be a number or have /,
    calls: each(["piped", null, {}, true], (stream) => spawn("true", [], { stdout: stream }))
      .concat(() => spawn("true", [], { stdin: "pipe", stdout: "pipe", stderr: "null" as never })),
  },
  {
    name: "ProcessDescriptor.spawn() throws OSError when a stream is closed",
    error: ["EBADF", "posix_spawnp"],
    message: /^Cannot start true with (a closed descriptor|fd 19999) as its std(in|out|err): /,
    calls: [
      () => spawn("true", [], { stdin: closed() }),
      () => spawn("true", [], { stdin: "pipe", stdout: 19_999 }),
      () => spawn("true", [], { stdin: "pipe", stdout: "pipe", stderr: closed() }),
    ],
  },
  {
    name: "ProcessDescriptor.spawn() throws TypeError when a path or a variable is not a string",
    error: TypeError,
    message: /^Cannot start true: the (working directory|variable A) must be a string, received /,
    calls: [
      ...each([null, 5, new URL("file:///tmp")], (cwd) => spawn("true", [], { cwd })),
      ...each([null, 5, undefined], (value) => spawn("true", [], { env: { A: value } })),
    ],
  },
  {
    name: "ProcessDescriptor.spawn() throws RangeError when a path or a variable contains a NUL",
    error: RangeError,
    message: /^Cannot start true: the (working directory|variable A|name of a variable) must not /,
    calls: [
      () => spawn("true", [], { cwd: "/tmp\0" }),
      () => spawn("true", [], { env: { A: "\0" } }),
      () => spawn("true", [], { env: { "A\0": "" } }),
    ],
  },
  {
    name: "ProcessDescriptor.spawn() throws RangeError when the name of a variable is not one",
    error: RangeError,
    message: /^Cannot start true: the name of a variable must not be empty or contain "=", /,
    calls: ["", "=", "A=B"].map((name) => () => spawn("true", [], { env: { [name]: "" } })),
  },
  {
    name: "ProcessDescriptor.spawn() throws OSError when the working directory is missing",
    error: ["ENOENT", "access"],
    message: /^Cannot start true in the directory (\/missing)?: /,
    calls: ["/missing", ""].map((cwd) => () => spawn("true", [], { cwd, stdout: "pipe" })),
  },
  {
    name: "ProcessDescriptor.spawn() throws OSError when the working directory is a file",
    error: ["ENOTDIR", "access"],
    message: /^Cannot start true in the directory \/etc\/passwd: /,
    calls: [() => spawn("true", [], { cwd: "/etc/passwd" })],
  },
  {
    name: "ProcessDescriptor.spawn() throws OSError when no directory of PATH has the program",
    error: ["ENOENT", "posix_spawnp"],
    message: /^Cannot start (no-such-program|sh|): /,
    calls: [
      () => spawn("no-such-program", [], { env: { PATH: "/missing:/usr/bin" }, stdin: "pipe" }),
      () => spawn("sh", [], { env: { PATH: "/etc" } }),
      () => spawn("sh", [], { env: { PATH: "" }, stdin: "pipe", stdout: "pipe", stderr: "pipe" }),
    ],
  },
  {
    name: "ProcessDescriptor.spawn() throws TypeError when the terminal is not a descriptor",
    error: TypeError,
    message: /^Cannot start true on this terminal: the file must be a number or have a fileno\(\) /,
    calls: each([null, "/dev/tty", {}], (terminal) => spawn("true", [], { terminal })),
  },
  {
    name: "ProcessDescriptor.spawn() throws TypeError when the terminal is a manager",
    error: TypeError,
    message: /^Cannot start true on fd \d+: the terminal must be the subsidiary side of a pseudo-/,
    calls: [() => {
      using pair = pseudoTerminal();
      spawn("true", [], { terminal: pair.manager });
    }],
  },
  {
    name: "ProcessDescriptor.spawn() throws OSError when the terminal is closed",
    error: ["EBADF", "isatty"],
    message: /^Cannot start true on a closed descriptor: /,
    calls: [() => spawn("true", [], { terminal: closedTerminal() })],
  },
  {
    name: "ProcessDescriptor.spawn() throws OSError when the terminal is not one",
    error: ["ENOTTY", "isatty"],
    message: /^Cannot start true on fd \d+: /,
    calls: [() => {
      using ends = pipe();
      spawn("true", [], { terminal: ends.reader, stdout: "pipe" });
    }],
  },
];
testErrors(errorCases.map((errorCase) => ({ ...errorCase, ...linuxOnly })));

test("ProcessDescriptor.spawn() passes arguments unchanged", () => {
  const args = ["a b", "", "$HOME", "'\"", "Zürich 🏔", "x".repeat(100_000)];
  assertEquals(outputOf("printf", ["%s|", ...args]), args.join("|") + "|");
});

test("ProcessDescriptor.spawn() passes the environment and looks in PATH", () => {
  Deno.env.set("READINESS_TEST", "in the environment");
  assertEquals(outputOf("sh", ["-c", "echo $READINESS_TEST"]), "in the environment\n");
  Deno.env.delete("READINESS_TEST");
});

test("ProcessDescriptor.spawn() adds variables to the environment, or clears it first", () => {
  Deno.env.set("READINESS_TEST", "inherited");
  const variables = (options: SpawnOptions) =>
    outputOf("/usr/bin/env", [], options).split("\n").filter((line) => line !== "").sort();
  const inherited = variables({});
  assert(inherited.includes("READINESS_TEST=inherited"));
  const others = inherited.filter((line) => !line.startsWith("READINESS_TEST="));
  const env = { READINESS_TEST: "a=b c", READINESS_NEW: "Zürich\u00a0🏔", READINESS_EMPTY: "" };
  const added = Object.entries(env).map(([name, value]) => `${name}=${value}`).sort();
  assertEquals(variables({ env }), [...others, ...added].sort());
  assertEquals(variables({ env, clearEnv: true }), added);
  assertEquals(variables({ clearEnv: true }), []);
  Deno.env.delete("READINESS_TEST");
});

test("ProcessDescriptor.spawn() looks in the PATH of the child", () => {
  const directory = Deno.makeTempDirSync();
  Deno.writeTextFileSync(`${directory}/hello`, "#!/bin/sh\necho found", { mode: 0o755 });
  Deno.mkdirSync(`${directory}/bin/hello`, { recursive: true });
  for (
    const [path, cwd] of [
      [directory],
      [`/missing:/etc/passwd:${directory}/bin:${directory}`],
      ["", directory],
      ["bin:.", directory],
    ] as const
  ) {
    const options = { env: { PATH: path }, ...(cwd === undefined ? {} : { cwd }) };
    assertEquals(outputOf("hello", [], options), "found\n", path);
  }
  assertEquals(outputOf("./hello", [], { cwd: directory }), "found\n");
  assertEquals(outputOf("sh", ["-c", "echo $0"], { clearEnv: true }), "sh\n");
  Deno.removeSync(directory, { recursive: true });
}, needsSpawnErrors);

test("ProcessDescriptor.spawn() starts the program in another directory", () => {
  const directory = Deno.realPathSync(Deno.makeTempDirSync());
  assertEquals(outputOf("pwd", [], { cwd: directory }), `${directory}\n`);
  assertEquals(outputOf("pwd", [], { cwd: "/" }), "/\n");
  Deno.removeSync(directory);
});

test("ProcessDescriptor.spawn() passes variables that are not Unicode", async () => {
  const { stdout, stderr } = await runProgram(
    `
    const { ProcessDescriptor } = descriptors;
    const show = (options) => {
      const script = "env -0 | grep -az ^READ_A | tr '\\\\0' ' ' | od -An -c";
      using child = ProcessDescriptor.spawn("sh", ["-c", script], options);
      using selector = new selectors.DefaultSelector();
      selector.register(child, EVENT_READ);
      selector.select();
      child.wait();
    };
    show({});
    show({ env: { READ_A: "new" } });
    Deno.env.set("READ_A", "set");
    show({});
    `,
    ["--allow-all"],
    {},
    (command) => ["sh", "-c", `exec env READ_A="$(printf 'a\\377')" "$@"`, "sh", ...command],
  );
  const a = "R   E   A   D   _   A   =";
  assertEquals(
    [stdout.split("\n").map((line) => line.trim()), stderr],
    [[`${a}   a 377`, `${a}   n   e   w`, `${a}   s   e   t`], ""],
  );
});

test("ProcessDescriptor.spawn() passes a whole environment while it changes", async () => {
  const changing = `
    const names = Array.from({ length: 200 }, (_, i) => "CHANGING_" + i);
    for (let i = 0;; i++) {
      for (const name of names) Deno.env.set(name, "x".repeat(1 + (i * 7919) % 100));
      for (const name of names) Deno.env.delete(name);
      if (i === 0) postMessage("ready");
    }
  `;
  const { stdout, stderr } = await runProgram(`
    const url = "data:text/javascript," + encodeURIComponent(${JSON.stringify(changing)});
    Deno.env.set("STAYS_1", "one");
    Deno.env.set("STAYS_2", "two");
    const worker = new Worker(url, { type: "module" });
    await new Promise((resolve) => worker.onmessage = resolve);
    const counts = {};
    const buffer = new Uint8Array(1 << 18);
    for (let i = 0; i < 100; i++) {
      const options = { stdout: "pipe", env: { NEW: "3" } };
      using child = descriptors.ProcessDescriptor.spawn("env", [], options);
      child.stdout.setBlocking(true);
      let length = 0;
      for (let size; (size = child.stdout.read(buffer.subarray(length)));) length += size;
      const lines = new TextDecoder().decode(buffer.subarray(0, length)).trim().split("\\n");
      const others = lines.filter((line) => !/^CHANGING_\\d+=x+$/.test(line));
      const isWhole = ["STAYS_1=one", "STAYS_2=two", "NEW=3"].every((line) =>
        others.includes(line)
      ) && !others.some((line) => line.startsWith("CHANGING"));
      using selector = new selectors.DefaultSelector();
      selector.register(child, EVENT_READ);
      selector.select();
      const outcome = isWhole + " " + child.wait().code;
      counts[outcome] = (counts[outcome] ?? 0) + 1;
    }
    console.log(JSON.stringify(counts));
    Deno.exit();
  `);
  assertEquals([stdout, stderr], ['{"true 0":100}', ""]);
});

test("ProcessDescriptor.spawn() passes the environment without a permission for it", async () => {
  const { stdout, stderr } = await runProgram(
    `
    const child = descriptors.ProcessDescriptor.spawn("sh", ["-c", "echo $READ_A $READ_B"], {
      env: { READ_B: "b" },
    });
    using selector = new selectors.DefaultSelector();
    selector.register(child, EVENT_READ);
    selector.select();
    child.wait();
    `,
    ["--allow-ffi"],
    { READ_A: "a", READ_B: "old" },
  );
  assertEquals([stdout, stderr], ["a b", ""]);
});

test("ProcessDescriptor.spawn() makes pipes, whose ends do not block here but in the child", () => {
  using child = spawn("sh", ["-c", "grep flags /proc/self/fdinfo/[012]; cat; echo bye >&2"], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
  for (const end of [child.stdin, child.stdout, child.stderr]) {
    assert(end instanceof FileDescriptor);
    assertEquals(descriptorFlags(end.fileno()), BORN);
  }
  child.stdin.write(new TextEncoder().encode("through"));
  child.stdin.close();
  const text = readText(child.stdout);
  const flags = [...text.matchAll(/flags:\s*(\d+)/g)].map(([, octal]) => parseInt(octal!, 8));
  assertEquals(flags.map((bits) => bits & 0o4000), [0, 0, 0]);
  assert(text.endsWith("through"));
  assertEquals(readText(child.stderr), "bye\n");
  assertEquals(waitForEnd(child)?.code, 0);
  const ends = [child.stdin, child.stdout, child.stderr];
  child.close();
  assertEquals(ends.map((end) => end.fileno()), [-1, -1, -1]);
});

test("ProcessDescriptor.stdin, stdout and stderr throw TypeError without a pipe", () => {
  using child = spawn("true", [], { stdin: "pipe" });
  assert(child.stdin.fileno() >= 0);
  for (const name of ["stdout", "stderr"] as const) {
    assertThrows(
      () => child[name],
      TypeError,
      `Cannot get the ${name} of process ${child.pid}: it is not a pipe`,
    );
  }
  waitForEnd(child);
});

test("ProcessDescriptor.spawn() loses no output in a pipe of either kind", () => {
  const expected = Array.from({ length: 300_000 }, (_, i) => `${i + 1}\n`).join("");
  {
    using child = spawn("seq", ["1", "300000"], { stdout: "pipe" });
    assert(readText(child.stdout) === expected);
    assertEquals(waitForEnd(child)?.code, 0);
  }
  assert(outputOf("seq", ["1", "300000"]) === expected);
});

test("ProcessDescriptor.spawn() makes a given stream blocking, and restores it on an error", () => {
  using ends = new Pipe();
  assertThrows(() => spawn("true", [], { stdout: ends.writer, stderr: "no" as never }), TypeError);
  assertThrows(() => spawn("/etc/passwd", [], { stdout: ends.writer, stdin: ends.reader }));
  assertEquals([ends.reader.isBlocking(), ends.writer.isBlocking()], [false, false]);
  using child = spawn("true", [], { stdout: ends.writer });
  assertEquals([ends.reader.isBlocking(), ends.writer.isBlocking()], [false, true]);
  waitForEnd(child);
}, needsSpawnErrors);

test("ProcessDescriptor.spawn() passes streams in any order, swapped or twice", async () => {
  const orders: SpawnOptions[] = [
    {},
    { stdout: 2, stderr: 1 },
    { stdout: 1, stderr: 2 },
    { stdout: 2 },
    { stderr: 1 },
    { stdout: 2, stderr: 2 },
    { stdin: 0, stdout: 2, stderr: 1 },
  ];
  for (const options of orders) {
    const { stdout, stderr } = await runProgram(`
      using child = descriptors.ProcessDescriptor.spawn(
        "sh", ["-c", "echo out; echo err >&2"], ${JSON.stringify(options)});
      using selector = new selectors.DefaultSelector();
      selector.register(child, EVENT_READ);
      selector.select();
      child.wait();
    `);
    const written = { 1: "", 2: "" };
    written[(options.stdout ?? 1) as 1] += "out\n";
    written[(options.stderr ?? 2) as 1] += "err\n";
    assertEquals([stdout, stderr], [written[1].trim(), written[2].trim()], JSON.stringify(options));
  }
});

test("ProcessDescriptor.spawn() rotates the three standard streams", async () => {
  // The child's input is this program's output, a socket or pipe that it cannot read, and so on.
  const { stdout } = await runProgram(
    `
    const link = (fd) => Deno.readLinkSync("/proc/self/fd/" + fd);
    using child = descriptors.ProcessDescriptor.spawn(
      "readlink", ["/proc/self/fd/0", "/proc/self/fd/1", "/proc/self/fd/2"],
      { stdin: 1, stdout: 2, stderr: 0 });
    using selector = new selectors.DefaultSelector();
    selector.register(child, EVENT_READ);
    selector.select();
    child.wait();
    console.log([1, 2, 0].map(link).join("\\n"));
  `,
    ["--allow-all"],
    {},
    (command) => ["sh", "-c", '"$@" 2>&1', "sh", ...command],
  );
  const lines = stdout.split("\n");
  assertEquals(lines.slice(0, 3), lines.slice(3));
});

test("ProcessDescriptor.spawn() does not read options from Object.prototype", async () => {
  const { stdout, stderr } = await runProgram(`
    const polluted = { cwd: "/missing", clearEnv: true, stdout: "pipe", terminal: 5 };
    Object.assign(Object.prototype, polluted);
    using child = descriptors.ProcessDescriptor.spawn("echo", ["fine"]);
    using selector = new selectors.SelectSelector();
    selector.register(child, EVENT_READ);
    selector.select();
    console.log(child.wait().code);
  `);
  assertEquals([stdout, stderr], ["fine\n0", ""]);
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

test("ProcessDescriptor.spawn() starts programs without blocked signals", async () => {
  const { stdout, stderr } = await runProgram(`
    using signals = new descriptors.SignalDescriptor(["SIGUSR1", "SIGTERM"]);
    const args = ["-E", "Sig(Blk|Ign)", "/proc/self/status"];
    using child = descriptors.ProcessDescriptor.spawn("grep", args);
    using selector = new selectors.DefaultSelector();
    selector.register(child, EVENT_READ);
    selector.select();
    child.wait();
  `);
  const [, blocked, ignored] = /^SigBlk:\s*(\w+)\nSigIgn:\s*(\w+)$/.exec(stdout)!;
  assertEquals([BigInt(`0x${blocked}`), stderr], [0n, ""]);
  assertEquals(BigInt(`0x${ignored}`) & SIGPIPE, 0n);
});

test("ProcessDescriptor.spawn() leaves nothing open and passes no other descriptor", async () => {
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
