/**
 * Compares the selectors with the model until it is interrupted, or for some time, and prints how
 * many steps were made. A difference is printed with the seed and the path that repeat it.
 *
 *     deno task fuzz [--seconds N | --runs N] [--seed N [--path PATH]] [CLASS...]
 *
 * @module
 */

import { parseArgs } from "node:util";
import fc from "fast-check";
import { property } from "./model.ts";
import { backends } from "./modelled_backends.ts";

const { values: { seconds = "Infinity", runs, seed, path }, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string" },
    runs: { type: "string" },
    seed: { type: "string" },
    path: { type: "string" },
  },
});

/** The runs between two lines of output. */
const numRuns = Number(runs ?? 500);

const chosen = backends.filter(({ name, skip }) =>
  !skip?.ignore && (positionals.length === 0 || positionals.includes(name))
);

if (chosen.length === 0) throw new TypeError(`No class here is named ${positionals.join(" or ")}`);

const end = performance.now() + Number(seconds) * 1000;
const totals = new Map(chosen.map(({ name }) => [name, 0]));
do {
  for (const backend of chosen) {
    let count = 0;
    const options = {
      numRuns,
      seed: seed === undefined ? Math.trunc(Math.random() * 2 ** 31) : Number(seed),
      ...path === undefined ? {} : { path },
    };
    const start = performance.now();
    await fc.assert(property(backend, () => count++), options);
    const total = totals.get(backend.name)! + count;
    totals.set(backend.name, total);
    const rate = Math.round(count / (performance.now() - start) * 1000);
    console.log(
      `${backend.name}: ${total.toLocaleString("en")} steps, ${
        rate.toLocaleString("en")
      } a second` +
        ` (seed ${options.seed})`,
    );
  }
} while (performance.now() < end && runs === undefined && seed === undefined);
Deno.exit();
