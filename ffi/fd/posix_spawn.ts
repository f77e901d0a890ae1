import { abi } from "../abi/mod.ts";
import { need } from "../checks.ts";
import { OSError } from "../errno.ts";
import { libcCalls } from "../libc.ts";
import { addressOf, cString } from "../memory.ts";
import { cStrings } from "./c_strings.ts";
import type { Variable } from "./environment.ts";
import { MAX_SIGNAL, signalSet } from "./signals.ts";

const calls = libcCalls({
  posix_spawnp: {
    parameters: ["buffer", "buffer", "buffer", "buffer", "buffer", "buffer"],
    result: "i32",
  },
  posix_spawnattr_init: { parameters: ["buffer"], result: "i32" },
  posix_spawnattr_destroy: { parameters: ["buffer"], result: "i32" },
  posix_spawnattr_setflags: { parameters: ["buffer", "i16"], result: "i32" },
  posix_spawnattr_setsigmask: { parameters: ["buffer", "buffer"], result: "i32" },
  posix_spawnattr_setsigdefault: { parameters: ["buffer", "buffer"], result: "i32" },
  posix_spawn_file_actions_init: { parameters: ["buffer"], result: "i32" },
  posix_spawn_file_actions_destroy: { parameters: ["buffer"], result: "i32" },
  posix_spawn_file_actions_adddup2: { parameters: ["buffer", "i32", "i32"], result: "i32" },
  posix_spawn_file_actions_addopen: {
    parameters: ["buffer", "i32", "buffer", "i32", "u32"],
    result: "i32",
  },
  // Old versions of Android lack it.
  posix_spawn_file_actions_addchdir_np: {
    parameters: ["buffer", "buffer"],
    result: "i32",
    optional: true,
  },
});

/** More than the size of `posix_spawnattr_t` or `posix_spawn_file_actions_t` in any libc. */
const OPAQUE_SIZE = 512;

/** What a new process does before it runs its program, C's `posix_spawn_file_actions_t`. */
export class FileActions implements Disposable {
  /** The bytes of the structure. */
  readonly bytes: Uint8Array<ArrayBuffer> = new Uint8Array(new ArrayBuffer(OPAQUE_SIZE));
  readonly #attempt: string;

  /**
   * Makes an empty list.
   *
   * @param attempt The beginning of error messages
   */
  constructor(attempt: string) {
    this.#attempt = attempt;
    this.#check("init", calls().posix_spawn_file_actions_init(this.bytes));
  }

  /** Duplicates a descriptor onto another. */
  duplicate(source: number, target: number): void {
    const { posix_spawn_file_actions_adddup2 } = calls();
    this.#check("adddup2", posix_spawn_file_actions_adddup2(this.bytes, source, target));
  }

  /** Opens the file of a descriptor again, for reading and writing, as another descriptor. */
  reopen(source: number, target: number): void {
    const path = cString(`/proc/self/fd/${source}`);
    const { posix_spawn_file_actions_addopen: addopen } = calls();
    this.#check("addopen", addopen(this.bytes, target, path, abi.constants.O_RDWR, 0));
  }

  /** Changes the working directory. */
  changeDirectory(path: string): void {
    const addchdir = need(
      calls().posix_spawn_file_actions_addchdir_np ?? undefined,
      this.#attempt,
      "posix_spawn_file_actions_addchdir_np()",
    );
    this.#check("addchdir_np", addchdir(this.bytes, cString(path)));
  }

  #check(call: string, errno: number): void {
    if (errno !== 0) {
      throw new OSError(this.#attempt, `posix_spawn_file_actions_${call}`, errno);
    }
  }

  [Symbol.dispose](): void {
    calls().posix_spawn_file_actions_destroy(this.bytes);
  }
}

/**
 * Calls `posix_spawnp` with the path of a program.
 *
 * @param path The path
 * @param argv The arguments, with the program's name first
 * @param envp The environment
 * @param actions What the process does first
 * @param inSession Whether it gets a session of its own, and the default action of every signal
 * @returns The process ID, or the negative error number
 */
export function posixSpawn(
  path: string,
  argv: readonly string[],
  envp: readonly Variable[],
  actions: FileActions,
  inSession: boolean,
): number {
  const { posix_spawnp, ...libc } = calls();
  const { POSIX_SPAWN_SETSID, POSIX_SPAWN_SETSIGDEF, POSIX_SPAWN_SETSIGMASK } =
    abi.pidfd!.constants;
  const flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
    (inSession ? POSIX_SPAWN_SETSID : 0);
  // Deno ignores SIGPIPE, and a SignalDescriptor blocks signals. The child must inherit neither.
  const defaults = inSession
    ? Array.from({ length: MAX_SIGNAL }, (_, i) => i + 1)
    : [abi.signals!.constants.SIGPIPE];
  const pid = new Int32Array(1);
  const args = cStrings(argv);
  const env = cStrings(envp);
  const attributes = new Uint8Array(new ArrayBuffer(OPAQUE_SIZE));
  libc.posix_spawnattr_init(attributes);
  libc.posix_spawnattr_setflags(attributes, flags);
  libc.posix_spawnattr_setsigmask(attributes, signalSet([]));
  libc.posix_spawnattr_setsigdefault(attributes, signalSet(defaults));
  const name = cString(path);
  const errno = posix_spawnp(pid, name, actions.bytes, attributes, args.pointers, env.pointers);
  libc.posix_spawnattr_destroy(attributes);
  // Keeps the strings alive up to here.
  addressOf(args.bytes);
  addressOf(env.bytes);
  return errno === 0 ? pid[0]! : -errno;
}
