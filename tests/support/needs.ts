/**
 * Skips a test on a machine that lacks what it needs, saying why, once. In CI nothing is skipped:
 * there the test runs, and fails.
 *
 * @example
 * ```ts ignore
 * Deno.test({ name: "the stand-in compiles", ...needs("cc", hasProgram("cc")), fn() {} });
 * ```
 */
export function needs(what: string, present: boolean): { ignore: boolean } {
  if (present || Deno.env.has("CI")) return { ignore: false };
  if (!said.has(what)) {
    said.add(what);
    console.log(`Skipped here, as this machine lacks ${what}`);
  }
  return { ignore: true };
}

const said = new Set<string>();

/** Tells whether a program can be started. */
export function hasProgram(name: string): boolean {
  try {
    new Deno.Command(name, { args: ["--version"], stdin: "null", stdout: "null", stderr: "null" })
      .outputSync();
    return true;
  } catch {
    return false;
  }
}

/**
 * Skips a test of what a system cannot have, saying why, once: also in CI.
 *
 * @param os The system, as `Deno.build.os` names it
 * @param why What it lacks
 */
export function belongsElsewhere(os: typeof Deno.build.os, why: string): { ignore: boolean } {
  if (Deno.build.os !== os) return { ignore: false };
  if (!said.has(why)) {
    said.add(why);
    console.log(`Skipped here: ${why}`);
  }
  return { ignore: true };
}
