import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { describeFile, descriptorOf, type FileObject, KeyError } from "../../backends/key.ts";

Deno.test("descriptorOf() accepts numbers and objects with a fileno()", () => {
  assertEquals(descriptorOf(0), 0);
  assertEquals(descriptorOf(0x7fff_ffff), 0x7fff_ffff);
  assertEquals(descriptorOf({ fileno: () => 7 }), 7);
  const method = Object.assign(() => {}, { fileno: () => 8 });
  assertEquals(descriptorOf(method), 8);
});

Deno.test("descriptorOf() calls fileno() as a method, once", () => {
  let calls = 0;
  class File {
    #fd = 9;
    fileno(): number {
      calls++;
      return this.#fd;
    }
  }
  assertEquals([descriptorOf(new File()), calls], [9, 1]);
});

for (
  const [file, Class, message] of [
    [-1, RangeError, "integer from 0 to 2147483647, received -1"],
    [1.5, RangeError, "received 1.5"],
    [NaN, RangeError, "received NaN"],
    [2 ** 31, RangeError, "received 2147483648"],
    [{ fileno: () => -1 }, RangeError, "the Object is closed, its fileno() returns -1"],
    [undefined, TypeError, "a number or have a fileno() method, received undefined"],
    [null, TypeError, "received null"],
    ["7", TypeError, 'received "7"'],
    [{}, TypeError, "received Object"],
    [Object.create(null), TypeError, "an object without a class"],
    [Symbol("s"), TypeError, "received Symbol(s)"],
    [{ fileno: 7 }, TypeError, "a fileno() method"],
    [{ fileno: () => "7" }, TypeError, 'fileno() must return a number, received "7"'],
    [{ fileno: () => [] }, TypeError, "fileno() must return a number, received Array"],
  ] as [unknown, new () => Error, string][]
) {
  Deno.test(`descriptorOf() throws ${Class.name} that says "${message}"`, () => {
    assertThrows(() => descriptorOf(file), Class, message);
  });
}

Deno.test("describeFile() names the descriptor, and the class of an object", () => {
  class Door {
    fileno(): number {
      return 7;
    }
  }
  const bare: FileObject = Object.assign(Object.create(null), { fileno: () => 7 });
  assertEquals(describeFile(7, 7), "fd 7");
  assertEquals(describeFile(new Door(), 7), "fd 7 (Door)");
  assertEquals(describeFile(bare, 7), "fd 7 (an object without a class)");
});

Deno.test("KeyError is an Error with a name", () => {
  const error = new KeyError("Cannot find it");
  assertInstanceOf(error, Error);
  assertEquals([error.name, error.message, `${error}`], [
    "KeyError",
    "Cannot find it",
    "KeyError: Cannot find it",
  ]);
});
