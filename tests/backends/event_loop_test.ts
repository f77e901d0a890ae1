import { assert, assertEquals } from "@std/assert";
import { holdLoop, loopMustTurn, loopTurned } from "../../backends/event_loop.ts";

/** Blocks the loop until it must turn. */
function holdForLong(): void {
  holdLoop();
  const deadline = performance.now() + 10_000;
  while (!loopMustTurn()) assert(performance.now() < deadline, "The loop never has to turn");
}

Deno.test("loopMustTurn() is false while nothing holds the loop", async () => {
  await new Promise((resolve) => setTimeout(resolve, 2));
  loopTurned();
  assertEquals(loopMustTurn(), false);
});

Deno.test("loopMustTurn() becomes true when the loop is held for long", () => {
  loopTurned();
  holdForLong();
  loopTurned();
  assertEquals(loopMustTurn(), false);
});

Deno.test("loopMustTurn() stays true however often the loop is held", () => {
  loopTurned();
  holdForLong();
  for (let i = 0; i < 3; i++) {
    holdLoop();
    assertEquals(loopMustTurn(), true);
  }
  loopTurned();
});

Deno.test("loopMustTurn() is false once the loop has turned by itself", async () => {
  loopTurned();
  holdForLong();
  await new Promise((resolve) => setImmediate(resolve));
  assertEquals(loopMustTurn(), false);
});
