import { abi } from "../abi/mod.ts";
import { assertCString } from "../checks.ts";
import type { HasFileno } from "../descriptor.ts";
import { OSError } from "../errno.ts";
import { libcCalls } from "../libc.ts";
import { addressOf, copyFrom, cString } from "../memory.ts";
import { signalSet } from "./signals.ts";

const calls = libcCalls({
  dlsym: { parameters: ["usize", "buffer"], result: "usize" },
  posix_spawnp: {
    parameters: ["buffer", "buffer", "buffer", "buffer", "buffer", "usize"],
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
});

/** More than the size of `posix_spawnattr_t` or `posix_spawn_file_actions_t` in any libc. */
const OPAQUE_SIZE = 512;

/** The standard streams of a new process. */
export interface SpawnStreams {
  /** Its standard input; this process's by default. */
  readonly stdin?: HasFileno;
  /** Its standard output; this process's by default. */
  readonly stdout?: HasFileno;
  /** Its standard error; this process's by default. */
  readonly stderr?: HasFileno;
}

/** Starts a program. Returns its process ID. */
export function spawnProcess(
  command: string,
  args: readonly string[],
  streams: SpawnStreams,
): number {
  for (const text of [command, ...args]) {
    assertCString(`Cannot start ${String(command)}: an argument`, text);
  }
  const { POSIX_SPAWN_SETSIGDEF, POSIX_SPAWN_SETSIGMASK } = abi.pidfd!.constants;
  const { posix_spawnp, ...libc } = calls();
  const pid = new Int32Array(1);
  const attributes = new Uint8Array(new ArrayBuffer(OPAQUE_SIZE));
  const actions = new Uint8Array(new ArrayBuffer(OPAQUE_SIZE));
  const argv = cStrings([command, ...args]);
  libc.posix_spawnattr_init(attributes);
  libc.posix_spawn_file_actions_init(actions);
  try {
    // Deno ignores SIGPIPE, and a SignalDescriptor blocks signals. The child must inherit neither.
    libc.posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    libc.posix_spawnattr_setsigmask(attributes, signalSet([]));
    libc.posix_spawnattr_setsigdefault(attributes, signalSet([abi.signals!.constants.SIGPIPE]));
    [streams.stdin, streams.stdout, streams.stderr].forEach((stream, target) => {
      if (stream === undefined) return;
      const errno = libc.posix_spawn_file_actions_adddup2(actions, stream.fileno(), target);
      if (errno !== 0) throw failure(errno);
    });
    const path = cString(command);
    const errno = posix_spawnp(pid, path, actions, attributes, argv.pointers, environment());
    if (errno !== 0) throw failure(errno);
  } finally {
    libc.posix_spawn_file_actions_destroy(actions);
    libc.posix_spawnattr_destroy(attributes);
    addressOf(argv.strings); // Keeps them alive up to here.
  }
  return pid[0]!;

  function failure(errno: number): OSError {
    return new OSError(`Cannot start ${command}`, "posix_spawnp", errno);
  }
}

/** Makes C's array of pointers to strings. */
function cStrings(texts: readonly string[]) {
  const strings = cString(texts.join("\0"));
  const address = addressOf(strings);
  const pointers = new BigUint64Array(new ArrayBuffer(8 * (texts.length + 1)));
  for (let i = 0, at = 0; i < texts.length; i++) {
    pointers[i] = address + BigInt(at);
    at = strings.indexOf(0, at) + 1;
  }
  return { strings, pointers };
}

/** Returns libc's `environ`. */
function environment(): bigint {
  const address = new BigUint64Array(1);
  copyFrom(calls().dlsym(0n, cString("environ")), new Uint8Array(address.buffer));
  return address[0]!;
}
