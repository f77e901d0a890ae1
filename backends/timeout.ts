import { describeValue } from "../ffi/checks.ts";

/** A program under test may replace the clock. */
export const now: () => number = performance.now.bind(performance);

/** The longest wait that each system call takes in one go, in milliseconds: 24 days. */
export const MAX_WAIT = 0x7fff_ffff;

/**
 * Turns a timeout as users give it into what a backend takes.
 *
 * @returns Milliseconds: above 0 at most that long, 0 not at all, `Infinity` until something is
 * ready
 * @throws {TypeError} If it is neither a number nor absent, or is `NaN`
 */
export function parseTimeout(timeout: number | null | undefined): number {
  if (timeout === undefined || timeout === null) return Infinity;
  if (typeof timeout !== "number" || Number.isNaN(timeout)) {
    throw new TypeError(
      `Cannot wait: the timeout must be a number of milliseconds, received ${
        describeValue(timeout)
      }`,
    );
  }
  return timeout > 0 ? timeout : 0;
}

const NEVER = new Int32Array(new SharedArrayBuffer(4));

/** Does nothing on this thread for some milliseconds, where a call refuses to wait for nothing. */
export function sleep(timeout: number): void {
  Atomics.wait(NEVER, 0, 0, timeout);
}

/** Makes room for a `timespec` or `timeval`, at an address that stays while a call is under way. */
export function timeWords(): Uint32Array<ArrayBuffer> {
  return new Uint32Array(new ArrayBuffer(16));
}

/**
 * Writes a timeout as C's `timespec` or `timeval`: seconds, then a fraction, each in eight bytes.
 * A 32-bit fraction (macOS's `tv_usec`) reads the same, being followed by padding; on Windows it is
 * the second word.
 *
 * @param words The structure's four 32-bit words
 * @param timeout Milliseconds, from 0 to {@linkcode MAX_WAIT}, rounded up to a whole unit
 * @param perMillisecond How many units of the fraction make a millisecond: 1,000,000 or 1,000
 * @param at The word where the fraction is
 */
export function writeTime(
  words: Uint32Array,
  timeout: number,
  perMillisecond: number,
  at: number = 2,
): void {
  const seconds = Math.floor(timeout / 1000);
  const fraction = Math.ceil((timeout - seconds * 1000) * perMillisecond);
  const carry = fraction === 1000 * perMillisecond;
  words[0] = carry ? seconds + 1 : seconds;
  words[1] = 0;
  words[at] = carry ? 0 : fraction;
  words[3] = 0;
}
