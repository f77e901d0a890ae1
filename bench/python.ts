/**
 * Finding CPython.
 *
 * @module
 */

import { type Command, run } from "./process.ts";

/** Builds without profile-guided optimization are slower by a third or more. */
const DESCRIBE = `
import platform, sysconfig
options = sysconfig.get_config_var("CONFIG_ARGS") or ""
flags = sysconfig.get_config_var("PY_CORE_CFLAGS") or ""
optimized = "--enable-optimizations" in options or "-fprofile" in flags
note = "" if optimized else ", built without --enable-optimizations"
print("CPython", platform.python_version() + note)
`;

/**
 * Returns the path of a CPython: the one that `BENCH_PYTHON` names, else 3.13, else `python3`.
 *
 * @throws {Error} If none of them can be started
 */
export async function findPython(): Promise<string> {
  const named = Deno.env.get("BENCH_PYTHON");
  const candidates: Command[] = named
    ? [[named]]
    : [["python3.13"], ["env", "PYENV_VERSION=3.13", "python3.13"], ["python3"]];
  let failure: unknown;
  for (const candidate of candidates) {
    try {
      return await run([...candidate, "-c", "import sys; print(sys.executable)"]);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

/** Returns the version of a CPython, and whether it is an optimized build. */
export async function describePython(path: string): Promise<string> {
  return await run([path, "-c", DESCRIBE]);
}
