/**
 * Reasons to skip a test, to be spread into its definition:
 *
 * ```ts ignore
 * Deno.test({ name: "watches a file", ...skipUnless(isLinux, "inotify is Linux's"), fn() {} });
 * Deno.test("watches a folder", skipUnless(isLinux, "inotify is Linux's"), () => {});
 * ```
 *
 * A test can have several: `...linuxOnly, ...needsPython`. `show_skip_reasons.ts` prints it.
 *
 * @module
 */

import { isLinux, isWindows } from "./os.ts";

/** Options of a test: empty, or those that skip it and say why. */
export interface Skip {
  readonly ignore?: boolean;
  readonly reason?: string;
}

/** Skips a test if the condition holds, also in CI. */
export function skipIf(condition: boolean, reason: string): Skip {
  return condition ? { ignore: true, reason } : {};
}

/** Skips a test unless the condition holds, also in CI. */
export function skipUnless(condition: boolean, reason: string): Skip {
  return skipIf(!condition, reason);
}

/** Skips a test of something that only Linux has. */
export const linuxOnly: Skip = skipUnless(isLinux, "it is about Linux");

/** Skips a test of something that only Windows has. */
export const windowsOnly: Skip = skipUnless(isWindows, "it is about Windows");

/**
 * Skips a test on a machine that lacks what the test needs. In CI the test runs, and fails.
 *
 * @param what Names it in the reason
 * @param present Whether this machine has it
 */
export function needs(what: string, present: boolean): Skip {
  return skipUnless(present || Deno.env.has("CI"), `this machine lacks ${what}`);
}

/** Skips a test on a machine where a program cannot be started. In CI the test runs, and fails. */
export function needsProgram(name: string): Skip {
  return needs(name, canStart(name));
}

/** Returns whether a program can be started here. */
export function canStart(name: string): boolean {
  try {
    new Deno.Command(name, { args: ["--version"], stdin: "null", stdout: "null", stderr: "null" })
      .outputSync();
    return true;
  } catch {
    return false;
  }
}
