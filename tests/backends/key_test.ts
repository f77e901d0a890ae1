import { assertEquals, assertInstanceOf } from "@std/assert";
import { describeFile, type FileObject, KeyError } from "../../backends/key.ts";

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
