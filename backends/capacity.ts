const SMALLEST = 16;

/**
 * Returns how many entries a buffer should hold: at least as many as are wanted, doubling as it
 * grows and shrinking only when it is a quarter full, so that a count that goes up and down costs
 * nothing.
 *
 * @param capacity What it holds now
 * @param wanted What it has to hold
 * @returns `capacity` itself if that will do
 */
export function fitCapacity(capacity: number, wanted: number): number {
  if (wanted <= capacity && (wanted > capacity / 4 || capacity <= SMALLEST)) return capacity;
  return Math.max(SMALLEST, 2 ** Math.ceil(Math.log2(wanted)));
}

/** Copies as much of a buffer as fits into one of another length, the rest being zero. */
export function resized(words: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const copy = new Int32Array(length);
  copy.set(words.subarray(0, length));
  return copy;
}
