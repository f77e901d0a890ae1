/**
 * Compares every table of `ffi/abi/` with its system's own C headers, or, where no compiler here
 * has those, with the numbers in `numbers/`. Run it as `deno task abi`.
 *
 * @module
 */

import type { Abi } from "../../../ffi/abi/abi.ts";
import { abi, tables } from "../../../ffi/abi/mod.ts";
import { canStart } from "../../support/skip.ts";
import { compile } from "./c_compiler.ts";
import { factsOf } from "./facts.ts";
import { compareWithNumbers, readNumbers } from "./numbers.ts";
import { type Proof, runProofs } from "./proof.ts";
import { zigFromNpm } from "./zig_from_npm.ts";

/** The systems whose headers Zig's C compiler has. */
const zigTargets: { readonly [system: string]: string } = {
  "darwin x86_64": "x86_64-macos",
  "darwin aarch64": "aarch64-macos",
  "linux x86_64": "x86_64-linux-gnu",
  "linux aarch64": "aarch64-linux-gnu",
  "linux-musl x86_64": "x86_64-linux-musl",
  "linux-musl aarch64": "aarch64-linux-musl",
  "windows x86_64": "x86_64-windows-gnu",
  "windows aarch64": "aarch64-windows-gnu",
};

let zigPath: Promise<string> | undefined;

const cc = Deno.env.get("CC") ?? "cc";
const proofs = Object.entries(tables).map(([system, makeTable]) => {
  const table = makeTable();
  const target = zigTargets[system];
  return target === undefined ? byNumbers(system, table) : byZig(system, table, target);
});
if (canStart(cc)) proofs.unshift(byOwnCompiler());

if (!await runProofs(proofs, console.log)) Deno.exit(1);

function byOwnCompiler(): Proof {
  const { os, arch } = Deno.build;
  return { name: `${os} ${arch} (${cc})`, run: () => compile(factsOf(abi), [cc]) };
}

function byZig(system: string, table: Abi, target: string): Proof {
  return {
    name: `${system} (zig cc)`,
    run: async () => {
      const zig = await (zigPath ??= zigFromNpm());
      return compile(factsOf(table), [zig, "cc", "-target", target, "-ferror-limit=0"]);
    },
  };
}

function byNumbers(system: string, table: Abi): Proof {
  return {
    name: `${system} (numbers)`,
    run: async () => compareWithNumbers(factsOf(table), await readNumbers(system)),
  };
}
