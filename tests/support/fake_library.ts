/**
 * Compiles the stand-ins for system calls that Linux lacks. They are written for Linux, and for a
 * compiler that makes libraries for this very Deno: `cc`, or what `CC` names.
 *
 * @module
 */

import { needs, type Skip, skipIf } from "./skip.ts";

const COMPILER = Deno.env.get("CC") ?? "cc";

/** Skips a test that is run over a stand-in where none can be compiled. */
export const needsFakes: Skip = Deno.build.os === "linux"
  ? needs(`${COMPILER}, a C compiler for ${Deno.build.arch}`, canCompile())
  : skipIf(true, "the stand-ins are compiled and run on Linux");

/** Those that there are. */
type StandIn = "devpoll" | "kqueue" | "loaded" | "scripted_kqueue";

const made = new Map<string, string>();
let folder: string | undefined;

/**
 * Compiles a stand-in, once a test file.
 *
 * @param name Its file in tests/fakes, without `.c`
 * @param options Options of the compiler, such as `-DFREEBSD_LAYOUT`
 * @returns The path of the library, or of none where tests that need one are skipped
 */
export function fakeLibrary(name: StandIn, ...options: string[]): string {
  if (needsFakes.ignore) return `/nonexistent/${name}.so`;
  const wanted = [name, ...options].join(" ");
  let path = made.get(wanted);
  if (path === undefined) made.set(wanted, path = compile(name, options));
  return path;
}

function compile(name: string, options: string[]): string {
  if (folder === undefined) {
    const temporary = folder = Deno.makeTempDirSync({ prefix: "stand_ins_" });
    addEventListener("unload", () => Deno.removeSync(temporary, { recursive: true }));
  }
  const path = `${folder}/${name}${options.join("")}.so`;
  const source = new URL(`../fakes/${name}.c`, import.meta.url).pathname;
  run("-shared", "-fPIC", "-O1", "-pthread", ...options, "-o", path, source);
  return path;
}

function canCompile(): boolean {
  try {
    return run("-dumpmachine").startsWith(Deno.build.arch);
  } catch {
    return false;
  }
}

function run(...args: string[]): string {
  const { success, stdout, stderr } = new Deno.Command(COMPILER, { args }).outputSync();
  if (!success) throw new Error(`Cannot compile: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}
