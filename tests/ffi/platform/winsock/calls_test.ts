import { assertEquals } from "@std/assert";
import { abi } from "../../../../ffi/abi/mod.ts";
import { libcCalls } from "../../../../ffi/libc.ts";
import { keepErrno, lastErrno } from "../../../../ffi/platform/winsock/calls.ts";
import { windowsOnly } from "../../../support/skip.ts";

const calls = libcCalls({
  SetLastError: { parameters: ["u32"], result: "void" },
}, abi.winsock?.libraries.kernel);

/** Returns a call that fails with these errors, one after the other, and then succeeds. */
function failing(errors: number[], repeat?: Parameters<typeof keepErrno>[1]): () => number {
  return keepErrno(() => {
    const errno = errors.shift();
    if (errno === undefined) return 7;
    calls().SetLastError(errno);
    return -1;
  }, repeat);
}

Deno.test({
  name: "keepErrno() keeps the error of a call, whatever fails afterwards",
  ...windowsOnly,
  fn() {
    assertEquals(failing([10_035])(), -1);
    calls().SetLastError(487);
    assertEquals(lastErrno(), 10_035);
  },
});

Deno.test({
  name: "keepErrno() repeats a call whose error another call has overwritten",
  ...windowsOnly,
  fn() {
    assertEquals(failing([487])(), 7);
    assertEquals([failing([487, 0, 10_035])(), lastErrno()], [-1, 10_035]);
    assertEquals([failing([8, 8, 8, 8])(), lastErrno()], [-1, 8]);
  },
});

Deno.test({
  name: "keepErrno() takes an error for success if the first call may have succeeded",
  ...windowsOnly,
  fn() {
    const connect = { successErrno: 10_056 };
    assertEquals(failing([487, 10_056], connect)(), 0);
    assertEquals([failing([10_056], connect)(), lastErrno()], [-1, 10_056]);
  },
});

Deno.test({
  name: "keepErrno() sets another error instead of repeating a call",
  ...windowsOnly,
  fn() {
    assertEquals([failing([487], { insteadErrno: 10_004 })(), lastErrno()], [-1, 10_004]);
  },
});
