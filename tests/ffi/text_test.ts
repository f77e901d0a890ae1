import { assertEquals } from "@std/assert";
import { decodeCString, decodeExactly, untilNul } from "../../ffi/text.ts";

const bytes = (...values: number[]) => new Uint8Array(values);

Deno.test("decodeCString() ends at the first NUL, or else with the bytes", () => {
  assertEquals(decodeCString(bytes(97, 98, 0, 99)), "ab");
  assertEquals(decodeCString(bytes(97, 98)), "ab");
  assertEquals(decodeCString(bytes(0)), "");
  assertEquals(decodeCString(bytes()), "");
});

Deno.test("decodeCString() keeps a byte order mark, and replaces what is not UTF-8", () => {
  assertEquals(decodeCString(bytes(0xef, 0xbb, 0xbf, 97)), "\ufeffa");
  assertEquals(decodeCString(bytes(97, 0xff, 98)), "a\ufffdb");
});

Deno.test("decodeExactly() decodes nothing but UTF-8", () => {
  assertEquals(decodeExactly(bytes(0, 97, 0)), "\0a\0");
  assertEquals(decodeExactly(bytes(0xef, 0xbb, 0xbf)), "\ufeff");
  for (const odd of [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0x80]]) {
    assertEquals(decodeExactly(bytes(...odd)), null);
  }
});

Deno.test("untilNul() returns the bytes before the first NUL", () => {
  assertEquals(untilNul(bytes(1, 2, 0, 3)), bytes(1, 2));
  assertEquals(untilNul(bytes(1, 2)), bytes(1, 2));
});
