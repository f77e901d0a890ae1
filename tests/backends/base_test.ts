import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import {
  BaseSelector,
  EVENT_READ,
  EVENT_WRITE,
  KeyError,
  OSError,
  SelectSelector,
} from "../../mod.ts";
import { abi } from "../../ffi/abi/mod.ts";
import { isPending, turnEventLoop } from "../support/event_loop.ts";

const { EACCES, EBADF, ENOENT } = abi.errno;
const BOTH = EVENT_READ | EVENT_WRITE;

/** A backend whose system calls are simulated. */
class FakeSelector extends BaseSelector<string> {
  constructor() {
    super({ waitCall: "fake_wait", changeCall: "fake_change", live: true });
  }

  /** The calls so far. */
  readonly log: unknown[][] = [];
  /** The `errno` with which the next change fails. */
  refusal = 0;
  /** The ready descriptors and their masks. */
  ready: [fd: number, events: number][] = [];
  /** Ends the wait off the thread. */
  arrive: () => void = () => {};

  protected override add(fd: number, events: number): number {
    return this.#change("add", fd, events);
  }

  protected override change(fd: number, from: number, to: number): number {
    return this.#change("change", fd, from, to);
  }

  protected override remove(fd: number, events: number): number {
    return this.#change("remove", fd, events);
  }

  protected override wait(timeout: number): number {
    this.log.push(["wait", timeout]);
    return this.ready.length;
  }

  protected override waitOffThread(timeout: number): Promise<number> {
    this.log.push(["waitOffThread", timeout]);
    const { promise, resolve } = Promise.withResolvers<number>();
    this.arrive = () => resolve(this.ready.length);
    return promise;
  }

  protected override collect(count: number): void {
    assertEquals(count, this.ready.length);
    for (const [fd, events] of this.ready) this.report(fd, events);
  }

  /** The waker's descriptor that becomes readable. */
  get wakeReader(): number {
    return [...this.registrations()].at(-1)![0];
  }

  #change(...call: unknown[]): number {
    this.log.push(call);
    const { refusal } = this;
    this.refusal = 0;
    return refusal;
  }
}

Deno.test("BaseSelector.register() calls the system, and keeps no key when that fails", () => {
  using selector = new FakeSelector();
  selector.refusal = EACCES;
  const error = assertThrows(() => selector.register(7, EVENT_READ), OSError, "Cannot register fd");
  assertEquals([error.code, error.errno, error.syscall], ["EACCES", EACCES, "fake_change"]);
  assertEquals(selector.getMap().size, 0);
  selector.register(7, EVENT_READ);
  assertEquals(selector.log, [["add", 7, EVENT_READ], ["add", 7, EVENT_READ]]);
});

Deno.test("BaseSelector.modify() calls the system only when the mask changes", () => {
  using selector = new FakeSelector();
  selector.register(7, EVENT_READ);
  selector.modify(7, EVENT_READ, "data");
  assertEquals(selector.log.length, 1);
  selector.modify(7, BOTH);
  assertEquals(selector.log.at(-1), ["change", 7, EVENT_READ, BOTH]);
});

Deno.test("BaseSelector.modify() removes the registration when the system call fails", () => {
  using selector = new FakeSelector();
  selector.register(7, EVENT_READ);
  selector.refusal = EACCES;
  assertThrows(() => selector.modify(7, BOTH), OSError, "Cannot modify fd 7, which is not");
  assertEquals(selector.log.at(-1), ["remove", 7, EVENT_READ]);
  assertThrows(() => selector.getKey(7), KeyError);
});

Deno.test("BaseSelector.unregister() ignores EBADF and ENOENT, and throws other errors", () => {
  using selector = new FakeSelector();
  for (const errno of [EBADF, ENOENT]) {
    const key = selector.register(7, EVENT_READ);
    selector.refusal = errno;
    assertStrictEquals(selector.unregister(7), key);
  }
  selector.register(7, EVENT_READ);
  selector.refusal = EACCES;
  assertThrows(() => selector.unregister(7), OSError, "Cannot unregister fd 7");
  assertEquals(selector.getMap().size, 0);
});

Deno.test("BaseSelector.select() applies the mask to the events of a backend", () => {
  using selector = new FakeSelector();
  const read = selector.register(7, EVENT_READ);
  const write = selector.register(8, EVENT_WRITE);
  const both = selector.register(9, BOTH);
  selector.ready = [[7, BOTH], [8, BOTH], [9, BOTH], [10, BOTH]];
  assertEquals(selector.select(), [[read, EVENT_READ], [write, EVENT_WRITE], [both, BOTH]]);
  selector.ready = [[7, EVENT_WRITE], [8, EVENT_READ]];
  assertEquals(selector.select(0), []);
});

Deno.test("BaseSelector.selectAsync() stays on the thread when something is ready", async () => {
  using selector = new FakeSelector();
  const key = selector.register(7, EVENT_READ);
  selector.waker(); // The first wait would open it.
  selector.ready = [[7, EVENT_READ]];
  await turnEventLoop(); // The event loop has just turned, so it need not turn again.
  selector.log.length = 0;
  assertEquals(await selector.selectAsync(), [[key, EVENT_READ]]);
  assertEquals(selector.log, [["wait", 0]]);
});

Deno.test("BaseSelector.selectAsync() waits again after registrations changed", async () => {
  using selector = new FakeSelector();
  selector.register(7, EVENT_READ, "old");
  const wait = selector.selectAsync();
  await turnEventLoop();
  selector.ready = [[7, EVENT_READ]];
  const arrive = selector.arrive;
  selector.unregister(7);
  selector.register(7, EVENT_READ, "new");
  arrive(); // The event is of the old registration.
  selector.ready = [];
  assert(await isPending(wait));
  const key = selector.getKey(7);
  selector.ready = [[7, EVENT_READ]];
  selector.arrive();
  assertEquals(await wait, [[key, EVENT_READ]]);
});

// Between the end of one wait off the thread and the start of the next, other promises settle.
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
    Deno.test(`BaseSelector.selectAsync() sees ${what} ${ticks} ticks after a wait`, async () => {
      using selector = new FakeSelector();
      const controller = new AbortController();
      const wait = selector.selectAsync(undefined, controller);
      const ended = reason === undefined ? wait : assertRejects(() => wait, reason);
      await turnEventLoop();
      const fd = selector.wakeReader;
      selector.arrive(); // No event, as after an interruption.
      for (let i = 0; i < ticks; i++) await null;
      end(selector, controller);
      if (await isPending(ended)) {
        assert(isReadable(fd), "Nothing ends the wait off the thread");
        selector.ready = [[fd, EVENT_READ]];
        selector.arrive();
      }
      await ended;
    });
  }
}

function isReadable(fd: number): boolean {
  using selector = new SelectSelector();
  selector.register(fd, EVENT_READ);
  return selector.select(0).length > 0;
}
