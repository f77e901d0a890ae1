import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import type { SelectorKey } from "../../backends/key.ts";
import { KeyTable } from "../../backends/key_table.ts";

function keyOf(fd: number, data?: unknown): SelectorKey {
  return { fileobj: fd, fd, events: 1, data };
}

Deno.test("KeyTable.values() returns keys in the order of registration", () => {
  const table = new KeyTable<unknown, number>();
  for (const fd of [9, 3, 100_000, 5]) table.add(keyOf(fd) as SelectorKey<unknown, number>);
  assertEquals([...table.values()].map(({ fd }) => fd), [9, 3, 100_000, 5]);
  table.delete(3);
  table.replace(keyOf(9, "other") as SelectorKey<unknown, number>);
  table.add(keyOf(3) as SelectorKey<unknown, number>);
  assertEquals([...table.values()].map(({ fd }) => fd), [9, 100_000, 5, 3]);
  assertEquals(table.get(9)!.data, "other");
  assertEquals(table.size, 4);
});

Deno.test("KeyTable.values() omits keys that are deleted during the iteration", () => {
  const table = new KeyTable<unknown, number>();
  for (const fd of [1, 2, 3]) table.add(keyOf(fd) as SelectorKey<unknown, number>);
  const seen: number[] = [];
  for (const { fd } of table.values()) {
    seen.push(fd);
    if (fd === 1) table.delete(2);
  }
  assertEquals(seen, [1, 3]);
  for (const _ of table.values()) table.clear();
  assertEquals([table.size, ...table.values()], [0]);
});

Deno.test("KeyTable.get() accepts the highest descriptor", () => {
  const table = new KeyTable<unknown, number>();
  const key = keyOf(0x7fff_ffff) as SelectorKey<unknown, number>;
  table.add(key);
  assertStrictEquals(table.get(key.fd), key);
  assertEquals([...table.values()], [key]);
  table.delete(key.fd);
  assertEquals(table.get(key.fd), undefined);
});

Deno.test("KeyTable.find() finds objects by identity, then by descriptor", () => {
  const table = new KeyTable();
  const file = { fd: 7, fileno: () => file.fd };
  const other = { fileno: () => 8 };
  const key = { ...keyOf(7), fileobj: file };
  const second = { ...keyOf(8), fileobj: other };
  table.add(key);
  table.add(second);
  assertStrictEquals(table.find(7), key);
  assertStrictEquals(table.find(file), key);
  assertStrictEquals(table.find({ fileno: () => 7 }), key);
  for (const fd of [-1, 8, 9]) {
    file.fd = fd;
    assertStrictEquals(table.find(file), key);
  }
  assertEquals(table.find({ fileno: () => 10 }), undefined);
  assertThrows(() => table.find({ fileno: () => -1 }), RangeError);
});

Deno.test("KeyTable.event() returns the same event until the events or the key change", () => {
  const table = new KeyTable();
  for (const fd of [4, 100_000]) {
    const key = { ...keyOf(fd), events: 3 };
    table.add(key);
    assertEquals(table.same(fd, 1), undefined);
    const event = table.event(key, 1);
    assertEquals(event, [key, 1]);
    assertStrictEquals(table.event(key, 1), event);
    assertStrictEquals(table.same(fd, 1), event);
    assertStrictEquals(table.same(fd, 1 | 4 | 1 << 30), event); // It asks only for 1 and 2.
    assertEquals(
      [table.same(fd, 0), table.same(fd, 2), table.same(fd, 3)],
      Array(3).fill(undefined),
    );
    assertEquals(table.event(key, 3), [key, 3]);
    assertEquals(table.same(fd, 1), undefined);

    const other = { ...key, data: "other" };
    table.replace(other);
    assertEquals(table.same(fd, 3), undefined);
    assertStrictEquals(table.event(other, 3)[0], other);
    table.delete(fd);
    assertEquals(table.same(fd, 3), undefined);
  }
});

Deno.test("KeyTable.same() returns events of ordinary keys only", () => {
  const table = new KeyTable();
  const key = { ...keyOf(4), events: 1 | 512 };
  table.add(key);
  const event = table.event(key, 1);
  assertStrictEquals(table.event(key, 1), event);
  assertEquals(table.same(4, 1), undefined);
  const other = { ...key, events: 1 };
  table.replace(other);
  assertEquals(table.event(other, 1), [other, 1]);
  assertStrictEquals(table.event(other, 1)[0], other);
});
