/**
 * What the rounds come to: medians, ratios, spreads.
 *
 * @module
 */

/** What several rounds say of one thing. */
export interface Summary {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/**
 * The middle one of some numbers, or the mean of the two in the middle.
 *
 * @throws {RangeError} If there are none
 */
export function median(numbers: readonly number[]): number {
  if (numbers.length === 0) throw new RangeError("Cannot tell the median of no numbers");
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The median of some numbers, and how far they spread. */
export function summarize(numbers: readonly number[]): Summary {
  return { median: median(numbers), least: Math.min(...numbers), most: Math.max(...numbers) };
}

/**
 * One thing's numbers over another's, each by that of the same round, so that what befalls the
 * machine in one round befalls both.
 *
 * @throws {RangeError} If they are not of the same rounds
 */
export function ratios(numbers: readonly number[], over: readonly number[]): number[] {
  if (numbers.length !== over.length) {
    throw new RangeError(`Cannot divide ${numbers.length} rounds by ${over.length}`);
  }
  return numbers.map((number, round) => number / over[round]);
}
