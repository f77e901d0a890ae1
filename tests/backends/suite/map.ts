import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { type BaseSelector, EVENT_READ, EVENT_WRITE } from "../../../mod.ts";
import { Pair } from "../../support/descriptors.ts";
import { type Backend, test } from "./backend.ts";

/** `getMap`, a live and read-only view. */
export function testMap(backend: Backend): void {
  test(backend, "getMap().get() accepts descriptors and objects", (selector) => {
    using ends = new Pair();
    const map = selector.getMap();
    const key = selector.register(ends.left, EVENT_READ, "data");
    for (const file of [ends.left, ends.left.fileno(), { fileno: () => ends.left.fileno() }]) {
      assertStrictEquals(map.get(file), key);
      assertEquals(map.has(file), true);
    }
    for (const file of [ends.right, ends.right.fileno()]) {
      assertEquals(map.get(file), undefined);
      assertEquals(map.has(file), false);
    }
  });

  test(backend, "getMap().get() finds a closed object", (selector) => {
    using ends = new Pair();
    const key = selector.register(ends.left, EVENT_READ);
    ends.left.close();
    assertStrictEquals(selector.getMap().get(ends.left), key);
    selector.unregister(ends.left);
    assertEquals(selector.getMap().has(ends.left), false);
  });

  test(backend, "getMap() iterates over descriptors and keys", (selector) => {
    using ends = new Pair();
    const { keys, fds, pairs } = registered(selector, ends);
    const map = selector.getMap();
    assertEquals(map.size, 2);
    assertEquals([...map.keys()], fds);
    assertEquals([...map.values()], keys);
    assertEquals([...map.entries()], pairs);
    assertEquals([...map], pairs);
  });

  test(backend, "getMap().forEach() passes key, descriptor and map", (selector) => {
    using ends = new Pair();
    const { pairs } = registered(selector, ends);
    const map = selector.getMap();
    const self = {};
    const seen: [number, unknown][] = [];
    map.forEach(function (this: unknown, key, fd, view) {
      assertStrictEquals(this, self);
      assertStrictEquals(view, map);
      seen.push([fd, key]);
    }, self);
    assertEquals(seen, pairs);
  });

  test(backend, "getMap() is live", (selector) => {
    using ends = new Pair();
    const map = selector.getMap();
    assertEquals([map.size, ...map], [0]);
    selector.register(ends.left, EVENT_READ);
    assertEquals(map.get(ends.left)!.events, EVENT_READ);
    const key = selector.modify(ends.left, EVENT_WRITE);
    assertEquals([...map.values()], [key]);
    selector.unregister(ends.left);
    assertEquals([map.size, ...map], [0]);
    assertEquals(selector.getMap().size, 0);
  });

  test(backend, "getMap() is read-only", (selector) => {
    using ends = new Pair();
    registered(selector, ends);
    const map = selector.getMap();
    const writable = map as unknown as Map<number, unknown>;
    for (const method of ["set", "delete", "clear"] as const) {
      assertEquals(writable[method], undefined);
      const write: (...args: unknown[]) => unknown = Map.prototype[method];
      assertThrows(() => write.call(map, 1, 1), TypeError);
    }
    assertThrows(() => Object.assign(map, { size: 9 }), TypeError);
    // The entries are copies.
    for (const entry of map.entries()) entry[1] = entry[1] && { ...entry[1], data: "other" };
    assertEquals([...map.values()].map((key) => key.data), [undefined, undefined]);
    assertEquals(map.size, 2);
  });
}

function registered(selector: BaseSelector, ends: Pair) {
  const keys = [ends.right, ends.left].map((file) => selector.register(file, EVENT_READ));
  const fds = keys.map((key) => key.fd);
  return { keys, fds, pairs: keys.map((key) => [key.fd, key] as [number, typeof key]) };
}
