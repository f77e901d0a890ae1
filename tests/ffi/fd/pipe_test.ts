import { assertEquals, assertInstanceOf } from "@std/assert";
import { FileDescriptor, pipe } from "../../../ffi/fd/mod.ts";
import { BORN, descriptorFlags, Pipe } from "../../support/descriptors.ts";
import { linuxOnly } from "../../support/skip.ts";
import { untilReadable } from "../../support/sockets.ts";

Deno.test({
  name: "pipe() makes both ends non-blocking and close-on-exec",
  ...linuxOnly,
  fn() {
    using ends = new Pipe();
    assertEquals(descriptorFlags(ends.reader.fileno()), BORN);
    assertEquals(descriptorFlags(ends.writer.fileno()), BORN);
  },
});

Deno.test("pipe() leads from the writer to the reader", () => {
  using ends = new Pipe();
  assertInstanceOf(ends.reader, FileDescriptor);
  assertInstanceOf(ends.writer, FileDescriptor);
  ends.writer.write(new TextEncoder().encode("hi"));
  untilReadable(ends.reader);
  const buffer = new Uint8Array(10);
  const size = ends.reader.read(buffer)!;
  assertEquals(new TextDecoder().decode(buffer.subarray(0, size)), "hi");
});

Deno.test("pipe() closes both ends at the end of a using block", () => {
  let both: FileDescriptor[];
  {
    using ends = pipe();
    both = [ends.reader, ends.writer];
    assertEquals(both.every((end) => end.fileno() >= 0), true);
    ends.writer.close();
  }
  assertEquals(both.map((end) => end.fileno()), [-1, -1]);
});
