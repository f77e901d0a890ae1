import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  EDGE_TRIGGERED,
  EVENT_HANGUP,
  EVENT_PRIORITY,
  EVENT_READ,
  EVENT_WRITE,
  EXCLUSIVE,
  ONE_SHOT,
} from "../../../mod.ts";
import { Descriptor, needsDup2, Pair } from "../../support/descriptors.ts";
import { isPending, turnEventLoop } from "../../support/event_loop.ts";
import { type Backend, supports, test } from "./backend.ts";

const BOTH = EVENT_READ | EVENT_WRITE;
const { NotSupported } = Deno.errors;

/** The modes: one-shot, edge-triggered, exclusive. */
export function testModes(backend: Backend): void {
  test(backend, "supports() is true for Python's masks, and false for what is no mask", () => {
    for (const events of [EVENT_READ, EVENT_WRITE, BOTH]) assert(supports(backend, events));
    for (const events of [0, -1, 0.5, NaN, 16, EDGE_TRIGGERED, ONE_SHOT, EXCLUSIVE, 2 ** 32 + 1]) {
      assertEquals(supports(backend, events), false, String(events));
    }
  });

  testOneShot(backend);

  const modes = { EDGE_TRIGGERED, EXCLUSIVE };
  for (const [name, mode] of Object.entries(modes)) {
    if (supports(backend, EVENT_READ | mode)) continue;
    test(backend, `register() throws NotSupported for ${name}, and changes nothing`, (selector) => {
      using ends = new Pair();
      for (const events of [EVENT_READ | mode, BOTH | mode | ONE_SHOT]) {
        assertThrows(() => selector.register(ends.left, events), NotSupported, name);
      }
      assertEquals(selector.getMap().size, 0);
      const key = selector.register(ends.left, EVENT_WRITE);
      assertThrows(() => selector.modify(ends.left, EVENT_READ | mode), NotSupported, name);
      assertStrictEquals(selector.getKey(ends.left), key);
      assertEquals(selector.select(), [[key, EVENT_WRITE]]);
    });
  }
  if (supports(backend, EVENT_READ | EDGE_TRIGGERED)) testEdgeTriggered(backend);
  if (supports(backend, EVENT_READ | EXCLUSIVE)) testExclusive(backend);
}

function testOneShot(backend: Backend): void {
  for (const wait of ["select", "selectAsync"] as const) {
    test(backend, `${wait}() reports each of 300 one-shot keys once`, async (selector) => {
      using stack = new DisposableStack();
      const pairs = Array.from({ length: 300 }, () => stack.use(new Pair()));
      for (const ends of pairs) {
        selector.register(ends.left, EVENT_READ | ONE_SHOT, ends);
        ends.fill();
      }
      const seen = new Set<unknown>();
      while (seen.size < pairs.length) {
        for (const [key, events] of await selector[wait]()) {
          assertEquals([events, key.events], [EVENT_READ, EVENT_READ | ONE_SHOT]);
          assert(!seen.has(key.data));
          seen.add(key.data);
        }
      }
      for (const ends of pairs) ends.fill();
      assertEquals(await selector[wait](5), []);
      for (const { left } of pairs) {
        assertEquals(selector.modify(left, EVENT_READ | ONE_SHOT, "again").data, "again");
      }
      let again = 0;
      while (again < pairs.length) again += (await selector[wait]()).length;
      assertEquals([again, await selector[wait](1)], [pairs.length, []]);
    });
  }

  test(backend, "select() disarms all events of a one-shot key at once", (selector) => {
    using ends = new Pair();
    ends.stuff();
    const key = selector.register(ends.left, BOTH | ONE_SHOT);
    ends.fill();
    assertEquals(selector.select(), [[key, EVENT_READ]]);
    while (ends.right.recv(new Uint8Array(1 << 16)));
    assertEquals(selector.select(2), []);
    const again = selector.modify(ends.left, EVENT_WRITE | ONE_SHOT);
    assertEquals(selector.select(), [[again, EVENT_WRITE]]);
    assertEquals(selector.select(1), []);
  });

  test(backend, "select() reports nothing of a spent one-shot key that hangs up", (selector) => {
    using ends = new Pair();
    selector.register(ends.left, EVENT_READ | ONE_SHOT);
    ends.fill();
    assertEquals(selector.select().length, 1);
    ends.right.close();
    for (let i = 0; i < 3; i++) assertEquals(selector.select(1), []);
  });

  test(
    backend,
    "modify() turns a spent one-shot key into an ordinary one, and back",
    (selector) => {
      using ends = new Pair();
      selector.register(ends.left, EVENT_READ | ONE_SHOT);
      ends.fill();
      assertEquals(selector.select().length, 1);
      const ordinary = selector.modify(ends.left, EVENT_READ);
      for (let i = 0; i < 3; i++) assertEquals(selector.select(), [[ordinary, EVENT_READ]]);
      selector.modify(ends.left, EVENT_READ | ONE_SHOT);
      assertEquals(selector.select().length, 1);
      assertEquals(selector.select(1), []);
    },
  );

  test(
    backend,
    "unregister() removes a spent one-shot key, and register() takes it",
    (selector) => {
      using ends = new Pair();
      for (let i = 0; i < 3; i++) {
        selector.register(ends.left, EVENT_READ | ONE_SHOT);
        ends.fill();
        assertEquals(selector.select().length, 1);
        selector.unregister(ends.left);
        assertEquals(selector.getMap().size, 0);
        assertEquals(selector.select(0), []);
      }
    },
  );

  test(backend, "selectAsync() waits beside spent one-shot keys", async (selector) => {
    using ends = new Pair();
    using other = new Pair();
    selector.register(ends.left, EVENT_READ | ONE_SHOT);
    const key = selector.register(other.left, EVENT_READ);
    ends.fill();
    assertEquals((await selector.selectAsync()).length, 1);
    const wait = selector.selectAsync();
    assert(await isPending(wait));
    other.fill();
    assertEquals(await wait, [[key, EVENT_READ]]);
    other.drain();
    const again = selector.selectAsync();
    await turnEventLoop();
    const armed = selector.modify(ends.left, EVENT_READ | ONE_SHOT);
    assertEquals(await again, [[armed, EVENT_READ]]);
  });

  test(backend, "[Symbol.asyncIterator]() yields a one-shot key once", async (selector) => {
    using ends = new Pair();
    using last = new Pair();
    selector.register(ends.left, EVENT_READ | ONE_SHOT, "once");
    ends.fill();
    const seen: unknown[] = [];
    for await (const [key] of selector) {
      seen.push(key.data);
      if (seen.length > 1) break;
      selector.register(last.left, EVENT_WRITE, "last");
    }
    assertEquals(seen, ["once", "last"]);
  });

  test(backend, "select() outlives a one-shot key whose number is reused", (selector) => {
    using a = new Pair();
    using b = new Pair();
    using file = Descriptor.dupHigh(a.left.fileno());
    selector.register(file, EVENT_READ | ONE_SHOT);
    a.fill();
    assertEquals(selector.select().length, 1);
    file.becomes(b.left.fileno());
    selector.unregister(file);
    const key = selector.register(file, EVENT_READ | ONE_SHOT);
    assertEquals(selector.select(0), []);
    b.fill();
    assertEquals(selector.select(), [[key, EVENT_READ]]);
  }, needsDup2);
}

