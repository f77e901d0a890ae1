import { assert, assertEquals, assertFalse, assertMatch, assertThrows } from "@std/assert";
import {
  isTerminal,
  type LineSettings,
  openTerminal,
  OSError,
  type PseudoTerminal,
  pseudoTerminal,
  Terminal,
} from "../../../ffi/fd/mod.ts";
import { BORN, descriptorFlags, Pipe } from "../../support/descriptors.ts";
import { isQemu } from "../../support/os.ts";
import { linuxOnly, needsProgram, skipIf } from "../../support/skip.ts";
import { untilReadable } from "../../support/sockets.ts";
import { type ErrorCase, testErrors } from "../../support/error_cases.ts";
import { closedTerminal, needsTerminals, read, write } from "./terminals.ts";

const needsStty = { ...linuxOnly, ...needsProgram("stty") };

function test(name: string, fn: () => void | Promise<void>, where = needsTerminals): void {
  Deno.test({ name, ...where, fn });
}

/** Returns stty's output for a terminal. */
function stty(pair: PseudoTerminal, ...args: string[]): string {
  const { stdout } = new Deno.Command("stty", { args: ["-F", pair.path, ...args] }).outputSync();
  return new TextDecoder().decode(stdout);
}

function inPair(call: (terminal: Terminal) => unknown): () => unknown {
  return () => {
    using pair = pseudoTerminal();
    return call(pair.subsidiary);
  };
}

/** Calls a function with one end of a pipe in place of a terminal. */
function inPipe(call: (terminal: Terminal) => unknown): () => unknown {
  return () => {
    using ends = new Pipe();
    return call(new Terminal(ends.reader.fileno()));
  };
}

const attributesBy = Deno.build.os === "linux" ? "ioctl" : "tcgetattr";

export const errorCases: readonly ErrorCase[] = [
  {
    name: "Terminal() throws RangeError when the descriptor is out of range",
    error: RangeError,
    message: /^Cannot adopt a descriptor: it must be an integer from 0 to 2147483647, received /,
    calls: [-1, 1.5].map((fd) => () => new Terminal(fd)),
  },
  {
    name: "Terminal.raw(), settings() and configure() throw OSError when it is not a terminal",
    error: ["ENOTTY", attributesBy],
    message: /^Cannot get the attributes of fd \d+: /,
    calls: [
      inPipe((terminal) => terminal.raw()),
      inPipe((terminal) => terminal.settings()),
      inPipe((terminal) => terminal.configure({})),
    ],
  },
  {
    name: "Terminal.raw(), settings() and configure() throw OSError when it is closed",
    error: ["EBADF", attributesBy],
    message: /^Cannot get the attributes of a closed descriptor: /,
    calls: [
      () => closedTerminal().raw(),
      () => closedTerminal().settings(),
      () => closedTerminal().configure({ speed: 9600 }),
    ],
  },
  {
    name: "Terminal.windowSize() and setWindowSize() throw OSError when it is not a terminal",
    error: ["ENOTTY", "ioctl"],
    message: /^Cannot (get|set) the window size of fd \d+: /,
    calls: [
      inPipe((terminal) => terminal.windowSize()),
      inPipe((terminal) => terminal.setWindowSize({ rows: 1, columns: 1 })),
    ],
  },
  {
    name: "Terminal.configure() throws RangeError when the speed is out of range",
    error: RangeError,
    message: /^Cannot configure a line: the speed must be an integer from 1 to 2147483647, /,
    calls: [0, -9600, 9600.5, NaN, 2 ** 31, "9600", null].map((speed) =>
      inPair((terminal) => terminal.configure({ speed: speed as never }))
    ),
  },
  {
    name: "Terminal.configure() throws RangeError when a setting is not one of those listed",
    error: RangeError,
    message: /^Cannot configure a line: the .+ must be one of .+, received /,
    calls: [
      { dataBits: 9 },
      { dataBits: 0 },
      { parity: "mark" },
      { parity: null },
      { stopBits: 1.5 },
      { flowControl: "toString" },
    ].map((settings) => inPair((terminal) => terminal.configure(settings as never))),
  },
  {
    name: "Terminal.setWindowSize() throws RangeError when the size is out of range",
    error: RangeError,
    message:
      /^Cannot set a window size: the number of (rows|columns) must be an integer from 0 to /,
    calls: [{ rows: -1, columns: 1 }, { rows: 1, columns: 65536 }, { rows: 1 }, {}].map((size) =>
      inPair((terminal) => terminal.setWindowSize(size as never))
    ),
  },
  {
    name: "openTerminal() throws TypeError when the path is not a string",
    error: TypeError,
    message: /^Cannot open a file: its path must be a string, received /,
    calls: [undefined, null, 3].map((path) => () => openTerminal(path as never)),
  },
  {
    name: "openTerminal() throws RangeError when the path contains a NUL",
    error: RangeError,
    message: /^Cannot open a file: its path must not contain a NUL$/,
    calls: [() => openTerminal("/dev/tty\0")],
  },
  {
    name: "openTerminal() throws OSError when there is no such file",
    error: ["ENOENT", "open"],
    message: /^Cannot open the terminal \/dev\/missing: /,
    calls: [() => openTerminal("/dev/missing")],
  },
  {
    name: "openTerminal() throws OSError when the file is not a terminal",
    error: ["ENOTTY", "isatty"],
    message: /^Cannot open the terminal \/dev\/null: /,
    calls: [() => openTerminal("/dev/null")],
  },
  {
    name: "openTerminal() throws OSError when the file is a directory",
    error: ["EISDIR", "open"],
    message: /^Cannot open the terminal \/tmp: /,
    calls: [() => openTerminal("/tmp")],
  },
];
testErrors(errorCases.map((errorCase) => ({ ...errorCase, ...needsTerminals })));

