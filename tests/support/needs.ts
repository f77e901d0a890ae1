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
