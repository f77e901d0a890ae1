import { assertEquals, assertGreater, assertMatch, assertStringIncludes } from "@std/assert";
import * as fd from "../../../ffi/fd/mod.ts";
import * as socket from "../../../ffi/socket/mod.ts";
import { OSError } from "../../../mod.ts";
import { libcPath } from "../../support/platform.ts";
import { linuxOnly, needs } from "../../support/skip.ts";
import { COUNT_DESCRIPTORS, runProgram } from "../../support/subprocess.ts";

Deno.test("the fd module exports what the contract names", () => {
  for (
    const name of `EventDescriptor FileDescriptor InotifyDescriptor OSError ProcessDescriptor
      SignalDescriptor Terminal TimerDescriptor ioctl isTerminal openTerminal pipe
      pseudoTerminal`.split(/\s+/)
  ) assertEquals(typeof fd[name as keyof typeof fd], "function", name);
  for (
    const name of `IN_ACCESS IN_ALL_EVENTS IN_ATTRIB IN_CLOSE_NOWRITE IN_CLOSE_WRITE IN_CREATE
      IN_DELETE IN_DELETE_SELF IN_DONT_FOLLOW IN_EXCL_UNLINK IN_IGNORED IN_ISDIR IN_MASK_ADD
      IN_MODIFY IN_MOVED_FROM IN_MOVED_TO IN_MOVE_SELF IN_ONESHOT IN_ONLYDIR IN_OPEN
      IN_Q_OVERFLOW IN_UNMOUNT O_APPEND O_CREAT O_EXCL O_NOCTTY O_RDONLY O_RDWR O_TRUNC
      O_WRONLY`.split(/\s+/)
  ) assertEquals(typeof fd[name as keyof typeof fd], "number", name);
});

Deno.test("the fd module exports the same FileDescriptor, pipe and OSError as the others", () => {
  assertEquals(fd.FileDescriptor, socket.FileDescriptor);
  assertEquals(fd.pipe, socket.pipe);
  assertEquals(fd.OSError, OSError);
});

Deno.test("the fd module is imported without any permission", async () => {
  const { code, stdout, stderr } = await runProgram(
    `
    import * as fd from "${new URL("../../../ffi/fd/mod.ts", import.meta.url)}";
    console.log(new fd.FileDescriptor(5).fileno(), new fd.Terminal(6).fileno());`,
    [],
  );
  assertEquals([code, stdout], [0, "5 6"], stderr);
});

Deno.test("the fd module opens nothing when it is imported", async () => {
  const { code, stdout, stderr } = await runProgram(`
    const dlopen = Deno.dlopen;
    let count = 0;
    Deno.dlopen = (...args) => (count++, dlopen(...args));
    const fd = await import("${new URL("../../../ffi/fd/mod.ts", import.meta.url)}");
    const before = count;
    fd.pipe();
    console.log(before, count > 0);
  `);
  assertEquals([code, stdout], [0, "0 true"], stderr);
});

