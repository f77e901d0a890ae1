import {
  assert,
  assertEquals,
  assertLess,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { AF_INET, SOCK_STREAM, Socket } from "../../ffi/socket/mod.ts";
import {
  EDGE_TRIGGERED,
  EpollSelector,
  EVENT_READ,
  EVENT_WRITE,
  EXCLUSIVE,
  OSError,
  PollSelector,
  ready,
  wake,
} from "../../mod.ts";
import { inTime } from "../support/deadline.ts";
import { Descriptor, descriptorFlags, Pair, Pipe } from "../support/descriptors.ts";
import { isPending, turnEventLoop } from "../support/event_loop.ts";
import { linuxOnly } from "../support/skip.ts";
import { runProgram } from "../support/subprocess.ts";
import { sharedSuite } from "./shared_suite.ts";

sharedSuite({
  name: "EpollSelector",
  create: () => new EpollSelector(),
  source: "new selectors.EpollSelector()",
  supports: (events) => EpollSelector.supports(events),
  descriptorsAreChecked: true,
  seesReuse: true,
  skip: linuxOnly,
});

function test(name: string, fn: (selector: EpollSelector) => void | Promise<void>): void {
  Deno.test({
    name,
    ...linuxOnly,
    async fn() {
      using selector = new EpollSelector();
      await fn(selector);
    },
  });
}

test("EpollSelector.isAvailable() is true on Linux", () => {
  assertEquals(EpollSelector.isAvailable(), true);
});

test("EpollSelector.register() throws OSError EPERM for a regular file", (selector) => {
  using file = Descriptor.open(Deno.execPath());
  const error = assertThrows(() => selector.register(file, EVENT_READ), OSError);
  assertEquals([error.code, error.syscall], ["EPERM", "epoll_ctl"]);
  assertStringIncludes(
    error.message,
    `Cannot register fd ${file.fd} (Descriptor): it is always ready, like every regular file`,
  );
  assertEquals(selector.getMap().size, 0);
  assertEquals(selector.select(0), []);
});

test("EpollSelector.fileno() can be registered with other selectors", (selector) => {
  using ends = new Pair();
  using outer = new EpollSelector();
  using poller = new PollSelector();
  const nested = outer.register(selector, EVENT_READ);
  const polled = poller.register(selector, EVENT_READ);
  assertEquals(nested.fd, selector.fileno());
  selector.register(ends.left, EVENT_READ);
  assertEquals([outer.select(0), poller.select(0)], [[], []]);
  ends.fill();
  assertEquals(outer.select(), [[nested, EVENT_READ]]);
  assertEquals(poller.select(), [[polled, EVENT_READ]]);
});

test("EpollSelector.fileno() throws BadResource when the selector is closed", (selector) => {
  selector.close();
  assertThrows(() => selector.fileno(), Deno.errors.BadResource, "the selector is closed");
});

test("EpollSelector.fileno() is close-on-exec", (selector) => {
  assert(descriptorFlags(selector.fileno()).closeOnExec);
});

test("EpollSelector.register() throws OSError for itself and for a cycle", (selector) => {
  using other = new EpollSelector();
  assertEquals(
    assertThrows(() => selector.register(selector, EVENT_READ), OSError).code,
    "EINVAL",
  );
  selector.register(other, EVENT_READ);
  assertEquals(assertThrows(() => other.register(selector, EVENT_READ), OSError).code, "ELOOP");
  assertEquals([selector.getMap().size, other.getMap().size], [1, 0]);
});

test("EpollSelector.modify() throws OSError ENOENT when the descriptor was reused", (selector) => {
  using a = new Pair();
  using b = new Pair();
  using file = Descriptor.dupHigh(a.left.fileno());
  selector.register(file, EVENT_READ);
  file.becomes(b.left.fileno());
  const error = assertThrows(() => selector.modify(file, EVENT_WRITE), OSError);
  assertEquals([error.code, error.syscall], ["ENOENT", "epoll_ctl"]);
  assertEquals(selector.getMap().size, 0);
  selector.register(file, EVENT_WRITE);
  assertEquals(selector.select().length, 1);
});

test("EpollSelector.select() rebuilds its set without a closed descriptor", async (selector) => {
  using a = new Pair();
  using b = new Pair();
  using c = new Pair();
  using orphan = Descriptor.dupHigh(a.left.fileno());
  const number = selector.fileno();
  const waker = selector.waker();
  const kept = selector.register(b.left, EVENT_READ, "kept");
  selector.register(orphan, EVENT_READ, "orphan");
  orphan.close();
  selector.unregister(orphan);
  const late = selector.register(c.left, EVENT_WRITE, "registered later");
  a.fill(); // An event of the orphan, which no system call can remove.

  assertEquals(selector.select(), [[late, EVENT_WRITE]]);
  selector.unregister(c.left);
  assertEquals(selector.select(1), []);
  using poller = new PollSelector();
  poller.register(selector, EVENT_READ);
  assertEquals(poller.select(0), []); // The orphan would show here.

  assertEquals(selector.fileno(), number);
  b.fill();
  assertEquals(selector.select(), [[kept, EVENT_READ]]);
  assertEquals(await selector.selectAsync(), [[kept, EVENT_READ]]);
  b.drain();
  waker.wake();
  assertEquals(selector.select(), []);
  assertEquals(selector.modify(b.left, EVENT_WRITE).events, EVENT_WRITE);
  assertEquals(selector.select().length, 1);
});

test("EpollSelector.select() rebuilds its set without a descriptor that was reused", (selector) => {
  using left = new Pair();
  using old = new Pair();
  using next = new Pair();
  using orphan = Descriptor.dupHigh(left.left.fileno());
  using reused = Descriptor.dupHigh(old.left.fileno());
  selector.register(reused, EVENT_READ, "the old one");
  selector.register(orphan, EVENT_READ, "orphan");
  orphan.close();
  selector.unregister(orphan);
  old.left.close(); // With its last descriptor the open file leaves the set.
  reused.becomes(next.left.fileno());
  next.fill();
  left.fill(); // Makes the selector rebuild its set.
  assertEquals(selector.select(0), []);
  assertEquals(selector.select(0), []);
});

test("EpollSelector.register() replaces a stale registration, exclusive or not", (selector) => {
  using a = new Pair();
  using b = new Pair();
  using file = Descriptor.dupHigh(a.left.fileno());
  for (const [left, next] of [[EXCLUSIVE, 0], [0, EXCLUSIVE], [EXCLUSIVE, EXCLUSIVE]] as const) {
    selector.register(file, EVENT_READ | left);
    file.becomes(b.left.fileno());
    selector.unregister(file);
    file.becomes(a.left.fileno());
    const key = selector.register(file, EVENT_READ | next);
    assertEquals(selector.select(0), []);
    a.fill();
    assertEquals(selector.select(), [[key, EVENT_READ]]);
    a.drain();
    selector.unregister(file);
  }
});

test("EpollSelector.fileno() can be waited for, also when the set was rebuilt", async (selector) => {
  using a = new Pair();
  using b = new Pair();
  using file = Descriptor.dupHigh(a.left.fileno());
  selector.register(file, EVENT_READ);
  selector.register(b.left, EVENT_READ);
  const wait = ready(selector, EVENT_READ);
  await turnEventLoop();
  file.close();
  selector.unregister(file);
  a.fill();
  assertEquals(await wait, EVENT_READ); // Nobody has looked yet.
  const again = ready(selector, EVENT_READ);
  assertEquals(selector.select(0), []);
  assert(await isPending(again));
  b.fill();
  assertEquals(await again, EVENT_READ);
});

test("EpollSelector.selectAsync() watches directly if 500 others watch, or rejects", async () => {
  using ends = new Pair();
  for (const mode of [0, EDGE_TRIGGERED]) {
    using stack = new DisposableStack();
    const selectors = Array.from({ length: 510 }, () => stack.use(new EpollSelector()));
    for (const one of selectors) one.register(ends.left, EVENT_READ | mode);
    const waits = selectors.map((one) => one.selectAsync());
    if (mode !== 0) {
      const rejected = waits.splice(500);
      for (const wait of rejected) await assertRejects(() => wait, OSError, "EDGE_TRIGGERED");
    }
    await turnEventLoop();
    ends.fill();
    for (const wait of waits) assertEquals((await wait).length, 1);
    ends.drain();
  }
});

test("EpollSelector.selectAsync() rebuilds its set without a closed file", async (selector) => {
  using a = new Pair();
  using b = new Pair();
  using orphan = Descriptor.dupHigh(a.left.fileno());
  const kept = selector.register(b.left, EVENT_READ);
  selector.register(orphan, EVENT_READ);
  const wait = selector.selectAsync();
  orphan.close();
  selector.unregister(orphan);
  a.fill();
  b.fill();
  assertEquals(await wait, [[kept, EVENT_READ]]);
  orphan.becomes(b.left.fileno());
  selector.register(orphan, EVENT_WRITE, "new");
  b.drain();
  assertEquals((await selector.selectAsync()).map(([key]) => key.data), ["new"]);
});

test("EpollSelector.select() does not spin on a closed descriptor in its set", async (selector) => {
  using ends = new Pair();
  using orphan = Descriptor.dupHigh(ends.left.fileno());
  const key = selector.register(ends.left, EVENT_READ);
  selector.register(orphan, EVENT_READ);
  orphan.close();
  selector.unregister(orphan);
  selector.unregister(ends.left);
  ends.fill();
  assertEquals(selector.select(2), []);
  assertEquals(await selector.selectAsync(2), []);
  selector.register(ends.left, EVENT_READ);
  assertEquals(selector.select().map(([{ fd }]) => fd), [key.fd]);
});

test("EpollSelector.select() throws EMFILE while it cannot rebuild its set", async (selector) => {
  selector.close();
  const { code, stdout, stderr } = await runProgram(`
    const { dup2, close } = Deno.dlopen("libc.so.6", {
      dup2: { parameters: ["i32", "i32"], result: "i32" },
      close: { parameters: ["i32"], result: "i32" },
    }).symbols;
    using selector = new selectors.EpollSelector();
    const [a, peer] = sockets.socketpair();
    const [b] = sockets.socketpair();
    const number = 500;
    dup2(a.fileno(), number);
    selector.register(number, EVENT_READ, "old");
    close(number);
    selector.unregister(number);
    dup2(b.fileno(), number);
    selector.register(number, EVENT_READ, "new");
    peer.send(new Uint8Array(1));
    const taken = [];
    try {
      for (;;) taken.push(...sockets.socketpair());
    } catch (error) {
      console.log(error.code);
    }
    try {
      for (;;) taken.push(new sockets.Socket(sockets.AF_INET, sockets.SOCK_DGRAM));
    } catch (error) {
      console.log(error.code);
    }
    for (let i = 0; i < 2; i++) {
      try {
        console.log(JSON.stringify(selector.select(1)));
      } catch (error) {
        console.log(error.code);
      }
    }
    taken.forEach((socket) => socket.close());
    console.log(JSON.stringify(selector.select(1)));
  `);
  assertEquals([stderr, code], ["", 0]);
  assertEquals(stdout.split("\n"), ["EMFILE", "EMFILE", "EMFILE", "EMFILE", "[]"]);
});

test("EpollSelector.select() reports a pipe's hang-up as readable and writable", (selector) => {
  using pipe = new Pipe();
  selector.register(pipe.reader, EVENT_READ | EVENT_WRITE);
  pipe.writer.close();
  assertEquals(selector.select()[0]![1], EVENT_READ | EVENT_WRITE);
});

test("new EpollSelector() throws OSError EMFILE when descriptors run out", async (selector) => {
  selector.close();
  const { code, stdout, stderr } = await runProgram(
    `
    const all = [];
    try {
      for (;;) all.push(new selectors.EpollSelector());
    } catch (error) {
      const available = selectors.EpollSelector.isAvailable();
      console.log(error instanceof selectors.OSError, error.code, error.syscall, available);
    }
    for (const selector of all) selector.close(); // Deno may need some at exit.
  `,
  );
  assertEquals([stderr, stdout, code], ["", "true EMFILE epoll_create1 true", 0]);
});

Deno.test(
  "EpollSelector.select() with EXCLUSIVE wakes fewer of four waiting threads than without",
  linuxOnly,
  async () => {
    using server = new Socket(AF_INET, SOCK_STREAM);
    server.bind({ hostname: "127.0.0.1", port: 0 });
    server.listen();
    const count = async (mode: number) => {
      const workers = await Promise.all(Array.from({ length: 4 }, async () => {
        const worker = new Worker(import.meta.resolve("../support/selecting_worker.ts"), {
          type: "module",
        });
        await new Promise((resolve) => worker.onmessage = resolve);
        return worker;
      }));
      const next = <T>() =>
        workers.map((worker) =>
          new Promise<T>((resolve) => worker.onmessage = ({ data }) => resolve(data))
        );
      const sleeping = next<[thread: number, waker: number]>();
      for (const worker of workers) worker.postMessage([server.fileno(), EVENT_READ | mode]);
      const asleep = await Promise.all(sleeping);
      await untilAsleep(asleep.map(([thread]) => thread));
      const woken = next<number>();
      using client = new Socket(AF_INET, SOCK_STREAM);
      client.connect(server.localAddress);
      if (mode === 0) await inTime(Promise.all(woken), "four threads");
      else await inTime(Promise.race(woken), "a thread");
      server.accept()?.close();
      for (const [, waker] of asleep) wake(waker);
      const ready = (await Promise.all(woken)).reduce((sum, count) => sum + count);
      for (const worker of workers) worker.terminate();
      return ready;
    };
    assertEquals(await count(0), 4);
    assertLess(await count(EXCLUSIVE), 4);
  },
);

/** Waits until threads of this process sleep in a system call. */
async function untilAsleep(threads: readonly number[]): Promise<void> {
  for (const thread of threads) {
    const stat = () => Deno.readTextFileSync(`/proc/self/task/${thread}/stat`);
    while (!/\) S /.test(stat())) await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
