import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { EVENT_READ, EVENT_WRITE } from "../../../mod.ts";
import { DEADLINE } from "../../support/deadline.ts";
import { Descriptor, needsDup2, Pair } from "../../support/descriptors.ts";
import { isPending, turnEventLoop } from "../../support/event_loop.ts";
import { type Backend, test } from "./backend.ts";

const BOTH = EVENT_READ | EVENT_WRITE;

/** `selectAsync`, which waits in the event loop. */
export function testAsync(backend: Backend): void {
  test(backend, "selectAsync() resolves to what is already ready", async (selector) => {
    using ends = new Pair();
    const key = selector.register(ends.left, BOTH);
    ends.fill();
    assertEquals(await selector.selectAsync(), [[key, BOTH]]);
    assertEquals(await selector.selectAsync(0), [[key, BOTH]]);
    ends.drain();
    assertEquals(await selector.selectAsync(null), [[key, EVENT_WRITE]]);
  });

  for (const timeout of [undefined, null, Infinity, 60_000, 60_000.5]) {
    test(
      backend,
      `selectAsync(${timeout}) resolves when something becomes ready`,
      async (selector) => {
        using ends = new Pair();
        const key = selector.register(ends.left, EVENT_READ);
        const wait = selector.selectAsync(timeout);
        assert(await isPending(wait));
        ends.fill();
        assertEquals(await wait, [[key, EVENT_READ]]);
      },
    );
  }

  test(backend, "selectAsync(0) polls", async (selector) => {
    using ends = new Pair();
    selector.register(ends.left, EVENT_READ);
    assertEquals(await selector.selectAsync(0), []);
    assertEquals(await selector.selectAsync(-1), []);
  });

  test(backend, "selectAsync() waits with nothing registered", async (selector) => {
    const wait = selector.selectAsync();
    assert(await isPending(wait));
    selector.wakeup();
    assertEquals(await wait, []);
  });

  test(backend, "selectAsync() can be repeated", async (selector) => {
    using ends = new Pair();
    const key = selector.register(ends.left, EVENT_READ);
    for (let i = 0; i < 20; i++) {
      const wait = selector.selectAsync();
      if (i % 2 === 0) await turnEventLoop(1);
      ends.fill();
      assertEquals(await wait, [[key, EVENT_READ]]);
      ends.drain();
      assertEquals(selector.select(0), []);
    }
  });

  test(backend, "register() takes effect at once on a wait in progress", async (selector) => {
    using ends = new Pair();
    using idle = new Pair();
    selector.register(idle.left, EVENT_READ);
    const wait = selector.selectAsync();
    await turnEventLoop();
    const key = selector.register(ends.left, EVENT_WRITE);
    assertEquals(await wait, [[key, EVENT_WRITE]]);
  });

  test(backend, "register() takes effect on a wait that has just started", async (selector) => {
    using ends = new Pair();
    const wait = selector.selectAsync();
    const key = selector.register(ends.left, EVENT_WRITE);
    assertEquals(await wait, [[key, EVENT_WRITE]]);
  });

  test(backend, "register() of hundreds takes effect on a wait in progress", async (selector) => {
    using stack = new DisposableStack();
    const wait = selector.selectAsync();
    await turnEventLoop();
    const all = Array.from({ length: 200 }, () => stack.use(new Pair()));
    for (const ends of all) selector.register(ends.left, EVENT_READ, ends);
    assert(await isPending(wait));
    all[150]!.fill();
    assertEquals((await wait).map(([key]) => key.data), [all[150]]);
    for (const ends of all) selector.unregister(ends.left);
  });

  test(backend, "modify() takes effect at once on a wait in progress", async (selector) => {
    using ends = new Pair();
    selector.register(ends.left, EVENT_READ);
    const wait = selector.selectAsync();
    await turnEventLoop();
    const key = selector.modify(ends.left, EVENT_WRITE, "new");
    assertEquals(await wait, [[key, EVENT_WRITE]]);
  });

  test(backend, "modify() removes an event from a wait in progress", async (selector) => {
    using ends = new Pair();
    ends.stuff();
    selector.register(ends.left, EVENT_READ);
    const wait = selector.selectAsync();
    await turnEventLoop();
    const key = selector.modify(ends.left, EVENT_WRITE);
    ends.fill();
    assert(await isPending(wait));
    while (ends.right.recv(new Uint8Array(1 << 16)));
    assertEquals(await wait, [[key, EVENT_WRITE]]);
  });

  test(
    backend,
    "modify() of the data alone takes effect on a wait in progress",
    async (selector) => {
      using ends = new Pair();
      selector.register(ends.left, EVENT_READ, "before");
      const wait = selector.selectAsync();
      await turnEventLoop();
      const key = selector.modify(ends.left, EVENT_READ, "after");
      ends.fill();
      assertStrictEquals((await wait)[0]![0], key);
    },
  );

  test(backend, "unregister() takes effect at once on a wait in progress", async (selector) => {
    using ends = new Pair();
    using other = new Pair();
    selector.register(ends.left, EVENT_READ);
    const key = selector.register(other.left, EVENT_READ);
    const wait = selector.selectAsync();
    await turnEventLoop();
    selector.unregister(ends.left);
    ends.fill();
    assert(await isPending(wait));
    other.fill();
    assertEquals(await wait, [[key, EVENT_READ]]);
  });

  test(backend, "unregister() drops an event that is already fetched", async (selector) => {
    using a = new Pair();
    using b = new Pair();
    using file = Descriptor.dupHigh(a.left.fileno());
    selector.register(file, EVENT_READ, "old");
    const wait = selector.selectAsync();
    await turnEventLoop();
    a.fill();
    hold(10); // The waiting thread has its event now, and this one has not seen it.
    selector.unregister(file);
    file.becomes(b.left.fileno());
    const key = selector.register(file, EVENT_READ, "new");
    assert(await isPending(wait));
    b.fill();
    assertEquals(await wait, [[key, EVENT_READ]]);
  }, needsDup2);

  test(backend, "selectAsync() rejects with Busy while a wait is in progress", async (selector) => {
    using ends = new Pair();
    const key = selector.register(ends.left, EVENT_READ);
    const wait = selector.selectAsync();
    for (let i = 0; i < 2; i++) {
      await assertRejects(() => selector.selectAsync(), Deno.errors.Busy, "Cannot select");
      await assertRejects(() => selector.selectAsync(0), Deno.errors.Busy);
      await assertRejects(() => selector[Symbol.asyncIterator]().next(), Deno.errors.Busy);
      assertThrows(
        () => selector.select(0),
        Deno.errors.Busy,
        "an asynchronous wait is in progress",
      );
      assertThrows(() => selector.select(), Deno.errors.Busy);
      await turnEventLoop();
    }
    ends.fill();
    assertEquals(await wait, [[key, EVENT_READ]]);
    assertEquals(selector.select(), [[key, EVENT_READ]]);
  });

  test(backend, "close() rejects a wait in progress with BadResource", async (selector) => {
    using ends = new Pair();
    selector.register(ends.left, EVENT_READ);
    const wait = assertRejects(() => selector.selectAsync(), Deno.errors.BadResource, "closed");
    await turnEventLoop();
    selector.close();
    selector.close();
    assertThrows(() => selector.select(0), Deno.errors.BadResource);
    await wait;
    await assertRejects(() => selector.selectAsync(), Deno.errors.BadResource);
  });

  test(backend, "close() rejects a wait that has just started", async (selector) => {
    const wait = assertRejects(() => selector.selectAsync(), Deno.errors.BadResource, "closed");
    selector.close();
    await wait;
  });

  test(backend, "close() rejects a wait that already has its result", async (selector) => {
    using ends = new Pair();
    selector.register(ends.left, EVENT_READ);
    const wait = assertRejects(() => selector.selectAsync(), Deno.errors.BadResource);
    await turnEventLoop();
    ends.fill();
    hold(5);
    selector.close();
    await wait;
  });

  test(backend, "selectAsync() lets timers run while it waits", async (selector) => {
    const wait = selector.selectAsync();
    let ticks = 0;
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        if (++ticks === 5) resolve(clearInterval(timer));
      }, 1);
    });
    selector.wakeup();
    assertEquals(await wait, []);
  });

  test(
    backend,
    "selectAsync() does not starve timers while a descriptor is always ready",
    async (selector) => {
      using ends = new Pair();
      selector.register(ends.left, EVENT_WRITE);
      let ticks = 0;
      const timer = setInterval(() => ticks++, 1);
      let over = false;
      setTimeout(() => over = true, 5);
      const deadline = performance.now() + DEADLINE;
      let waits = 0;
      while (!over || ticks < 3 || waits < 3) {
        assertEquals((await selector.selectAsync()).length, 1);
        assert(performance.now() < deadline, "timers are starved");
        waits++;
      }
      clearInterval(timer);
    },
  );

  test(
    backend,
    "selectAsync() does not starve Deno's own I/O while a descriptor is always ready",
    async (selector) => {
      using ends = new Pair();
      selector.register(ends.left, EVENT_WRITE);
      let over = false;
      const exchanged = exchange(20).finally(() => over = true);
      const deadline = performance.now() + DEADLINE;
      while (!over) {
        assertEquals((await selector.selectAsync()).length, 1);
        assert(performance.now() < deadline, "input and output are starved");
      }
      await exchanged;
    },
  );
}

/** Blocks this thread while others run. */
function hold(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

/** Sends bytes back and forth over a connection of Deno's own. */
async function exchange(times: number): Promise<void> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [client, server] = await Promise.all([
    Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port }),
    listener.accept(),
  ]);
  for (let i = 0; i < times; i++) {
    for (const [from, to] of [[client, server], [server, client]] as const) {
      await from.write(new Uint8Array([i]));
      const byte = new Uint8Array(1);
      assertEquals([await to.read(byte), byte[0]], [1, i]);
    }
  }
  client.close();
  server.close();
}
