/**
 * Medians, ratios and spreads over the rounds of a run.
 *
 * @module
 */

/** The median of some numbers and their range. */
export interface Summary {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/**
 * Returns the median: the middle number, or the mean of the two middle ones.
 *
 * @throws {RangeError} If `numbers` is empty
 */
export function median(numbers: readonly number[]): number {
  if (numbers.length === 0) throw new RangeError("Cannot compute the median of no numbers");
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Returns the median of some numbers and their range. */
export function summarize(numbers: readonly number[]): Summary {
  return { median: median(numbers), least: Math.min(...numbers), most: Math.max(...numbers) };
}

/**
 * Divides two series round by round. Whatever slows the machine down during one round then affects
 * both sides of the ratio.
 *
 * @throws {RangeError} If the series differ in length
 */
export function ratios(numbers: readonly number[], over: readonly number[]): number[] {
  if (numbers.length !== over.length) {
    throw new RangeError(`Cannot divide ${numbers.length} rounds by ${over.length}`);
  }
  return numbers.map((number, round) => number / over[round]!);
}
