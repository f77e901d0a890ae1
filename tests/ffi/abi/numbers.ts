import { describe, type Fact } from "./facts.ts";
import type { Verdict } from "./verdict.ts";

/** The numbers of a system as others have found them: a file of `../shared/abi`. */
export interface Numbers {
  readonly structs: {
    readonly [struct: string]: {
      readonly size: number;
      readonly fields: {
        readonly [field: string]: { readonly offset: number; readonly size: number };
      };
    };
  };
  readonly constants: { readonly [name: string]: number };
  readonly errno: { readonly [name: string]: number };
}

/**
 * Compares facts with a system's numbers, where those have them.
 *
 * @param facts The facts
 * @param numbers The numbers
 * @param except The constants that the numbers have from elsewhere
 */
export function compare(
  facts: readonly Fact[],
  numbers: Numbers,
  except: readonly string[] = [],
): Verdict {
  let held = 0;
  let notCompared = 0;
  const failed: string[] = [];
  for (const fact of facts) {
    const number = fact.kind === "constant" && except.includes(fact.name)
      ? undefined
      : find(fact, numbers);
    if (number === undefined) notCompared++;
    else if (number === fact.value) held++;
    else failed.push(`${describe(fact)}: it is ${number}`);
  }
  return { held, failed, notCompared };
}

function find(fact: Fact, { structs, constants, errno }: Numbers): number | undefined {
  switch (fact.kind) {
    case "size":
      return structs[fact.struct]?.size;
    case "offset":
      return fieldOf(structs, fact)?.offset;
    case "width":
      return fieldOf(structs, fact)?.size;
    case "constant":
      return constants[fact.name];
    case "errno":
      return errno[fact.name];
    case "symbol":
      return undefined;
  }
}

/** Fields go without their prefix there: `sin_addr` is `addr`. */
function fieldOf(
  structs: Numbers["structs"],
  { struct, field }: { struct: string; field: string },
) {
  const fields = structs[struct]?.fields;
  return fields?.[field] ?? fields?.[field.replace(/^[a-z0-9]+_/, "")];
}
