import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { EVENT_READ, EVENT_WRITE, type FileObject } from "../../../mod.ts";
import { Pair } from "../../support/descriptors.ts";
import { type Backend, test } from "./backend.ts";

/** Values that are not interest masks. */
const BAD_EVENTS = [
  0,
  -0,
  16,
  33,
  256, // Modes alone.
  256 | 512 | 1024,
  1 | 2048,
  -1,
  1.5,
  NaN,
  Infinity,
  2 ** 32 + 1,
  "1",
  true,
  1n,
  null,
  undefined,
  {},
  [1],
  Symbol(),
] as unknown[] as number[];

/** Values without a descriptor. */
const NO_FILES = [
  undefined,
  null,
  "3",
  true,
  3n,
  Symbol(),
  {},
  [],
  () => 3,
  { fileno: 3 },
  { fileno: null },
  { fileno: () => "3" },
  { fileno: () => 3n },
  { fileno: () => undefined },
  { fileno: () => null },
  Object.create(null),
] as unknown[] as FileObject[];

/** Files whose number is not a descriptor. */
const BAD_FILES = [
  -1,
  0.5,
  NaN,
  Infinity,
  2 ** 31,
  { fileno: () => -1 },
  { fileno: () => 0.5 },
  { fileno: () => NaN },
  { fileno: () => 2 ** 31 },
] as FileObject[];

const BAD_TIMEOUTS = [NaN, "5", "", true, 5n, {}, [], Symbol(), () => 5] as unknown[] as number[];

/** Wrong arguments of every method: they throw, and change nothing. */
export function testArguments(backend: Backend): void {
  test(backend, "register() throws RangeError for an invalid mask", (selector) => {
    using ends = new Pair();
    for (const events of BAD_EVENTS) {
      assertThrows(
        () => selector.register(ends.left, events),
        RangeError,
        "Cannot use an interest",
      );
    }
    assertEquals(selector.getMap().size, 0);
    assertEquals(selector.select(0), []);
    selector.register(ends.left, EVENT_READ);
  });

  test(backend, "register() throws for a file without a descriptor", (selector) => {
    for (const file of NO_FILES) {
      assertThrows(() => selector.register(file, EVENT_READ), TypeError, "Cannot use a file");
    }
    for (const file of BAD_FILES) {
      assertThrows(() => selector.register(file, EVENT_READ), RangeError, "Cannot use a");
    }
    assertEquals(selector.getMap().size, 0);
    assertEquals(selector.select(0), []);
  });

  test(backend, "register() rethrows what fileno() throws", (selector) => {
    const error = new Error("no descriptor today");
    const file = {
      fileno() {
        throw error;
      },
    };
    assertStrictEquals(assertThrows(() => selector.register(file, EVENT_READ)), error);
    assertEquals(selector.getMap().size, 0);
  });

  for (const method of ["unregister", "modify", "getKey"] as const) {
    test(backend, `${method}() throws for a file without a descriptor`, (selector) => {
      using ends = new Pair();
      const key = selector.register(ends.left, EVENT_READ, "data");
      for (const file of NO_FILES) {
        assertThrows(() => selector[method](file, EVENT_WRITE), TypeError, "Cannot use a file");
      }
      for (const file of BAD_FILES) {
        assertThrows(() => selector[method](file, EVENT_WRITE), RangeError, "Cannot use a");
      }
      assertEquals([...selector.getMap().values()], [key]);
    });
  }

  test(backend, "modify() throws RangeError for an invalid mask", (selector) => {
    using ends = new Pair();
    const key = selector.register(ends.left, EVENT_READ, "data");
    for (const events of BAD_EVENTS) {
      assertThrows(() => selector.modify(ends.left, events, "other"), RangeError);
    }
    assertStrictEquals(selector.getKey(ends.left), key);
    ends.fill();
    assertEquals(selector.select(), [[key, EVENT_READ]]);
  });

  test(backend, "getMap() finds nothing for a file without a descriptor", (selector) => {
    using ends = new Pair();
    selector.register(ends.left, EVENT_READ);
    for (const file of [...NO_FILES, ...BAD_FILES]) {
      assertEquals(selector.getMap().get(file), undefined);
      assertEquals(selector.getMap().has(file), false);
    }
  });

  test(backend, "select() throws TypeError for an invalid timeout", (selector) => {
    for (const timeout of BAD_TIMEOUTS) {
      assertThrows(() => selector.select(timeout), TypeError, "Cannot wait");
    }
    assertEquals(selector.select(0), []);
  });

  test(backend, "selectAsync() rejects with TypeError for an invalid timeout", async (selector) => {
    for (const timeout of BAD_TIMEOUTS) {
      await assertRejects(() => selector.selectAsync(timeout), TypeError, "Cannot wait");
    }
    assertEquals(await selector.selectAsync(0), []);
  });

  test(backend, "selectAsync() rejects with TypeError for an invalid signal", async (selector) => {
    for (const signal of [1, "abort", {}] as unknown[] as AbortSignal[]) {
      await assertRejects(() => selector.selectAsync(0, { signal }), TypeError);
    }
    assertEquals(await selector.selectAsync(0, {}), []);
    assertEquals(selector.select(0), []);
  });
}
