/**
 * Compiles the fakes of system calls that Linux lacks. They need Linux, and a compiler for the
 * processor of this Deno: `cc`, or the one that `CC` names.
 *
 * @module
 */

import { needs, type Skip, skipIf } from "./skip.ts";

const COMPILER = Deno.env.get("CC") ?? "cc";

/** Skips a test that needs a fake where it cannot be compiled. */
export const needsFakes: Skip = Deno.build.os === "linux"
  ? needs(`${COMPILER}, a C compiler for ${Deno.build.arch}`, canCompile())
  : skipIf(true, "the fakes of system calls run on Linux");

type Fake = "devpoll" | "faulty_libc" | "kqueue" | "loaded" | "scripted_kqueue";

const made = new Map<string, string>();
let folder: string | undefined;

/**
 * Compiles a fake, once per test file.
 *
 * @param name The name of its file in tests/fakes, without `.c`
 * @param options Compiler options, such as `-DFREEBSD_LAYOUT`
 * @returns The path of the library, or one that does not exist where `needsFakes` skips
 */
export function fakeLibrary(name: Fake, ...options: string[]): string {
  if (needsFakes.ignore) return `/nonexistent/${name}.so`;
  const wanted = [name, ...options].join(" ");
  let path = made.get(wanted);
  if (path === undefined) made.set(wanted, path = compile(name, options));
  return path;
}

function compile(name: string, options: string[]): string {
  if (folder === undefined) {
    const temporary = folder = Deno.makeTempDirSync({ prefix: "fakes_" });
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
