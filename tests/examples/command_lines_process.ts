// Imports an example once per command line and prints how each run ended: see command_lines.ts.

import type { Run } from "./command_lines.ts";

/** Thrown in place of ending the process. */
class Exit extends Error {
  constructor(readonly code: number) {
    super();
  }
}

const [name = "", commandLines = ""] = Deno.args;
const example = new URL(`../../examples/${name}.ts`, import.meta.url).href;
const decoder = new TextDecoder();
let run: { code: number | null; stdout: string; stderr: string };

function capture(stream: "stdout" | "stderr"): (bytes: Uint8Array) => number {
  return (bytes) => {
    run[stream] += decoder.decode(bytes);
    return bytes.length;
  };
}

const replace = (target: object, property: string, value: unknown) =>
  Object.defineProperty(target, property, { value, configurable: true });

replace(Deno, "mainModule", example);
replace(Deno, "exit", (code = Deno.exitCode) => {
  throw new Exit(code);
});
const { writeSync } = Deno.stdout;
replace(Deno.stdout, "writeSync", capture("stdout"));
replace(Deno.stderr, "writeSync", capture("stderr"));
addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  const { reason } = event;
  run.code = reason instanceof Exit ? reason.code : 1;
  if (!(reason instanceof Exit)) run.stderr += reason.stack;
});

const runs: Run[] = [];
for (const [i, args] of JSON.parse(commandLines).entries()) {
  runs.push(run = { code: null, stdout: "", stderr: "" });
  replace(Deno, "args", args);
  await import(`${example}?${i}`);
  // The rejection is reported a little later, or much later if a resolver does not answer.
  for (let i = 0; run.code === null && i < 20_000; i++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
Deno.exitCode = 0; // A run may have set it.
const bytes = new TextEncoder().encode(JSON.stringify(runs));
for (let at = 0; at < bytes.length;) at += writeSync.call(Deno.stdout, bytes.subarray(at));
