/** What came of checking a table's facts. */
export interface Verdict {
  /** How many hold. */
  readonly held: number;
  /** Those that do not, in words. */
  readonly failed: readonly string[];
  /** How many there was nothing to compare with. */
  readonly notCompared: number;
}
