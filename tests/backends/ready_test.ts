import {
  assert,
  assertEquals,
  assertGreater,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import {
  DefaultSelector,
  EpollSelector,
  EVENT_PRIORITY,
  EVENT_READ,
  EVENT_WRITE,
  type FileObject,
  OSError,
  PollSelector,
  ready,
  SelectSelector,
  sendAll,
  whenReadable,
  whenWritable,
} from "../../mod.ts";
import { holdLoop, loopMustTurn, loopTurned } from "../../backends/event_loop.ts";
import { FileDescriptor } from "../../ffi/fd/mod.ts";
import { DEADLINE } from "../support/deadline.ts";
import { Descriptor, needsDup2, Pair, Pipe } from "../support/descriptors.ts";
import { isPending, turnEventLoop } from "../support/event_loop.ts";
import { isLinux, isWindows } from "../support/os.ts";
import { linuxOnly, skipIf } from "../support/skip.ts";
import { runProgram } from "../support/subprocess.ts";

const BOTH = EVENT_READ | EVENT_WRITE;
const { BadResource } = Deno.errors;

Deno.test("ready() resolves with the ready events, which were asked for", async () => {
  using ends = new Pair();
  assertEquals(await ready(ends.left, EVENT_WRITE), EVENT_WRITE);
  assertEquals(await ready(ends.left.fileno(), BOTH), EVENT_WRITE);
  ends.fill();
  assertEquals(await ready(ends.left, EVENT_READ), EVENT_READ);
  assertEquals(await ready(ends.left, BOTH), BOTH);
});

Deno.test("ready() waits until a descriptor is ready, over and over", async () => {
  using ends = new Pair();
  for (const file of [ends.left, ends.left.fileno(), { fileno: () => ends.left.fileno() }]) {
    for (let i = 0; i < 10; i++) {
      const wait = ready(file, EVENT_READ);
      if (i % 3 === 0) assert(await isPending(wait));
      ends.fill();
      assertEquals(await wait, EVENT_READ);
      ends.drain();
    }
  }
});

Deno.test("ready() settles each of several waits by its own events", async () => {
  using ends = new Pair();
  ends.stuff();
  const reads = [ready(ends.left, EVENT_READ), ready(ends.left.fileno(), EVENT_READ)];
  const write = ready(ends.left, EVENT_WRITE);
  const both = ready(ends.left, BOTH);
  assert(await isPending(Promise.race([...reads, write, both])));
  ends.fill();
  assertEquals(await Promise.all([...reads, both]), [EVENT_READ, EVENT_READ, EVENT_READ]);
  assert(await isPending(write));
  while (ends.right.recv(new Uint8Array(1 << 16)));
  assertEquals(await write, EVENT_WRITE);
});

Deno.test("ready() resolves several waits in their order", async () => {
  using ends = new Pair();
  const order: number[] = [];
  const waits = [0, 1, 2, 3].map((i) => ready(ends.left, EVENT_READ).then(() => order.push(i)));
  await turnEventLoop();
  ends.fill();
  await Promise.all(waits);
  assertEquals(order, [0, 1, 2, 3]);
});

Deno.test("ready() reports a hang-up and an error as what was asked for", async () => {
  for (const events of [EVENT_READ, EVENT_WRITE, BOTH]) {
    using ends = new Pair();
    ends.stuff();
    const wait = ready(ends.left, events);
    assert(await isPending(wait));
    ends.right.close();
    assertEquals(await wait, events);
  }
});

Deno.test({
  name: "ready() takes a regular file as always ready",
  ...skipIf(isWindows, "only sockets are descriptors on Windows"),
  async fn() {
    using file = Descriptor.open(Deno.execPath());
    for (const events of [EVENT_READ, EVENT_WRITE, BOTH]) {
      assertEquals(await ready(file.fd, events), events);
    }
  },
});

Deno.test({
  name: "ready() and selectAsync() know that a regular file has no priority event",
  ...skipIf(isWindows, "only sockets are descriptors on Windows"),
  async fn() {
    using file = Descriptor.open(Deno.execPath());
    for (const Selector of [PollSelector, SelectSelector]) {
      using selector = new Selector();
      selector.register(file, EVENT_PRIORITY);
      const wait = selector.selectAsync();
      assert(await isPending(wait)); // The event loop is free.
      selector.wakeup();
      assertEquals(await wait, []);
    }
    if (!isLinux) return; // kqueue watches regular files.
    await assertRejects(() => ready(file.fd, EVENT_PRIORITY), OSError);
    assertEquals(await ready(file.fd, EVENT_PRIORITY | EVENT_READ), EVENT_READ);
  },
});

Deno.test("ready() rejects with RangeError for bad events and descriptors", async () => {
  using ends = new Pair();
  for (const events of [0, -1, 1.5, NaN, 1 << 20, 1 << 9, "1", null] as unknown[] as number[]) {
    await assertRejects(() => ready(ends.left, events), RangeError);
  }
  for (const file of [-1, 0.5, NaN, 2 ** 31, { fileno: () => -1 }]) {
    await assertRejects(() => ready(file, EVENT_READ), RangeError);
  }
});

Deno.test("ready() rejects with TypeError for what has no descriptor", async () => {
  for (const file of [undefined, null, "3", {}, { fileno: () => "3" }] as unknown[]) {
    await assertRejects(() => ready(file as FileObject, EVENT_READ), TypeError);
  }
});

Deno.test("ready() rejects with what fileno() throws", async () => {
  const error = new Error("no descriptor today");
  const file = {
    fileno() {
      throw error;
    },
  };
  assertStrictEquals(await rejection(ready(file, EVENT_READ)), error);
});

Deno.test("ready() rejects with OSError for a descriptor that is not open", async () => {
  using ends = new Pair();
  using closed = Descriptor.dupHigh(ends.left.fileno());
  closed.close();
  const error = await assertRejects(() => ready(closed.fd, EVENT_READ), OSError, "Cannot wait for");
  assert(["EBADF", "ENOTSOCK"].includes(error.code));
});

Deno.test("ready() rejects with BadResource when its object is closed", async () => {
  for (const close of ["close", "detach"] as const) {
    using ends = new Pair();
    const fd = ends.left.fileno();
    const waits = [ready(ends.left, EVENT_READ), ready(fd, EVENT_READ)];
    const rejected = waits.map((wait) => assertRejects(() => wait, BadResource, `fd ${fd}`));
    await turnEventLoop();
    ends.left[close]();
    await Promise.all(rejected);
    if (close === "detach") new Descriptor(fd).close();
  }
});

Deno.test("ready() lets go of a descriptor that is closed: its peer sees the end", async () => {
  using ends = new Pair();
  const wait = assertRejects(() => ready(ends.left, BOTH ^ EVENT_WRITE), BadResource);
  await turnEventLoop();
  ends.left.close();
  assertEquals(await whenReadable(ends.right, () => ends.right.recv(new Uint8Array(1))), 0);
  await wait;
});

Deno.test({
  name: "ready() is not settled by an event of a number that was closed and reused",
  ...needsDup2,
  async fn() {
    for (const events of [EVENT_READ, BOTH]) {
      using a = new Pair();
      using b = new Pair();
      b.stuff();
      using file = Descriptor.dupHigh(a.left.fileno());
      const controller = new AbortController();
      const old = rejection(ready(file.fd, EVENT_READ, controller));
      await turnEventLoop();
      controller.abort("given up");
      assertEquals(await old, "given up");
      file.becomes(b.left.fileno()); // The old file lives on as a.left.
      const wait = ready(file.fd, events);
      a.fill();
      assert(await isPending(wait));
      b.fill();
      assertEquals(await wait, EVENT_READ);
    }
  },
});

Deno.test("ready() works for a number that was closed and reused right after a wait", async () => {
  for (let i = 0; i < 20; i++) {
    using ends = new Pair();
    const wait = ready(ends.left.fileno(), EVENT_READ); // The same numbers, in each round.
    if (i % 2 === 0) await turnEventLoop();
    ends.fill();
    assertEquals(await wait, EVENT_READ);
  }
});

Deno.test({
  name: "ready() works for a number that was closed and reused unnoticed",
  ...needsDup2,
  async fn() {
    for (const isWaitedFor of [true, false]) {
      using a = new Pair();
      using b = new Pair();
      using file = Descriptor.dupHigh(a.left.fileno());
      a.fill();
      const old = ready(file.fd, isWaitedFor ? EVENT_PRIORITY : EVENT_READ);
      if (isWaitedFor) await turnEventLoop();
      else await old;
      a.drain();
      file.close();
      a.left.close(); // The system no longer watches anything under the number.
      file.becomes(b.left.fileno());
      const reused = new FileDescriptor(file.fd);
      const wait = ready(reused, EVENT_READ);
      assert(await isPending(wait));
      b.fill();
      assertEquals(await wait, EVENT_READ);
      if (isWaitedFor) {
        const rejected = assertRejects(() => old, BadResource);
        reused.detach();
        await rejected;
      }
    }
  },
});

Deno.test({
  name: "ready() does not spin when a number was closed unnoticed and the file lives on",
  ...needsDup2,
  async fn() {
    const { code, stdout, stderr } = await runProgram(`
      import process from "node:process";
      import { Descriptor } from "${new URL("../support/descriptors.ts", import.meta.url)}";
      const [left, right] = sockets.socketpair();
      while (left.send(new Uint8Array(1 << 16)) !== null);
      const copy = Descriptor.dup(left.fileno());
      const controller = new AbortController();
      const numbers = [EVENT_READ, EVENT_WRITE].map((events) =>
        selectors.ready(copy.fd, events, controller)
      );
      await new Promise((resolve) => setTimeout(resolve, 5));
      copy.close();
      while (right.recv(new Uint8Array(1 << 16)) !== null);
      console.log(await numbers[1]);
      let isIdle = false;
      for (let i = 0; i < 20 && !isIdle; i++) { // An emulator is busy with itself at first.
        const before = process.cpuUsage();
        await new Promise((resolve) => setTimeout(resolve, 500));
        const { user, system } = process.cpuUsage(before);
        isIdle = user + system < 25_000;
      }
      console.log(isIdle);
      controller.abort("stop");
      await numbers[0].catch(console.log);
    `);
    assertEquals([stderr, stdout, code], ["", "2\ntrue\nstop", 0]);
  },
});

Deno.test("ready() rejects when fileno() aborts the signal", async () => {
  using ends = new Pair();
  const controller = new AbortController();
  const file = {
    fileno() {
      controller.abort("by fileno()");
      return ends.left.fileno();
    },
  };
  assertEquals(await rejection(ready(file, EVENT_READ, controller)), "by fileno()");
});

Deno.test("ready() rejects when the signal is aborted before, during, and not after", async () => {
  using ends = new Pair();
  const signal = AbortSignal.abort("before");
  assertEquals(await rejection(ready(ends.left, EVENT_READ, { signal })), "before");
  const controller = new AbortController();
  const wait = rejection(ready(ends.left, EVENT_READ, controller));
  assert(await isPending(wait));
  controller.abort("during");
  assertEquals(await wait, "during");
  const late = new AbortController();
  const settled = ready(ends.left, EVENT_READ, late);
  ends.fill();
  assertEquals(await settled, EVENT_READ);
  late.abort("after");
});

Deno.test("ready() rejects with TypeError for what is not a signal", async () => {
  using ends = new Pair();
  for (const signal of [1, "abort", {}] as unknown[] as AbortSignal[]) {
    await assertRejects(() => ready(ends.left, EVENT_READ, { signal }), TypeError);
  }
});

Deno.test("ready() takes AbortSignal.timeout()", async () => {
  using ends = new Pair();
  const reason = await rejection(
    ready(ends.left, EVENT_READ, { signal: AbortSignal.timeout(5) }),
  );
  assertInstanceOf(reason, DOMException);
  assertEquals(reason.name, "TimeoutError");
});

Deno.test("ready() waits for a selector, which is ready when something of it is", async () => {
  using selector = new DefaultSelector();
  if (!("fileno" in selector)) return;
  using ends = new Pair();
  selector.register(ends.left, EVENT_READ);
  const wait = ready(selector as unknown as FileObject, EVENT_READ);
  assert(await isPending(wait));
  ends.fill();
  assertEquals(await wait, EVENT_READ);
});

Deno.test("ready() waits beside waits of selectors for the same descriptor", async () => {
  using ends = new Pair();
  for (const Selector of [PollSelector, SelectSelector, DefaultSelector]) {
    using selector = new Selector();
    const key = selector.register(ends.left, EVENT_READ);
    const waits = [ready(ends.left, EVENT_READ), selector.selectAsync()];
    assert(await isPending(Promise.race(waits)));
    ends.fill();
    assertEquals(await Promise.all(waits), [EVENT_READ, [[key, EVENT_READ]]]);
    ends.drain();
  }
});

Deno.test({
  name: "ready() leaves nothing watched for what no longer waits",
  ...linuxOnly,
  async fn() {
    const { code, stdout, stderr } = await runProgram(`
      const [left, right] = sockets.socketpair();
      const watched = () =>
        [...Deno.readDirSync("/proc/self/fdinfo")].flatMap(({ name }) => {
          try {
            return Deno.readTextFileSync("/proc/self/fdinfo/" + name).match(/^tfd:.*$/gm) ?? [];
          } catch {
            return [];
          }
        }).filter((line) => Number(/tfd:\\s*(\\d+)/.exec(line)[1]) === left.fileno()).length;
      const untilUnwatched = async () => {
        for (let i = 0; watched() > 0 && i < 10_000; i++) await new Promise((f) => setTimeout(f, 5));
      };
      const counts = [];
      const controller = new AbortController();
      const aborted = selectors.ready(left, 1, controller).catch(() => {});
      counts.push(watched());
      controller.abort();
      await aborted;
      await untilUnwatched();
      counts.push(watched());
      right.send(new Uint8Array(1));
      await selectors.ready(left, 1);
      await untilUnwatched();
      counts.push(watched());
      console.log(counts.join());
    `);
    assertEquals([stderr, stdout, code], ["", "1,0,0", 0]);
  },
});

Deno.test("ready() lets the process end when nothing waits", async () => {
  const { code, stdout, stderr } = await runProgram(`
    const [left, right] = sockets.socketpair();
    const controller = new AbortController();
    const wait = selectors.ready(left, 1, controller).catch((reason) => console.log(reason));
    setTimeout(() => controller.abort("aborted"), 5);
    await wait;
    setTimeout(() => right.send(new Uint8Array(1)), 5);
    console.log(await selectors.ready(left, 1));
  `);
  assertEquals([stderr, stdout, code], ["", "aborted\n1", 0]);
});

Deno.test("ready() keeps the process alive while it waits", async () => {
  const { code, stdout, stderr } = await runProgram(`
    const [left, right] = sockets.socketpair();
    const timer = setTimeout(() => right.send(new Uint8Array(1)), 20);
    Deno.unrefTimer(timer);
    console.log(await selectors.ready(left, 1));
  `);
  assertEquals([stderr, stdout, code], ["", "1", 0]);
});

Deno.test({
  name: "ready() leaves no descriptor behind when descriptors have run out",
  ...linuxOnly,
  async fn() {
    const { code, stdout, stderr } = await runProgram(
      `
      const open = () => descriptors.FileDescriptor.open("/dev/null");
      const [left, right] = sockets.socketpair();
      const held = [];
      try {
        for (;;) held.push(open());
      } catch {}
      for (let i = 0; i < 3; i++) {
        held.pop().close(); // Two are needed.
        console.log(await selectors.ready(left, EVENT_READ).catch(({ code }) => code));
        held.push(open());
      }
      for (const one of held) one.close();
      right.send(new Uint8Array(1));
      console.log(await selectors.ready(left, EVENT_READ));
    `,
      ["--allow-all"],
      {},
      (command) => ["sh", "-c", 'ulimit -n 300; exec "$@"', "sh", ...command],
    );
    assertEquals([stderr, stdout, code], ["", "EMFILE\nEMFILE\nEMFILE\n1", 0]);
  },
});

Deno.test({
  name: "whenReadable() and selectAsync() can wait after descriptors have run out",
  ...linuxOnly,
  async fn() {
    for (const begin of ["selectors.whenReadable(left, () => 1)", "selector.selectAsync(0)"]) {
      const { code, stdout, stderr } = await runProgram(
        `
        using selector = new selectors.DefaultSelector();
        const [left, right] = sockets.socketpair();
        await ${begin};
        Deno.addSignalListener("SIGWINCH", () => {}); // Opens what Deno opens in half a second.
        try {
          for (;;) descriptors.FileDescriptor.open("/dev/null");
        } catch ({ code }) {
          console.log(code);
        }
        setTimeout(() => right.send(new Uint8Array(1)), 5);
        console.log(await selectors.ready(left, EVENT_READ));
        Deno.exit();
      `,
        ["--allow-all"],
        {},
        (command) => ["sh", "-c", 'ulimit -n 300; exec "$@"', "sh", ...command],
      );
      assertEquals([stderr, stdout, code], ["", "EMFILE\n1", 0]);
    }
  },
});

Deno.test({
  name: "ready() and selectAsync() let go of a closed descriptor where there is no epoll",
  ...linuxOnly,
  async fn() {
    // With its name, the call gets a number that no system call has.
    const { code, stdout, stderr } = await runProgram(`
      const { dlopen } = Deno;
      Deno.dlopen = (path, calls) =>
        dlopen(path, Object.fromEntries(Object.entries(calls).map(([name, call]) =>
          [name, name === "epoll_create1" ? { ...call, name: "syscall" } : call]
        )));
      using selector = new selectors.DefaultSelector();
      const [left, right] = sockets.socketpair();
      selector.register(left, EVENT_READ);
      const wait = selector.selectAsync();
      const one = selectors.ready(left, EVENT_READ).catch(({ name }) => console.log(name));
      await new Promise((resolve) => setTimeout(resolve, 20));
      left.close();
      await one;
      let size = null;
      for (let i = 0; size === null && i < 10_000; i++) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        size = right.recv(new Uint8Array(1));
      }
      console.log(selector.constructor.name, size);
      selector.wakeup();
      await wait;
    `);
    assertEquals([stderr, stdout, code], ["", "BadResource\nPollSelector 0", 0]);
  },
});

Deno.test("ready() and selectAsync() outlive a clock that a test has frozen", async () => {
  const { code, stdout, stderr } = await runProgram(`
    performance.now = () => 0;
    globalThis.setImmediate = () => {};
    const [left, right] = sockets.socketpair();
    using selector = new selectors.DefaultSelector();
    selector.register(left, 1);
    console.log((await selector.selectAsync(5)).length);
    right.send(new Uint8Array(1));
    console.log(await selectors.ready(left, 1));
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    while (ticks < 3) await selector.selectAsync();
    while (ticks < 6) await selectors.whenReadable(left, () => 1);
    clearInterval(timer);
  `);
  assertEquals([stderr, stdout, code], ["", "0\n1", 0]);
});

Deno.test("ready() needs no permission but --allow-ffi", async () => {
  for (const flags of [["--allow-ffi"], []]) {
    const { stdout } = await runProgram(
      `
      const file = { fileno: () => 0 };
      console.log(await selectors.ready(file, 2, { signal: AbortSignal.timeout(1) })
        .then(() => "ready", (error) => error.name));
    `,
      flags,
    );
    if (flags.length === 0) assertEquals(stdout, "NotCapable");
    else assert(stdout !== "NotCapable", stdout);
  }
});

Deno.test("33 selectors and 100 descriptors wait at once, and files are still read", async () => {
  using stack = new DisposableStack();
  const selectors = Array.from({ length: 33 }, () => stack.use(new DefaultSelector()));
  const pairs = Array.from({ length: 133 }, () => stack.use(new Pair()));
  const waits = pairs.map(({ left }, i) => {
    const selector = selectors[i];
    if (selector === undefined) return ready(left, EVENT_READ);
    selector.register(left, EVENT_READ);
    return selector.selectAsync().then((ready) => ready[0]![1]);
  });
  assert(await isPending(Promise.race(waits)));
  assertGreater((await Deno.readTextFile(new URL(import.meta.url))).length, 0);
  for (const ends of pairs) ends.fill();
  assertEquals(new Set(await Promise.all(waits)), new Set([EVENT_READ]));
});

Deno.test("whenReadable() calls the attempt first, and again when it may succeed", async () => {
  using ends = new Pair();
  let calls = 0;
  const attempt = () => {
    calls++;
    return ends.left.recv(new Uint8Array(9));
  };
  ends.fill();
  assertEquals([await whenReadable(ends.left, attempt), calls], [1, 1]);
  const wait = whenReadable(ends.left, attempt);
  assert(await isPending(wait));
  ends.fill();
  assertEquals(await wait, 1);
  assert(calls === 2 || calls === 3); // 2 if the first attempt had to let the loop turn.
  ends.right.close();
  assertEquals(await whenReadable(ends.left, attempt), 0);
});

Deno.test("whenReadable() tries again while the attempt leaves data unread", async () => {
  using ends = new Pair();
  ends.fill();
  let calls = 0;
  assertEquals(await whenReadable(ends.left, () => ++calls < 5 ? null : "done"), "done");
});

Deno.test({
  name: "whenReadable() tries again and again at the end of a regular file",
  ...skipIf(isWindows, "only sockets are descriptors on Windows"),
  async fn() {
    using file = Descriptor.open(Deno.execPath());
    let calls = 0;
    assertEquals(await whenReadable(file.fd, () => ++calls < 10_000 ? null : calls), 10_000);
  },
});

Deno.test("whenReadable() resolves with whatever is not null", async () => {
  using ends = new Pair();
  for (const value of [0, "", false, undefined]) {
    assertStrictEquals(await whenReadable(ends.left, () => value), value);
  }
});

Deno.test("whenReadable() rejects with what the attempt throws", async () => {
  using ends = new Pair();
  const error = new Error("no attempt today");
  let isFirst = true;
  const attempt = () => {
    if (!isFirst) throw error;
    isFirst = false;
    return null;
  };
  const wait = rejection(whenReadable(ends.left, attempt));
  ends.fill();
  assertStrictEquals(await wait, error);
  assertStrictEquals(await rejection(whenReadable(ends.left, attempt)), error);
});

Deno.test("whenReadable() rejects when the attempt aborts the signal", async () => {
  using ends = new Pair();
  const controller = new AbortController();
  const attempt = () => {
    controller.abort("enough");
    return null;
  };
  assertEquals(await rejection(whenReadable(ends.left, attempt, controller)), "enough");
});

Deno.test("whenReadable() rejects when it is aborted, without an attempt", async () => {
  using ends = new Pair();
  const signal = AbortSignal.abort("stop");
  const attempt = () => assert(false, "No attempt must be made");
  assertEquals(await rejection(whenReadable(ends.left, attempt, { signal })), "stop");
  const controller = new AbortController();
  const wait = rejection(
    whenReadable(ends.left, () => ends.left.recv(new Uint8Array(1)), controller),
  );
  assert(await isPending(wait));
  controller.abort("later");
  assertEquals(await wait, "later");
});

Deno.test("whenReadable() accepts connections, and sees a listener that is closed", async () => {
  const { AF_INET, SOCK_STREAM, Socket } = await import("../../ffi/socket/mod.ts");
  const server = new Socket(AF_INET, SOCK_STREAM);
  server.bind({ hostname: "127.0.0.1", port: 0 });
  server.listen();
  using client = new Socket(AF_INET, SOCK_STREAM);
  const accepted = whenReadable(server, () => server.accept());
  client.connect(server.localAddress);
  using connection = await accepted;
  assertEquals(connection.remoteAddress, client.localAddress);
  const wait = assertRejects(() => whenReadable(server, () => server.accept()), BadResource);
  await turnEventLoop();
  server.close();
  await wait;
});

Deno.test("whenReadable() and sendAll() reject what is closed before their first attempt", async () => {
  for (
    const wait of [
      ({ left }: Pair) => whenReadable(left, () => left.recv(new Uint8Array(1))),
      ({ left }: Pair) => whenWritable(left, () => left.send(new Uint8Array(1))),
      ({ left }: Pair) => sendAll(left, new Uint8Array(1)),
    ]
  ) {
    using ends = new Pair();
    holdLoop();
    while (!loopMustTurn()); // So the attempt is put off.
    const rejected = assertRejects(() => wait(ends), BadResource, `fd ${ends.left.fileno()}`);
    ends.left.close();
    await rejected;
  }
});

Deno.test("whenReadable() rejects when the attempt of another wait closes its descriptor", async () => {
  using stack = new DisposableStack();
  const pairs = Array.from({ length: 4 }, () => stack.use(new Pair()));
  const attempts = new Set<Pair>();
  const waits = pairs.map((ends) =>
    whenReadable(ends.left, () => {
      if (ends.left.recv(new Uint8Array(1)) === null) return null;
      attempts.add(ends);
      for (const other of pairs) if (other !== ends) other.left.close();
    })
  );
  assert(await isPending(Promise.race(waits)));
  for (const ends of pairs) ends.fill();
  const results = await Promise.allSettled(waits);
  assertEquals(attempts.size, 1);
  const reasons = results.flatMap((result) => result.status === "rejected" ? [result.reason] : []);
  assertEquals(reasons.map(({ name }) => name), ["BadResource", "BadResource", "BadResource"]);
});

Deno.test("ready() rejects when the attempt of another wait closes its descriptor", async () => {
  using a = new Pair();
  using b = new Pair();
  loopTurned(); // So the attempts are not put off.
  // Whichever is found first closes the other.
  const attempts = [[a, b], [b, a]].map(([one, other]) =>
    whenReadable(one!.left, () => {
      if (one!.left.recv(new Uint8Array(1)) === null) return null;
      other!.left.close();
      return "closed the other";
    })
  );
  const waits = [a, b].map(({ left }) => ready(left, EVENT_READ));
  const outcomes = Promise.allSettled([...attempts, ...waits]);
  await turnEventLoop();
  a.fill();
  b.fill();
  const results = (await outcomes).map((outcome) =>
    outcome.status === "fulfilled" ? outcome.value : outcome.reason.name
  );
  const [first] = results;
  assertEquals(
    results,
    first === "BadResource"
      ? ["BadResource", "closed the other", "BadResource", EVENT_READ]
      : ["closed the other", "BadResource", EVENT_READ, "BadResource"],
  );
});

Deno.test("whenReadable() resolves with what an attempt returns that closes its descriptor", async () => {
  using ends = new Pair();
  const wait = whenReadable(ends.left, () => {
    const size = ends.left.recv(new Uint8Array(9));
    if (size !== null) ends.left.close();
    return size;
  });
  assert(await isPending(wait));
  ends.right.send(new Uint8Array(3));
  assertEquals(await wait, 3);
});

Deno.test("whenReadable() rejects when an attempt closes its descriptor and returns null", async () => {
  for (const closesAt of [1, 2]) {
    using ends = new Pair();
    ends.right.send(new Uint8Array(1));
    let attempts = 0;
    const attempt = () => {
      if (++attempts === closesAt) ends.left.close();
      return null;
    };
    await assertRejects(() => whenReadable(ends.left, attempt), BadResource, "it was closed");
    assertEquals(attempts, closesAt);
  }
});

Deno.test("sendAll() rejects when its descriptor is closed as it becomes writable", async () => {
  using ends = new Pair();
  ends.stuff();
  loopTurned(); // So the attempt is not put off.
  const closing = ready(ends.left, EVENT_WRITE).then(() => ends.left.close());
  const sending = assertRejects(() => sendAll(ends.left, new Uint8Array(1)), BadResource);
  const buffer = new Uint8Array(1 << 20);
  while (ends.right.recv(buffer));
  await closing;
  await sending;
});

Deno.test({
  name: "ready() of a regular file rejects when it is closed or aborted",
  ...linuxOnly,
  async fn() {
    using file = FileDescriptor.open("/proc/self/exe");
    const controller = new AbortController();
    const aborted = assertRejects(() => ready(file, EVENT_READ, controller), Error, "mine");
    controller.abort(new Error("mine"));
    await aborted;
    const closed = assertRejects(() => ready(file, EVENT_READ), BadResource, "it was closed");
    file.close();
    await closed;
  },
});

Deno.test("whenReadable() does not starve timers when the attempt never blocks", async () => {
  using ends = new Pair();
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  const deadline = performance.now() + DEADLINE;
  while (ticks < 3) {
    await whenReadable(ends.left, () => 1);
    assert(performance.now() < deadline, "timers are starved");
  }
  clearInterval(timer);
});

Deno.test("whenWritable() waits for room", async () => {
  using ends = new Pair();
  ends.stuff();
  const wait = whenWritable(ends.left, () => ends.left.send(new Uint8Array(1)));
  assert(await isPending(wait));
  while (ends.right.recv(new Uint8Array(1 << 16)));
  assertEquals(await wait, 1);
});

Deno.test("sendAll() sends every byte in order, whatever room there is", async () => {
  using ends = new Pair();
  const data = crypto.getRandomValues(new Uint8Array(65_536));
  const whole = new Uint8Array(40 * data.length).map((_, i) => data[i % data.length]! ^ i >> 16);
  const sent = sendAll(ends.left, whole).then(() => ends.left.shutdown("write"));
  const received: Uint8Array[] = [];
  const buffer = new Uint8Array(100_000);
  for (;;) {
    const size = await whenReadable(ends.right, () => ends.right.recv(buffer));
    if (size === 0) break;
    received.push(buffer.slice(0, size));
  }
  await sent;
  assertEquals(await new Blob(received as BlobPart[]).bytes(), whole);
});

Deno.test("sendAll() sends nothing when there is nothing to send", async () => {
  using ends = new Pair();
  await sendAll(ends.left, new Uint8Array());
  assertEquals(ends.right.recv(new Uint8Array(1)), null);
});

Deno.test("sendAll() rejects when the peer is gone, or it is aborted", async () => {
  const data = new Uint8Array(1 << 24);
  {
    using ends = new Pair();
    ends.stuff();
    const sent = assertRejects(() => sendAll(ends.left, data), OSError);
    await turnEventLoop();
    ends.right.close();
    await sent;
  }
  using ends = new Pair();
  ends.stuff();
  const controller = new AbortController();
  const sent = rejection(sendAll(ends.left, data, controller));
  assert(await isPending(sent));
  controller.abort("enough");
  assertEquals(await sent, "enough");
});

Deno.test({
  name: "ready() waits for pipes",
  ...skipIf(isWindows, "a pipe is a pair of sockets on Windows"),
  async fn() {
    using pipe = new Pipe();
    assertEquals(await ready(pipe.writer, EVENT_WRITE), EVENT_WRITE);
    const wait = ready(pipe.reader, EVENT_READ);
    assert(await isPending(wait));
    pipe.writer.close();
    assertEquals(await wait, EVENT_READ);
  },
});

Deno.test({
  name: "600 epoll instances that watch one socket wait at once",
  ...linuxOnly,
  async fn() {
    using stack = new DisposableStack();
    using ends = new Pair();
    const waits = Array.from({ length: 600 }, () => {
      const selector = stack.use(new EpollSelector());
      selector.register(ends.left, EVENT_READ);
      return selector.selectAsync();
    });
    assert(await isPending(Promise.race(waits)));
    ends.fill();
    for (const [[, events]] of await Promise.all(waits)) assertEquals(events, EVENT_READ);
  },
});

function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then((value) => `no rejection, but ${value}`, (reason) => reason);
}
