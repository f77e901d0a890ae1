/**
 * Skips the tests of what a system lacks or an emulator gets wrong, by name, and has every skipped
 * test tell in its name why: `deno test --preload` loads this before the test files.
 *
 * @module
 */

import { isQemu, isWindows, isWine } from "./os.ts";
import { onWindows } from "./skips_on_windows.ts";
import { underQemu } from "./skips_under_qemu.ts";
import type { Skip } from "./skip.ts";
import { underWine } from "./skips_under_wine.ts";

/**
 * Why tests are skipped, and the names of those. An example in documentation, which has none but its
 * lines, goes by "the examples in FILE", or "the examples with CODE".
 */
export type Skips = readonly (readonly [why: string, names: readonly string[]])[];

/** The tests that are skipped by name on this system, and what emulates it: `.ci/` tells. */
const skips: Skips = [
  ...isWindows ? onWindows : [],
  ...isWine ? underWine : [],
  ...isQemu ? underQemu : [],
];

const declare = Deno.test;

Object.assign(Deno, { test: Object.assign(test, declare) });

/** `Deno.test`, in all its forms. */
function test(...args: unknown[]): void {
  const definition: Partial<Deno.TestDefinition> & Skip = {};
  for (const arg of args) {
    if (typeof arg === "string") Object.assign(definition, { name: arg });
    else if (typeof arg === "function") Object.assign(definition, { fn: arg });
    else Object.assign(definition, arg);
  }
  const { name = definition.fn?.name ?? "", ignore, reason: own } = definition;
  const reason = ignore === true ? own ?? "for no reason" : reasonFor(name, `${definition.fn}`);
  declare({
    ...definition as Deno.TestDefinition,
    name: reason === undefined ? name : `${name} [skipped: ${reason}]`,
    ignore: reason !== undefined,
  });
}

function reasonFor(name: string, code: string): string | undefined {
  const file = /((?:(?:backends|ffi)\/[\w/]+|mod)\.ts|README\.md)#[\d-]+\.ts$/.exec(name)?.[1];
  const isMeant = (meant: string) =>
    meant === name || file !== undefined &&
      (meant === `the examples in ${file}` ||
        meant.startsWith(WITH) && code.includes(meant.slice(WITH.length)));
  return skips.find(([, names]) => names.some(isMeant))?.[0];
}

const WITH = "the examples with ";
