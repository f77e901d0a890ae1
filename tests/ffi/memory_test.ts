import { assertEquals, assertNotEquals } from "@std/assert";
import { addressOf, copyFrom, cString, stringAt } from "../../ffi/memory.ts";

/** Copies bytes into a buffer whose memory does not move. */
function fixed(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(new ArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
}

Deno.test("cString() adds a NUL", () => {
  assertEquals([...cString("")], [0]);
  assertEquals([...cString("aé")], [0x61, 0xc3, 0xa9, 0]);
});

Deno.test("stringAt() reads until the NUL", () => {
  for (const text of ["", "a", "Grüße, 世界 🌍", "\ufeffa", "x".repeat(10_000)]) {
    const bytes = fixed(cString(text + "\0behind"));
    assertEquals(stringAt(addressOf(bytes)), text);
  }
});

Deno.test("copyFrom() fills the target", () => {
  const bytes = fixed(Uint8Array.of(1, 2, 3, 4));
  const target = new Uint8Array(3);
  copyFrom(addressOf(bytes), target);
  assertEquals([...target], [1, 2, 3]);
  copyFrom(addressOf(bytes) + 2n, target.subarray(0, 2));
  assertEquals([...target], [3, 4, 3]);
  copyFrom(addressOf(bytes), new Uint8Array(0));
});

Deno.test("addressOf() returns the address where a view begins", () => {
  const buffer = new ArrayBuffer(64);
  const start = addressOf(new Uint8Array(buffer));
  assertNotEquals(start, 0n);
  assertEquals(addressOf(new Uint8Array(buffer, 8)) - start, 8n);
  assertEquals(addressOf(new Int32Array(buffer, 16)) - start, 16n);
  assertEquals(start, BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(buffer))));
});
