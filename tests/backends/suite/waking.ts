import { assert, assertEquals, assertThrows } from "@std/assert";
import { type BaseSelector, EVENT_READ, EVENT_WRITE, KeyError, wake } from "../../../mod.ts";
import { Descriptor, Pair } from "../../support/descriptors.ts";
import { isPending, turnEventLoop } from "../../support/event_loop.ts";
import { type Backend, test } from "./backend.ts";

/** `wakeup` and `waker`. */
export function testWaking(backend: Backend): void {
  const ways: Record<string, (selector: BaseSelector) => void> = {
    "wakeup()": (selector) => selector.wakeup(),
    "waker().wake()": (selector) => selector.waker().wake(),
    "waker().fd": (selector) => wake(selector.waker().fd),
  };

  for (const [way, wakeUp] of Object.entries(ways)) {
    for (const timeout of [undefined, null, Infinity, 60_000]) {
      test(backend, `${way} ends the next select(${timeout})`, async (selector) => {
        using ends = new Pair();
        selector.register(ends.left, EVENT_READ);
        wakeUp(selector);
        assertEquals(selector.select(timeout), []);
        wakeUp(selector);
        assertEquals(await selector.selectAsync(timeout), []);
      });
    }

    test(backend, `${way} counts once, however often it is called`, async (selector) => {
      for (let i = 0; i < 100; i++) wakeUp(selector);
      assertEquals(selector.select(), []);
      const wait = selector.selectAsync();
      assert(await isPending(wait));
      for (let i = 0; i < 100; i++) wakeUp(selector);
      assertEquals(await wait, []);
      const again = selector.selectAsync();
      assert(await isPending(again));
      wakeUp(selector);
      assertEquals(await again, []);
    });

    test(backend, `${way} ends a select() that returns what is ready`, async (selector) => {
      using ends = new Pair();
      const key = selector.register(ends.left, EVENT_WRITE);
      wakeUp(selector);
      assertEquals(selector.select(), [[key, EVENT_WRITE]]);
      wakeUp(selector);
      assertEquals(await selector.selectAsync(), [[key, EVENT_WRITE]]);
      selector.modify(ends.left, EVENT_READ);
      assertEquals(selector.select(0.5), []);
    });

    test(backend, `${way} also ends a select(0)`, async (selector) => {
      wakeUp(selector);
      assertEquals(selector.select(0), []);
      const wait = selector.selectAsync();
      assert(await isPending(wait));
      wakeUp(selector);
      await wait;
    });
  }

  test(backend, "wakeup() ends a wait in progress", async (selector) => {
    using ends = new Pair();
    selector.register(ends.left, EVENT_READ);
    for (let i = 0; i < 20; i++) {
      const wait = selector.selectAsync();
      await turnEventLoop(i % 3);
      selector.wakeup();
      assertEquals(await wait, []);
    }
    assertEquals(selector.select(0.5), []);
  });

  test(backend, "wakeup() and wakers before a wait count once", async (selector) => {
    for (const wakeUp of Object.values(ways)) wakeUp(selector);
    assertEquals(await selector.selectAsync(), []);
    const wait = selector.selectAsync();
    assert(await isPending(wait));
    for (const wakeUp of Object.values(ways)) wakeUp(selector);
    assertEquals(await wait, []);
  });

  test(backend, "waker() works for a wait in progress", async (selector) => {
    const wait = selector.selectAsync();
    await turnEventLoop();
    wake(selector.waker().fd);
    assertEquals(await wait, []);
  });

  test(backend, "waker() returns the same descriptor each time", (selector) => {
    const { fd } = selector.waker();
    assert(Number.isInteger(fd) && fd >= 0);
    assertEquals(selector.waker().fd, fd);
  });

  test(backend, "waker() does not show in the map or the results", async (selector) => {
    using ends = new Pair();
    const key = selector.register(ends.left, EVENT_WRITE);
    const { fd } = selector.waker();
    for (let i = 0; i < 3; i++) {
      assertEquals([...selector.getMap()], [[key.fd, key]]);
      assertEquals(selector.getMap().has(fd), false);
      assertThrows(() => selector.getKey(fd), KeyError);
      assertThrows(() => selector.unregister(fd), KeyError);
      wake(fd);
      assertEquals(await selector.selectAsync(), [[key, EVENT_WRITE]]);
    }
    assertEquals(selector.getMap().size, 1);
  });

  test(backend, "waker() works when its descriptor is registered", (selector) => {
    const { fd } = selector.waker();
    try {
      selector.register(fd, EVENT_READ);
      selector.unregister(fd);
    } catch (error) {
      assert(error instanceof KeyError, String(error));
    }
    wake(fd);
    assertEquals(selector.select(), []); // It would wait forever without the wake.
  });

  test(backend, "waker() works beside a key whose descriptor was closed", async (selector) => {
    using ends = new Pair();
    using other = new Pair();
    // The lowest free number, which the waker's descriptor then takes.
    const file = Descriptor.dup(ends.left.fileno());
    selector.register(file, EVENT_READ, "closed");
    file.close();
    const { fd } = selector.waker();
    wake(fd);
    if (backend.seesReuse) assertEquals(selector.select(), []);
    selector.unregister(file);
    const key = selector.register(other.left, EVENT_READ);
    wake(fd);
    assertEquals(selector.select(), []);
    const wait = selector.selectAsync();
    assert(await isPending(wait));
    selector.wakeup();
    assertEquals(await wait, []);
    other.fill();
    assertEquals(selector.select(), [[key, EVENT_READ]]);
  });

  test(backend, "waker().wake() throws BadResource when the selector is closed", (selector) => {
    const waker = selector.waker();
    selector.close();
    assertThrows(() => waker.wake(), Deno.errors.BadResource, "Cannot wake");
  });

  test(backend, "waker() wakes a select() that blocks, from a Worker", async (selector) => {
    using ends = new Pair();
    selector.register(ends.left, EVENT_READ);
    const { fd } = selector.waker();
    const worker = new Worker(import.meta.resolve("../../support/waking_worker.ts"), {
      type: "module",
    });
    await new Promise((resolve) => worker.onmessage = resolve);
    for (const timeout of [undefined, null, Infinity, 60_000, 60_000.5]) {
      worker.postMessage(fd);
      assertEquals(selector.select(timeout), []);
    }
    worker.postMessage(fd);
    assertEquals(await selector.selectAsync(), []);
    worker.terminate();
  });
}
