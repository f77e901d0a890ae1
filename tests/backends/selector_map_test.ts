import { assertEquals, assertInstanceOf } from "@std/assert";
import { SelectorMap, SelectSelector } from "../../mod.ts";
import { Pair } from "../support/descriptors.ts";

// Its methods are tested in suite/map.ts.
Deno.test("SelectorMap is a ReadonlyMap", () => {
  using selector = new SelectSelector<string>();
  using ends = new Pair();
  const key = selector.register(ends.left, 1, "data");
  const map = selector.getMap();
  assertInstanceOf(map, SelectorMap);
  const copy: ReadonlyMap<unknown, { data: string }> = new Map(map);
  assertEquals([...copy], [[key.fd, key]]);
});

Deno.test("SelectorMap can be iterated over while keys are unregistered", () => {
  using stack = new DisposableStack();
  using selector = new SelectSelector();
  const pairs = Array.from({ length: 4 }, () => stack.use(new Pair()));
  for (const ends of pairs) selector.register(ends.left, 1);
  for (const [fd, key] of selector.getMap()) assertEquals(selector.unregister(fd as never), key);
  assertEquals(selector.getMap().size, 0);
  for (const ends of pairs) selector.register(ends.left, 1);
  selector.getMap().forEach((key) => selector.unregister(key.fileobj));
  assertEquals(selector.getMap().size, 0);
});
