import { assertEquals } from "@std/assert";
import { printable } from "../../../examples/support/output.ts";

Deno.test("printable() escapes control characters, and leaves other text as it is", () => {
  assertEquals(printable("Zürich 🏔\u00a0"), "Zürich 🏔\u00a0");
  assertEquals(printable("a\0\t\n\r\x1b[2J\x7f"), "a\\x00\\x09\\x0a\\x0d\\x1b[2J\\x7f");
  assertEquals(printable("\u0080\u009b2J\u009d"), "\\x80\\x9b2J\\x9d");
  assertEquals(printable("\u2028\u202e\u2066"), "\\u2028\\u202e\\u2066");
});
