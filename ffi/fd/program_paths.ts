import { abi } from "../abi/mod.ts";
import { libcCalls } from "../libc.ts";
import { cString } from "../memory.ts";

const calls = libcCalls({ access: { parameters: ["buffer", "i32"], result: "i32" } });

/** Where `execvp` looks without a `PATH`. */
const DEFAULT_PATH = "/bin:/usr/bin";

/**
 * Returns the paths of files that may be a program, as `execvp` would try them. libc itself would
 * look in this process's `PATH`, while another isolate may change it.
 *
 * @param command The name of the program, or a path, which has a slash
 * @param path The directories of `PATH`, separated by colons
 */
export function programPaths(command: string, path: string = DEFAULT_PATH): string[] {
  if (command === "" || command.includes("/")) return [command];
  return path.split(":").map((directory) => `${directory || "."}/${command}`);
}

/** Returns whether this process may run a file, or enter a directory. */
export function canExecute(path: string): boolean {
  return calls().access(cString(path), abi.pidfd!.constants.X_OK) === 0;
}
