import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import {
  FileDescriptor,
  O_APPEND,
  O_CREAT,
  O_EXCL,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
  OSError,
  pipe,
} from "../../../ffi/fd/mod.ts";
import { setInheritable } from "../../../ffi/descriptor.ts";
import { BORN, Descriptor, descriptorFlags, needsDup2, Pipe } from "../../support/descriptors.ts";
import { runProgram } from "../../support/subprocess.ts";
import {
  assertSameBytes,
  filePath,
  noise,
  readFully,
  transfer,
  untilReadable,
} from "../../support/sockets.ts";
import { fileDescriptorErrors } from "./file_descriptor_errors.ts";
import { testErrors } from "../../support/error_cases.ts";
import { linuxOnly, needsProgram, skipIf, windowsOnly } from "../../support/skip.ts";
import { isWindows } from "../../support/os.ts";

const MEGABYTES = noise(2_000_003);

testErrors(fileDescriptorErrors);

const posixOnly = skipIf(isWindows, "only sockets are descriptors on Windows");

/** Returns whether a descriptor is open. */
function isOpen(fd: number): boolean {
  try {
    Descriptor.dup(fd).close();
    return true;
  } catch {
    return false;
  }
}

Deno.test({
  name: "FileDescriptor() adopts a descriptor unchanged",
  ...linuxOnly,
  fn() {
    using zero = Descriptor.open("/dev/zero");
    setInheritable(zero.fd, true);
    const file = new FileDescriptor(zero.fd);
    assertEquals(file.fileno(), zero.fd);
    assertEquals(descriptorFlags(zero.fd), { nonBlocking: false, closeOnExec: false });
    const buffer = new Uint8Array(3).fill(7);
    assertEquals(file.read(buffer), 3);
    assertEquals(buffer, new Uint8Array(3));
  },
});

Deno.test("FileDescriptor.read() returns null when there is nothing to read", () => {
  using ends = new Pipe();
  const buffer = new Uint8Array([1, 2]);
  assertEquals(ends.reader.read(buffer), null);
  assertEquals(buffer, new Uint8Array([1, 2]));
});

Deno.test("FileDescriptor.read() returns 0 at the end of the stream, each time", () => {
  using ends = new Pipe();
  ends.writer.write(new Uint8Array([5]));
  ends.writer.close();
  assertEquals(ends.reader.read(new Uint8Array(9)), 1);
  untilReadable(ends.reader);
  assertEquals([1, 2].map(() => ends.reader.read(new Uint8Array(9))), [0, 0]);
});

Deno.test("FileDescriptor.read() reads as many bytes as fit and leaves the rest", () => {
  using ends = new Pipe();
  assertEquals(ends.writer.write(new Uint8Array([1, 2, 3, 4, 5])), 5);
  const buffer = new Uint8Array(3);
  assertEquals(ends.reader.read(buffer), 3);
  assertEquals(buffer, new Uint8Array([1, 2, 3]));
  assertEquals(ends.reader.read(buffer), 2);
  assertEquals(buffer, new Uint8Array([4, 5, 3]));
});

Deno.test("FileDescriptor.read() and write() use only the part that a view covers", () => {
  using ends = new Pipe();
  const data = new Uint8Array([1, 2, 3, 4, 5, 6]);
  assertEquals(ends.writer.write(data.subarray(2, 4)), 2);
  const buffer = new Uint8Array(8).fill(9);
  assertEquals(ends.reader.read(buffer.subarray(3, 7)), 2);
  assertEquals(buffer, new Uint8Array([9, 9, 9, 3, 4, 9, 9, 9]));
});

Deno.test("FileDescriptor.read() and write() take views of shared and resizable memory", () => {
  using ends = new Pipe();
  const shared = new Uint8Array(new SharedArrayBuffer(8), 4, 2);
  const resizable = new Uint8Array(new ArrayBuffer(2, { maxByteLength: 8 }));
  shared.set([7, 8]);
  assertEquals(ends.writer.write(shared), 2);
  assertEquals(ends.reader.read(resizable), 2);
  assertEquals([...resizable], [7, 8]);
  resizable.set([5, 6]);
  assertEquals(ends.writer.write(resizable), 2);
  assertEquals(ends.reader.read(shared), 2);
  assertEquals([...shared], [5, 6]);
});

Deno.test(
  "FileDescriptor.read() and write() of no bytes return 0",
  skipIf(isWindows, "recv() of no bytes returns null on Windows"),
  () => {
    using ends = new Pipe();
    const nothing = new Uint8Array(0);
    assertEquals(ends.writer.write(nothing), 0);
    assertEquals(ends.reader.read(nothing), 0);
    assertEquals(ends.reader.read(new Uint8Array(1)), null);
    ends.writer.write(new Uint8Array(1));
    assertEquals(ends.reader.read(new Uint8Array(4).subarray(4)), 0);
    assertEquals(ends.reader.read(new Uint8Array(4)), 1);
  },
);

