/**
 * Keeps a program whose descriptors are always ready from starving timers and Deno's own I/O.
 *
 * A promise that is resolved at once never lets the event loop turn. A turn by itself is not enough
 * either: Deno's event loop is a task of a tokio runtime, which looks at its timers and descriptors
 * when no task is ready, or else after 61 turns. So turns are short and many: one for each
 * {@linkcode LONGEST_HOLD} during which the loop was held.
 *
 * @module
 */

import { now } from "./timeout.ts";

/**
 * The global function, which a program under test may replace later. Deno loads it when it is first
 * read, for about 6 ms, so that only a program that waits in the event loop reads it.
 */
const { get, value } = Object.getOwnPropertyDescriptor(globalThis, "setImmediate")!;
let immediate: typeof setImmediate | undefined;

function afterThisTurn(callback: () => void): void {
  immediate ??= get === undefined ? value : get.call(globalThis);
  immediate!(callback);
}

/** The longest time between two turns, in milliseconds. 61 of them take 6 ms. */
const LONGEST_HOLD = 0.1;

/** After this many turns, tokio has looked at its timers and descriptors. */
const MOST_TURNS = 61;

let heldSince = Infinity;
let turning: Promise<void> | undefined;

/** Notes that a promise is about to be resolved without a turn of the loop. */
export function holdLoop(): void {
  if (heldSince < Infinity) return;
  heldSince = now();
  afterThisTurn(noteTurn);
}

/** Returns whether the loop has been held for so long that it must turn. */
export function loopMustTurn(): boolean {
  return now() - heldSince >= LONGEST_HOLD;
}

/** Lets the loop turn, as often as it is due. */
export function turnLoop(): Promise<void> {
  return turning ??= turn(Math.min((now() - heldSince) / LONGEST_HOLD, MOST_TURNS));
}

async function turn(turns: number): Promise<void> {
  do await new Promise<void>((resolve) => afterThisTurn(resolve)); while (--turns >= 1);
  turning = undefined;
  loopTurned();
}

/** Notes that the loop need not turn: it has waited, and has looked at everything. */
export function loopTurned(): void {
  heldSince = Infinity;
}

/** Notes a turn that came by itself. One is not enough after a long hold. */
function noteTurn(): void {
  if (now() - heldSince < 2 * LONGEST_HOLD) loopTurned();
}
