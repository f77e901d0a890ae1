/**
 * Starting the peers' programs.
 *
 * @module
 */

import type { Figures } from "./results.ts";

/** A program and its arguments. */
export type Command = readonly [program: string, ...args: string[]];

/** The longest that a program may run, in milliseconds. */
const TIMEOUT = 120_000;

/** How long a server may take to end, in milliseconds. */
const GRACE = 2000;

/**
 * Runs a program.
 *
 * @param command The program and its arguments
 * @param codes The codes with which it exits if it succeeds
 * @returns Its standard output
 * @throws {Error} If it fails, with its standard error
 */
export async function run([program, ...args]: Command, codes = [0]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args,
    stdin: "null",
    env: { NO_COLOR: "1" },
    signal: AbortSignal.timeout(TIMEOUT),
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  if (codes.includes(code)) return text(stdout);
  throw new Error(`${program} ${args.join(" ")} exited with ${code}: ${text(stderr)}`);
}

/** Runs a program that prints its figures as JSON. */
export async function runForFigures(command: Command): Promise<Figures> {
  return JSON.parse(await run(command));
}

/** Starts a program that runs until it is disposed of. */
export function startInBackground(
  [program, ...args]: Command,
): AsyncDisposable & { readonly pid: number } {
  const child = new Deno.Command(program, {
    args,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  return {
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      kill(child, "SIGKILL");
      await child.status;
    },
  };
}

/** A running server on a port of loopback. */
export interface Server extends AsyncDisposable {
  readonly pid: number;
  readonly port: number;
}

/**
 * Starts a server whose first line of output is its port, or has it after a colon.
 *
 * @throws {Error} If it does not print one
 */
export async function startServer([program, ...args]: Command): Promise<Server> {
  const child = new Deno.Command(program, {
    args,
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
    env: { NO_COLOR: "1" },
  }).spawn();
  const reader = child.stdout.getReader();
  const stop = async () => {
    // Most servers end with their standard input, so that none outlives this process.
    await child.stdin.close().catch(() => {});
    kill(child, "SIGTERM");
    const timer = setTimeout(() => kill(child, "SIGKILL"), GRACE);
    await child.status;
    clearTimeout(timer);
    await reader.cancel();
  };
  let line = "";
  while (!line.endsWith("\n")) {
    const { value, done } = await reader.read();
    if (done) break;
    line += new TextDecoder().decode(value);
  }
  const port = line.match(/(?:^|:)(\d+)/)?.[1];
  if (port === undefined) {
    await stop();
    throw new Error(`${program} ${args.join(" ")} printed no port`);
  }
  return { pid: child.pid, port: Number(port), [Symbol.asyncDispose]: stop };
}

/** Sends a signal to a process that may have ended. */
function kill(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
}