Deno.test(
  "FileDescriptor.write() writes as many bytes as there is room for",
  skipIf(isWindows, "a Windows socket takes all the bytes of a send()"),
  () => {
    using ends = new Pipe();
    const size = ends.writer.write(MEGABYTES)!;
    assert(size > 0 && size < MEGABYTES.length, `wrote ${size}`);
    assertEquals(ends.writer.write(MEGABYTES), null);
    const received = new Uint8Array(size);
    assertEquals(readFully(ends.reader, received), size);
    assertSameBytes(received, MEGABYTES.subarray(0, size));
    assertEquals(ends.reader.read(new Uint8Array(1)), null);
  },
);

Deno.test("FileDescriptor.read() and write() move 2 MB byte for byte", () => {
  using ends = new Pipe();
  const received = transfer(MEGABYTES, ends.writer, ends.reader, () => ends.writer.close());
  assertSameBytes(received, MEGABYTES);
});

Deno.test({
  name: "FileDescriptor.write() throws EPIPE in a program that does not handle SIGPIPE",
  ...skipIf(isWindows, "Windows has no SIGPIPE"),
  async fn() {
    const { code, signal, stdout, stderr } = await runProgram(`
      const { reader, writer } = sockets.pipe();
      reader.close();
      try { writer.write(new Uint8Array(1)); }
      catch (error) { console.log(error.name, error.code, error.syscall); }
    `);
    assertEquals([code, signal, stdout], [0, null, "OSError EPIPE write"], stderr);
  },
});

Deno.test({
  name: "FileDescriptor.setBlocking() changes whether calls block, and nothing else",
  ...linuxOnly,
  fn() {
    using ends = new Pipe();
    const fd = ends.reader.fileno();
    const info = () => Deno.readTextFileSync(`/proc/self/fdinfo/${fd}`);
    const before = info();
    ends.reader.setBlocking(true);
    assertEquals(descriptorFlags(fd), { ...BORN, nonBlocking: false });
    ends.reader.setBlocking(true);
    assertEquals(descriptorFlags(fd), { ...BORN, nonBlocking: false });
    ends.reader.setBlocking(false);
    assertEquals(info(), before);
    assertEquals(descriptorFlags(ends.writer.fileno()), BORN);
  },
});

Deno.test(
  "FileDescriptor.isBlocking() returns what setBlocking() set, for each end",
  skipIf(isWindows, "Winsock cannot tell whether a socket blocks"),
  () => {
    using ends = new Pipe();
    assertEquals([ends.reader.isBlocking(), ends.writer.isBlocking()], [false, false]);
    ends.writer.setBlocking(true);
    assertEquals([ends.reader.isBlocking(), ends.writer.isBlocking()], [false, true]);
    ends.writer.setBlocking(false);
    assertEquals(ends.writer.isBlocking(), false);
  },
);

Deno.test("FileDescriptor.detach() gives the descriptor up without closing it", () => {
  using ends = new Pipe();
  const fd = ends.reader.fileno();
  assertEquals(ends.reader.detach(), fd);
  assertEquals(ends.reader.fileno(), -1);
  assertEquals(ends.reader.detach(), -1);
  ends.reader.close();
  ends.writer.write(new Uint8Array([3]));
  using adopted = new FileDescriptor(fd);
  assertEquals(adopted.read(new Uint8Array(4)), 1);
});

Deno.test("FileDescriptor.detach() returns -1 when it is closed", () => {
  const { reader, writer } = pipe();
  reader.close();
  assertEquals(reader.detach(), -1);
  writer.close();
});

Deno.test("FileDescriptor.close() closes the descriptor", needsDup2, () => {
  using ends = new Pipe();
  using copy = Descriptor.dupHigh(ends.reader.fileno());
  const file = new FileDescriptor(copy.fd);
  assert(isOpen(copy.fd));
  file.close();
  assertEquals(file.fileno(), -1);
  assertFalse(isOpen(copy.fd));
  copy.becomes(ends.reader.fileno());
});

Deno.test("FileDescriptor.close() does not close a descriptor that was reused", needsDup2, () => {
  using ends = new Pipe();
  using copy = Descriptor.dupHigh(ends.reader.fileno());
  const file = new FileDescriptor(copy.fd);
  file.close();
  copy.becomes(ends.writer.fileno());
  file.close();
  file[Symbol.dispose]();
  assert(isOpen(copy.fd));
});

Deno.test("FileDescriptor.close() gives the descriptor up even when it throws", () => {
  using ends = new Pipe();
  using copy = Descriptor.dupHigh(ends.reader.fileno());
  const file = new FileDescriptor(copy.fd);
  copy.close();
  assertThrows(() => file.close(), OSError, `Cannot close fd ${copy.fd}: `);
  assertEquals(file.fileno(), -1);
  file.close();
});