function testEdgeTriggered(backend: Backend): void {
  for (const wait of ["select", "selectAsync"] as const) {
    test(backend, `${wait}() reports an edge-triggered key once per arrival`, async (selector) => {
      using ends = new Pair();
      const key = selector.register(ends.left, EVENT_READ | EDGE_TRIGGERED);
      for (let i = 0; i < 5; i++) {
        ends.fill();
        assertEquals(await selector[wait](), [[key, EVENT_READ]]);
        assertEquals(await selector[wait](2), []); // Although it is still readable.
        if (i % 2 === 1) ends.drain();
      }
    });
  }

  test(backend, "select() reports what is ready when an edge-triggered key begins", (selector) => {
    using ends = new Pair();
    ends.fill();
    const key = selector.register(ends.left, BOTH | EDGE_TRIGGERED);
    let found = 0;
    while (found !== BOTH) {
      for (const [same, events] of selector.select()) {
        assertStrictEquals(same, key);
        found |= events;
      }
    }
    assertEquals(selector.select(1), []);
    const level = selector.modify(ends.left, EVENT_READ);
    for (let i = 0; i < 3; i++) assertEquals(selector.select(), [[level, EVENT_READ]]);
  });

  test(backend, "modify() of an edge-triggered key reports what is ready once", (selector) => {
    using ends = new Pair();
    ends.fill();
    selector.register(ends.left, EVENT_READ);
    assertEquals(selector.select().length, 1);
    const key = selector.modify(ends.left, EVENT_READ | EDGE_TRIGGERED);
    assertEquals(selector.select(), [[key, EVENT_READ]]);
    assertEquals(selector.select(1), []);
  });
}

function testExclusive(backend: Backend): void {
  test(backend, "register() takes EXCLUSIVE with reading, writing and edges", (selector) => {
    for (const events of [EVENT_READ, EVENT_WRITE, BOTH, BOTH | EDGE_TRIGGERED]) {
      using ends = new Pair();
      const key = selector.register(ends.left, events | EXCLUSIVE);
      ends.fill();
      assertEquals(selector.select(), [[key, events & BOTH]]);
      assertEquals(selector.modify(ends.left, events | EXCLUSIVE, "data").data, "data");
      selector.unregister(ends.left);
      assertEquals(selector.select(0), []);
    }
  });

  test(backend, "register() throws NotSupported for EXCLUSIVE with anything else", (selector) => {
    using ends = new Pair();
    for (const other of [EVENT_PRIORITY, EVENT_HANGUP, ONE_SHOT]) {
      const events = EVENT_READ | EXCLUSIVE | other;
      assertEquals(supports(backend, events), false);
      assertThrows(() => selector.register(ends.left, events), NotSupported, "EXCLUSIVE");
    }
    assertEquals(selector.getMap().size, 0);
  });

  test(
    backend,
    "modify() throws NotSupported to and from EXCLUSIVE, and keeps the key",
    (selector) => {
      using ends = new Pair();
      const exclusive = EVENT_READ | EXCLUSIVE;
      for (const [from, to] of [[EVENT_READ, exclusive], [exclusive, EVENT_READ]] as const) {
        const key = selector.register(ends.left, from);
        assertThrows(() => selector.modify(ends.left, to), NotSupported, "EXCLUSIVE");
        assertThrows(() => selector.modify(ends.left, BOTH | EXCLUSIVE), NotSupported, "EXCLUSIVE");
        assertStrictEquals(selector.getKey(ends.left), key);
        ends.fill();
        assertEquals(selector.select(), [[key, EVENT_READ]]);
        ends.drain();
        selector.unregister(ends.left);
      }
    },
  );
}
