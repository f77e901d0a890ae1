import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { abi } from "../ffi/abi/mod.ts";
import * as selectors from "../mod.ts";
import { preload, runProgram } from "./support/subprocess.ts";
import { CLOSED, isWinsock, libraryPaths, names } from "./support/platform.ts";

/** The exports of mod.ts that exist at run time. */
const EXPORTS = [
  "BaseSelector",
  "DefaultSelector",
  "DevpollSelector",
  "EDGE_TRIGGERED",
  "EVENT_HANGUP",
  "EVENT_PRIORITY",
  "EVENT_READ",
  "EVENT_WRITE",
  "EXCLUSIVE",
  "EpollSelector",
  "KeyError",
  "KqueueSelector",
  "ONE_SHOT",
  "OSError",
  "PollSelector",
  "SelectSelector",
  "SelectorMap",
  "readableStream",
  "ready",
  "sendAll",
  "wake",
  "whenReadable",
  "whenWritable",
  "writableStream",
];

const CLASSES = EXPORTS.filter((name) => name.endsWith("Selector") && name !== "BaseSelector");

/** Makes every kind of call to libc, and prints the results. */
const USE = `
  const seen = [];
  for (const name of ["EpollSelector", "PollSelector", "SelectSelector", "DefaultSelector"]) {
    const Selector = selectors[name];
    if (!Selector.isAvailable()) continue;
    const [left, right] = sockets.socketpair();
    using selector = new Selector();
    selector.register(left, EVENT_READ, name);
    seen.push(selector.select(0.5).length, (await selector.selectAsync(1)).length);
    const wait = selector.selectAsync();
    await new Promise((resolve) => setTimeout(resolve));
    right.send(new Uint8Array(1));
    seen.push((await wait).length, selector.select().length);
    selectors.wake(selector.waker().fd);
    selector.wakeup();
    seen.push(selector.unregister(left).data === name && selector.select().length);
  }
  let error;
  try {
    selectors.wake(999_999);
  } catch (caught) {
    error = caught;
  }
  const { message, errno, code, syscall } = error;
  console.log(JSON.stringify({ seen, message, errno, code, syscall }));
`;

const CANNOT_WAKE = isWinsock
  ? /^Cannot wake fd 999999: .+ \(ENOTSOCK\)$/
  : /^Cannot wake fd 999999: Bad file descriptor \(EBADF\)$/;

/** The absolute paths of this machine's libraries, or `undefined` where there is none. */
const paths = libraryPaths.map((paths) => paths.find(canBeOpened));
const libc = paths.includes(undefined) ? undefined : paths.join();

function canBeOpened(path: string): boolean {
  try {
    Deno.dlopen(path, {}).close();
    return true;
  } catch {
    return false;
  }
}

Deno.test("mod.ts exports its documented names", () => {
  assertEquals(Object.keys(selectors).sort(), EXPORTS);
  assertEquals([selectors.EVENT_READ, selectors.EVENT_WRITE], [1, 2]);
  assertEquals([selectors.EVENT_PRIORITY, selectors.EVENT_HANGUP], [4, 8]);
  assertEquals([selectors.EDGE_TRIGGERED, selectors.ONE_SHOT, selectors.EXCLUSIVE], [
    256,
    512,
    1024,
  ]);
  for (const name of CLASSES) {
    const Selector = selectors[name as "EpollSelector"];
    assertEquals(typeof Selector.isAvailable(), "boolean", name);
  }
  for (const Selector of [selectors.PollSelector, selectors.SelectSelector]) {
    assert(Selector.prototype instanceof selectors.BaseSelector);
  }
  for (const Class of [selectors.KeyError, selectors.OSError]) {
    assert(Class.prototype instanceof Error);
  }
});

Deno.test("mod.ts needs no permission to be imported", async () => {
  const { code, stdout, stderr } = await runProgram(
    `console.log(Object.keys(selectors).length, Object.keys(sockets).length > 9);`,
    [],
  );
  assertEquals([stderr, stdout, code], ["", `${EXPORTS.length} true`, 0]);
});

Deno.test("mod.ts opens no library when it is imported", async () => {
  const count = `
    globalThis.opened = 0;
    const { dlopen } = Deno;
    Deno.dlopen = (...args) => (opened++, dlopen(...args));
  `;
  const { code, stdout, stderr } = await runProgram(
    `console.log(opened); new selectors.DefaultSelector().close(); console.log(opened > 0);`,
    ["--allow-ffi", preload(count)],
  );
  assertEquals([stderr, stdout, code], ["", "0\ntrue", 0]);
});

Deno.test("mod.ts says that it needs Deno where there is none", async () => {
  const { code, stdout, stderr } = await runProgram(`
    const { log } = console;
    const url = ${JSON.stringify(import.meta.resolve("../ffi/abi/mod.ts"))} + "?outside";
    delete globalThis.Deno;
    await import(url).catch((error) => log(error.message));
  `);
  assertEquals([stderr, stdout, code], [
    "",
    "Cannot run outside Deno: @readiness/selectors needs Deno.dlopen()",
    0,
  ]);
});

for (
  const [what, use] of Object.entries({
    "new SelectSelector()": "new selectors.SelectSelector()",
    "new DefaultSelector()": "new selectors.DefaultSelector()",
    "SelectSelector.isAvailable()": "selectors.SelectSelector.isAvailable()",
    "DefaultSelector.isAvailable()": "selectors.DefaultSelector.isAvailable()",
    "wake()": "selectors.wake(0)",
    "socketpair()": "sockets.socketpair()",
    "pipe()": "sockets.pipe()",
  })
) {
  Deno.test(`${what} throws NotCapable without FFI permission`, async () => {
    const { code, stdout, stderr } = await runProgram(
      `
      try {
        ${use};
      } catch (error) {
        console.log(error instanceof Deno.errors.NotCapable, error.message);
      }
    `,
      ["--allow-read", "--allow-env", "--allow-net"],
    );
    assertEquals([stderr, code], ["", 0]);
    assertStringIncludes(stdout, "true Cannot open libc without FFI permission");
    assertStringIncludes(stdout, "--allow-ffi, ");
    assertStringIncludes(stdout, `--allow-ffi=${libraryPaths[0]![0]}`);
  });
}

for (const flag of ["--allow-ffi", ...(libc === undefined ? [] : [`--allow-ffi=${libc}`])]) {
  Deno.test(`mod.ts needs only ${flag}`, async () => {
    const { code, stdout, stderr } = await runProgram(USE, [flag]);
    assertEquals([stderr, code], ["", 0]);
    const { seen, message, ...error } = JSON.parse(stdout);
    assertGreaterOrEqual(seen.length, isWinsock ? 10 : 15);
    assertEquals(seen, Array(seen.length / 5).fill([0, 0, 1, 1, 0]).flat());
    assertEquals(error, {
      errno: abi.errno[CLOSED],
      code: CLOSED,
      syscall: names.write,
    });
    assertMatch(message, CANNOT_WAKE);
  });
}

Deno.test("mod.ts opens only the library that is permitted", async () => {
  const { code, stdout, stderr } = await runProgram(
    `
    try {
      new selectors.SelectSelector();
    } catch (error) {
      console.log(error.name);
    }
  `,
    ["--allow-ffi=/nonexistent/libc.so"],
  );
  assertEquals([stderr, stdout, code], ["", "NotCapable", 0]);
});
