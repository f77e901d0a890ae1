import { assertEquals, assertThrows } from "@std/assert";
import {
  assertArray,
  assertBoolean,
  assertBytes,
  assertCString,
  assertDescriptor,
  assertInteger,
  assertPlain,
  assertString,
  describeValue,
  hasProperty,
  need,
  readFlags,
  readOptions,
  signalOf,
} from "../../ffi/checks.ts";

// deno-lint-ignore no-explicit-any
type Anything = any;

const NOT_INTEGERS: Anything[] = [0.5, NaN, Infinity, -Infinity, "1", 1n, null, undefined, {}];

Deno.test("describeValue() shows an object by its class, and anything else as in code", () => {
  const values = ["1", 1, 1n, true, null, undefined, Symbol("s"), [1], new Map(), {}];
  assertEquals(
    [...values, Object.create(null)].map(describeValue).join(" "),
    '"1" 1 1n true null undefined Symbol(s) Array Map Object an object without a class',
  );
});

Deno.test("assertInteger() accepts the integers of a range, its ends included", () => {
  for (const value of [1, 2, 3]) assertInteger("Cannot listen: the backlog", value, 1, 3);
  for (const value of [-(2 ** 31), -0, 2 ** 31 - 1]) assertInteger("Cannot listen: it", value);
});

Deno.test("assertInteger() throws RangeError for anything else", () => {
  for (const value of [...NOT_INTEGERS, 0, 4]) {
    assertThrows(
      () => assertInteger("Cannot listen: the backlog", value, 1, 3),
      RangeError,
      `Cannot listen: the backlog must be an integer from 1 to 3, received ${describeValue(value)}`,
    );
  }
  for (const value of [-(2 ** 31) - 1, 2 ** 31]) {
    assertThrows(
      () => assertInteger("Cannot listen: it", value),
      RangeError,
      `Cannot listen: it must be an integer from -2147483648 to 2147483647, received ${value}`,
    );
  }
});

Deno.test("readFlags() accepts 32-bit integers, and undefined as 0", () => {
  for (const flags of [0, 0x4000, 0x7fff_ffff, -0x8000_0000]) {
    assertEquals(readFlags("Cannot send: it", flags), flags);
  }
  assertEquals(readFlags("Cannot send: it", undefined), 0);
  for (const flags of [...NOT_INTEGERS, 0x8000_0000]) {
    if (flags === undefined) continue;
    assertThrows(
      () => readFlags("Cannot send: the mask of flags", flags),
      RangeError,
      "Cannot send: the mask of flags must be an integer from -2147483648 to 2147483647, received ",
    );
  }
});

Deno.test("assertDescriptor() throws RangeError for a number that is not a descriptor", () => {
  for (const fd of [-1, 1.5, NaN, Infinity, 2 ** 31]) {
    assertThrows(
      () => assertDescriptor("Cannot do this: it", fd),
      RangeError,
      `Cannot do this: it must be an integer from 0 to 2147483647, received ${fd}`,
    );
  }
  for (const fd of [0, 1, 2 ** 31 - 1]) assertDescriptor("", fd);
});

Deno.test("assertDescriptor() throws TypeError for anything but a number", () => {
  for (const fd of ["1", 1n, null, undefined, {}, Symbol("fd")] as Anything[]) {
    assertThrows(
      () => assertDescriptor("Cannot do this: it", fd),
      TypeError,
      `Cannot do this: it must be a number, received ${describeValue(fd)}`,
    );
  }
});

Deno.test("assertBytes() throws TypeError for anything but a Uint8Array", () => {
  assertBytes("Cannot read: the buffer", new Uint8Array(0));
  for (const value of ["a", [1], new ArrayBuffer(1), new Uint16Array(1), null, undefined]) {
    assertThrows(
      () => assertBytes("Cannot read: the buffer", value),
      TypeError,
      `Cannot read: the buffer must be a Uint8Array, received ${describeValue(value)}`,
    );
  }
});

for (const assert of [assertString, assertCString]) {
  const check: (subject: string, value: unknown) => void = assert;

  Deno.test(`${assert.name}() throws TypeError for anything but a string`, () => {
    for (const value of ["", "eth0", "Grüße"]) check("Cannot use an interface: its name", value);
    for (const value of [1, ["a"], new String("a"), Object.create(null), null, undefined]) {
      assertThrows(
        () => check("Cannot use an interface: its name", value),
        TypeError,
        `Cannot use an interface: its name must be a string, received ${describeValue(value)}`,
      );
    }
  });
}

Deno.test("assertCString() throws RangeError for a string with a NUL", () => {
  for (const value of ["\0", "a\0", "a\0b"]) {
    assertThrows(
      () => assertCString("Cannot open a terminal: its path", value),
      RangeError,
      "Cannot open a terminal: its path must not contain a NUL",
    );
  }
});

