import {
  assert,
  assertEquals,
  assertFalse,
  assertGreaterOrEqual,
  assertLessOrEqual,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { abi } from "../../ffi/abi/mod.ts";
import { DevpollBackend } from "../../backends/devpoll.ts";
import { BaseSelector, DevpollSelector, EVENT_READ, EVENT_WRITE, OSError } from "../../mod.ts";
import { Descriptor, Pair } from "../support/descriptors.ts";
import { runProgram } from "../support/subprocess.ts";
import { fakeLibrary, needsFakes } from "../support/fake_library.ts";
import { sharedSuite } from "./shared_suite.ts";
import { linuxOnly, skipIf } from "../support/skip.ts";

const BOTH = EVENT_READ | EVENT_WRITE;

// By the manual, a system may keep or drop a descriptor that is closed.
const library = fakeLibrary("devpoll");
const asDocumented = fakeLibrary("devpoll", "-DCLOSED_AS_DOCUMENTED");

function suiteOver(name: string, library: string, seesReuse: boolean): void {
  sharedSuite({
    name,
    create: () => new DevpollSelector({ library }),
    source: `new selectors.DevpollSelector({ library: ${JSON.stringify(library)} })`,
    supports: (events) => DevpollSelector.supports(events),
    skip: needsFakes,
    descriptorsAreChecked: false,
    seesReuse,
  });
}

suiteOver("DevpollSelector", library, true);
suiteOver("DevpollSelector[keeping closed descriptors]", asDocumented, false);

Deno.test({
  name:
    "DevpollSelector() throws NotSupported where there is no /dev/poll, and names an alternative",
  ...skipIf(abi.devpoll !== undefined, "this system has /dev/poll"),
  fn() {
    const error = assertThrows(() => new DevpollSelector(), Deno.errors.NotSupported);
    assertStringIncludes(error.message, "/dev/poll");
    assertStringIncludes(error.message, "DefaultSelector");
    assertFalse(DevpollSelector.isAvailable());
  },
});

Deno.test("DevpollSelector() throws NotFound when the library does not exist", () => {
  const library = "/nonexistent/libdevpoll.so";
  const error = assertThrows(() => new DevpollSelector({ library }), Deno.errors.NotFound);
  assertStringIncludes(error.message, `Cannot open the library ${library}: `);
});

Deno.test({
  name: "DevpollSelector() throws OSError when the library has no /dev/poll",
  ...linuxOnly,
  fn() {
    // Any library also finds libc's own `open`, which fails with ENOENT.
    const library = abi.libc[0]!;
    const error = assertThrows(() => new DevpollSelector({ library }), OSError, "/dev/poll");
    assertEquals([error.code, error.syscall], ["ENOENT", "open"]);
  },
});

Deno.test({
  name: "DevpollSelector.select() needs permission for libc and the library alone",
  ...needsFakes,
  async fn() {
    const libc = abi.libc.filter((path) => path.startsWith("/"));
    const outcome = await runProgram(
      `
      using selector = new selectors.DevpollSelector({ library: ${JSON.stringify(library)} });
      const { reader, writer } = sockets.pipe();
      selector.register(reader, EVENT_READ);
      writer.write(new Uint8Array(1));
      console.log(selector.select()[0]![1], (await selector.selectAsync()).length);
      `,
      [`--allow-ffi=${[...libc, library].join(",")}`],
    );
    assertEquals([outcome.stderr, outcome.stdout, outcome.code], ["", "1 1", 0]);
  },
});

/** Counts the waits: one that ends too early is repeated, and nothing else shows it. */
class CountingBackend extends DevpollBackend {
  waits = 0;

  override wait(timeout: number): number {
    this.waits++;
    return super.wait(timeout);
  }
}

class CountingSelector extends BaseSelector {
  constructor(readonly backend = new CountingBackend(library)) {
    super(backend);
  }

  fileno(): number {
    return this.backend.fd;
  }
}

function test(promise: string, fn: (selector: CountingSelector) => void): void {
  Deno.test({
    name: `DevpollSelector.${promise}`,
    ...needsFakes,
    fn() {
      using selector = new CountingSelector();
      fn(selector);
    },
  });
}

test("fileno() returns the descriptor, which subprocesses do not inherit", (selector) => {
  const info = Deno.readTextFileSync(`/proc/self/fdinfo/${selector.fileno()}`);
  assert(parseInt(/flags:\s*(\d+)/.exec(info)![1]!, 8) & abi.constants.O_CLOEXEC!);
  selector.close();
  assertEquals(selector.fileno(), -1);
});

test("modify() removes events, although a write to /dev/poll adds them", (selector) => {
  using ends = new Pair();
  selector.register(ends.left, BOTH);
  ends.fill();
  assertEquals(selector.select()[0]![1], BOTH);
  selector.modify(ends.left, EVENT_READ);
  assertEquals(selector.select()[0]![1], EVENT_READ);
  ends.drain();
  selector.backend.waits = 0;
  assertEquals(selector.select(5), []);
  assertLessOrEqual(selector.backend.waits, 2);
  selector.modify(ends.left, EVENT_WRITE);
  ends.fill();
  assertEquals(selector.select()[0]![1], EVENT_WRITE);
});

test("register() accepts a closed descriptor, and reports all events asked for", () => {
  using selector = new DevpollSelector({ library: asDocumented });
  using ends = new Pair();
  using closed = Descriptor.dupHigh(ends.left.fileno());
  closed.close();
  const key = selector.register(closed.fd, EVENT_READ);
  assertEquals(selector.select(), [[key, EVENT_READ]]);
  selector.unregister(closed.fd);
  assertEquals(selector.select(0), []);
});

test("select() returns more events than fit the first result array", (selector) => {
  const pairs = Array.from({ length: 40 }, () => new Pair());
  for (const [i, ends] of pairs.entries()) {
    selector.register(ends.left, EVENT_READ, i);
    ends.fill();
    assertEquals(selector.select().length, i + 1);
  }
  for (const ends of pairs) {
    selector.unregister(ends.left);
    ends[Symbol.dispose]();
  }
  assertEquals(selector.select(0), []);
});

test("select() rounds its timeout up, also when nothing is registered", (selector) => {
  for (const timeout of [0.2, 20.5]) {
    const start = performance.now();
    selector.backend.waits = 0;
    assertEquals(selector.select(timeout), []);
    assertLessOrEqual(selector.backend.waits, 2);
    assertGreaterOrEqual(performance.now() - start, timeout);
  }
});
