import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  type BaseSelector,
  EDGE_TRIGGERED,
  EVENT_READ,
  EVENT_WRITE,
  type FileObject,
  ONE_SHOT,
} from "../../../mod.ts";
import { DEADLINE } from "../../support/deadline.ts";
import { Pair } from "../../support/descriptors.ts";
import { isPending, turnEventLoop } from "../../support/event_loop.ts";
import { type Backend, supports, test } from "./backend.ts";

/** `for await` over a selector. */
export function testIterator(backend: Backend): void {
  test(backend, "[Symbol.asyncIterator]() yields one event at a time", async (selector) => {
    using a = new Pair();
    using b = new Pair();
    const keys = [a, b].map((ends) => selector.register(ends.left, EVENT_WRITE));
    const events = selector[Symbol.asyncIterator]();
    assert(events[Symbol.asyncIterator]() === events);
    const seen = [await events.next(), await events.next()].map(({ value }) => value);
    assertEquals(seen.map(([, mask]) => mask), [EVENT_WRITE, EVENT_WRITE]);
    assertEquals(new Set(seen.map(([key]) => key)), new Set(keys));
  });

  test(backend, "[Symbol.asyncIterator]() waits until something is ready", async (selector) => {
    using ends = new Pair();
    const key = selector.register(ends.left, EVENT_READ);
    const next = selector[Symbol.asyncIterator]().next();
    assert(await isPending(next));
    ends.fill();
    assertEquals(await next, { done: false, value: [key, EVENT_READ] });
  });

  for (
    const [what, change] of Object.entries({
      "was unregistered": (selector: BaseSelector, file: FileObject) => selector.unregister(file),
      "was modified": (selector: BaseSelector, file: FileObject) => {
        selector.modify(file, EVENT_READ, "changed");
      },
      "got other data": (selector: BaseSelector, file: FileObject) => {
        selector.modify(file, EVENT_WRITE, "changed");
      },
      "was registered again": (selector: BaseSelector, file: FileObject) => {
        selector.unregister(file);
        selector.register(file, EVENT_WRITE, "changed");
      },
    })
  ) {
    test(backend, `[Symbol.asyncIterator]() skips a key that ${what}`, async (selector) => {
      using a = new Pair();
      using b = new Pair();
      using c = new Pair();
      const all = [a.left, b.left, c.left];
      for (const file of all) selector.register(file, EVENT_WRITE, "as fetched");
      let first: FileObject | undefined;
      for await (const [key] of selector) {
        if (first === undefined) {
          first = key.fileobj; // The other two were fetched with it.
          for (const file of all) if (file !== first) change(selector, file);
          continue;
        }
        if (key.fileobj === first) break;
        assertEquals(key.data, "changed");
        assert(selector.getKey(key.fileobj) === key);
        if (key.data === "changed") selector.unregister(key.fileobj);
      }
      assert(selector.getMap().has(first!));
    });
  }

  test(
    backend,
    "[Symbol.asyncIterator]() ends when the selector is closed between events",
    async (selector) => {
      using a = new Pair();
      using b = new Pair();
      for (const ends of [a, b]) selector.register(ends.left, EVENT_WRITE);
      let count = 0;
      for await (const _ of selector) {
        count++;
        selector.close();
      }
      assertEquals(count, 1);
    },
  );

  test(
    backend,
    "[Symbol.asyncIterator]() ends when the selector is closed during a wait",
    async (selector) => {
      using ends = new Pair();
      selector.register(ends.left, EVENT_READ);
      const events = selector[Symbol.asyncIterator]();
      const next = events.next();
      await turnEventLoop();
      selector.close();
      assertEquals(await next, { done: true, value: undefined });
      assertEquals(await events.next(), { done: true, value: undefined });
    },
  );

  test(
    backend,
    "[Symbol.asyncIterator]() ends when the selector is closed before the first event",
    async (selector) => {
      const events = selector[Symbol.asyncIterator]();
      selector.close();
      assertEquals(await events.next(), { done: true, value: undefined });
      assertThrows(() => selector[Symbol.asyncIterator](), Deno.errors.BadResource);
    },
  );

  test(
    backend,
    "[Symbol.asyncIterator]() leaves the selector usable after an early exit",
    async (selector) => {
      using ends = new Pair();
      const key = selector.register(ends.left, EVENT_WRITE);
      for await (const _ of selector) break;
      await assertRejects(
        async () => {
          for await (const _ of selector) throw new Error("left");
        },
        Error,
        "left",
      );
      assertEquals(selector.select(), [[key, EVENT_WRITE]]);
      assertEquals(await selector.selectAsync(), [[key, EVENT_WRITE]]);
      for await (const event of selector) {
        assertEquals(event, [key, EVENT_WRITE]);
        break;
      }
    },
  );

  test(
    backend,
    "[Symbol.asyncIterator]() leaves the selector usable between events",
    async (selector) => {
      using ends = new Pair();
      const key = selector.register(ends.left, EVENT_WRITE);
      for await (const event of selector) {
        assertEquals(selector.select(), [event]);
        assertEquals(await selector.selectAsync(), [[key, EVENT_WRITE]]);
        break;
      }
    },
  );

  test(backend, "[Symbol.asyncIterator]().return() ends a wait in progress", async (selector) => {
    using ends = new Pair();
    const key = selector.register(ends.left, EVENT_READ);
    const events = selector[Symbol.asyncIterator]();
    const next = events.next();
    assert(await isPending(next));
    assertEquals(await events.return!(), { done: true, value: undefined });
    assertEquals(await next, { done: true, value: undefined });
    assertEquals(await events.next(), { done: true, value: undefined });
    ends.fill();
    assertEquals(await selector.selectAsync(), [[key, EVENT_READ]]);
  });

  test(
    backend,
    "[Symbol.asyncIterator]().return() wins over an event that is ready",
    async (selector) => {
      using ends = new Pair();
      const key = selector.register(ends.left, EVENT_READ);
      const events = selector[Symbol.asyncIterator]();
      const next = events.next();
      assert(await isPending(next));
      ends.fill();
      await events.return!();
      assertEquals(await next, { done: true, value: undefined });
      assertEquals((await selector.selectAsync(0)).map(([ready]) => ready), [key]);
    },
  );

  for (const [name, mode] of Object.entries({ EDGE_TRIGGERED, ONE_SHOT })) {
    if (!supports(backend, EVENT_READ | mode)) continue;
    test(
      backend,
      `[Symbol.asyncIterator]().return() loses no event of a key with ${name}`,
      async (selector) => {
        using stack = new DisposableStack();
        const all = Array.from({ length: 3 }, () => stack.use(new Pair()));
        for (const ends of all) {
          selector.register(ends.left, EVENT_READ | mode, ends);
          ends.fill();
        }
        const seen: unknown[] = [];
        for (let i = 0; i < all.length; i++) {
          for await (const [key] of selector) {
            seen.push(key.data);
            break;
          }
        }
        assertEquals(new Set(seen), new Set(all));
        assertEquals(selector.select(0), []);
      },
    );
  }

  test(
    backend,
    "[Symbol.asyncIterator]().next() can be called before the last call settles",
    async (selector) => {
      using ends = new Pair();
      const key = selector.register(ends.left, EVENT_READ);
      const events = selector[Symbol.asyncIterator]();
      const both = [events.next(), events.next()];
      assert(await isPending(both[0]!));
      ends.fill();
      const seen = (await Promise.all(both)).map(({ value }) => value);
      assertEquals(seen, [[key, EVENT_READ], [key, EVENT_READ]]);
    },
  );

  test(backend, "[Symbol.asyncIterator]() continues after a wake", async (selector) => {
    using ends = new Pair();
    const key = selector.register(ends.left, EVENT_READ);
    selector.wakeup();
    const next = selector[Symbol.asyncIterator]().next();
    assert(await isPending(next));
    selector.wakeup();
    assert(await isPending(next));
    ends.fill();
    assertEquals((await next).value, [key, EVENT_READ]);
  });

  test(
    backend,
    "[Symbol.asyncIterator]() does not starve timers while a descriptor is always ready",
    async (selector) => {
      using ends = new Pair();
      selector.register(ends.left, EVENT_WRITE);
      let over = false;
      setTimeout(() => over = true, 5);
      const deadline = performance.now() + DEADLINE;
      for await (const _ of selector) {
        if (over) break;
        assert(performance.now() < deadline, "timers are starved");
      }
    },
  );
}
