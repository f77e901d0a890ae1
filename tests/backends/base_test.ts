import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import type { Backend, BackendOwner } from "../../backends/backend.ts";
import { abi } from "../../ffi/abi/mod.ts";
import { BaseSelector, EVENT_READ, EVENT_WRITE, KeyError, ONE_SHOT, OSError } from "../../mod.ts";
import { Pipe } from "../support/descriptors.ts";
import { isPending, turnEventLoop } from "../support/event_loop.ts";

const { EACCES, EBADF, EINTR, EMFILE, ENOENT } = abi.errno;
const BOTH = EVENT_READ | EVENT_WRITE;

/** A backend whose system calls are this test's. */
class FakeBackend implements Backend {
  readonly waitCall = "fake_wait";
  readonly changeCall = "fake_change";
  hasOneShot = false;
  readonly limit = 1_000;
  pollableFd = -1;
  /** The calls that were made. */
  readonly log: unknown[][] = [];
  /** The `errno` of the next change. */
  refusal = 0;
  /** What is ready: descriptors and masks. */
  ready: [fd: number, events: number][] = [];
  /** The result of a collection. */
  collected = 0;
  /** Called by each wait. */
  onWait: () => void = () => {};

  supports(events: number): boolean {
    return events < 256 || (events & ONE_SHOT) !== 0;
  }

  add(fd: number, events: number): number {
    return this.#change("add", fd, events);
  }

  change(fd: number, from: number, to: number): number {
    return this.#change("change", fd, from, to);
  }

  remove(fd: number, events: number): number {
    return this.#change("remove", fd, events);
  }

  wait(timeout: number): number {
    this.log.push(["wait", timeout]);
    this.onWait();
    return this.ready.length;
  }

  collect(count: number, owner: BackendOwner): number {
    assertEquals(count, this.ready.length);
    for (const [fd, events] of this.ready) owner.report(fd, events);
    return this.collected;
  }

  close(): void {
    this.log.push(["close"]);
  }

  #change(...call: unknown[]): number {
    this.log.push(call);
    const { refusal } = this;
    this.refusal = 0;
    return -refusal;
  }
}

class FakeSelector extends BaseSelector {
  readonly backend: FakeBackend;

  constructor() {
    const backend = new FakeBackend();
    super(backend);
    this.backend = backend;
  }
}

Deno.test("BaseSelector.register() registers with the system, and keeps nothing that it refuses", () => {
  using selector = new FakeSelector();
  selector.backend.refusal = EACCES;
  const error = assertThrows(() => selector.register(7, EVENT_READ), OSError, "Cannot register fd");
  assertEquals([error.code, error.errno, error.syscall], ["EACCES", EACCES, "fake_change"]);
  assertEquals(selector.getMap().size, 0);
  selector.register(7, EVENT_READ);
  assertEquals(selector.backend.log, [["add", 7, EVENT_READ], ["add", 7, EVENT_READ]]);
});

Deno.test("BaseSelector.modify() makes a system call only for another mask", () => {
  using selector = new FakeSelector();
  selector.register(7, EVENT_READ);
  selector.modify(7, EVENT_READ, "data");
  assertEquals(selector.backend.log.length, 1);
  selector.modify(7, BOTH);
  assertEquals(selector.backend.log.at(-1), ["change", 7, EVENT_READ, BOTH]);
});

Deno.test("BaseSelector.modify() removes what the system refuses to change", () => {
  using selector = new FakeSelector();
  selector.register(7, EVENT_READ);
  selector.backend.refusal = EACCES;
  assertThrows(() => selector.modify(7, BOTH), OSError, "Cannot modify fd 7, which is no longer");
  assertEquals(selector.backend.log.at(-1), ["remove", 7, EVENT_READ]);
  assertThrows(() => selector.getKey(7), KeyError);
});

Deno.test("BaseSelector.unregister() ignores EBADF and ENOENT, and passes the rest on", () => {
  using selector = new FakeSelector();
  for (const errno of [EBADF, ENOENT]) {
    const key = selector.register(7, EVENT_READ);
    selector.backend.refusal = errno;
    assertStrictEquals(selector.unregister(7), key);
  }
  selector.register(7, EVENT_READ);
  selector.backend.refusal = EACCES;
  assertThrows(() => selector.unregister(7), OSError, "Cannot unregister fd 7");
  assertEquals(selector.getMap().size, 0);
});

