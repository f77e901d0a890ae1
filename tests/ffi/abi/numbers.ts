import { describe, type Fact } from "./facts.ts";
import type { Outcome } from "./proof.ts";

/** What one source says of a system. A file of `numbers/` holds a list of these. */
export interface Numbers {
  /** Where the numbers are from. */
  readonly source: string;
  /** The processor that they are for, if not for every one. */
  readonly processor?: string;
  readonly symbols?: { readonly [call: string]: string };
  /** The C types of calls. */
  readonly prototypes?: { readonly [call: string]: string };
  /** The size of a call's counts, in bytes. */
  readonly counts?: { readonly [call: string]: number };
  readonly structs?: {
    readonly [struct: string]: {
      readonly size?: number;
      readonly fields: { readonly [field: string]: readonly [offset: number, size: number] };
    };
  };
  readonly constants?: { readonly [name: string]: number };
  readonly errno?: { readonly [name: string]: number };
}

/**
 * Reads the numbers of a system from `numbers/`.
 *
 * @param system The system and its processor, such as `"freebsd x86_64"`
 * @returns What each source says
 */
export async function readNumbers(system: string): Promise<Numbers[]> {
  const [os, arch] = system.split(" ");
  // The two have one table.
  const name = os === "illumos" ? "solaris" : os;
  const file = new URL(`numbers/${name}.json`, import.meta.url);
  const sources: Numbers[] = JSON.parse(await Deno.readTextFile(file));
  return sources.filter(({ processor = arch }) => processor === arch);
}

/**
 * Compares facts with every source that has them.
 *
 * @param facts The facts
 * @param sources What each source says
 * @returns What was found; a fact holds if at least one source has it and all of those agree
 */
export function compareWithNumbers(facts: readonly Fact[], sources: readonly Numbers[]): Outcome {
  let held = 0;
  const wrong: string[] = [];
  const missing: string[] = [];
  for (const fact of facts) {
    const found = sources.map((numbers) => ({ ...numbers, value: find(fact, numbers) }))
      .filter(({ value }) => value !== undefined);
    const other = found.find(({ value }) => value !== fact.value);
    if (other !== undefined) wrong.push(`${describe(fact)}: ${other.value} in ${other.source}`);
    else if (found.length === 0) missing.push(describe(fact));
    else held++;
  }
  return { held, wrong, missing };
}

function find(fact: Fact, numbers: Numbers): number | string | undefined {
  switch (fact.kind) {
    case "size":
      return numbers.structs?.[fact.struct]?.size;
    case "offset":
      return numbers.structs?.[fact.struct]?.fields[fact.field]?.[0];
    case "width":
      return numbers.structs?.[fact.struct]?.fields[fact.field]?.[1];
    case "constant":
      return numbers.constants?.[fact.name];
    case "errno":
      return numbers.errno?.[fact.name];
    case "symbol":
      return numbers.symbols?.[fact.call];
    case "prototype":
      return numbers.prototypes?.[fact.call];
    case "counts":
      return numbers.counts?.[fact.call];
  }
}