Deno.test("FileDescriptor is closed at the end of a using block", () => {
  const { reader, writer } = pipe();
  {
    using _writer = writer;
  }
  assertEquals(writer.fileno(), -1);
  assertEquals(reader.read(new Uint8Array(1)), 0);
  assertThrows(() => {
    using _reader = reader;
    throw new RangeError("out of the block");
  }, RangeError);
  assertEquals(reader.fileno(), -1);
});

Deno.test({
  name: "FileDescriptor.open() opens a file for reading, non-blocking and close-on-exec",
  ...linuxOnly,
  fn() {
    using zero = FileDescriptor.open("/dev/zero");
    assertEquals(descriptorFlags(zero.fileno()), BORN);
    assertEquals(zero.read(new Uint8Array(3)), 3);
    assertThrows(() => zero.write(new Uint8Array(1)), OSError, "EBADF");
  },
});

Deno.test({
  name: "FileDescriptor.open() creates, truncates and appends to a file as the flags say",
  ...posixOnly,
  fn() {
    const path = filePath();
    const write = (flags: number, text: string) => {
      using file = FileDescriptor.open(path, flags, 0o600);
      assertEquals(file.write(new TextEncoder().encode(text)), text.length);
    };
    write(O_WRONLY | O_CREAT | O_EXCL, "one");
    assertEquals(Deno.statSync(path).mode! & 0o777, 0o600);
    write(O_WRONLY | O_APPEND, "two");
    write(O_RDWR, "ON");
    assertEquals(Deno.readTextFileSync(path), "ONetwo");
    write(O_WRONLY | O_CREAT | O_TRUNC, "3");
    assertEquals(Deno.readTextFileSync(path), "3");
  },
});

Deno.test({
  name: "FileDescriptor.open() does not wait for the other end of a named pipe",
  ...posixOnly,
  ...needsProgram("mkfifo"),
  fn() {
    const path = filePath();
    new Deno.Command("mkfifo", { args: [path] }).outputSync();
    assertThrows(() => FileDescriptor.open(path, O_WRONLY), OSError, "ENXIO");
    using reader = FileDescriptor.open(path);
    using writer = FileDescriptor.open(path, O_WRONLY);
    assertEquals(reader.read(new Uint8Array(9)), null);
    writer.write(new Uint8Array(2));
    assertEquals(reader.read(new Uint8Array(9)), 2);
  },
});

Deno.test({
  name: "FileDescriptor.open() throws NotSupported on Windows",
  ...windowsOnly,
  fn() {
    assertThrows(() => FileDescriptor.open("C:\\"), Deno.errors.NotSupported, "Cannot open a file");
  },
});

Deno.test({
  name: "FileDescriptor.dup() makes a close-on-exec descriptor of the same open file",
  ...linuxOnly,
  fn() {
    using ends = new Pipe();
    const copy = ends.writer.dup();
    assert(copy.fileno() !== ends.writer.fileno());
    assertEquals(descriptorFlags(copy.fileno()), BORN);
    copy.setBlocking(true);
    assert(ends.writer.isBlocking());
    ends.writer.close();
    copy.write(new Uint8Array(3));
    assertEquals(ends.reader.read(new Uint8Array(9)), 3);
    assertEquals(ends.reader.isBlocking(), false);
    copy.close();
    untilReadable(ends.reader);
    assertEquals(ends.reader.read(new Uint8Array(9)), 0);
  },
});

Deno.test({
  name: "FileDescriptor.dup() throws NotSupported on Windows",
  ...windowsOnly,
  fn() {
    using ends = new Pipe();
    assertThrows(() => ends.reader.dup(), Deno.errors.NotSupported, "Cannot duplicate fd");
  },
});

Deno.test({
  name: "FileDescriptor.setInheritable() passes a descriptor on to programs, or keeps it",
  ...linuxOnly,
  fn() {
    using ends = new Pipe();
    const fd = ends.writer.fileno();
    const isInherited = () =>
      new Deno.Command("test", { args: ["-e", `/proc/self/fd/${fd}`] }).outputSync().success;
    for (const inheritable of [true, true, false]) {
      ends.writer.setInheritable(inheritable);
      assertEquals(descriptorFlags(fd), { nonBlocking: true, closeOnExec: !inheritable });
    }
    ends.writer.setInheritable(true);
    assert(isInherited());
    ends.writer.setInheritable(false);
    assertFalse(isInherited());
  },
});

Deno.test("FileDescriptor shows its class and descriptor in console.log()", () => {
  class Example extends FileDescriptor {
    readonly pid = 7;
  }
  const inspect = (value: unknown) => Deno.inspect(value, { colors: false });
  assertEquals(inspect(new FileDescriptor(5)), "FileDescriptor { fd: 5 }");
  assertEquals(inspect({ file: new Example(5) }), "{ file: Example { fd: 5, pid: 7 } }");
  using ends = new Pipe();
  ends.reader.close();
  assertEquals(inspect(ends.reader), "FileDescriptor { fd: -1 }");
});