Deno.test("assertCString() throws RangeError for a string that is not well-formed", () => {
  for (const value of ["\ud800", "a\udc00", "\udc00\ud800"]) {
    assertThrows(
      () => assertCString("Cannot open a terminal: its path", value),
      RangeError,
      "Cannot open a terminal: its path must be well-formed Unicode",
    );
  }
  assertCString("Cannot open a terminal: its path", "\ud83d\ude00");
});

Deno.test("need() returns what the system has", () => {
  const group = { constants: {} };
  assertEquals(need(group, "Cannot make a TimerDescriptor", "timerfd"), group);
  assertEquals(need(0, "Cannot set an option", "such option"), 0);
});

Deno.test("need() throws NotSupported and names what the system lacks", () => {
  for (const value of [undefined, false] as const) {
    const error = assertThrows(
      () => need(value, "Cannot make a TimerDescriptor", "timerfd"),
      Deno.errors.NotSupported,
    );
    assertEquals(
      error.message,
      `Cannot make a TimerDescriptor: ${Deno.build.os} has no timerfd`,
    );
  }
});

Deno.test("need() says what to do instead", () => {
  const error = assertThrows(
    () => need(undefined, "Cannot make a DevpollSelector", "/dev/poll", "use DefaultSelector"),
    Deno.errors.NotSupported,
  );
  assertEquals(
    error.message,
    `Cannot make a DevpollSelector: ${Deno.build.os} has no /dev/poll; use DefaultSelector`,
  );
});

Deno.test("assertBoolean() and assertArray() throw TypeError for anything else", () => {
  assertBoolean("Cannot wait: reap", false);
  assertArray("Cannot send: its descriptors", []);
  for (const value of [0, 1, "", "true", null, undefined, {}, new Set([1])]) {
    assertThrows(
      () => assertBoolean("Cannot wait: reap", value),
      TypeError,
      "Cannot wait: reap must be a boolean, received ",
    );
    assertThrows(
      () => assertArray("Cannot send: its descriptors", value),
      TypeError,
      "Cannot send: its descriptors must be an array, received ",
    );
  }
});

interface Options {
  readonly backlog?: number;
  readonly signal?: AbortSignal;
}

const read = (options: unknown) =>
  readOptions("Cannot listen", options as Options, ["backlog", "signal"]);

Deno.test("readOptions() reads each option once", () => {
  let reads = 0;
  const options = {
    get backlog() {
      return ++reads;
    },
    other: 5,
  };
  const found = read(options);
  assertEquals([found.backlog, found.backlog, reads], [1, 1, 1]);
  assertEquals(Object.keys(found), ["backlog"]);
  assertEquals(Object.getPrototypeOf(found), null);
});

Deno.test("readOptions() finds none where there are none", () => {
  for (const options of [undefined, null, {}, Object.create(null), { other: 1 }]) {
    assertEquals(Object.keys(read(options)), []);
  }
});

Deno.test("readOptions() reads inherited options, but not those of Object.prototype", () => {
  const controller = new AbortController();
  assertEquals(read(controller).signal, controller.signal);
  assertEquals(read(Object.create({ backlog: 3 })).backlog, 3);
  const prototype = Object.prototype as { backlog?: number };
  prototype.backlog = 7;
  try {
    assertEquals(read({}).backlog, undefined);
    assertEquals(read({ backlog: 3 }).backlog, 3);
    assertEquals(hasProperty({}, "backlog"), false);
  } finally {
    delete prototype.backlog;
  }
});

Deno.test("readOptions() throws TypeError for what has no options by mistake", () => {
  for (
    const options of [
      5,
      "text",
      true,
      () => {},
      [],
      [1],
      new Set(),
      new Date(),
      AbortSignal.abort(),
    ]
  ) {
    assertThrows(
      () => read(options),
      TypeError,
      "Cannot listen: the options must be a plain object, received ",
    );
  }
});

Deno.test("signalOf() returns a signal, or throws TypeError for anything else", () => {
  const { signal } = new AbortController();
  assertEquals(signalOf("Cannot wait", { signal }), signal);
  for (const options of [undefined, null, {}]) {
    assertEquals(signalOf("Cannot wait", options), undefined);
  }
  for (const wrong of [5, "abort", {}, new AbortController(), null]) {
    assertThrows(
      () => signalOf("Cannot wait", { signal: wrong as never }),
      TypeError,
      "Cannot wait: the signal must be an AbortSignal, received ",
    );
  }
});

Deno.test("assertPlain() throws TypeError for anything but a plain object", () => {
  for (const value of [{}, { a: 1 }, Object.create(null)]) assertPlain("Cannot start: env", value);
  for (const value of [null, undefined, 5, "A=1", [], new Map([["A", "1"]]), new Headers()]) {
    assertThrows(
      () => assertPlain("Cannot start: env", value),
      TypeError,
      "Cannot start: env must be a plain object, received ",
    );
  }
});
