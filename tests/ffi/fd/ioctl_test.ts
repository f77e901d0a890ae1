import { assert, assertEquals, assertThrows } from "@std/assert";
import { ioctl, pseudoTerminal, Terminal } from "../../../ffi/fd/mod.ts";
import { Pipe } from "../../support/descriptors.ts";
import {
  closed,
  each,
  type ErrorCase,
  NOT_DESCRIPTORS,
  testErrors,
} from "../../support/error_cases.ts";
import { linuxOnly, windowsOnly } from "../../support/skip.ts";

const FIONREAD = 0x541b;
const FIONBIO = 0x5421;
const TCFLSH = 0x540b;
const TIOCGPTN = 0x80045430;
const TIOCGWINSZ = 0x5413;
const TIOCSWINSZ = 0x5414;
const TUNSETIFF = 0x400454ca;

const NOT_INTEGERS = [NaN, 1.5, Infinity, 2 ** 32, -(2 ** 31) - 1, 2 ** 53] as const;

/** Calls a function with one end of a pipe. */
function withReader(call: (reader: Pipe["reader"]) => unknown): () => unknown {
  return () => {
    using ends = new Pipe();
    return call(ends.reader);
  };
}

export const errorCases: readonly ErrorCase[] = [
  {
    name: "ioctl() throws TypeError when the file is not a descriptor",
    error: TypeError,
    message: /^Cannot call ioctl\(\): the file must be a number or have a fileno\(\) method, /,
    calls: each([undefined, null, "0", 1n, {}], (file) => ioctl(file, FIONREAD)),
  },
  {
    name: "ioctl() throws RangeError when the descriptor is out of range or not an integer",
    error: RangeError,
    message: /^Cannot call ioctl\(\): the descriptor must be an integer from 0 to 2147483647, /,
    calls: each(NOT_DESCRIPTORS, (file) => ioctl(file, FIONREAD)),
  },
  {
    name: "ioctl() throws RangeError when the request is not a 32-bit integer",
    error: RangeError,
    message: /^Cannot call ioctl\(\): the request must be a 32-bit integer, received /,
    calls: [...NOT_INTEGERS, "1", null, 5n].map((request) =>
      withReader((reader) => ioctl(reader, request as never))
    ),
  },
  {
    name: "ioctl() throws RangeError when the argument is not a 32-bit integer",
    error: RangeError,
    message: /^Cannot call ioctl\(\): the argument must be a 32-bit integer, received /,
    calls: NOT_INTEGERS.map((argument) =>
      withReader((reader) => ioctl(reader, FIONREAD, argument))
    ),
  },
  {
    name: "ioctl() throws TypeError when the argument is neither a number nor a Uint8Array",
    error: TypeError,
    message: /^Cannot call ioctl\(\): the argument must be an integer or a Uint8Array, received /,
    calls: [null, "1", 1n, true, {}, new ArrayBuffer(4), new Int32Array(1)].map((argument) =>
      withReader((reader) => ioctl(reader, FIONREAD, argument as never))
    ),
  },
  {
    name: "ioctl() throws RangeError when the argument is shorter than the request states",
    error: RangeError,
    message:
      /^Cannot call ioctl\(\) with 0x\w+ on fd \d+: the argument must have 4 bytes or more, /,
    calls: [
      withReader((reader) => ioctl(reader, TIOCGPTN, new Uint8Array(3))),
      withReader((reader) => ioctl(reader, TUNSETIFF, new Uint8Array(0))),
    ],
  },
  {
    name: "ioctl() throws OSError when the device does not know the request",
    error: ["ENOTTY", "ioctl"],
    message: /^Cannot call ioctl\(\) with 0x5413 on fd \d+: /,
    calls: [withReader((reader) => ioctl(reader, TIOCGWINSZ, new Uint8Array(8)))],
  },
  {
    name: "ioctl() throws OSError when the request needs a pointer and has none",
    error: ["EFAULT", "ioctl"],
    message: /^Cannot call ioctl\(\) with 0x541b on fd \d+: /,
    calls: [
      withReader((reader) => ioctl(reader, FIONREAD)),
      withReader((reader) => ioctl(reader, FIONREAD, 1)),
    ],
  },
  {
    name: "ioctl() throws OSError when it is closed",
    error: ["EBADF", "ioctl"],
    message: /^Cannot call ioctl\(\) with 0x541b on a closed descriptor: /,
    calls: [closed((socket) => ioctl(socket, FIONREAD, new Uint8Array(4)))],
  },
];
testErrors(errorCases.map((errorCase) => ({ ...errorCase, ...linuxOnly })));

