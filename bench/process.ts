import type { Numbers } from "./results.ts";

/** How a program is started: its command and arguments. */
export type Command = readonly string[];

/** How long any program may take, in milliseconds. */
const PATIENCE = 120_000;

/**
 * Runs a program to its end.
 *
 * @returns What it printed
 * @throws {Error} If it fails, with its last words
 */
export async function run([program, ...args]: Command): Promise<string> {
  const { success, code, stdout, stderr } = await new Deno.Command(program, {
    args,
    stdin: "null",
    env: { NO_COLOR: "1" },
    signal: AbortSignal.timeout(PATIENCE),
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  if (success) return text(stdout);
  throw new Error(`${program} ${args.join(" ")} ended with ${code}: ${text(stderr)}`);
}

/** Runs a program that prints its figures. */
export async function runForNumbers(command: Command): Promise<Numbers> {
  return JSON.parse(await run(command));
}

/** A server that is running, on a port of loopback. */
export interface Server extends AsyncDisposable {
  readonly pid: number;
  readonly port: number;
}

/**
 * Starts a server, which prints its port and ends when its standard input does.
 *
 * @throws {Error} If it ends at once
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
    await child.stdin.close().catch(() => {}); // It is gone already.
    const timer = setTimeout(() => child.kill("SIGKILL"), 2000);
    await child.status;
    clearTimeout(timer);
    await reader.cancel();
  };
  let line = "";
  while (!line.endsWith("\n")) {
    const { value, done } = await reader.read();
    if (done) {
      await stop();
      throw new Error(`${program} ${args.join(" ")} did not tell its port`);
    }
    line += new TextDecoder().decode(value);
  }
  return { pid: child.pid, port: Number(line), [Symbol.asyncDispose]: stop };
}
