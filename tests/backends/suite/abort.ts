import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { type BaseSelector, EVENT_READ } from "../../../mod.ts";
import { Pair } from "../../support/descriptors.ts";
import { isPending, turnEventLoop } from "../../support/event_loop.ts";
import { type Backend, test } from "./backend.ts";

/** Waits that an `AbortSignal` ends. */
export function testAbort(backend: Backend): void {
  test(backend, "selectAsync() rejects when the signal is already aborted", async (selector) => {
    using ends = new Pair();
    selector.register(ends.left, EVENT_READ);
    ends.fill();
    const reason = { any: "thing" };
    const signal = AbortSignal.abort(reason);
    assertStrictEquals(await rejection(selector.selectAsync(null, { signal })), reason);
    assertStrictEquals(await rejection(selector.selectAsync(0, { signal })), reason);
    await assertUsable(selector, ends);
  });

  test(
    backend,
    "selectAsync() rejects when the signal is aborted during the wait",
    async (selector) => {
      using ends = new Pair();
      selector.register(ends.left, EVENT_READ);
      const controller = new AbortController();
      const wait = rejection(selector.selectAsync(undefined, controller));
      assert(await isPending(wait));
      controller.abort();
      const reason = await wait;
      assertInstanceOf(reason, DOMException);
      assertEquals(reason.name, "AbortError");
      await assertUsable(selector, ends);
    },
  );

  test(
    backend,
    "selectAsync() rejects when it is aborted right after the call",
    async (selector) => {
      using ends = new Pair();
      selector.register(ends.left, EVENT_READ);
      const controller = new AbortController();
      const wait = rejection(selector.selectAsync(undefined, controller));
      controller.abort("early");
      assertEquals(await wait, "early");
      await assertUsable(selector, ends);
    },
  );

  test(backend, "selectAsync() ignores a second abort", async (selector) => {
    using ends = new Pair();
    selector.register(ends.left, EVENT_READ);
    const controller = new AbortController();
    const wait = rejection(selector.selectAsync(undefined, controller));
    await turnEventLoop();
    controller.abort("first");
    controller.abort("second");
    assertEquals(await wait, "first");
    controller.abort("third");
    assertEquals(await rejection(selector.selectAsync(undefined, controller)), "first");
    await assertUsable(selector, ends);
  });

  test(backend, "selectAsync() ignores the signal of an earlier wait", async (selector) => {
    using ends = new Pair();
    const key = selector.register(ends.left, EVENT_READ);
    const controller = new AbortController();
    ends.fill();
    await selector.selectAsync(undefined, controller);
    ends.drain();
    const timed = selector.selectAsync(1, controller);
    assertEquals(await timed, []);
    const wait = selector.selectAsync();
    await turnEventLoop();
    controller.abort();
    assert(await isPending(wait));
    ends.fill();
    assertEquals(await wait, [[key, EVENT_READ]]);
  });

  test(backend, "selectAsync() keeps a wake that arrives with the abort", async (selector) => {
    const controller = new AbortController();
    const wait = rejection(selector.selectAsync(undefined, controller));
    await turnEventLoop();
    selector.wakeup();
    controller.abort("stop");
    assertEquals(await wait, "stop");
    assertEquals(selector.select(), []); // It would wait forever without the wake.
  });

  test(backend, "selectAsync() can be aborted many times", async (selector) => {
    using ends = new Pair();
    selector.register(ends.left, EVENT_READ);
    for (let i = 0; i < 30; i++) {
      const controller = new AbortController();
      const wait = rejection(selector.selectAsync(undefined, controller));
      await turnEventLoop(i % 3);
      controller.abort(i);
      assertEquals(await wait, i);
      assertEquals(selector.select(0.1), []);
    }
    await assertUsable(selector, ends);
  });

  test(backend, "selectAsync() accepts AbortSignal.timeout()", async (selector) => {
    const reason = await rejection(
      selector.selectAsync(undefined, { signal: AbortSignal.timeout(5) }),
    );
    assertInstanceOf(reason, DOMException);
    assertEquals(reason.name, "TimeoutError");
  });
}

function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(() => "no rejection", (reason) => reason);
}

/** Asserts that both kinds of wait still work after an abort. */
async function assertUsable(selector: BaseSelector, ends: Pair): Promise<void> {
  ends.drain();
  assertEquals(selector.select(1), []);
  const wait = selector.selectAsync();
  assert(await isPending(wait));
  ends.fill();
  const key = selector.getKey(ends.left);
  assertEquals(await wait, [[key, EVENT_READ]]);
  assertEquals(selector.select(), [[key, EVENT_READ]]);
}
