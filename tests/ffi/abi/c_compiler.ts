import { fileURLToPath } from "node:url";
import { describe, type Fact, typeName } from "./facts.ts";
import type { Outcome } from "./proof.ts";

const HERE = fileURLToPath(new URL(".", import.meta.url));

/**
 * Has a C compiler check facts against its system's own headers.
 *
 * @param facts The facts
 * @param compiler The compiler's command, and the arguments that choose the system
 * @returns What was found
 * @throws {Deno.errors.NotFound} If there is no such compiler
 */
export async function compile(
  facts: readonly Fact[],
  compiler: readonly string[],
): Promise<Outcome> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/facts.c`, sourceOf(facts));
    const [command, ...args] = compiler;
    const { success, stderr } = await new Deno.Command(command!, {
      args: [...args, "-std=gnu11", "-w", "-I", HERE, "-c", "facts.c", "-o", "facts.o"],
      cwd: folder,
      env: { LC_ALL: "C", ZIG_LOCAL_CACHE_DIR: folder },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output();
    const wrong = success
      ? wrongSymbols(facts, await Deno.readFile(`${folder}/facts.o`))
      : refused(facts, new TextDecoder().decode(stderr));
    return { held: facts.length - wrong.length, wrong, missing: [] };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Writes one line for each fact, so that the line of a complaint identifies the fact. */
function sourceOf(facts: readonly Fact[]): string {
  const ofWinsock = facts.some((fact) => fact.kind === "symbol" && fact.call === "lastError");
  const lines = facts.map((fact) => lineOf(fact, ofWinsock ? "WSA" : ""));
  return ['#include "system_headers.h"', ...lines, ""].join("\n");
}

function lineOf(fact: Fact, errnoPrefix: string): string {
  switch (fact.kind) {
    case "size":
      return assertEqual(`sizeof(${typeName(fact.struct)})`, fact.value);
    case "offset":
      return assertEqual(`offsetof(${typeName(fact.struct)}, ${fact.field})`, fact.value);
    case "width":
      return assertEqual(`sizeof(((${typeName(fact.struct)} *)0)->${fact.field})`, fact.value);
    case "constant":
      return assertEqual(fact.name, fact.value);
    case "errno":
      return assertEqual(errnoPrefix + fact.name, fact.value);
    case "counts": {
      const count = fact.value === 8 ? "size_t" : "int";
      const list = `struct ${fact.call} *`;
      const type = `int(int, const ${list}, ${count}, ${list}, ${count}, const struct timespec *)`;
      return assertType(fact.call, type);
    }
    case "prototype":
      return assertType(fact.call, fact.value);
    case "symbol": {
      // Makes the object file refer to the symbol that the header gives the call. The function's
      // own name does not end in the call's, as object files share the ends of strings.
      const call = fact.call === "lastError" ? "WSAGetLastError" : fact.call;
      return `void *${fact.call}_(void) { return (void *)&${call}; }`;
    }
  }
}

function assertType(call: string, type: string): string {
  return assertEqual(`__builtin_types_compatible_p(__typeof__(${call}), ${type})`, 1);
}

function assertEqual(expression: string, value: number): string {
  return `_Static_assert((long long)(${expression}) == ${value}LL, "wrong");`;
}

function refused(facts: readonly Fact[], complaints: string): string[] {
  const reasons = new Map<string, string>();
  for (const [, line, reason] of complaints.matchAll(/^facts\.c:(\d+):.*?error: (.*)$/gm)) {
    const fact = facts[Number(line) - 2];
    if (fact !== undefined) reasons.set(describe(fact), reason!);
  }
  if (reasons.size === 0) return [`the compiler failed: ${complaints.trim()}`];
  return [...reasons].map(([fact, reason]) => `${fact}: ${reason}`);
}

/** Every format of object files stores the names of symbols as they are. */
function wrongSymbols(facts: readonly Fact[], object: Uint8Array): string[] {
  const text = new TextDecoder("latin1").decode(object);
  return facts.flatMap((fact) => {
    if (fact.kind !== "symbol") return [];
    // macOS adds an underscore to every name, and Windows adds __imp_ to an imported one.
    const name = RegExp(`(?<![\\w$])(_|__imp_)?${RegExp.escape(fact.value)}(?![\\w$])`);
    return name.test(text) ? [] : [`${describe(fact)}: the header has another symbol`];
  });
}
