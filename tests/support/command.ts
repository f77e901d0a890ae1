/**
 * Runs other programs, such as peers of the examples.
 *
 * @module
 */

import { inTime } from "./deadline.ts";

/** The result of a command. */
export interface CommandOutput {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end, with the text as its standard input. */
export async function runCommand(command: readonly string[], input = ""): Promise<CommandOutput> {
  const [program, ...args] = command;
  const child = new Deno.Command(program!, {
    args,
    env: { NO_COLOR: "1", LC_ALL: "C" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const write = async () => {
    const writer = child.stdin.getWriter();
    // The command may exit without reading its input.
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
