/** What a comparison of a table with a source found. */
export interface Outcome {
  /** How many facts hold. */
  readonly held: number;
  /** The facts that are wrong, each in words, with what the source says. */
  readonly wrong: readonly string[];
  /** The facts that the source does not have, each in words. */
  readonly missing: readonly string[];
}

/** A comparison of one system's table with one source. */
export interface Proof {
  /** The system and the source. */
  readonly name: string;
  /** Compares them; throws `Deno.errors.NotFound` if the source cannot be had. */
  readonly run: () => Promise<Outcome>;
}

/**
 * Runs proofs and prints a line for each, and one for each fact that is wrong or missing.
 *
 * @param proofs The proofs
 * @param print Prints a line
 * @returns Whether every proof ran and found nothing wrong
 */
export async function runProofs(
  proofs: readonly Proof[],
  print: (line: string) => void,
): Promise<boolean> {
  let passed = true;
  for (const { name, run } of proofs) {
    try {
      const { held, wrong, missing } = await run();
      const counts = [
        `${held} facts hold`,
        ...wrong.length > 0 ? [`${wrong.length} wrong`] : [],
        ...missing.length > 0 ? [`${missing.length} without a source`] : [],
      ];
      print(`${name}: ${counts.join(", ")}`);
      for (const fact of wrong) print(`  wrong: ${fact}`);
      for (const fact of missing) print(`  no source: ${fact}`);
      passed &&= wrong.length === 0;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      print(`${name}: cannot be compared: ${error.message.split("\n")[0]}`);
      passed = false;
    }
  }
  return passed;
}