test("Terminal.sendBreak() rejects when it is not a terminal, or closed", async () => {
  using ends = new Pipe();
  for (const terminal of [new Terminal(ends.reader.fileno()), closedTerminal()]) {
    const error = await terminal.sendBreak(0).catch((error) => error);
    assert(error instanceof OSError);
    assertMatch(error.message, /^Cannot send a break over (fd \d+|a closed descriptor): /);
  }
});

test("openTerminal() opens a terminal, non-blocking and close-on-exec", () => {
  using pair = pseudoTerminal();
  using terminal = openTerminal(pair.path);
  assertEquals(descriptorFlags(terminal.fileno()), BORN);
  write(terminal, "hi");
  assertEquals(read(pair.manager), "hi");
}, linuxOnly);

test("isTerminal() returns whether a descriptor refers to a terminal", () => {
  using pair = pseudoTerminal();
  using ends = new Pipe();
  assert(isTerminal(pair.manager));
  assert(isTerminal(pair.subsidiary.fileno()));
  assertFalse(isTerminal(ends.reader));
  assertFalse(isTerminal(closedTerminal()));
  assertFalse(isTerminal(-1));
  assertFalse(isTerminal(19_999));
  for (const fd of [1.5, NaN, 2 ** 31]) assertThrows(() => isTerminal(fd), RangeError);
});

test("Terminal.raw() passes bytes unchanged until it is disposed of", () => {
  using pair = pseudoTerminal();
  const bytes = Array.from({ length: 256 }, (_, i) => i);
  {
    using _raw = pair.subsidiary.raw();
    for (const toSubsidiary of [true, false]) {
      const [from, to] = toSubsidiary
        ? [pair.manager, pair.subsidiary]
        : [pair.subsidiary, pair.manager];
      assertEquals(from.write(new Uint8Array(bytes)), 256);
      const buffer = new Uint8Array(300);
      untilReadable(to);
      assertEquals([...buffer.subarray(0, to.read(buffer)!)], bytes);
      assertEquals(from.read(buffer), null, "There must not be an echo");
    }
  }
  write(pair.manager, "a");
  assertEquals(read(pair.manager), "a");
});

