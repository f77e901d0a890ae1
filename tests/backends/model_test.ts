import fc from "fast-check";
import { needsDup2 } from "../support/descriptors.ts";
import { isQemu } from "../support/os.ts";
import { property } from "./model.ts";
import { backends } from "./modelled_backends.ts";

/** How many sequences of steps are tried; `deno task fuzz` tries more. */
const RUNS = isQemu ? 20 : 200;

for (const backend of backends) {
  Deno.test({
    name: `${backend.name} does what the model predicts, whatever the steps`,
    ...needsDup2,
    ...backend.skip,
    fn: () => fc.assert(property(backend), { numRuns: RUNS }),
  });
}
