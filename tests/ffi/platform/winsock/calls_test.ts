import { assertEquals } from "@std/assert";
import { abi } from "../../../../ffi/abi/host.ts";
import { libcCalls } from "../../../../ffi/libc.ts";
import { keepingFailure, lastFailure } from "../../../../ffi/platform/winsock/calls.ts";
import { windowsOnly } from "../../../support/skip.ts";

const calls = libcCalls({
  SetLastError: { parameters: ["u32"], result: "void" },
}, abi.winsock?.libraries.kernel);

/** A call that fails for these reasons, one after the other, and succeeds then. */
function failing(reasons: number[], repeat?: Parameters<typeof keepingFailure>[1]): () => number {
  return keepingFailure(() => {
    const reason = reasons.shift();
    if (reason === undefined) return 7;
    calls().SetLastError(reason);
    return -1;
  }, repeat);
}

Deno.test({
  name: "keepingFailure() keeps why a call failed, whatever fails afterwards",
  ...windowsOnly,
  fn() {
    assertEquals(failing([10_035])(), -1);
    calls().SetLastError(487);
    assertEquals(lastFailure(), 10_035);
  },
});

Deno.test({
  name: "keepingFailure() repeats a call whose reason another call has overwritten",
  ...windowsOnly,
  fn() {
    assertEquals(failing([487])(), 7);
    assertEquals([failing([487, 0, 10_035])(), lastFailure()], [-1, 10_035]);
    assertEquals([failing([8, 8, 8, 8])(), lastFailure()], [-1, 8]);
  },
});

Deno.test({
  name: "keepingFailure() makes of a repetition what it is told to",
  ...windowsOnly,
  fn() {
    const connects = { succeedsWith: 10_056 };
    assertEquals(failing([487, 10_056], connects)(), 0);
    assertEquals([failing([10_056], connects)(), lastFailure()], [-1, 10_056]);
    assertEquals([failing([487], { failsAtOnceWith: 10_004 })(), lastFailure()], [-1, 10_004]);
  },
});