function test(name: string, fn: () => void): void {
  Deno.test({ name, ...linuxOnly, fn });
}

test("ioctl() passes bytes to the call and back", () => {
  using pair = pseudoTerminal();
  const size = new Uint16Array([24, 80, 640, 480]);
  assertEquals(ioctl(pair.manager, TIOCSWINSZ, new Uint8Array(size.buffer)), 0);
  assertEquals(pair.subsidiary.windowSize(), { rows: 24, columns: 80 });
  const received = new Uint16Array(4);
  ioctl(pair.subsidiary.fileno(), TIOCGWINSZ, new Uint8Array(received.buffer));
  assertEquals(received, size);
});

test("ioctl() takes a request with the highest bit, positive or negative", () => {
  using pair = pseudoTerminal();
  const path = `/dev/pts/${number(TIOCGPTN)}`;
  assertEquals([path, number(TIOCGPTN | 0)], [pair.path, number(TIOCGPTN)]);

  function number(request: number): number {
    const result = new Int32Array(1);
    ioctl(pair.manager, request, new Uint8Array(result.buffer));
    return result[0]!;
  }
});

test("ioctl() passes an integer by value", () => {
  using pair = pseudoTerminal();
  using _raw = pair.subsidiary.raw();
  pair.manager.write(new Uint8Array(3));
  assertEquals(ioctl(pair.subsidiary, TCFLSH, 0), 0); // TCIFLUSH
  assertEquals(pair.subsidiary.read(new Uint8Array(9)), null);
  assertThrows(() => ioctl(pair.subsidiary, TCFLSH, 99), Error, "EINVAL");
  assertThrows(() => ioctl(pair.subsidiary, TCFLSH, -1), Error, "EINVAL");
});

test("ioctl() gives the call zeros beyond a short array, and drops what it writes there", () => {
  using pair = pseudoTerminal();
  pair.manager.setWindowSize({ rows: 24, columns: 80 });
  const memory = new Uint8Array(8).fill(0xff);
  ioctl(pair.subsidiary, TIOCGWINSZ, memory.subarray(2, 4));
  assertEquals([...memory], [0xff, 0xff, 24, 0, 0xff, 0xff, 0xff, 0xff]);
  ioctl(pair.manager, TIOCSWINSZ, new Uint8Array([7]));
  assertEquals(pair.subsidiary.windowSize(), { rows: 7, columns: 0 });
});

test("ioctl() takes arrays of 16 KiB and more, and shared and resizable memory", () => {
  using ends = new Pipe();
  ends.writer.write(new Uint8Array(5));
  for (
    const buffer of [
      new ArrayBuffer(1 << 14),
      new ArrayBuffer(100_000),
      new SharedArrayBuffer(4),
      new SharedArrayBuffer(100_000),
      new ArrayBuffer(4, { maxByteLength: 8 }),
    ]
  ) {
    ioctl(ends.reader, FIONREAD, new Uint8Array(buffer));
    assertEquals(new DataView(buffer).getInt32(0, true), 5);
  }
});

test("ioctl() changes what the descriptor's other calls see", () => {
  using ends = new Pipe();
  ioctl(ends.reader, FIONBIO, new Uint8Array(4));
  assert(ends.reader.isBlocking());
  ioctl(ends.reader, FIONBIO, new Uint8Array([1, 0, 0, 0]));
  assert(!ends.reader.isBlocking());
});

Deno.test({
  name: "ioctl() throws NotSupported on Windows",
  ...windowsOnly,
  fn() {
    assertThrows(() => ioctl(new Terminal(0), 1), Deno.errors.NotSupported, "Cannot call ioctl()");
  },
});
