import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { fitCapacity, resized } from "../../backends/capacity.ts";

for (
  const [capacity, wanted, fit] of [
    [0, 0, 0],
    [0, 1, 16],
    [16, 16, 16],
    [16, 17, 32],
    [16, 0, 16],
    [32, 9, 32],
    [32, 8, 16],
    [1024, 257, 1024],
    [1024, 256, 256],
    [1024, 0, 16],
    [16, 5_000, 8192],
  ] as const
) {
  Deno.test(`fitCapacity() changes ${capacity} to fit ${wanted}`, () => {
    assertEquals(fitCapacity(capacity, wanted), fit);
  });
}

Deno.test("fitCapacity() is always enough, and seldom changes", () => {
  let capacity = 0;
  let changes = 0;
  for (let round = 0; round < 100; round++) {
    for (const wanted of [...range(0, 40), ...range(0, 40).reverse()]) {
      const fit = fitCapacity(capacity, wanted);
      assertLessOrEqual(wanted, fit);
      if (fit !== capacity) changes++;
      capacity = fit;
    }
  }
  assert(changes <= 3 * 100 * 2, `${changes} changes`);
});

Deno.test("fitCapacity() does not change while a count alternates", () => {
  for (const edge of [16, 32, 64, 128]) {
    const capacity = fitCapacity(fitCapacity(0, edge), edge + 1);
    for (let i = 0; i < 4; i++) assertEquals(fitCapacity(capacity, edge + i % 2), capacity);
  }
});

Deno.test("resized() copies what fits, and fills the rest with zeros", () => {
  const words = Int32Array.of(1, -2, 3);
  assertEquals([...resized(words, 5)], [1, -2, 3, 0, 0]);
  assertEquals([...resized(words, 2)], [1, -2]);
  assertEquals([...resized(words, 0)], []);
  assert(resized(words, 3).buffer !== words.buffer);
});

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}
