import {
  assert,
  assertEquals,
  assertFalse,
  assertGreaterOrEqual,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { abi } from "../../ffi/abi/mod.ts";
import {
  EVENT_PRIORITY,
  EVENT_READ,
  EVENT_WRITE,
  type KqueueLayout,
  KqueueSelector,
  type KqueueSelectorOptions,
  OSError,
} from "../../mod.ts";
import { Descriptor, Pair, Pipe } from "../support/descriptors.ts";
import { runProgram } from "../support/subprocess.ts";
import { fakeLibrary, needsFakes } from "../support/fake_library.ts";
import { emulation, needsEmulation } from "../support/kqueue_emulation.ts";
import { sharedSuite } from "./shared_suite.ts";
import { type Skip, skipIf } from "../support/skip.ts";

const BOTH = EVENT_READ | EVENT_WRITE;
const { EBADF, EPIPE } = abi.errno;

function suiteOver(
  name: string,
  options: KqueueSelectorOptions,
  skip: Skip,
  excused: Readonly<Record<string, string>> = {},
): void {
  sharedSuite({
    name: `KqueueSelector[${name}]`,
    create: () => new KqueueSelector(options),
    source: `new selectors.KqueueSelector(${JSON.stringify(options)})`,
    supports: (events) =>
      KqueueSelector.supports(events) &&
      (options.layout !== "freebsd" || (events & EVENT_PRIORITY) === 0),
    skip,
    descriptorsAreChecked: true,
    seesReuse: true,
    excused,
  });
}

const darwin = fakeLibrary("kqueue");
const freebsd = fakeLibrary("kqueue", "-DFREEBSD_LAYOUT");
suiteOver("macOS's layout", { library: darwin }, needsFakes);
suiteOver("FreeBSD's layout", { library: freebsd, layout: "freebsd" }, needsFakes);

const OUTLIVES = "the emulation uses epoll, where a registration outlives its descriptor";
const CLEARS_ERROR = "the emulation reads SO_ERROR, which clears it";
const HAS_NO_EXCEPT = "the emulation has no EVFILT_EXCEPT";
const CLOSES_LATER = "the emulation closes its own descriptors later, on another thread";
suiteOver("LIBKQUEUE", { library: emulation ?? "" }, needsEmulation, {
  "modify() drops the key when it fails": OUTLIVES,
  "select() reports no event of a closed descriptor that has a duplicate": OUTLIVES,
  "select() works when an open file is registered again under its old number": OUTLIVES,
  "selectAsync() goes on after a late event of a closed descriptor": OUTLIVES,
  "select() reports a refused connection as readable": CLEARS_ERROR,
  "select() reports a refused connection as writable": CLEARS_ERROR,
  "select() reports a refused connection as readable and writable": CLEARS_ERROR,
  "select() handles 5000 descriptors": "the emulation returns at most 512 events a call",
  "select() reports urgent data where it was asked for": HAS_NO_EXCEPT,
  "selectAsync() reports urgent data where it was asked for": HAS_NO_EXCEPT,
  "select() reports urgent data with what else is ready": HAS_NO_EXCEPT,
  "select() is quiet when what is urgent alone hangs up": HAS_NO_EXCEPT,
  "close() leaves no descriptor behind": CLOSES_LATER,
  " closes its descriptors when it is garbage-collected": CLOSES_LATER,
});

if (abi.kqueue !== undefined) suiteOver("libc", {}, {});

Deno.test({
  name: "KqueueSelector() throws NotSupported where libc has no kqueue, and names an alternative",
  ...skipIf(abi.kqueue !== undefined, "this system has kqueue"),
  fn() {
    const error = assertThrows(() => new KqueueSelector(), Deno.errors.NotSupported);
    assertStringIncludes(error.message, "kqueue");
    assertStringIncludes(error.message, "DefaultSelector");
    assertFalse(KqueueSelector.isAvailable());
  },
});

Deno.test("KqueueSelector() throws NotFound when the library does not exist", () => {
  const library = "/nonexistent/libkqueue.so";
  const error = assertThrows(() => new KqueueSelector({ library }), Deno.errors.NotFound);
  assertStringIncludes(error.message, `Cannot open the library ${library}: `);
});

Deno.test("KqueueSelector() throws NotFound or RangeError for a path that no library has", () => {
  const open = (library: string) => () => new KqueueSelector({ library });
  assertThrows(open(""), Deno.errors.NotFound, "Cannot open a library: its path is empty");
  assertThrows(open("libc.so.6\0"), RangeError, "its path must not contain a NUL");
});

Deno.test("KqueueSelector() throws NotFound with the reason when the file is not a library", () => {
  const library = new URL(import.meta.url).pathname;
  const error = assertThrows(() => new KqueueSelector({ library }), Deno.errors.NotFound);
  assertStringIncludes(error.message, `Cannot open the library ${library}: `);
});

Deno.test({
  name: "KqueueSelector() throws NotSupported when the library lacks a call",
  ...needsFakes,
  fn() {
    const library = fakeLibrary("devpoll");
    const error = assertThrows(() => new KqueueSelector({ library }), Deno.errors.NotSupported);
    assertEquals(error.message, `Cannot use the library ${library}: it has no symbol kqueue`);
  },
});

Deno.test("KqueueSelector() throws NotCapable that names the flag for the library", async () => {
  const { stdout } = await runProgram(
    `
    try { new selectors.KqueueSelector({ library: "/some/libkqueue.so" }); }
    catch (error) { console.log(error.name, error.message); }
    `,
    ["--allow-ffi=/another.so"],
  );
  assertEquals(
    stdout,
    "NotCapable Cannot open the library /some/libkqueue.so without FFI permission: " +
      "run again with --allow-ffi=/some/libkqueue.so",
  );
});

Deno.test("KqueueSelector() throws TypeError when the layout is unknown", () => {
  const layout = "toString" as KqueueLayout;
  assertThrows(() => new KqueueSelector({ library: darwin, layout }), TypeError, "toString");
});

Deno.test({
  name: "KqueueSelector.select() keeps the timeout when nothing is registered",
  ...needsFakes,
  fn() {
    using selector = new KqueueSelector({ library: darwin });
    const start = performance.now();
    assertEquals(selector.select(20.5), []);
    assertGreaterOrEqual(performance.now() - start, 20.5);
  },
});

Deno.test({
  name:
    "KqueueSelector.modify() of a reused descriptor throws OSError and leaves nothing registered",
  ...needsFakes,
  fn() {
    using selector = new KqueueSelector({ library: darwin });
    using ends = new Pair();
    using other = new Pair();
    using file = Descriptor.dupHigh(ends.left.fileno());
    selector.register(file, EVENT_READ);
    file.becomes(other.left.fileno());
    // The kernel cannot delete the old filter, but adds the new one.
    const error = assertThrows(() => selector.modify(file, EVENT_WRITE), OSError);
    assertEquals([error.code, error.syscall], ["ENOENT", "kevent"]);
    selector.register(file, EVENT_READ);
    assertEquals(selector.select(0), []);
  },
});

// The layout of `struct kevent` on each system, independent of the tables in ffi/abi.
const layouts = {
  darwin: { size: 32, filter: 8, flags: 10, width: 2, fflags: 12, data: 16, read: -1, write: -2 },
  openbsd: { size: 32, filter: 8, flags: 10, width: 2, fflags: 12, data: 16, read: -1, write: -2 },
  freebsd: { size: 64, filter: 8, flags: 10, width: 2, fflags: 12, data: 16, read: -1, write: -2 },
  netbsd: { size: 40, filter: 8, flags: 12, width: 4, fflags: 16, data: 24, read: 0, write: 1 },
} as const;

const RECEIPT = 0x40;
const ADD = 0x1 | RECEIPT;
const DELETE = 0x2 | RECEIPT;
const ERROR = 0x4000;
const EOF = 0x8000;

type Entry = [
  fd: number,
  filter: "read" | "write",
  flags: number,
  data?: number,
  fflags?: number,
];

/** A fake kqueue with scripted answers, and a selector that uses it. */
class Script implements Disposable {
  readonly selector: KqueueSelector;
  readonly #layout: (typeof layouts)[KqueueLayout];
  readonly #library: Deno.DynamicLibrary<{ script: { type: "pointer" } }>;
  readonly #memory: DataView;

  constructor(layout: KqueueLayout = "darwin") {
    const library = fakeLibrary("scripted_kqueue");
    this.#layout = layouts[layout];
    this.#library = Deno.dlopen(library, { script: { type: "pointer" } });
    const size = EVENTS + 2 * 4096;
    this.#memory = new DataView(
      Deno.UnsafePointerView.getArrayBuffer(this.#library.symbols.script!, size),
    );
    new Uint8Array(this.#memory.buffer).fill(0);
    this.#memory.setInt32(0, this.#layout.size, true);
    this.selector = new KqueueSelector({ library, layout });
  }

  /** Sets what the next call returns. */
  answer(...entries: Entry[]): void {
    const { size, filter: filterAt, flags: flagsAt, fflags: fflagsAt, data: dataAt, width } =
      this.#layout;
    entries.forEach(([fd, filter, flags, data = 0, fflags = 0], i) => {
      const at = EVENTS + i * size;
      this.#memory.setBigUint64(at, BigInt(fd), true);
      if (width === 2) {
        this.#memory.setInt16(at + filterAt, this.#layout[filter], true);
        this.#memory.setUint16(at + flagsAt, flags, true);
      } else {
        this.#memory.setUint32(at + filterAt, this.#layout[filter], true);
        this.#memory.setUint32(at + flagsAt, flags, true);
      }
      this.#memory.setUint32(at + fflagsAt, fflags, true);
      this.#memory.setBigInt64(at + dataAt, BigInt(data), true);
    });
    this.#memory.setInt32(4, entries.length, true);
  }

  /** The changes since the last call of this method. */
  changes(): Entry[] {
    const { size, filter: filterAt, flags: flagsAt, width, read } = this.#layout;
    const changes = Array.from({ length: this.#memory.getInt32(8, true) }, (_, i): Entry => {
      const at = EVENTS + 4096 + i * size;
      const filter = width === 2
        ? this.#memory.getInt16(at + filterAt, true)
        : this.#memory.getUint32(at + filterAt, true);
      const flags = width === 2
        ? this.#memory.getUint16(at + flagsAt, true)
        : this.#memory.getUint32(at + flagsAt, true);
      return [
        Number(this.#memory.getBigUint64(at, true)),
        filter === read ? "read" : "write",
        flags,
      ];
    });
    this.#memory.setInt32(8, 0, true);
    return changes;
  }

  /** The size of the result array of the last call. */
  get room(): number {
    return this.#memory.getInt32(12, true);
  }

  /** The timeout of the last call, in seconds and nanoseconds. */
  get timeout(): [number, number] {
    return [16, 24].map((at) => Number(this.#memory.getBigInt64(at, true))) as [number, number];
  }

  [Symbol.dispose](): void {
    this.selector.close();
    this.#library.close();
  }
}

/** The offset of the results in the script, after four `int`s and two `long long`s. */
const EVENTS = 32;

function testScript(promise: string, fn: (script: Script) => void): void {
  Deno.test({
    name: `KqueueSelector.${promise}`,
    ...needsFakes,
    fn() {
      using script = new Script();
      fn(script);
    },
  });
}

for (const layout of Object.keys(layouts) as KqueueLayout[]) {
  Deno.test({
    name: `KqueueSelector uses ${layout}'s layout of struct kevent`,
    ...needsFakes,
    fn() {
      using script = new Script(layout);
      const { selector } = script;
      selector.register(7, BOTH, "a");
      selector.register(0x12345, EVENT_WRITE, "b");
      assertEquals(script.changes(), [
        [7, "read", ADD],
        [7, "write", ADD],
        [0x12345, "write", ADD],
      ]);
      script.answer([0x12345, "write", 0, 100], [7, "read", 0, 5]);
      assertEquals(selector.select(0).map(([key, events]) => [key.data, events]), [
        ["b", EVENT_WRITE],
        ["a", EVENT_READ],
      ]);
      script.answer([8, "read", ADD | ERROR, 9]);
      assertEquals(assertThrows(() => selector.register(8, EVENT_READ), OSError).errno, 9);
    },
  });
}

testScript("fileno() returns the descriptor, which subprocesses do not inherit", ({ selector }) => {
  const info = Deno.readTextFileSync(`/proc/self/fdinfo/${selector.fileno()}`);
  assert(parseInt(/flags:\s*(\d+)/.exec(info)![1]!, 8) & abi.constants.O_CLOEXEC!);
  selector.close();
  assertThrows(() => selector.fileno(), Deno.errors.BadResource);
});

testScript("modify() changes only the filters that differ, in one call", (script) => {
  const { selector } = script;
  selector.register(7, EVENT_READ);
  script.changes();
  for (
    const [to, changes] of [
      [BOTH, [[7, "write", ADD]]],
      [EVENT_WRITE, [[7, "read", DELETE]]],
      [EVENT_READ, [[7, "read", ADD], [7, "write", DELETE]]],
      [EVENT_READ, []],
    ] as [number, Entry[]][]
  ) {
    selector.modify(7, to);
    assertEquals(script.changes(), changes);
  }
  selector.modify(7, BOTH);
  script.changes();
  selector.unregister(7);
  assertEquals(script.changes(), [[7, "read", DELETE], [7, "write", DELETE]]);
});

testScript("register() removes one filter when the other fails", (script) => {
  const { selector } = script;
  script.answer([7, "write", ADD | ERROR, abi.errno.EINVAL]);
  const error = assertThrows(() => selector.register(7, BOTH), OSError, "Cannot register fd 7");
  assertEquals([error.code, error.syscall], ["EINVAL", "kevent"]);
  assertEquals(script.changes(), [
    [7, "read", ADD],
    [7, "write", ADD],
    [7, "read", DELETE],
    [7, "write", DELETE],
  ]);
  assertEquals(selector.getMap().size, 0);
  selector.select(0);
  assertEquals(script.room, 1);
});

testScript("modify() removes both filters when one fails", (script) => {
  const { selector } = script;
  selector.register(7, EVENT_READ);
  script.changes();
  script.answer([7, "write", ADD | ERROR, abi.errno.EINVAL]);
  assertThrows(() => selector.modify(7, BOTH), OSError, "Cannot modify fd 7");
  assertEquals(script.changes(), [
    [7, "write", ADD],
    [7, "write", DELETE],
    [7, "read", DELETE],
  ]);
  assertEquals(selector.getMap().size, 0);
  selector.select(0);
  assertEquals(script.room, 1);
});

testScript("register() ignores events where there are no receipts", (script) => {
  const { selector } = script;
  selector.register(7, EVENT_READ);
  script.answer([7, "read", 0, 100], [9, "read", ERROR, abi.errno.EINVAL]);
  selector.register(8, BOTH);
  script.answer([8, "write", EOF, 100], [8, "write", ADD | ERROR, 0]);
  selector.modify(8, EVENT_READ);
  assertEquals(selector.getMap().size, 2);
});

testScript("unregister() ignores that a descriptor is closed or reused", (script) => {
  const { selector } = script;
  const { EACCES, EBADF, ENOENT } = abi.errno;
  for (const errno of [EBADF, ENOENT]) {
    selector.register(7, BOTH);
    script.answer([7, "read", DELETE | ERROR, errno], [7, "write", DELETE | ERROR, errno]);
    selector.unregister(7);
  }
  selector.register(7, BOTH);
  script.answer([7, "read", DELETE | ERROR, EACCES]);
  assertThrows(() => selector.unregister(7), OSError, "Cannot unregister fd 7");
});

testScript(
  "select() merges the events of both filters, wherever they are in the results",
  (script) => {
    const { selector } = script;
    const keys = [7, 8, 9].map((fd) => selector.register(fd, BOTH));
    script.answer([7, "read", 0], [8, "write", 0], [9, "read", 0], [8, "read", 0], [7, "write", 0]);
    assertEquals(selector.select(), [[keys[0]!, BOTH], [keys[1]!, BOTH], [keys[2]!, EVENT_READ]]);
    script.answer([7, "write", 0]);
    assertEquals(selector.select(), [[keys[0]!, EVENT_WRITE]]);
  },
);

testScript("select() reports an end in the direction of its filter", (script) => {
  const { selector } = script;
  const key = selector.register(7, BOTH);
  script.answer([7, "read", EOF, 5]);
  assertEquals(selector.select(), [[key, EVENT_READ]]);
  script.answer([7, "write", EOF, 5]);
  assertEquals(selector.select(), [[key, EVENT_WRITE]]);
  script.answer([7, "read", EOF, 5], [7, "write", EOF, 5]);
  assertEquals(selector.select(), [[key, BOTH]]);
});

testScript(
  "select() reports an error in both directions, as far as they were asked for",
  (script) => {
    const { selector } = script;
    const both = selector.register(7, BOTH);
    const read = selector.register(8, EVENT_READ);
    const write = selector.register(9, EVENT_WRITE);
    for (const [flag, fflags] of [[ERROR, 0], [EOF, 104]] as const) {
      for (const filter of ["read", "write"] as const) {
        script.answer(
          [7, filter, flag, 5, fflags],
          [8, "read", flag, 5, fflags],
          [9, "write", flag, 5, fflags],
        );
        assertEquals(selector.select(), [[both, BOTH], [read, EVENT_READ], [write, EVENT_WRITE]]);
      }
    }
  },
);

for (const errno of [EPIPE, EBADF]) {
  testScript(`register() reports a pipe that is refused with ${errno} as writable`, (script) => {
    const { selector } = script;
    using pipe = new Pipe();
    pipe.reader.close();
    const fd = pipe.writer.fileno();
    script.answer([fd, "write", ADD | ERROR, errno!]);
    const key = selector.register(pipe.writer, EVENT_WRITE);
    assertEquals(selector.select(), [[key, EVENT_WRITE]]);
    assertEquals(selector.select(1000), [[key, EVENT_WRITE]]);
    script.changes();
    selector.unregister(pipe.writer);
    assertEquals(script.changes(), []);
    assertEquals(selector.select(0), []);
  });
}

testScript("select() asks for no more results than there are filters", (script) => {
  const { selector } = script;
  const room = () => (selector.select(0), script.room);
  assertEquals(room(), 1);
  selector.register(7, EVENT_READ);
  assertEquals(room(), 1);
  selector.register(8, BOTH);
  assertEquals(room(), 3);
  selector.modify(7, BOTH);
  assertEquals(room(), 4);
  selector.waker();
  assertEquals(room(), 5);
  selector.modify(8, EVENT_WRITE);
  assertEquals(room(), 4);
  for (let fd = 30_000; fd < 30_100; fd++) selector.register(fd, EVENT_READ);
  assertEquals(room(), 104);
  for (let fd = 30_000; fd < 30_100; fd++) selector.unregister(fd);
  selector.unregister(7);
  selector.unregister(8);
  assertEquals(room(), 1);
});

testScript("select() passes the timeout in nanoseconds", (script) => {
  const { selector } = script;
  selector.register(7, EVENT_READ);
  for (
    const [timeout, time] of [
      [0, [0, 0]],
      [0.25, [0, 250_000]],
      [1e-7, [0, 1]],
      [1500.5, [1, 500_500_000]],
      [Infinity, [2_147_483, 647_000_000]],
    ] as const
  ) {
    script.answer([7, "read", 0]);
    selector.select(timeout);
    assertEquals(script.timeout, [...time]);
  }
});
