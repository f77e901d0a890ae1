import { assertEquals } from "@std/assert";
import { Lines } from "../../../examples/support/lines.ts";

/** Cuts a text in pieces of some bytes, and its end. */
function cut(text: string, size: number): (string | null)[] {
  const lines = new Lines(5);
  const bytes = new TextEncoder().encode(text);
  const found: (string | null)[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    found.push(...lines.cut(bytes.subarray(at, at + size)));
  }
  return [...found, ...lines.cut(new Uint8Array())];
}

Deno.test("Lines.cut() returns the same lines for pieces of any size", () => {
  for (let size = 1; size < 40; size++) {
    assertEquals(cut("one\r\n\nZü\n123456\n12345\n1234567890\nend", size), [
      "one",
      "",
      "Zü",
      null,
      "12345",
      null,
      "end",
    ]);
  }
});

Deno.test("Lines.cut() replaces invalid UTF-8 and control characters but tabs", () => {
  assertEquals(cut("\x1b\t\u009b\n", 9), ["\ufffd\t\ufffd"]);
  assertEquals([...new Lines(5).cut(new Uint8Array([0xff, 0x61, 0xc3, 0x0a]))], ["\ufffda\ufffd"]);
});
