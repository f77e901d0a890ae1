import type { Socket } from "../../../ffi/socket/mod.ts";

const SUPPLY = new Uint8Array(32 * 1024);

/**
 * Counts how many bytes per second can be awaited one by one when there always is one, and how often
 * a timer of 1 ms fires meanwhile. Prints both.
 *
 * @param sender Where the bytes come from, far ahead of need
 * @param ms How long to count, in milliseconds, after half as long to warm up
 * @param awaitByte Waits for a byte and reads it
 */
export async function countAwaits(
  sender: Socket,
  ms: number,
  awaitByte: () => Promise<void>,
): Promise<void> {
  let ticks = 0;
  setInterval(() => ticks++, 1);
  let awaits = 0;
  let wall = 0;
  for (const isWarmUp of [true, false]) {
    const before = performance.now();
    awaits = ticks = 0;
    do {
      sender.send(SUPPLY);
      for (let i = 0; i < SUPPLY.length; i++) await awaitByte();
      awaits += SUPPLY.length;
      wall = performance.now() - before;
    } while (wall < (isWarmUp ? ms / 2 : ms));
  }
  console.log(JSON.stringify({ awaits: awaits * 1000 / wall, ticks: ticks * 1000 / wall }));
  Deno.exit();
}
