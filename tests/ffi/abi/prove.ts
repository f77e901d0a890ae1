import type { Verdict } from "./verdict.ts";

/** A way to check one system's table. */
export interface Proof {
  /** The system, and what its table is checked against. */
  readonly system: string;
  /** Checks it; throws `Deno.errors.NotFound` where that takes something that is not here. */
  readonly judge: () => Promise<Verdict>;
}

/**
 * Carries proofs out, each told in a line, and in one more for each fact that is wrong.
 *
 * @param proofs The proofs
 * @param strict Whether a proof that cannot be carried out counts as a failure
 * @param print Takes a line
 * @returns Whether nothing failed
 */
export async function prove(
  proofs: readonly Proof[],
  strict: boolean,
  print: (line: string) => void,
): Promise<boolean> {
  let passed = true;
  for (const { system, judge } of proofs) {
    try {
      const { held, failed, notCompared } = await judge();
      const wrong = failed.length > 0 ? `; wrong: ${failed.length}` : "";
      const left = notCompared > 0 ? `; not compared: ${notCompared}` : "";
      print(`${system}: ${held} facts hold${wrong}${left}`);
      for (const fact of failed) print(`  ${fact}`);
      passed &&= failed.length === 0;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      print(`${system}: not compared: ${error.message.split("\n")[0]}`);
      passed &&= !strict;
    }
  }
  return passed;
}