Deno.test("BaseSelector.select() applies the mask to what a backend reports", () => {
  using selector = new FakeSelector();
  const read = selector.register(7, EVENT_READ);
  const write = selector.register(8, EVENT_WRITE);
  const both = selector.register(9, BOTH);
  selector.backend.ready = [[7, BOTH], [8, BOTH], [9, BOTH], [10, BOTH]];
  assertEquals(selector.select(), [[read, EVENT_READ], [write, EVENT_WRITE], [both, BOTH]]);
  selector.backend.ready = [[7, EVENT_WRITE], [8, EVENT_READ]];
  assertEquals(selector.select(0), []);
});

Deno.test("BaseSelector.register() throws RangeError for a descriptor above the limit", () => {
  using selector = new FakeSelector();
  selector.register(999, EVENT_READ);
  assertThrows(() => selector.register(1_000, EVENT_READ), RangeError, "below 1000");
  assertEquals(selector.getMap().size, 1);
});

Deno.test("BaseSelector.select() throws OSError for a failed repair, but not instead of events", () => {
  using selector = new FakeSelector();
  const key = selector.register(7, EVENT_READ);
  selector.backend.collected = -EMFILE;
  selector.backend.ready = [[7, EVENT_READ], [8, EVENT_READ]];
  assertEquals(selector.select(), [[key, EVENT_READ]]);
  selector.backend.ready = [[8, EVENT_READ]];
  const error = assertThrows(() => selector.select(), OSError, "Cannot rebuild the selector");
  assertEquals(error.errno, EMFILE);
});

Deno.test("BaseSelector.select() repeats an interrupted wait", () => {
  using selector = new FakeSelector();
  const key = selector.register(7, EVENT_READ);
  const results = [-EINTR, -EINTR, 1];
  selector.backend.ready = [[7, EVENT_READ]];
  selector.backend.wait = () => results.shift()!;
  assertEquals(selector.select(), [[key, EVENT_READ]]);
  assertEquals(results, []);
});

Deno.test("BaseSelector.selectAsync() makes one call for what is ready", async () => {
  using selector = new FakeSelector();
  const key = selector.register(7, EVENT_READ);
  selector.backend.ready = [[7, EVENT_READ]];
  selector.backend.log.length = 0;
  assertEquals(await selector.selectAsync(), [[key, EVENT_READ]]);
  assertEquals(selector.backend.log, [["wait", 0]]);
});

Deno.test("BaseSelector.selectAsync() reports no key that was unregistered right after", async () => {
  using selector = new FakeSelector();
  selector.register(7, EVENT_READ);
  const key = selector.register(8, EVENT_READ);
  selector.backend.ready = [[7, EVENT_READ], [8, EVENT_READ]];
  const wait = selector.selectAsync();
  selector.unregister(7);
  assertEquals(await wait, [[key, EVENT_READ]]);
});

// Between the end of one native wait and the beginning of the next, other promises run.
for (
  const [what, end, reason] of [
    ["an abort", (_, controller) => controller.abort(), DOMException],
    ["a close", (selector) => selector.close(), Deno.errors.BadResource],
    ["a wake", (selector) => selector.wakeup(), undefined],
  ] as [
    string,
    (selector: FakeSelector, controller: AbortController) => void,
    (new () => Error)?,
  ][]
) {
  for (let ticks = 0; ticks < 8; ticks++) {
    Deno.test(`BaseSelector.selectAsync() sees ${what} ${ticks} ticks after a false alarm`, async () => {
      using pipe = new Pipe();
      using selector = new FakeSelector();
      selector.backend.pollableFd = pipe.reader.fileno();
      const controller = new AbortController();
      const wait = selector.selectAsync(undefined, controller);
      const ended = reason === undefined ? wait : assertRejects(() => wait, reason);
      await turnEventLoop();
      const alarm = Promise.withResolvers<void>();
      selector.backend.onWait = () => {
        pipe.reader.read(new Uint8Array(1));
        alarm.resolve();
      };
      pipe.writer.write(new Uint8Array(1));
      await alarm.promise;
      for (let i = 0; i < ticks; i++) await null;
      end(selector, controller);
      await ended;
    });
  }
}

Deno.test("BaseSelector.selectAsync() waits on after a false alarm", async () => {
  using pipe = new Pipe();
  using selector = new FakeSelector();
  selector.backend.pollableFd = pipe.reader.fileno();
  const key = selector.register(7, EVENT_READ);
  const wait = selector.selectAsync();
  await turnEventLoop();
  selector.backend.onWait = () => void pipe.reader.read(new Uint8Array(1));
  pipe.writer.write(new Uint8Array(1));
  assertEquals(await isPending(wait), true);
  selector.backend.ready = [[7, EVENT_READ]];
  pipe.writer.write(new Uint8Array(1));
  assertEquals(await wait, [[key, EVENT_READ]]);
});
