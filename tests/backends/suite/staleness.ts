import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { EVENT_READ, EVENT_WRITE, KeyError } from "../../../mod.ts";
import { Descriptor, needsDup2, Pair } from "../../support/descriptors.ts";
import { isPending, turnEventLoop } from "../../support/event_loop.ts";
import { untilReadable } from "../../support/sockets.ts";
import { type Backend, test } from "./backend.ts";

/** Descriptors that are closed, reused or duplicated while they are registered. */
export function testStaleness(backend: Backend): void {
  test(backend, "select() reports no event of a closed object", (selector) => {
    using ends = new Pair();
    using other = new Pair();
    selector.register(ends.left, EVENT_READ);
    const key = selector.register(other.left, EVENT_READ);
    ends.fill();
    ends.left.close();
    untilReadable(ends.right); // A program that is being started has a copy until then.
    other.fill();
    if (backend.seesReuse) assertEquals(selector.select(), [[key, EVENT_READ]]);
    selector.unregister(ends.left);
    assertEquals(selector.select(), [[key, EVENT_READ]]);
  });

  test(
    backend,
    "select() reports no event under the old key of a reused descriptor",
    (selector) => {
      using a = new Pair();
      using b = new Pair();
      using file = Descriptor.dupHigh(a.left.fileno());
      a.left.close(); // Only the duplicate is left.
      selector.register(file, EVENT_READ, "old");
      file.becomes(b.left.fileno());
      b.fill();
      if (backend.seesReuse) assertEquals(selector.select(0), []);
      assertEquals(selector.unregister(file.fd).data, "old");
      assertEquals(selector.select(0), []);
      const key = selector.register(file, EVENT_READ, "new");
      assertEquals(selector.select(), [[key, EVENT_READ]]);
    },
    needsDup2,
  );

  test(
    backend,
    "select() reports no event of a closed descriptor that has a duplicate",
    (selector) => {
      using a = new Pair();
      using b = new Pair();
      using file = Descriptor.dupHigh(a.left.fileno());
      selector.register(file, EVENT_READ, "old");
      file.close();
      selector.unregister(file);
      a.fill();
      assertEquals(selector.select(0), []);
      file.becomes(b.left.fileno());
      const key = selector.register(file, EVENT_READ, "new");
      assertEquals(selector.select(0), []); // The old one is ready, the new one is not.
      b.fill();
      assertEquals(selector.select(), [[key, EVENT_READ]]);
      selector.unregister(file);
      assertEquals(selector.select(0), []);
    },
    needsDup2,
  );

  test(
    backend,
    "selectAsync() goes on after a late event of a closed descriptor",
    async (selector) => {
      using a = new Pair();
      using b = new Pair();
      using file = Descriptor.dupHigh(a.left.fileno());
      selector.register(file, EVENT_READ);
      const key = selector.register(b.left, EVENT_READ);
      const wait = selector.selectAsync();
      await turnEventLoop();
      file.close();
      selector.unregister(file);
      a.fill();
      assert(await isPending(wait));
      b.fill();
      assertEquals(await wait, [[key, EVENT_READ]]);
    },
    needsDup2,
  );

  test(
    backend,
    "select() works when an open file is registered again under its old number",
    (selector) => {
      using ends = new Pair();
      using file = Descriptor.dupHigh(ends.left.fileno());
      selector.register(file, EVENT_WRITE, "old");
      file.close();
      selector.unregister(file);
      file.becomes(ends.left.fileno()); // The kernel may still have the registration.
      const key = selector.register(file, EVENT_READ, "new");
      assertEquals(selector.select(0), []);
      ends.fill();
      assertEquals(selector.select(), [[key, EVENT_READ]]);
    },
    needsDup2,
  );

  test(backend, "unregister() finds a closed object by identity", (selector) => {
    using ends = new Pair();
    const key = selector.register(ends.left, EVENT_READ);
    ends.left.close();
    assertEquals(ends.left.fileno(), -1);
    assertStrictEquals(selector.getKey(ends.left), key);
    assertStrictEquals(selector.unregister(ends.left), key);
    assertEquals(selector.getMap().size, 0);
    assertEquals(selector.select(0), []);
    assertThrows(() => selector.unregister(ends.left), RangeError);
  });

  test(backend, "unregister() finds a closed descriptor by its number", (selector) => {
    using ends = new Pair();
    const file = Descriptor.dupHigh(ends.left.fileno());
    const key = selector.register(file.fd, EVENT_READ);
    file.close();
    assertStrictEquals(selector.unregister(file.fd), key);
    assertThrows(() => selector.unregister(file.fd), KeyError);
  });

  test(backend, "unregister() prefers an object's identity to its number", (selector) => {
    using a = new Pair();
    using b = new Pair();
    const file = { fd: a.left.fileno(), fileno: () => file.fd };
    const key = selector.register(file, EVENT_READ, "a");
    const other = selector.register(b.left, EVENT_READ, "b");
    file.fd = b.left.fileno();
    assertStrictEquals(selector.getKey(file), key);
    assertStrictEquals(selector.getMap().get(file), key);
    assertStrictEquals(selector.unregister(file), key);
    assertEquals([...selector.getMap().values()], [other]);
    b.fill();
    assertEquals(selector.select(), [[other, EVENT_READ]]);
  });
}