test("Terminal.raw() restores every setting, also when nested, and after an error", () => {
  using pair = pseudoTerminal();
  const before = stty(pair, "-g");
  assertThrows(() => {
    using _outer = pair.subsidiary.raw();
    const between = stty(pair, "-g");
    {
      using _inner = pair.subsidiary.raw();
      pair.subsidiary.configure({ speed: 300, stopBits: 2 });
    }
    assertEquals(stty(pair, "-g"), between);
    throw new TypeError("out of the block");
  }, TypeError);
  assertEquals(stty(pair, "-g"), before);
}, needsStty);

test("Terminal.raw() sets what stty raw sets, except the number of bits", () => {
  using ours = pseudoTerminal();
  using theirs = pseudoTerminal();
  ours.subsidiary.raw();
  stty(theirs, "raw", "-echo", "-echonl", "-iexten");
  const all = (pair: PseudoTerminal) => stty(pair, "-a").replace(/min = .*\n/, "");
  const off = /-(icanon|isig|iexten|echo|opost|icrnl|ixon|istrip|inlcr|igncr|brkint)\b/g;
  assertEquals(all(ours).match(off)?.sort(), all(theirs).match(off)?.sort());
  assertMatch(stty(ours, "-a"), /min = 1; time = 0;/);
}, needsStty);

test("Terminal.raw() restores nothing when the terminal is closed or hung up", () => {
  for (const side of ["subsidiary", "manager"] as const) {
    using pair = pseudoTerminal();
    using _raw = pair.subsidiary.raw();
    pair[side].close();
  }
});

test("Terminal.configure() sets any speed, and stty sees it", () => {
  using pair = pseudoTerminal();
  for (const speed of [50, 9600, 115_200, 250_000, 4_000_000, 12_345]) {
    assertEquals(pair.subsidiary.configure({ speed }).speed, speed);
    assertEquals(pair.subsidiary.settings().speed, speed);
    if (speed !== 250_000 && speed !== 12_345) {
      assertMatch(stty(pair, "-a"), new RegExp(`^speed ${speed} baud`));
    }
  }
}, needsStty);

test("Terminal.configure() changes only the given settings", () => {
  using pair = pseudoTerminal();
  const { subsidiary } = pair;
  const first: LineSettings = {
    speed: 9600,
    dataBits: 8,
    parity: "none",
    stopBits: 2,
    flowControl: "software",
  };
  assertEquals(subsidiary.configure(first), first);
  assertEquals(subsidiary.configure({}), first);
  assertEquals(subsidiary.configure({ stopBits: 1 }), { ...first, stopBits: 1 });
  assertEquals(subsidiary.configure({ flowControl: "hardware" }).flowControl, "hardware");
  assertEquals(subsidiary.configure({ flowControl: "none" }).flowControl, "none");
  assertEquals(subsidiary.configure({ parity: "odd" }).speed, 9600);
}, linuxOnly);

test("Terminal.configure() returns the new settings: a pseudo-terminal keeps 8 bits", () => {
  using pair = pseudoTerminal();
  const { dataBits, parity } = pair.subsidiary.configure({ dataBits: 5, parity: "even" });
  assertEquals([dataBits, parity], [8, "none"]);
}, linuxOnly);

test("Terminal.setWindowSize() sets the size of both sides", () => {
  using pair = pseudoTerminal();
  assertEquals(pair.subsidiary.windowSize(), { rows: 0, columns: 0 });
  pair.manager.setWindowSize({ rows: 24, columns: 65535 });
  assertEquals(pair.subsidiary.windowSize(), { rows: 24, columns: 65535 });
  assertEquals(pair.manager.windowSize(), { rows: 24, columns: 65535 });
});

test(
  "Terminal.sendBreak() resolves after the break, also when the terminal is closed meanwhile",
  async () => {
    using pair = pseudoTerminal();
    const start = performance.now();
    await pair.subsidiary.sendBreak(20);
    assert(performance.now() - start >= 19);
    const sending = pair.subsidiary.sendBreak(5);
    pair.subsidiary.close();
    await sending;
  },
  { ...needsTerminals, ...skipIf(isQemu, "qemu has no TIOCSBRK") },
);