Deno.test({
  name: "the fd module throws NotCapable that names the flag without permission",
  ...linuxOnly,
  async fn() {
    const { stdout, stderr } = await runProgram(
      `
      const { FileDescriptor, Terminal } = descriptors;
      for (const call of [
        () => new FileDescriptor(0).read(new Uint8Array(1)),
        () => new FileDescriptor(1).write(new Uint8Array(1)),
        () => new FileDescriptor(1).setBlocking(false),
        () => new FileDescriptor(1).isBlocking(),
        () => new FileDescriptor(1).close(),
        () => new FileDescriptor(1).dup(),
        () => new FileDescriptor(1).setInheritable(true),
        () => FileDescriptor.open("/dev/null"),
        () => descriptors.pipe(),
        () => new descriptors.EventDescriptor(),
        () => new descriptors.InotifyDescriptor(),
        () => new descriptors.ProcessDescriptor(1),
        () => descriptors.ProcessDescriptor.spawn("true"),
        () => new descriptors.SignalDescriptor(["SIGUSR1"]),
        () => new descriptors.TimerDescriptor(),
        () => new Terminal(0).raw(),
        () => new Terminal(0).windowSize(),
        () => descriptors.ioctl(0, 0x5413),
        () => descriptors.isTerminal(0),
        () => descriptors.openTerminal("/dev/tty"),
        () => descriptors.pseudoTerminal(),
      ]) {
        try { call(); console.log("no error"); }
        catch (error) { console.log(error instanceof Deno.errors.NotCapable, error.message); }
      }`,
      ["--allow-read", "--allow-write", "--allow-run", "--allow-env", "--allow-sys"],
    );
    const lines = stdout.split("\n");
    assertEquals(lines.length, 21, stderr);
    for (const line of lines) {
      assertStringIncludes(line, "true Cannot open libc without FFI permission");
      assertMatch(line, /--allow-ffi=\//);
    }
  },
});

/** Uses each kind of descriptor. */
const TOUR = `
  const fd = descriptors;
  const results = [];
  const { reader, writer } = fd.pipe();
  results.push(writer.write(new Uint8Array(2)), reader.read(new Uint8Array(3)));
  reader.close();
  writer.close();
  {
    using timer = new fd.TimerDescriptor();
    using event = new fd.EventDescriptor({ initial: 3 });
    using inotify = new fd.InotifyDescriptor();
    using signals = new fd.SignalDescriptor(["SIGUSR1"]);
    inotify.watch("/", fd.IN_CREATE);
    timer.start(0);
    using selector = new selectors.SelectSelector();
    selector.register(timer, EVENT_READ);
    selector.select();
    results.push(timer.readExpirations(), Number(event.readCounter()));
    results.push(inotify.readEvents().length, signals.readSignal());
  }
  {
    using pair = fd.pseudoTerminal();
    pair.manager.setWindowSize({ rows: 24, columns: 80 });
    results.push(pair.subsidiary.windowSize().rows, fd.isTerminal(pair.manager));
    using child = fd.ProcessDescriptor.spawn("tty", [], { stdin: pair.subsidiary });
    using selector = new selectors.SelectSelector();
    selector.register(child, EVENT_READ);
    selector.select();
    results.push(child.wait().code);
  }
  console.log(JSON.stringify(results));
`;

const permissions = [
  { name: "--allow-ffi", flags: ["--allow-ffi"], skip: {} },
  {
    name: "--allow-ffi=<libc>",
    flags: [`--allow-ffi=${libcPath}`],
    skip: needs("libc at one of its usual places", libcPath !== undefined),
  },
];

for (const { name, flags, skip } of permissions) {
  Deno.test({
    name: `the fd module needs no permission but ${name}`,
    ...linuxOnly,
    ...skip,
    async fn() {
      const { code, stdout, stderr } = await runProgram(TOUR, [
        ...flags,
        "--deny-read",
        "--deny-write",
        "--deny-net",
        "--deny-env",
        "--deny-sys",
        "--deny-run",
      ]);
      assertEquals([code, stderr], [0, ""]);
      const [tty, ...results] = stdout.split("\n");
      assertMatch(tty!, /^\/dev\/pts\/\d+$/);
      assertEquals(JSON.parse(results.join()), [2, 2, 1, 3, 0, null, 24, true, 0]);
    },
  });
}

Deno.test({
  name: "the fd module leaves no descriptor behind when calls throw",
  ...linuxOnly,
  async fn() {
    const tests = ["event", "inotify", "process", "signal", "timer"].map((name) =>
      `${name}_descriptor_test.ts`
    );
    const files = [...tests, "ioctl_test.ts", "spawn_test.ts", "terminal_test.ts"];
    const { code, stdout, stderr } = await runProgram(
      `
      ${
        files.map((file, i) =>
          `import { errorCases as cases${i} } from "${new URL(file, import.meta.url)}";`
        ).join("\n")
      }
      ${COUNT_DESCRIPTORS}
      let count = 0;
      const leaks = [];
      for (const { name, calls, ignore } of [${files.map((_, i) => `...cases${i}`)}]) {
        if (ignore) continue;
        const attempt = (call) => {
          count++;
          try { call(); } catch { /* As expected. */ }
        };
        attempt(calls[0]); // What is opened once per program is open from here on.
        const before = countDescriptors();
        calls.forEach(attempt);
        if (countDescriptors() !== before) leaks.push(name);
      }
      console.log(JSON.stringify({ count, leaks }));
      `,
      ["--allow-all", `--import-map=${new URL("../../../deno.json", import.meta.url).pathname}`],
    );
    assertEquals(code, 0, stderr);
    const { count, leaks } = JSON.parse(stdout.split("\n").at(-1)!);
    assertGreater(count, 150);
    assertEquals(leaks, []);
  },
});
