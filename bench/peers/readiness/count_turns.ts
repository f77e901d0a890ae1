import type { Socket } from "../../../ffi/socket/mod.ts";

const SUPPLY = new Uint8Array(32 * 1024);

/**
 * Counts turns that consume one byte each, after as many to warm up, and prints how many there are
 * a second, and how many times meanwhile a timer of one millisecond fired.
 *
 * @param sender Where the bytes come from, far ahead of need
 * @param ms For how long to count, in milliseconds
 * @param turn Waits for a byte and consumes it
 */
export async function countTurns(
  sender: Socket,
  ms: number,
  turn: () => Promise<void>,
): Promise<void> {
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  let before = 0;
  let turns = 0;
  let wall = 0;
  for (const isWarmUp of [true, false]) {
    before = performance.now();
    turns = ticks = 0;
    do {
      sender.send(SUPPLY);
      for (let i = 0; i < SUPPLY.length; i++) await turn();
      turns += SUPPLY.length;
      wall = performance.now() - before;
    } while (wall < (isWarmUp ? ms / 2 : ms));
  }
  clearInterval(timer);
  console.log(JSON.stringify({ turns: turns * 1000 / wall, ticks: ticks * 1000 / wall }));
  Deno.exit();
}
