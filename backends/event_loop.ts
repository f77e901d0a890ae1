/**
 * Keeps a program whose descriptors are always ready from starving timers and Deno's own I/O:
 * promises alone never let the event loop turn.
 *
 * @module
 */

/** How long the loop is held at the most, in milliseconds; a turn costs some microseconds. */
const LONGEST_HOLD = 1;

let lastTurn = 0;

/** Tells whether the event loop has been held long enough. */
export function turnIsDue(): boolean {
  return performance.now() - lastTurn >= LONGEST_HOLD;
}

/** Takes note that the event loop has just turned. */
export function loopTurned(): void {
  lastTurn = performance.now();
}

/** Lets the event loop turn once. */
export async function turn(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
  loopTurned();
}
