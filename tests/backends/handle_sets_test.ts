import { assertEquals, assertThrows } from "@std/assert";
import {
  DefaultSelector,
  EVENT_READ,
  EVENT_WRITE,
  OSError,
  PollSelector,
  SelectSelector,
} from "../../mod.ts";
import { fileURLToPath as fromFileUrl } from "node:url";
import { notSockets, Pair } from "../support/descriptors.ts";
import { windowsOnly } from "../support/skip.ts";

Deno.test({
  name: "SelectSelector handles 600 sockets on Windows",
  ...windowsOnly,
  async fn() {
    using stack = new DisposableStack();
    using selector = new SelectSelector();
    const pairs = Array.from({ length: 300 }, () => stack.use(new Pair()));
    for (const { left, right } of pairs) {
      selector.register(left, EVENT_READ);
      selector.register(right, EVENT_READ | EVENT_WRITE);
    }
    assertEquals(selector.select().length, 300);
    for (const ends of pairs) selector.modify(ends.right, EVENT_READ);
    assertEquals(selector.select(0), []);
    for (const i of [0, 63, 64, 299]) pairs[i]!.fill();
    const ready = [0, 63, 64, 299].map((i) => pairs[i]!.left.fileno()).sort((a, b) => a - b);
    for (const wait of [selector.select(), await selector.selectAsync()]) {
      assertEquals(wait.map(([{ fd }]) => fd).sort((a, b) => a - b), ready);
    }
  },
});

for (const Selector of [SelectSelector, PollSelector]) {
  Deno.test({
    name: `${Selector.name}.register() throws ENOTSOCK for other handles than sockets on Windows`,
    ...windowsOnly,
    fn() {
      using selector = new Selector();
      using files = notSockets(fromFileUrl(import.meta.url));
      for (const handle of [...files.handles, 2]) {
        const error = assertThrows(() => selector.register(handle, EVENT_READ), OSError);
        assertEquals([error.code, error.errno], ["ENOTSOCK", 10038]);
      }
      assertEquals(selector.select(2), []);
    },
  });
}

Deno.test({
  name: "SelectSelector.selectAsync() does not block on a blocking socket on Windows",
  ...windowsOnly,
  async fn() {
    using selector = new SelectSelector();
    using ends = new Pair();
    const key = selector.register(ends.left, EVENT_WRITE);
    ends.stuff();
    ends.left.setBlocking(true);
    const wait = selector.selectAsync();
    // The socket is no longer readable when the wait learns that it was.
    setTimeout(() => {
      ends.fill();
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
      ends.drain();
      setTimeout(() => {
        const buffer = new Uint8Array(1 << 20);
        while (ends.right.recv(buffer));
      }, 20);
    }, 5);
    assertEquals(await wait, [[key, EVENT_WRITE]]);
  },
});

Deno.test({
  name: "SelectSelector.select() throws OSError while a closed socket is registered on Windows",
  ...windowsOnly,
  fn() {
    using selector = new SelectSelector();
    using ends = new Pair();
    selector.register(ends.left, EVENT_READ);
    ends.left.close();
    const error = assertThrows(() => selector.select(), OSError);
    assertEquals([error.code, error.syscall], ["ENOTSOCK", "select"]);
    selector.unregister(ends.left);
    assertEquals(selector.select(1), []);
  },
});

Deno.test({
  name: "DefaultSelector is a SelectSelector on Windows",
  ...windowsOnly,
  fn() {
    using selector = new DefaultSelector();
    assertEquals(selector instanceof SelectSelector, true);
  },
});
