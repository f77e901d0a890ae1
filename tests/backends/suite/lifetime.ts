import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type BaseSelector, EVENT_READ, EVENT_WRITE } from "../../../mod.ts";
import { Pair } from "../../support/descriptors.ts";
import { reserveDescriptors } from "../../support/reserve_descriptors.ts";
import { COUNT_DESCRIPTORS, runProgram } from "../../support/subprocess.ts";
import { type Backend, test } from "./backend.ts";

/** The number of descriptors that one test registers. */
const CROWD = 5_000;

/** Closing, garbage collection, and large numbers. */
export function testLifetime(backend: Backend): void {
  const { BadResource } = Deno.errors;

  for (
    const [method, call] of Object.entries({
      register: (selector: BaseSelector, { right }: Pair) => selector.register(right, EVENT_READ),
      unregister: (selector: BaseSelector, { left }: Pair) => selector.unregister(left),
      modify: (selector: BaseSelector, { left }: Pair) => selector.modify(left, EVENT_WRITE),
      select: (selector: BaseSelector) => selector.select(0),
      getKey: (selector: BaseSelector, { left }: Pair) => selector.getKey(left),
      getMap: (selector: BaseSelector) => selector.getMap(),
      wakeup: (selector: BaseSelector) => selector.wakeup(),
      waker: (selector: BaseSelector) => selector.waker(),
      "[Symbol.asyncIterator]": (selector: BaseSelector) => selector[Symbol.asyncIterator](),
    })
  ) {
    test(backend, `${method}() throws BadResource when the selector is closed`, (selector) => {
      using ends = new Pair();
      selector.register(ends.left, EVENT_READ);
      selector.close();
      assertThrows(() => call(selector, ends), BadResource, "the selector is closed");
    });
  }

  test(
    backend,
    "selectAsync() rejects with BadResource when the selector is closed",
    async (selector) => {
      selector.close();
      await assertRejects(() => selector.selectAsync(0), BadResource, "the selector is closed");
      await assertRejects(() => selector.selectAsync(), BadResource, "the selector is closed");
    },
  );

  for (const method of ["register", "modify", "unregister", "getKey"] as const) {
    const promise = `${method}() throws BadResource when fileno() closes the selector`;
    test(backend, promise, (selector) => {
      using ends = new Pair();
      using stack = new DisposableStack();
      let other: BaseSelector | undefined;
      const file = {
        fileno() {
          selector.close();
          other ??= stack.use(backend.create()); // It may get the number of the closed one.
          return ends.left.fileno();
        },
      };
      selector.register(ends.right, EVENT_READ);
      assertThrows(() => selector[method](file, EVENT_READ), BadResource, "the selector is closed");
      const key = other!.register(ends.left, EVENT_WRITE);
      assertEquals(other!.select(), [[key, EVENT_WRITE]]);
    });
  }

  test(backend, "close() empties a map obtained earlier", (selector) => {
    using ends = new Pair();
    const map = selector.getMap();
    selector.register(ends.left, EVENT_READ);
    selector.close();
    assertEquals([map.size, ...map], [0]);
    assertEquals(map.get(ends.left), undefined);
    assertEquals(map.has(ends.left.fileno()), false);
    map.forEach(() => assert(false));
  });

  test(backend, "close() can be called twice", (selector) => {
    selector.waker();
    selector.close();
    selector.close();
    selector[Symbol.dispose]();
  });

  test(backend, "close() works after a wake", (selector) => {
    selector.wakeup();
    selector.close();
    assertThrows(() => selector.select(0), BadResource);
  });

  test(backend, "close() leaves registered descriptors open", (selector) => {
    using ends = new Pair();
    selector.register(ends.left, EVENT_READ);
    selector.close();
    ends.fill();
    assertEquals(ends.left.recv(new Uint8Array(2)), 1);
  });

  test(backend, "[Symbol.dispose]() closes the selector", (selector) => {
    let disposed: BaseSelector;
    {
      using inner = backend.create();
      disposed = inner;
      inner.select(0);
    }
    assertThrows(() => disposed.select(0), BadResource);
    selector.select(0);
  });

  test(backend, "register() keeps two selectors apart", (selector) => {
    using ends = new Pair();
    using other = backend.create();
    const one = selector.register(ends.left, EVENT_READ, "one");
    const two = other.register(ends.left, EVENT_WRITE, "two");
    ends.fill();
    assertEquals(selector.select(), [[one, EVENT_READ]]);
    assertEquals(other.select(), [[two, EVENT_WRITE]]);
    selector.wakeup();
    other.unregister(ends.left);
    assertEquals(other.select(0), []);
  });

  test(backend, `select() handles ${CROWD} descriptors`, async (selector) => {
    using _alone = await reserveDescriptors();
    using stack = new DisposableStack();
    const pairs = Array.from({ length: CROWD / 2 }, () => stack.use(new Pair()));
    for (const { left, right } of pairs) {
      selector.register(left, EVENT_WRITE, left);
      selector.register(right, EVENT_READ);
    }
    assertEquals(selector.getMap().size, CROWD);
    for (const wait of ["select", "selectAsync"] as const) {
      const ready = await selector[wait]();
      assertEquals(ready.length, CROWD / 2);
      assertEquals(new Set(ready.map(([key]) => key.fileobj)).size, CROWD / 2);
      assert(ready.every(([key, events]) => key.data === key.fileobj && events === EVENT_WRITE));
    }
    for (const { left } of pairs) selector.unregister(left);
    assertEquals(selector.select(0), []);
    const last = pairs.at(-1)!;
    last.left.send(new Uint8Array(1));
    assertEquals(selector.select().map(([key]) => key.fileobj), [last.right]);
    for (const { right } of pairs) selector.unregister(right);
    assertEquals(selector.select(0), []);
  });

  // Descriptors are counted in a subprocess, where no other test opens any.
  test(backend, "close() leaves no descriptor behind", async (selector) => {
    selector.close();
    const { code, stdout, stderr } = await runProgram(`
      ${COUNT_DESCRIPTORS}
      async function use() {
        for (let i = 0; i < ${backend.many ?? 10_000}; i++) {
          const selector = ${backend.source};
          if (i % 4 === 1) selector.waker();
          if (i % 500 === 0) await selector.selectAsync(0.1);
          if (i % 500 === 1) {
            const wait = selector.selectAsync().catch(() => {});
            if (i % 1000 === 1) await new Promise((resolve) => setTimeout(resolve));
            selector.close();
            await wait;
          }
          selector.close();
        }
      }
      {
        using first = ${backend.source};
        const wait = first.selectAsync(); // Opens the descriptors of the reactor.
        setTimeout(() => first.wakeup());
        await wait;
      }
      const before = countDescriptors();
      await use();
      console.log(countDescriptors() - before);
    `);
    assertEquals([stderr, stdout, code], ["", "0", 0]);
  });

  test(backend, " closes its descriptors when it is garbage-collected", async (selector) => {
    selector.close();
    const { code, stdout, stderr } = await runProgram(
      `
      ${COUNT_DESCRIPTORS}
      const [left] = sockets.socketpair();
      async function use(selector) {
        selector.register(left, EVENT_WRITE, selector);
        selector.waker();
        await selector.selectAsync();
        for await (const _ of selector) break;
      }
      {
        using first = ${backend.source};
        await use(first);
      }
      const before = countDescriptors();
      for (let i = 0; i < 20; i++) await use(${backend.source});
      const grown = countDescriptors() > before;
      for (let i = 0; i < 10_000 && countDescriptors() > before; i++) {
        gc();
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      console.log(grown, countDescriptors() - before);
    `,
      ["--allow-all", "--v8-flags=--expose-gc"],
    );
    assertEquals([stderr, stdout, code], ["", "true 0", 0]);
  });

  test(backend, " keeps no data of a key that is unregistered", async (selector) => {
    selector.close();
    const { code, stdout, stderr } = await runProgram(
      `
      using selector = ${backend.source};
      const [left] = sockets.socketpair();
      let isKept = true;
      const registry = new FinalizationRegistry(() => isKept = false);
      function use() {
        const data = {};
        registry.register(data);
        selector.register(left, EVENT_WRITE, data);
        console.log(selector.select(0).length);
        selector.unregister(left);
      }
      use();
      for (let i = 0; i < 10_000 && isKept; i++) {
        gc();
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      console.log(isKept, selector.getMap().size);
    `,
      ["--allow-all", "--v8-flags=--expose-gc"],
    );
    assertEquals([stderr, stdout, code], ["", "1\nfalse 0", 0]);
  });

  test(backend, "selectAsync() survives garbage collections", async (selector) => {
    selector.close();
    const { code, stdout, stderr } = await runProgram(
      `
      const [left, right] = sockets.socketpair();
      function begin(data) {
        const selector = ${backend.source};
        selector.register(left, EVENT_READ, data);
        return selector.selectAsync();
      }
      const seen = [];
      for (let i = 0; i < 10; i++) {
        const wait = begin(i);
        for (let turn = 0; turn < 5; turn++) {
          gc();
          await new Promise((resolve) => setTimeout(resolve));
        }
        const garbage = Array.from({ length: 1000 }, () => new Uint8Array(1000).fill(0xff));
        gc();
        right.send(new Uint8Array(garbage.length / 1000));
        const [[key, events]] = await wait;
        if (events !== EVENT_READ || key.fileobj !== left) throw new Error("a wrong event");
        seen.push(key.data);
        left.recv(new Uint8Array(9));
      }
      console.log(seen.join());
    `,
      ["--allow-all", "--v8-flags=--expose-gc"],
    );
    assertEquals([stderr, stdout, code], ["", "0,1,2,3,4,5,6,7,8,9", 0]);
  });

  test(backend, "selectAsync() does not delay Deno.exit()", async (selector) => {
    selector.close();
    const { code, stdout, stderr } = await runProgram(`
      const selector = ${backend.source};
      selector.selectAsync();
      setTimeout(() => {
        console.log("leaving");
        Deno.exit(7);
      }, 5);
    `);
    assertEquals([stderr, stdout, code], ["", "leaving", 7]);
  });
}
