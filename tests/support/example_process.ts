/**
 * Runs the examples as users do: in processes of their own, with the README's command.
 *
 * @module
 */

import { inTime } from "./deadline.ts";
import { Lines } from "./lines.ts";
import { isWindows } from "./os.ts";
import { type Skip, skipIf, skipUnless } from "./skip.ts";
import type { Outcome } from "./subprocess.ts";
import { memoryOf } from "./usage.ts";

const ROOT = new URL("../../", import.meta.url);

const running = new Set<Deno.ChildProcess>();
addEventListener("unload", () => running.forEach((child) => child.kill("SIGKILL")));

/** Options to start an example. */
export interface ExampleOptions {
  /** The flags of `deno run`; `--allow-ffi` by default. */
  flags?: readonly string[];
  /** The limit of open descriptors, which `sh` sets. */
  descriptors?: number;
  /** Turns its command into another, which runs it elsewhere or as another user. */
  through?: (command: readonly string[]) => readonly string[];
}

/** A running example, stopped at the end of an `await using` block. */
export class Example implements AsyncDisposable {
  /** Its standard output. */
  readonly stdout: Lines;
  /** Its standard error. */
  readonly stderr: Lines;
  /** Its first line of output. */
  firstLine = "";
  readonly #child: Deno.ChildProcess;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.stdout = new Lines(child.stdout);
    this.stderr = new Lines(child.stderr);
    running.add(child);
    child.status.then(() => running.delete(child));
  }

  /** Starts an example and waits for its first line. */
  static async start(
    name: string,
    args: readonly string[],
    options?: ExampleOptions,
  ): Promise<Example> {
    const example = new Example(command(name, args, options).spawn());
    try {
      example.firstLine = await example.stdout.wait(/./);
      return example;
    } catch (error) {
      const { stderr } = await example.stop("SIGKILL");
      throw new Error(`${name} did not start: ${stderr}`, { cause: error });
    }
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** The port in its first line. */
  get port(): number {
    return Number(/:(\d+) /.exec(this.firstLine)![1]);
  }

  /** Its resident memory, in bytes (Linux). */
  get memory(): number {
    return memoryOf(this.pid);
  }

  /** Sends a signal. */
  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Sends a signal and waits for its end. */
  async stop(
    signal: Deno.Signal = "SIGINT",
  ): Promise<Outcome> {
    if (running.has(this.#child)) this.kill(signal);
    return await this.end();
  }

  /** Waits for its end. */
  async end(): Promise<Outcome> {
    const { code, signal } = await inTime(this.#child.status, "the end of the program");
    await Promise.all([this.stdout.ended, this.stderr.ended]);
    return { code, signal, stdout: this.stdout.text, stderr: this.stderr.text };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop("SIGKILL");
  }
}

/** Runs an example to its end. */
export async function runExample(
  name: string,
  args: readonly string[] = [],
  options?: ExampleOptions,
): Promise<Outcome> {
  const output = command(name, args, options).output();
  const { code, signal, stdout, stderr } = await inTime(output, `the end of ${name}`);
  return { code, signal, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Skips a test of an example that listens for signals. */
export const needsSignals: Skip = skipIf(
  isWindows,
  "a signal ends a Windows program without running its listeners",
);

/** Skips a test where 127.0.0.1 is the only address of loopback. */
export const needsUnusedHostname: Skip = skipUnless(
  ["linux", "windows"].includes(Deno.build.os),
  "the loopback interface has one IPv4 address",
);

/** A loopback address that nothing else uses, on which well-known ports are free. */
export function unusedHostname(): string {
  return `127.${[...crypto.getRandomValues(new Uint8Array(3))].map((n) => n % 250 + 1).join(".")}`;
}

const decoder = new TextDecoder();

function command(
  name: string,
  args: readonly string[],
  { flags = ["--allow-ffi"], descriptors, through = (command) => command }: ExampleOptions = {},
): Deno.Command {
  const run = [Deno.execPath(), "run", ...flags, `examples/${name}.ts`, ...args];
  const limited = ["sh", "-c", `ulimit -n ${descriptors}; exec "$@"`, "sh", ...run];
  const [program, ...rest] = through(descriptors === undefined ? run : limited);
  return new Deno.Command(program!, {
    args: rest,
    cwd: ROOT,
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}
