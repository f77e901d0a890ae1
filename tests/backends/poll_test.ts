import { assertEquals } from "@std/assert";
import { EVENT_READ, EVENT_WRITE, PollSelector } from "../../mod.ts";
import { Descriptor, Pair, Pipe } from "../support/descriptors.ts";
import { runProgram } from "../support/subprocess.ts";
import { sharedSuite } from "./shared_suite.ts";
import { linuxOnly, skipIf } from "../support/skip.ts";
import { isQemu, isWindows } from "../support/os.ts";

const BOTH = EVENT_READ | EVENT_WRITE;

sharedSuite({
  name: "PollSelector",
  create: () => new PollSelector(),
  source: "new selectors.PollSelector()",
  supports: (events) => PollSelector.supports(events),
  descriptorsAreChecked: false,
  seesReuse: false,
});

Deno.test("PollSelector.isAvailable() is true", () => {
  assertEquals(PollSelector.isAvailable(), true);
});

Deno.test("PollSelector keeps timeouts where there is no ppoll", async () => {
  const { stdout, stderr } = await runProgram(`
    const { dlopen } = Deno;
    Deno.dlopen = (path, calls) =>
      dlopen(path, Object.fromEntries(Object.entries(calls).map(([name, call]) =>
        [name, name.startsWith("ppoll") ? { ...call, name: "none_such" } : call]
      )));
    using selector = new selectors.PollSelector();
    for (const wait of ["select", "selectAsync"]) {
      const start = performance.now();
      console.log(await selector[wait](1.5), performance.now() - start >= 1.5);
    }
  `);
  assertEquals([stderr, stdout], ["", "[] true\n[] true"]);
});

Deno.test(
  "PollSelector.select() reports all events asked for when a descriptor is closed",
  skipIf(isWindows, "WSAPoll ignores a closed socket: see winsock_poll_test.ts"),
  async () => {
    using selector = new PollSelector();
    using ends = new Pair();
    for (const events of [EVENT_READ, EVENT_WRITE, BOTH]) {
      using file = Descriptor.dupHigh(ends.left.fileno());
      const key = selector.register(file, events);
      file.close();
      assertEquals(selector.select(), [[key, events]]);
      assertEquals(await selector.selectAsync(), [[key, events]]);
      selector.unregister(file);
      assertEquals(selector.select(0), []);
    }
  },
);

Deno.test(
  "PollSelector.select() reports a regular file as always ready",
  skipIf(isWindows, "only sockets are descriptors on Windows: see handle_sets_test.ts"),
  () => {
    using selector = new PollSelector();
    using file = Descriptor.open(Deno.execPath());
    const key = selector.register(file, BOTH);
    assertEquals(selector.select(), [[key, BOTH]]);
  },
);

Deno.test(
  "PollSelector.select() reports the hang-up of a pipe as readable and writable",
  () => {
    using selector = new PollSelector();
    using pipe = new Pipe();
    const key = selector.register(pipe.reader, BOTH);
    pipe.writer.close();
    assertEquals(selector.select(), [[key, BOTH]]);
  },
);

Deno.test({
  name: "PollSelector.waker() works beside 9,000 keys of closed descriptors",
  ...linuxOnly,
  ...skipIf(isQemu, "a process has fewer descriptors under qemu"),
  async fn() {
    const { stdout, stderr } = await runProgram(`
      using selector = new selectors.PollSelector();
      for (let fd = 3; fd < 9_000; fd++) selector.register(fd, EVENT_READ);
      const { fd, wake } = selector.waker();
      for (let i = 3; i < 9_000; i++) selector.unregister(i);
      wake();
      console.log(fd >= 9_000, selector.select());
    `);
    assertEquals([stderr, stdout], ["", "true []"]);
  },
});

Deno.test("PollSelector.unregister() moves the last registration into the gap", () => {
  using stack = new DisposableStack();
  using selector = new PollSelector();
  const all = Array.from({ length: 5 }, () => stack.use(new Pair()));
  for (const ends of all) selector.register(ends.left, EVENT_READ, ends);
  const left = new Set(all);
  // The first, the last, one in the middle, then the rest: the others must not change.
  for (const i of [0, 4, 2, 3, 1]) {
    selector.unregister(all[i]!.left);
    left.delete(all[i]!);
    all[i]!.fill();
    assertEquals(selector.select(0), []);
    for (const ends of left) {
      ends.fill();
      assertEquals(selector.select(0).map(([key]) => key.data), [ends]);
      ends.drain();
      selector.modify(ends.left, EVENT_WRITE, ends);
      assertEquals(selector.select(0).map(([key]) => key.data), [ends]);
      selector.modify(ends.left, EVENT_READ, ends);
    }
  }
});

Deno.test("PollSelector.register() grows the array, and unregister() shrinks it", () => {
  using stack = new DisposableStack();
  using selector = new PollSelector();
  const all = Array.from({ length: 150 }, () => stack.use(new Pair()));
  for (let round = 0; round < 2; round++) {
    for (const [i, ends] of all.entries()) {
      selector.register(ends.left, EVENT_READ, i);
      ends.fill();
      assertEquals(selector.select().length, i + 1);
    }
    for (const [i, ends] of all.entries()) {
      selector.unregister(ends.left);
      assertEquals(selector.select(0).length, all.length - 1 - i);
      ends.drain();
    }
  }
});
