/**
 * Runs other people's programs, as peers of the examples.
 *
 * @module
 */

import { inTime } from "./deadline.ts";

/** What a command has done. */
export interface Done {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end, with a text as its input. */
export async function runCommand(command: readonly string[], input = ""): Promise<Done> {
  const [program, ...args] = command;
  const child = new Deno.Command(program, {
    args,
    env: { NO_COLOR: "1", LC_ALL: "C" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const write = async () => {
    const writer = child.stdin.getWriter();
    // A command that does not read its input may have ended.
    await writer.write(new TextEncoder().encode(input)).then(() => writer.close()).catch(() => {});
  };
  const running = Promise.all([child.output(), write()]);
  try {
    const [{ code, stdout, stderr }] = await inTime(running, `the end of ${command.join(" ")}`);
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
}
