/**
 * Keeps a program whose descriptors are always ready from starving timers and Deno's own I/O. A
 * promise that is resolved at once never lets the event loop turn; a trip to another thread lets it
 * turn and, since the loop then has nothing to do but wait, also lets it look at its own descriptors,
 * which a mere turn does not.
 *
 * @module
 */

/** How long the loop is held at the most, in milliseconds: a trip costs some hundredths of that. */
const LONGEST_HOLD = 1;

let isHeld = false;
let heldSince = 0;

/** Takes note of an answer that was given without letting the loop turn. */
export function holdLoop(): void {
  if (isHeld) return;
  isHeld = true;
  heldSince = performance.now();
  setImmediate(loopTurned);
}

/** Tells whether the loop has been held for so long that it has to turn. */
export function loopMustTurn(): boolean {
  return isHeld && performance.now() - heldSince >= LONGEST_HOLD;
}

/** Takes note that the loop has turned. */
export function loopTurned(): void {
  isHeld = false;
}
