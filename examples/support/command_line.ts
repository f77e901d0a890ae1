/**
 * Command lines of the examples, and how the programs end.
 *
 * | exit code | why |
 * | --- | --- |
 * | 0 | done, or interrupted by Ctrl-C |
 * | 1 | something that the program needs is missing or failed |
 * | 2 | the command line is wrong, or has a name that does not resolve (nc.ts: 1, as nc) |
 * | 129, 131, 143 | ended by SIGHUP, SIGQUIT or SIGTERM |
 * | 141 | nobody reads the output any more |
 *
 * @module
 */

import { parseArgs, type ParseArgsConfig } from "node:util";
import { OSError } from "@readiness/selectors";
import { print, printable, program, warnText } from "./output.ts";

/** The signals that ask a program to end. Windows has no SIGTERM. */
const INTERRUPTIONS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK"]
  : ["SIGINT", "SIGTERM"];

/** The exit codes of interrupted programs, as a shell has them. */
const EXIT_CODES: { readonly [name in Deno.Signal]?: number } = {
  SIGHUP: 129,
  SIGQUIT: 131,
  SIGTERM: 143,
};

/** The last line of the help. The usage of a program that can use another permission names it. */
const PERMISSION = "Of Deno's permissions, it needs --allow-ffi alone.";

/** Prints a message to standard error, with the first lines of the usage if given, and exits. */
export function exitWith(code: number, message: string, usage?: string): never {
  warnText(`${program}: ${message.split("\n").map(printable).join("\n")}`);
  if (usage !== undefined) warnText(`\n${usage.split("\n\n", 1)[0]}\n\nTry --help for more`);
  Deno.exit(code === 2 && program === "nc.ts" ? 1 : code); // As OpenBSD's nc does.
}

type Options = NonNullable<ParseArgsConfig["options"]>;

/** A parsed command line. */
type CommandLine<T extends Options> = ReturnType<
  typeof parseArgs<{ options: T; allowPositionals: boolean }>
>;

/** Parses the command line. Prints the usage and exits for `--help` and for wrong options. */
export function parseCommandLine<const T extends Options>(
  usage: string,
  options: T,
  allowPositionals = false,
): CommandLine<T> {
  try {
    const args = Deno.args;
    const all = { ...options, help: { type: "boolean", short: "h" } as const };
    const parsed = parseArgs({ args, options: all, allowPositionals });
    if (!(parsed.values as { help?: boolean }).help) return parsed as CommandLine<T>;
  } catch (error) {
    // Without advice on arguments that start with a dash, which programs here do not take.
    exitWith(2, (error as Error).message.replace(/\. To specify a positional .*/, ""), usage);
  }
  print(usage.includes("--allow-") ? usage : `${usage}\n\n${PERMISSION}`);
  Deno.exit(0);
}

/** Parses a port. */
export function parsePort(text: string): number {
  return parseInteger("port", text, 0, 65535);
}

/** Parses an integer in a range, or exits. */
export function parseInteger(what: string, text: string, minimum: number, maximum: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < minimum || value > maximum) {
    exitWith(2, `The ${what} must be an integer from ${minimum} to ${maximum}, received ${text}`);
  }
  return value;
}

/** Parses after how many to stop, if it was given, or exits. */
export function parseCount(text: string | undefined): number {
  return text === undefined ? Infinity : parseInteger("count", text, 1, 2 ** 31 - 1);
}

/** Parses a number of seconds, such as 0.2, in a range, or exits. Returns milliseconds. */
export function parseSeconds(what: string, text: string, minimum: number, maximum: number): number {
  const value = Number(text);
  if (!/^(\d+\.?|\d*\.\d+)$/.test(text) || value < minimum || value > maximum) {
    exitWith(2, `The ${what} must be from ${minimum} to ${maximum} seconds, received ${text}`);
  }
  return value * 1000;
}

/** Exits on Windows, for programs that need something that it lacks. */
export function exitOnWindows(missing: string): void {
  if (Deno.build.os === "windows") exitWith(1, `Windows does not have ${missing}`);
}

/**
 * Runs a program, and exits when it returns. Errors that the user can do something about, such as a
 * port in use, a refused connection or a missing permission, end it with a message instead of a
 * stack trace.
 */
export async function run(main: () => void | Promise<void>): Promise<void> {
  try {
    await main();
    // Deno 2.9 frees the table of its calls while V8's threads still compile code that uses them:
    // about one in a thousand busy programs that ended without this crashed.
    Deno.exit();
  } catch (error) {
    if (error instanceof OSError) {
      // The output of a program that writes to a descriptor: see print().
      if (error.syscall === "write" && error.code === "EPIPE") Deno.exit(141);
      exitWith(error.syscall === "getaddrinfo" ? 2 : 1, error.message);
    }
    if (error instanceof Deno.errors.NotCapable || error instanceof Deno.errors.NotSupported) {
      exitWith(1, error.message);
    }
    throw error;
  }
}

/**
 * Lets the program end by itself after Ctrl-C or SIGTERM, or another signal, which abort the
 * returned one. The second one ends the program at once.
 */
export function interruption(...others: Deno.Signal[]): AbortSignal {
  const controller = new AbortController();
  const listeners = [...INTERRUPTIONS, ...others].map((name) =>
    [name, () => interrupt(name)] as const
  );
  for (const [name, listener] of listeners) Deno.addSignalListener(name, listener);
  return controller.signal;

  function interrupt(by: Deno.Signal): void {
    Deno.exitCode = EXIT_CODES[by] ?? Deno.exitCode;
    controller.abort(by); // First: a listener may have to clean up before the second signal.
    for (const [name, listener] of listeners) Deno.removeSignalListener(name, listener);
  }
}
