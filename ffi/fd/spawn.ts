import { abi } from "../abi/mod.ts";
import { assertArray, assertBoolean, assertCString, assertPlain, readOptions } from "../checks.ts";
import { lastErrno, OSError } from "../errno.ts";
import { childEnvironment, valueOf } from "./environment.ts";
import { FileActions, posixSpawn } from "./posix_spawn.ts";
import { canExecute, programPaths } from "./program_paths.ts";
import { ChildStreams, type Pipes, type SpawnStreams } from "./spawn_streams.ts";

const { EACCES, ENOENT, ENOTDIR } = abi.errno;

const OPTIONS = ["cwd", "env", "clearEnv", "stdin", "stdout", "stderr", "terminal"] as const;
const NO_VARIABLES: Readonly<Record<string, string>> = Object.create(null);

/**
 * Options for {@linkcode ProcessDescriptor.spawn}.
 *
 * @category Processes
 */
export interface SpawnOptions extends SpawnStreams {
  /** The working directory of the process; that of this process by default. */
  readonly cwd?: string;
  /** Environment variables of the process, added to those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Whether the process gets only the variables of `env`. */
  readonly clearEnv?: boolean;
}

/**
 * Starts a program.
 *
 * @returns Its process ID, and this process's ends of its pipes
 */
export function spawnProcess(
  command: string,
  args: readonly string[] = [],
  options?: SpawnOptions,
): { pid: number; pipes: Pipes } {
  const attempt = `Cannot start ${String(command)}`;
  assertArray(`${attempt}: the arguments`, args);
  const argv = [command, ...args];
  for (const text of argv) assertCString(`${attempt}: an argument`, text);
  const own = readOptions(attempt, options, OPTIONS);
  const { clearEnv = false, cwd, env = NO_VARIABLES } = own;
  assertBoolean(`${attempt}: clearEnv`, clearEnv);
  assertPlain(`${attempt}: the env`, env);
  const envp = childEnvironment(env, clearEnv, attempt);
  if (cwd !== undefined) assertDirectory(cwd, attempt);
  const paths = programPaths(command, valueOf("PATH", envp));

  using streams = new ChildStreams(own, attempt);
  using actions = fileActions(streams, cwd, attempt);
  let errno = ENOENT;
  for (const path of paths) {
    // A relative path is relative to the directory of the child.
    const canTell = path.startsWith("/") || cwd === undefined;
    if (path !== command && canTell && !canExecute(path)) {
      if (lastErrno() === EACCES) errno = EACCES;
      continue;
    }
    const result = posixSpawn(path, argv, envp, actions, streams.terminal !== undefined);
    if (result > 0) return { pid: result, pipes: streams.keep() };
    if (errno !== EACCES || !isMissing(-result)) errno = -result;
    if (!isMissing(errno)) break;
  }
  const place = cwd === undefined ? "" : ` in ${cwd}`;
  throw new OSError(attempt + place, "posix_spawnp", errno);
}

/** Returns whether the next directory of `PATH` may still have the program. */
function isMissing(errno: number): boolean {
  return errno === ENOENT || errno === ENOTDIR || errno === EACCES;
}

/** Returns what the child does before it runs the program. */
function fileActions(
  { sources, terminal }: ChildStreams,
  cwd: string | undefined,
  attempt: string,
): FileActions {
  const actions = new FileActions(attempt);
  try {
    // The first terminal that the leader of a session opens becomes its controlling terminal.
    if (terminal !== undefined) actions.reopen(terminal, 0);
    for (const target of [1, 2, 0]) {
      const source = sources[target] ?? (terminal === undefined || target === 0 ? undefined : 0);
      if (source !== undefined) actions.duplicate(source, target);
    }
    if (cwd !== undefined) actions.changeDirectory(cwd);
    return actions;
  } catch (error) {
    actions[Symbol.dispose]();
    throw error;
  }
}

/** Requires a directory that can be entered: the child's own error would not name it. */
function assertDirectory(path: string, attempt: string): void {
  assertCString(`${attempt}: the working directory`, path);
  if (!canExecute(path === "" ? path : `${path}/.`)) {
    throw new OSError(`${attempt} in the directory ${path}`, "access", lastErrno());
  }
}
