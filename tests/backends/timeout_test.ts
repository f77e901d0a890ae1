import { assertEquals, assertThrows } from "@std/assert";
import { MAX_WAIT, parseTimeout, timeWords, writeTime } from "../../backends/timeout.ts";

Deno.test("parseTimeout() returns Infinity for a timeout that is left out", () => {
  for (const timeout of [undefined, null, Infinity]) assertEquals(parseTimeout(timeout), Infinity);
});

Deno.test("parseTimeout() returns 0 for a timeout that is not positive", () => {
  for (const timeout of [0, -0, -1, -0.5, -Infinity]) {
    assertEquals(Object.is(parseTimeout(timeout), 0), true);
  }
});

Deno.test("parseTimeout() returns a positive timeout unchanged", () => {
  for (const timeout of [1, 0.2, 5e-324, 2 ** 40]) assertEquals(parseTimeout(timeout), timeout);
});

Deno.test("parseTimeout() throws TypeError for anything but a number", () => {
  for (const timeout of [NaN, "1", true, 1n, {}, []] as unknown[] as number[]) {
    assertThrows(() => parseTimeout(timeout), TypeError, "a number of milliseconds, received");
  }
});

const NANO = 1_000_000;
const MICRO = 1_000;

for (
  const [timeout, perMillisecond, seconds, fraction] of [
    [0, NANO, 0, 0],
    [0.2, NANO, 0, 200_000],
    [1, MICRO, 0, 1_000],
    [1.5, MICRO, 0, 1_500],
    [1_000, NANO, 1, 0],
    [2_500.25, MICRO, 2, 500_250],
    [MAX_WAIT, MICRO, 2_147_483, 647_000],
    // Rounded up: a wait never ends early.
    [1e-9, NANO, 0, 1],
    [0.0001, MICRO, 0, 1],
    [0.0010001, MICRO, 0, 2],
    // Rounded up to a whole second, which the fraction cannot hold.
    [999.9999, MICRO, 1, 0],
    [1_999.99999999, NANO, 2, 0],
  ] as const
) {
  Deno.test(`writeTime() writes ${timeout} ms in units of 1/${perMillisecond} ms`, () => {
    const words = timeWords().fill(0xffff_ffff);
    writeTime(words, timeout, perMillisecond);
    assertEquals([...words], [seconds, 0, fraction, 0]);
  });
}

Deno.test("timeWords() returns memory of its own", () => {
  const words = timeWords();
  assertEquals([words.length, words.buffer.byteLength, words.byteOffset], [4, 16, 0]);
});
