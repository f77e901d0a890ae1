/**
 * Reasons to skip a test, each with what skips it, to be spread into the test's definition.
 *
 * @module
 */

/** Whether a test is skipped on this machine, and why. */
export interface Skip {
  readonly ignore: boolean;
  readonly why?: string;
}

/** Skips no test. */
export const always: Skip = { ignore: false };

/** Skips a test under a condition, also in CI. */
export function skipIf(condition: boolean, why: string): Skip {
  return condition ? { ignore: true, why } : always;
}

/** Skips a test for the first of several reasons. */
export function firstOf(...skips: readonly Skip[]): Skip {
  return skips.find(({ ignore }) => ignore) ?? always;
}

/** Skips a test of what Linux alone has, or does so. */
export const linuxOnly: Skip = skipIf(Deno.build.os !== "linux", "it is about Linux");

/** Skips a test of what Windows alone has, or does so. */
export const windowsOnly: Skip = skipIf(Deno.build.os !== "windows", "it is about Windows");

/**
 * Skips a test on a machine that lacks what it needs. In CI nothing is skipped: there the test runs,
 * and fails.
 *
 * @example
 * ```ts ignore
 * Deno.test({ name: "the stand-in compiles", ...needs("cc", hasProgram("cc")), fn() {} });
 * ```
 */
export function needs(what: string, present: boolean): Skip {
  return skipIf(!present && !Deno.env.has("CI"), `this machine lacks ${what}`);
}

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
