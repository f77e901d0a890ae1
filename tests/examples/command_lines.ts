/**
 * Runs an example with many command lines in one process, which is much faster than a process for
 * each. `command_lines_process.ts` is the program in that process.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { inTime } from "../support/deadline.ts";

/** How one run ended. */
export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs an example with each command line. Each run must end at once, as those with an error do. */
export async function runEach(name: string, commandLines: readonly string[][]): Promise<Run[]> {
  const program = new URL("command_lines_process.ts", import.meta.url).href;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-ffi", "--allow-read", program, name, JSON.stringify(commandLines)],
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  try {
    const { code, stdout } = await inTime(child.output(), `the runs of ${name}`);
    assertEquals(code, 0);
    return JSON.parse(new TextDecoder().decode(stdout));
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
}

/** Mistakes in the option of a port. */
export const WRONG_PORTS: readonly string[] = [
  "--port",
  "--port x",
  "--port 65536",
  "--port=-1",
  "--port=",
];

/** The exit code of an example if the command line is wrong, which is that of its original. */
export function usageErrorOf(name: string): number {
  return name === "nc" ? 1 : 2;
}

/** Asserts that an example exits with that code, and with a message for each command line. */
export async function assertUsageErrors(
  name: string,
  mistakes: readonly (string | string[])[],
): Promise<void> {
  const commandLines = mistakes.map((mistake) =>
    typeof mistake === "string" ? mistake.split(" ").filter((arg) => arg !== "") : mistake
  );
  for (const [i, { code, stdout, stderr }] of (await runEach(name, commandLines)).entries()) {
    assertEquals([mistakes[i], code, stdout], [mistakes[i], usageErrorOf(name), ""], stderr);
    assertMatch(stderr, RegExp(`^${name}\\.ts: [A-Z]`));
    assertEquals(stderr.includes("    at "), false, stderr);
  }
}
