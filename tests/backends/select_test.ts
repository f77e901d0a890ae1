import { assertEquals, assertGreater, assertRejects, assertThrows } from "@std/assert";
import { abi } from "../../ffi/abi/mod.ts";
import { EVENT_READ, EVENT_WRITE, OSError, SelectSelector } from "../../mod.ts";
import { Descriptor, Pair, Pipe } from "../support/descriptors.ts";
import { linuxOnly, needs, skipIf } from "../support/skip.ts";
import { CLOSED } from "../support/platform.ts";
import { isPending, turnEventLoop } from "../support/event_loop.ts";
import { sharedSuite } from "./shared_suite.ts";
import { isQemu, isWindows } from "../support/os.ts";

const QEMU_LIMIT = "qemu ends the process at a select() of more than 1,024 bits";
const listsHandles = skipIf(
  isWindows,
  "Winsock's sets are lists of handles: see handle_sets_test.ts",
);
const needsLargeSets = skipIf(isQemu, QEMU_LIMIT);

const BOTH = EVENT_READ | EVENT_WRITE;

sharedSuite({
  name: "SelectSelector",
  create: () => new SelectSelector(),
  source: "new selectors.SelectSelector()",
  supports: (events) => SelectSelector.supports(events),
  descriptorsAreChecked: false,
  seesReuse: false,
  excused: isQemu ? { "select() handles 5000 descriptors": QEMU_LIMIT } : {},
});

Deno.test("SelectSelector.isAvailable() is true", () => {
  assertEquals(SelectSelector.isAvailable(), true);
});

Deno.test({
  name: "SelectSelector.select() handles descriptors above 1023",
  ...listsHandles,
  ...needsLargeSets,
  ...needs("a select() without a limit", abi.selectLimit === Infinity),
  async fn() {
    using selector = new SelectSelector();
    using low = new Pair();
    using ends = new Pair();
    using high = Descriptor.dupHigh(ends.left.fileno());
    assertGreater(high.fd, 1023);
    selector.register(low.left, EVENT_READ);
    const key = selector.register(high, EVENT_READ);
    assertEquals(selector.select(0), []);
    ends.fill();
    assertEquals(selector.select(), [[key, EVENT_READ]]);
    assertEquals(await selector.selectAsync(), [[key, EVENT_READ]]);
    const both = selector.modify(high, BOTH);
    assertEquals(selector.select(), [[both, BOTH]]);
  },
});

Deno.test("SelectSelector.select() handles every bit of a word", () => {
  using stack = new DisposableStack();
  using selector = new SelectSelector();
  using ends = new Pair();
  ends.fill();
  for (let i = 0; i < 70; i++) {
    const file = stack.use(Descriptor.dup(ends.left.fileno()));
    const key = selector.register(file, [EVENT_READ, EVENT_WRITE, BOTH][i % 3]!);
    assertEquals(selector.select(0).length, i + 1);
    assertEquals(selector.select(0).find(([{ fd }]) => fd === file.fd), [key, key.events]);
  }
});

Deno.test(
  "SelectSelector.unregister() of the highest descriptor shrinks the sets",
  needsLargeSets,
  () => {
    using selector = new SelectSelector();
    using low = new Pair();
    using ends = new Pair();
    const key = selector.register(low.left, EVENT_READ);
    low.fill();
    for (let i = 0; i < 3; i++) {
      using high = Descriptor.dupHigh(ends.left.fileno());
      const writable = selector.register(high, EVENT_WRITE);
      assertEquals(
        new Map(selector.select(0)),
        new Map([[key, EVENT_READ], [writable, EVENT_WRITE]]),
      );
      selector.unregister(high);
      assertEquals(selector.select(0), [[key, EVENT_READ]]);
    }
    selector.unregister(low.left);
    assertEquals(selector.select(0), []);
  },
);

Deno.test("SelectSelector.select() throws while a closed descriptor is registered", async () => {
  using selector = new SelectSelector();
  using ends = new Pair();
  using other = new Pair();
  const file = Descriptor.dupHigh(ends.left.fileno());
  const key = selector.register(other.left, EVENT_WRITE);
  selector.register(file, EVENT_READ);
  file.close();
  const error = assertThrows(
    () => selector.select(),
    OSError,
    "Cannot select among 2 file objects",
  );
  assertEquals([error.code, error.syscall], [CLOSED, "select"]);
  assertEquals((await assertRejects(() => selector.selectAsync(), OSError)).code, CLOSED);
  selector.unregister(file);
  assertEquals(selector.select(), [[key, EVENT_WRITE]]);
  assertEquals(await selector.selectAsync(), [[key, EVENT_WRITE]]);
});

Deno.test("SelectSelector.selectAsync() rejects with the error of the native call", async () => {
  using selector = new SelectSelector();
  using ends = new Pair();
  const file = Descriptor.dupHigh(ends.left.fileno());
  selector.register(file, EVENT_READ);
  const wait = assertRejects(() => selector.selectAsync(), OSError);
  await turnEventLoop();
  file.close();
  selector.register(ends.left, EVENT_READ); // The wait starts again, and fails.
  assertEquals((await wait).code, CLOSED);
  selector.unregister(file);
  const again = selector.selectAsync();
  assertEquals(await isPending(again), true);
  ends.fill();
  assertEquals((await again).length, 1);
});

Deno.test({
  name: "SelectSelector.select() reports the hang-up of a pipe as readable only",
  ...linuxOnly,
  fn() {
    using selector = new SelectSelector();
    using pipe = new Pipe();
    const key = selector.register(pipe.reader, BOTH);
    pipe.writer.close();
    assertEquals(selector.select(), [[key, EVENT_READ]]);
  },
});

Deno.test(
  "SelectSelector.select() reports a regular file as always ready",
  skipIf(isWindows, "only sockets are descriptors on Windows: see handle_sets_test.ts"),
  () => {
    using selector = new SelectSelector();
    using file = Descriptor.open(Deno.execPath());
    const key = selector.register(file, BOTH);
    assertEquals(selector.select(), [[key, BOTH]]);
  },
);

Deno.test("SelectSelector.register() throws instead of growing the sets for a closed fd", () => {
  using selector = new SelectSelector();
  const error = assertThrows(() => selector.register(2 ** 31 - 1, EVENT_READ), OSError);
  assertEquals(error.code, CLOSED);
  assertEquals(selector.getMap().size, 0);
});
