import { assertEquals, assertThrows } from "@std/assert";
import { need } from "../../ffi/checks.ts";

Deno.test("need() gives what the system has", () => {
  const group = { constants: {} };
  assertEquals(need(group, "TimerDescriptor", "timerfd"), group);
});

Deno.test("need() throws NotSupported and names what the system lacks", () => {
  assertThrows(
    () => need(undefined, "TimerDescriptor", "timerfd"),
    Deno.errors.NotSupported,
    `Cannot make a TimerDescriptor: ${Deno.build.os} has no timerfd`,
  );
});
