import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertLessOrEqual,
  assertStrictEquals,
} from "@std/assert";
import { holdLoop, loopMustTurn, loopTurned, turnLoop } from "../../backends/event_loop.ts";

/** Holds the event loop for some milliseconds. */
function holdFor(milliseconds: number): void {
  holdLoop();
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

/** Counts how often the event loop turns while something is pending. */
async function countTurns(pending: Promise<void>): Promise<number> {
  let isOver = false;
  pending.then(() => isOver = true);
  let turns = 0;
  for (; !isOver; turns++) await new Promise((resolve) => setImmediate(resolve));
  return turns;
}

Deno.test("loopMustTurn() is false while nothing holds the loop", async () => {
  await turnLoop();
  await new Promise((resolve) => setTimeout(resolve, 2));
  assertEquals(loopMustTurn(), false);
});

Deno.test("loopMustTurn() becomes true when the loop is held, until it has turned", async () => {
  loopTurned();
  holdFor(1);
  assertEquals(loopMustTurn(), true);
  holdLoop();
  assertEquals(loopMustTurn(), true);
  await turnLoop();
  assertEquals(loopMustTurn(), false);
});

Deno.test("loopMustTurn() is false after one turn that follows a short hold", async () => {
  for (let i = 0; i < 10_000; i++) {
    loopTurned();
    holdLoop();
    await new Promise((resolve) => setImmediate(resolve));
    if (!loopMustTurn()) return;
  }
  assert(false, "No turn of the event loop counts");
});

Deno.test("turnLoop() turns the loop as often as it was held, but 61 times at most", async () => {
  for (const [hold, least, most] of [[0, 1, 9], [5, 45, 70], [100, 55, 70]] as const) {
    loopTurned();
    if (hold > 0) holdFor(hold);
    const turns = await countTurns(turnLoop());
    assertGreaterOrEqual(turns, least, `after ${hold} ms`);
    assertLessOrEqual(turns, most, `after ${hold} ms`);
  }
});

Deno.test("turnLoop() lets several callers wait for the same turns", async () => {
  loopTurned();
  holdFor(1);
  assertStrictEquals(turnLoop(), turnLoop());
  await turnLoop();
});

Deno.test("setImmediate() is read with the first turn, as it was when the file was imported", async () => {
  const own = Object.getOwnPropertyDescriptor(globalThis, "setImmediate")!;
  const { setImmediate } = globalThis;
  let reads = 0;
  const get = () => (reads++, setImmediate);
  Object.defineProperty(globalThis, "setImmediate", { get, configurable: true });
  try {
    // Another URL loads another copy.
    const { turnLoop } = await import(import.meta.resolve("../../backends/event_loop.ts?copy"));
    assertEquals(reads, 0);
    Object.defineProperty(globalThis, "setImmediate", { value: () => {}, configurable: true });
    await turnLoop();
    await turnLoop();
    assertEquals(reads, 1);
  } finally {
    Object.defineProperty(globalThis, "setImmediate", own);
  }
});
