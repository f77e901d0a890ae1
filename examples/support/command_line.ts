/**
 * What the examples' command lines have in common.
 *
 * @module
 */

import { parseArgs, type ParseArgsConfig } from "node:util";
import { OSError } from "@readiness/selectors";
import type { SocketAddress } from "@readiness/selectors/socket";

/** The name of the program, for its messages. */
const program = Deno.mainModule.replace(/^.*\//, "");

/** How a program is asked to end. Windows has no SIGTERM. */
const INTERRUPTIONS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK"]
  : ["SIGINT", "SIGTERM"];

/** Prints a message to standard error and exits. */
export function exitWith(code: number, message: string): never {
  console.error(`${program}: ${message}`);
  Deno.exit(code);
}

type Options = NonNullable<ParseArgsConfig["options"]>;

/** A command line that was understood. */
type CommandLine<T extends Options> = ReturnType<
  typeof parseArgs<{ options: T; allowPositionals: boolean }>
>;

/**
 * Parses the command line: `--help` prints the usage and exits with 0, what is not understood exits
 * with 2.
 */
export function parseCommandLine<const T extends Options>(
  usage: string,
  options: T,
  allowPositionals = false,
): CommandLine<T> {
  try {
    const args = Deno.args;
    const all = { ...options, help: { type: "boolean" } as const };
    const parsed = parseArgs({ args, options: all, allowPositionals });
    if (!(parsed.values as { help?: boolean }).help) return parsed as CommandLine<T>;
  } catch (error) {
    exitWith(2, `${(error as Error).message}\n\n${usage}`);
  }
  console.log(usage);
  Deno.exit(0);
}

/** Exits where what the program stands on is missing. */
export function needsMoreThanWindows(missing: string): void {
  if (Deno.build.os === "windows") exitWith(1, `Windows has no ${missing}, which this needs`);
}

/** Reads a port from the command line. */
export function parsePort(text: string): number {
  return parseInteger("port", text, 0, 65535);
}

/** Reads an integer from the command line. */
export function parseInteger(what: string, text: string, minimum: number, maximum: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < minimum || value > maximum) {
    exitWith(2, `The ${what} must be a number from ${minimum} to ${maximum}, received ${text}`);
  }
  return value;
}

/**
 * Runs a program. What a user can do something about (a port in use, a refused connection, a
 * missing permission) ends it with a line instead of a stack trace.
 */
export async function run(main: () => void | Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    if (
      error instanceof OSError || error instanceof Deno.errors.NotCapable ||
      error instanceof Deno.errors.NotSupported
    ) exitWith(1, error.message);
    throw error;
  }
}

/**
 * Has the program asked to end instead of ended: the signal is aborted by Ctrl-C or SIGTERM. Asked
 * again, it ends at once.
 */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  const interrupt = () => {
    for (const name of INTERRUPTIONS) Deno.removeSignalListener(name, interrupt);
    controller.abort();
  };
  for (const name of INTERRUPTIONS) Deno.addSignalListener(name, interrupt);
  return controller.signal;
}

/** Writes an address as a person would. */
export function format(address: SocketAddress): string {
  if ("path" in address) return address.path;
  const { hostname, port } = address;
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}
