/**
 * The numbers of each system, and the choice of those of the system that this process runs on.
 *
 * @module
 */

import type { Abi } from "./abi.ts";
import { androidArm64, androidX64 } from "./android.ts";
import { darwinArm64, darwinX64 } from "./darwin.ts";
import { freebsdArm64, freebsdX64 } from "./freebsd.ts";
import { linuxArm64, linuxX64 } from "./linux.ts";
import { muslArm64, muslX64 } from "./musl.ts";
import { netbsdX64 } from "./netbsd.ts";
import { openbsdX64 } from "./openbsd.ts";
import { solarisX64 } from "./solaris.ts";
import { windowsArm64, windowsX64 } from "./windows.ts";

/** What makes the table of each system, by its name and processor: only what is used is made. */
export const tables: Readonly<Record<string, () => Abi>> = {
  "android x86_64": androidX64,
  "android aarch64": androidArm64,
  "darwin x86_64": darwinX64,
  "darwin aarch64": darwinArm64,
  "freebsd x86_64": freebsdX64,
  "freebsd aarch64": freebsdArm64,
  "illumos x86_64": solarisX64,
  "linux x86_64": linuxX64,
  "linux aarch64": linuxArm64,
  "linux-musl x86_64": muslX64,
  "linux-musl aarch64": muslArm64,
  "netbsd x86_64": netbsdX64,
  "openbsd x86_64": openbsdX64,
  "solaris x86_64": solarisX64,
  // Code that reads the rows that Windows lacks does not run there.
  "windows x86_64": windowsX64 as () => Abi,
  "windows aarch64": windowsArm64 as () => Abi,
};

if (typeof Deno === "undefined") {
  throw new Error("Cannot run outside Deno: @readiness/selectors needs Deno.dlopen()");
}

/** The tables made so far, by system. */
const made = new Map<string, Abi>();

/** The table of the system that this process runs on. */
export const abi: Abi = tableOf(Deno.build);

/** A group of a table that the system lacks. */
export const NOTHING: object = Object.freeze(Object.create(null));

/**
 * Finds the table of a system.
 *
 * @param build The system, as `Deno.build` describes it
 * @returns The table
 * @throws {Deno.errors.NotSupported} If the system has no table
 */
export function tableOf(
  { os, arch, target }: Readonly<Record<"os" | "arch" | "target", string>>,
): Abi {
  const system = `${os}${target.endsWith("-musl") ? "-musl" : ""} ${arch}`;
  if (!Object.hasOwn(tables, system)) {
    throw new Deno.errors.NotSupported(
      `Cannot run on ${system}: its system calls are not in the package's tables`,
    );
  }
  let table = made.get(system);
  if (table === undefined) {
    made.set(system, table = tables[system]!());
    removePrototypes(table);
  }
  return table;
}

/**
 * Leaves a table only its own rows, so that none can come from a polluted `Object.prototype`. The
 * loop makes no array of the rows: start-up then often does without a garbage collection.
 */
function removePrototypes(table: object): void {
  Object.setPrototypeOf(table, null);
  for (const name in table) {
    const row: unknown = table[name as never];
    if (typeof row === "object" && !Array.isArray(row)) removePrototypes(row!);
  }
}
