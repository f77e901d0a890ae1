import { assertEquals, assertThrows } from "@std/assert";
import { median, ratios, summarize } from "../../bench/statistics.ts";

Deno.test("median() returns the middle number", () => {
  assertEquals(median([7]), 7);
  assertEquals(median([10, 9, 1]), 9);
});

Deno.test("median() returns the mean of the two middle numbers of an even count", () => {
  assertEquals(median([10, 1, 4, 2]), 3);
});

Deno.test("median() sorts by value and does not change its argument", () => {
  const numbers = [100, 20, 3];
  assertEquals(median(numbers), 20);
  assertEquals(numbers, [100, 20, 3]);
});

Deno.test("median() throws RangeError without numbers", () => {
  assertThrows(() => median([]), RangeError, "no numbers");
});

Deno.test("summarize() returns the median and the range", () => {
  assertEquals(summarize([3, 9, 1, 2]), { median: 2.5, least: 1, most: 9 });
});

Deno.test("ratios() divides round by round", () => {
  assertEquals(ratios([2, 9, 1], [4, 3, 1]), [0.5, 3, 1]);
});

Deno.test("ratios() throws RangeError if a round is missing", () => {
  assertThrows(() => ratios([1, 2], [1]), RangeError, "Cannot divide 2 rounds by 1");
});
