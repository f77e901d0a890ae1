/**
 * Lets calls of libc fail on demand, in this test file. Import it before everything else: what was
 * opened earlier cannot be replaced.
 *
 * @module
 */

import { abi } from "../../ffi/abi/mod.ts";
import { type Skip, skipIf } from "./skip.ts";

/** Skips a test whose calls fail on demand on Windows, where failures are not an `errno`. */
export const needsErrno: Skip = skipIf(abi.winsock !== undefined, "Winsock has no errno to set");

type Call = (...args: unknown[]) => unknown;

const failures = new Map<string, number[]>();
const counts = new Map<string, number>();

/**
 * Makes the next calls of a function fail.
 *
 * @param name The name under which the package declares the function
 * @param errors The errno of each failure, in order
 */
export function failNext(name: string, ...errors: number[]): void {
  failures.set(name, [...failures.get(name) ?? [], ...errors]);
}

/** Makes every call of a function fail, until a second call with no errno. */
export function failAlways(name: string, errno?: number): void {
  failures.set(name, errno === undefined ? [] : Object.assign([errno], { shift: () => errno }));
}

/** Returns how often a function was called so far. */
export function callsOf(name: string): number {
  return counts.get(name) ?? 0;
}

function setErrno(): (value: number) => void {
  const symbols = {
    location: { name: abi.symbols.errno, parameters: [], result: "pointer" },
  } as const;
  const { location } = dlopen(abi.libc[0], symbols).symbols;
  const errno = new Int32Array(Deno.UnsafePointerView.getArrayBuffer(location()!, 4));
  return (value) => errno[0] = value;
}

const { dlopen } = Deno;

if (abi.winsock === undefined) {
  const fail = setErrno();
  Deno.dlopen = (path, declarations) => {
    const library = dlopen(path, declarations);
    const symbols = Object.entries(library.symbols).map(([name, symbol]) => {
      if (typeof symbol !== "function") return [name, symbol];
      const call = symbol as Call;
      return [name, (...args: unknown[]) => {
        counts.set(name, callsOf(name) + 1);
        const errno = failures.get(name)?.shift();
        if (errno === undefined) return call(...args);
        // A descriptor that cannot be closed without an error is closed all the same.
        if (name === "close") call(...args);
        fail(errno);
        return -1;
      }];
    });
    return { ...library, symbols: Object.fromEntries(symbols) };
  };
}
