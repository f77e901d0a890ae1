import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { abi } from "../../ffi/abi/mod.ts";
import { lastErrno, libcCalls, libraryCalls } from "../../ffi/libc.ts";
import { isWinsock, processLibrary } from "../support/platform.ts";
import { skipIf } from "../support/skip.ts";

const name = isWinsock ? "GetCurrentProcessId" : "getpid";
const getpid = { getpid: { name, parameters: [], result: "i32" } } as const;

/** Passes a function that returns how many libraries were opened so far. */
function countingOpens(fn: (opens: () => number) => void): void {
  const { dlopen } = Deno;
  let count = 0;
  Deno.dlopen = ((...args: Parameters<typeof dlopen>) => {
    count++;
    return dlopen(...args);
  }) as typeof dlopen;
  try {
    fn(() => count);
  } finally {
    Deno.dlopen = dlopen;
  }
}

Deno.test("libcCalls() opens libc on first use, and once", () => {
  libcCalls(getpid, processLibrary)(); // The first calls open errno, too.
  countingOpens((opens) => {
    const calls = libcCalls(getpid, processLibrary);
    assertEquals(opens(), 0);
    assertEquals(calls().getpid(), Deno.pid);
    assertStrictEquals(calls(), calls());
    assertEquals(opens(), 1);
  });
});

Deno.test({
  name: "lastErrno() returns the errno of the last call, and opens nothing",
  ...skipIf(isWinsock, "Winsock keeps its errors elsewhere"),
  fn() {
    const { close } = libcCalls({ close: { parameters: ["i32"], result: "i32" } })();
    countingOpens((opens) => {
      assertEquals([close(-1), lastErrno(), opens()], [-1, abi.errno.EBADF, 0]);
    });
  },
});

Deno.test("libcCalls() returns null for an optional call that the system lacks", () => {
  const { missing, getpid: present } = libcCalls({
    missing: { name: "no_such_call", parameters: [], result: "i32", optional: true },
    getpid: { name, parameters: [], result: "i32", optional: true },
  }, processLibrary)();
  assertEquals(missing, null);
  assertEquals(present!(), Deno.pid);
});

Deno.test("libcCalls() throws when a call is missing, each time", () => {
  const calls = libcCalls({ no_such_call: { parameters: [], result: "i32" } });
  for (let i = 0; i < 2; i++) assertThrows(() => calls(), Error, "no_such_call");
});

Deno.test("libraryCalls() opens each library once", () => {
  countingOpens((opens) => {
    const calls = libraryCalls(getpid);
    assertEquals(opens(), 0);
    assertEquals(calls(processLibrary[0]).getpid(), Deno.pid);
    assertStrictEquals(calls(processLibrary[0]), calls(processLibrary[0]));
    assertEquals(opens(), 1);
  });
});

Deno.test("libraryCalls() throws NotFound for a library that cannot be opened", () => {
  const calls = libraryCalls(getpid);
  const error = assertThrows(() => calls("/nonexistent/lib.so"), Deno.errors.NotFound);
  assert(error.message.startsWith("Cannot open the library /nonexistent/lib.so: "));
  assertThrows(() => calls(Deno.execPath() + "/"), Deno.errors.NotFound);
});

Deno.test("libraryCalls() throws NotSupported for a library that lacks a call", () => {
  const calls = libraryCalls({
    here: { name, parameters: [], result: "i32" },
    absent: { name: "no_such_call", parameters: [], result: "i32", optional: true },
    gone: { name: "no_such_call_either", parameters: [], result: "i32" },
  });
  assertThrows(
    () => calls(processLibrary[0]),
    Deno.errors.NotSupported,
    `Cannot use the library ${processLibrary[0]}: it has no symbol no_such_call_either`,
  );
});
