import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  closeDescriptor,
  descriptorOf,
  makePipe,
  setBlocking,
  setCloseOnExec,
} from "../../ffi/descriptor.ts";
import { libcCalls } from "../../ffi/libc.ts";
import { FileDescriptor } from "../../ffi/socket/mod.ts";
import { OSError } from "../../mod.ts";
import { Descriptor, Pair } from "../support/descriptors.ts";
import { untilReadable } from "../support/sockets.ts";
import { CLOSED, isWinsock, names, processLibrary } from "../support/platform.ts";

const calls = libcCalls({ pipe: { parameters: ["buffer"], result: "i32" } });
const handleCalls = libcCalls({
  GetHandleInformation: { parameters: ["usize", "buffer"], result: "i32" },
  SetHandleInformation: { parameters: ["usize", "u32", "u32"], result: "i32" },
}, processLibrary);

/** Returns the descriptor of a socket that is closed by now. */
function closed(): number {
  using ends = new Pair();
  using file = Descriptor.dupHigh(ends.left.fileno());
  return file.fd;
}

/** Makes a pipe as C does: its ends block, and child processes inherit them. */
function plainPipe(): [Descriptor, Descriptor] {
  if (isWinsock) {
    const ends = makePipe();
    for (const fd of ends) {
      setBlocking(fd, true);
      handleCalls().SetHandleInformation(BigInt(fd), 1, 1);
    }
    return [new Descriptor(ends[0]), new Descriptor(ends[1])];
  }
  const fds = new Int32Array(2);
  assertEquals(calls().pipe(fds), 0);
  return [new Descriptor(fds[0]), new Descriptor(fds[1])];
}

/** Returns whether a child process inherits a descriptor. */
function isInherited(fd: number): boolean {
  if (isWinsock) {
    const flags = new Uint32Array(1);
    assertEquals(handleCalls().GetHandleInformation(BigInt(fd), flags), 1);
    return (flags[0] & 1) !== 0;
  }
  const script = `test -e /dev/fd/${fd}`;
  return new Deno.Command("sh", { args: ["-c", script], stdin: "null" }).outputSync().success;
}

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

Deno.test("closeDescriptor() throws OSError for a closed descriptor", () => {
  const [reader, writer] = makePipe();
  closeDescriptor(writer);
  const source = new FileDescriptor(reader);
  untilReadable(source);
  assertEquals(source.read(new Uint8Array(1)), 0);
  closeDescriptor(reader);
  const fd = closed();
  const error = assertThrows(() => closeDescriptor(fd), OSError, `Cannot close fd ${fd}: `);
  assertEquals([error.code, error.syscall], [CLOSED, names.close]);
});

Deno.test("makePipe() makes a non-blocking, close-on-exec pipe", () => {
  const [reader, writer] = makePipe();
  using source = new FileDescriptor(reader);
  using sink = new FileDescriptor(writer);
  assertEquals(source.read(new Uint8Array(1)), null);
  assertEquals(sink.write(Uint8Array.of(7)), 1);
  const byte = new Uint8Array(2);
  assertEquals([source.read(byte), byte[0]], [1, 7]);
  assertEquals([isInherited(reader), isInherited(writer)], [false, false]);
});

Deno.test("setBlocking() makes calls block, or return at once", () => {
  const [reader, writer] = plainPipe();
  using _ = writer;
  using source = new FileDescriptor(reader.fd);
  for (let i = 0; i < 2; i++) {
    setBlocking(reader.fd, false);
    setBlocking(reader.fd, false);
    assertEquals(source.read(new Uint8Array(1)), null);
    setBlocking(reader.fd, true);
    new FileDescriptor(writer.fd).write(new Uint8Array(1));
    assertEquals(source.read(new Uint8Array(9)), 1);
  }
});

Deno.test("setCloseOnExec() keeps a descriptor from child processes", () => {
  const [reader, writer] = plainPipe();
  using _ = writer;
  using __ = reader;
  const before = isInherited(reader.fd);
  setCloseOnExec(reader.fd);
  assertEquals(isInherited(reader.fd), false);
  assert(before === isInherited(writer.fd)); // Deno itself may pass on only the standard ones.
});

for (
  const [name, syscall, change] of [
    ["setBlocking", "setBlocking", (fd: number) => setBlocking(fd, false)],
    ["setCloseOnExec", "setInheritable", (fd: number) => setCloseOnExec(fd)],
  ] as const
) {
  Deno.test(`${name}() throws OSError for a closed descriptor`, () => {
    const fd = closed();
    const error = assertThrows(() => change(fd), OSError, `Cannot change the flags of fd ${fd}: `);
    assertEquals([error.code, error.syscall], [CLOSED, names[syscall]]);
  });
}
