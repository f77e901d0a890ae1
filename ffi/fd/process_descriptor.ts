import { abi } from "../abi/host.ts";
import { type HasFileno, nameOf } from "../descriptor.ts";
import { lastErrno, OSError } from "../errno.ts";
import { libcCalls } from "../libc.ts";
import { addressOf, copyFrom, cString } from "../memory.ts";
import { EventDescriptor } from "./event_descriptor.ts";
import { FileDescriptor } from "./file_descriptor.ts";
import { type Signal, signalName, signalNumber, signalSet } from "./signals.ts";
import { need } from "../checks.ts";

const calls = libcCalls({
  // libc has had functions for these two only since 2022.
  pidfdOpen: { name: "syscall", parameters: ["i64", "i32", "i32"], result: "i32" },
  pidfdSendSignal: {
    name: "syscall",
    parameters: ["i64", "i32", "i32", "pointer", "u32"],
    result: "i32",
  },
  waitid: { parameters: ["i32", "i32", "buffer", "i32"], result: "i32" },
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

/** More than what libc keeps attributes or actions in: 336 bytes at the most. */
const OPAQUE_SIZE = 512;

/** What a started program has for its standard streams. */
export interface SpawnStreams {
  /** Its standard input; this process's unless told. */
  readonly stdin?: HasFileno;
  /** Its standard output; this process's unless told. */
  readonly stdout?: HasFileno;
  /** Its standard error; this process's unless told. */
  readonly stderr?: HasFileno;
}

/**
 * Linux's descriptor of a process (`pidfd`): readable once the process has ended. Unlike a number it
 * never comes to mean another process.
 *
 * It can be of any process; how one has ended is told to its parent alone, once. Of a child of
 * `Deno.Command` Deno is told, as soon as the event loop turns: `child.status` says how it ended.
 * Until then {@linkcode ProcessDescriptor.wait} can look at it without taking it away, with `reap:
 * false`; taken away, `child.status` is rejected. {@linkcode ProcessDescriptor.spawn} starts programs
 * that Deno knows nothing of, which are this class's to wait for.
 *
 * @example A program's end, in a selector
 * ```ts
 * import { DefaultSelector, EVENT_READ } from "@readiness/selectors";
 * import { ProcessDescriptor } from "@readiness/selectors/fd";
 * import { assertEquals } from "@std/assert";
 *
 * using child = ProcessDescriptor.spawn("sh", ["-c", "exit 7"]);
 * using selector = new DefaultSelector();
 * selector.register(child, EVENT_READ);
 * selector.select();
 * assertEquals(child.wait(), { success: false, code: 7, signal: null });
 * ```
 */
export class ProcessDescriptor extends FileDescriptor {
  /** The process's number. */
  readonly pid: number;

  /**
   * Opens a process, with close-on-exec. Since Linux 5.10.
   *
   * @param pid The process's number, 1 or more
   * @throws {RangeError} If it is below 1 or no 32-bit integer
   * @throws {OSError} If the system refuses (`pidfd_open`), such as with `ESRCH` if there is none
   * @throws {Deno.errors.NotSupported} On a system other than Linux
   * @throws {Deno.errors.NotCapable} Without FFI permission
   */
  constructor(pid: number) {
    super(openProcess(pid));
    this.pid = pid;
  }

  /**
   * Starts a program with this process's environment, in its folder. It inherits no descriptor of
   * this package but the streams given to it; no signal is blocked in it.
   *
   * @param command The program, searched for in `PATH` unless there is a slash in it
   * @param args Its arguments
   * @param streams Its standard streams, such as a terminal's or a pipe's; they stay open here. Make
   * them block if the program counts on it
   * @returns The process; {@linkcode ProcessDescriptor.wait} for its end, or it stays in the
   * system's table
   * @throws {TypeError} If the command or an argument is no string
   * @throws {RangeError} If one of them holds a NUL
   * @throws {OSError} If the system refuses (`posix_spawnp`), such as with `ENOENT`, or with `EBADF`
   * if a stream is closed
   * @throws {Deno.errors.NotSupported} On a system other than Linux
   * @throws {Deno.errors.NotCapable} Without FFI permission
   *
   * @example Reading what a program writes
   * ```ts
   * import { pipe, ProcessDescriptor } from "@readiness/selectors/fd";
   *
   * const { reader, writer } = pipe();
   * using child = ProcessDescriptor.spawn("echo", ["hello"], { stdout: writer });
   * writer.close();
   * reader.setBlocking(true);
   * const buffer = new Uint8Array(100);
   * console.log(new TextDecoder().decode(buffer.subarray(0, reader.read(buffer)!))); // hello
   * reader.close();
   * child.wait();
   * ```
   */
  static spawn(
    command: string,
    args: readonly string[] = [],
    streams: SpawnStreams = {},
  ): ProcessDescriptor {
    need(abi.pidfd, "Cannot make a ProcessDescriptor", "pidfd");
    // Keeps a descriptor free, so that a program is started only if it can be opened then.
    const place = new EventDescriptor();
    try {
      const pid = spawn(command, [command, ...args], streams);
      place.close();
      // A child's number is not given out again before it is waited for.
      return new ProcessDescriptor(pid);
    } finally {
      place.close();
    }
  }

  /**
   * Tells how the process ended, of a child.
   *
   * @param options Whether the child is taken out of the system's table, as it is unless told
   * @param options.reap `false` leaves it there, for another one to wait for
   * @returns How it ended, as Deno tells it: killed by a signal its code is 128 more than that;
   * `null` if it has not ended
   * @throws {OSError} If the system refuses (`waitid`), such as with `ECHILD` if it is no child, or
   * was waited for already; `EBADF` once closed
   */
  wait(options: { readonly reap?: boolean } = {}): Deno.CommandStatus | null {
    const { constants, siginfo_t: { fields, size } } = abi.pidfd!;
    const { CLD_EXITED, P_PIDFD, WEXITED, WNOHANG, WNOWAIT } = constants;
    const info = new DataView(new ArrayBuffer(size));
    const how = WEXITED | WNOHANG | (options.reap === false ? WNOWAIT : 0);
    if (calls().waitid(P_PIDFD, this.fileno(), info, how) < 0) {
      const attempt = `Cannot wait for process ${this.pid}, ${nameOf(this.fileno())}`;
      // Of a closed one the system says that the argument is invalid.
      throw new OSError(attempt, "waitid", this.fileno() < 0 ? abi.errno.EBADF : lastErrno());
    }
    if (info.getInt32(fields.si_pid[0], true) === 0) return null;
    const status = info.getInt32(fields.si_status[0], true);
    return info.getInt32(fields.si_code[0], true) === CLD_EXITED
      ? { success: status === 0, code: status, signal: null }
      : { success: false, code: 128 + status, signal: signalName(status) };
  }

  /**
   * Sends the process a signal. Unlike `Deno.kill` it never hits another process.
   *
   * @param signal The signal, by name or number; `SIGTERM` unless told
   * @throws {TypeError} If it is no signal of this system
   * @throws {RangeError} If it is no signal's number
   * @throws {OSError} If the system refuses (`pidfd_send_signal`), such as with `ESRCH` if the
   * process has ended and was waited for, or `EPERM`; `EBADF` once closed
   *
   * @example
   * ```ts
   * import { DefaultSelector, EVENT_READ } from "@readiness/selectors";
   * import { ProcessDescriptor } from "@readiness/selectors/fd";
   * import { assertEquals } from "@std/assert";
   *
   * using child = ProcessDescriptor.spawn("sleep", ["60"]);
   * assertEquals(child.wait(), null);
   * child.sendSignal("SIGTERM");
   * using selector = new DefaultSelector();
   * selector.register(child, EVENT_READ);
   * selector.select();
   * assertEquals(child.wait(), { success: false, code: 143, signal: "SIGTERM" });
   * ```
   */
  sendSignal(signal: Signal = "SIGTERM"): void {
    const attempt = `send a signal to process ${this.pid}, ${nameOf(this.fileno())}`;
    const number = signalNumber(signal, attempt);
    const { SYS_pidfd_send_signal } = abi.pidfd!.constants;
    if (
      calls().pidfdSendSignal(BigInt(SYS_pidfd_send_signal), this.fileno(), number, null, 0) < 0
    ) {
      throw new OSError(`Cannot ${attempt}`, "pidfd_send_signal", lastErrno());
    }
  }
}

function openProcess(pid: number): number {
  const { constants } = need(abi.pidfd, "Cannot make a ProcessDescriptor", "pidfd");
  if (pid !== (pid | 0) || pid < 1) {
    throw new RangeError(
      `Cannot open a process: its number must be an integer from 1 to 2147483647, ` +
        `received ${String(pid)}`,
    );
  }
  const fd = calls().pidfdOpen(BigInt(constants.SYS_pidfd_open), pid, abi.constants.O_NONBLOCK);
  if (fd < 0) throw new OSError(`Cannot open process ${pid}`, "pidfd_open", lastErrno());
  return fd;
}

function spawn(command: string, argv: readonly string[], streams: SpawnStreams): number {
  for (const text of argv) {
    if (typeof text !== "string") {
      throw new TypeError(
        `Cannot start ${String(command)}: an argument must be a string, received ${String(text)}`,
      );
    }
    if (text.includes("\0")) {
      throw new RangeError("Cannot start a program: an argument must not hold a NUL");
    }
  }
  const { POSIX_SPAWN_SETSIGDEF, POSIX_SPAWN_SETSIGMASK } = abi.pidfd!.constants;
  const { posix_spawnp, ...libc } = calls();
  const pid = new Int32Array(1);
  const attributes = new Uint8Array(new ArrayBuffer(OPAQUE_SIZE));
  const actions = new Uint8Array(new ArrayBuffer(OPAQUE_SIZE));
  const strings = cString(argv.join("\0"));
  const pointers = pointersInto(strings, argv.length);
  libc.posix_spawnattr_init(attributes);
  libc.posix_spawn_file_actions_init(actions);
  try {
    // Deno ignores SIGPIPE, and a SignalDescriptor blocks signals: neither is to be inherited.
    libc.posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    libc.posix_spawnattr_setsigmask(attributes, signalSet([]));
    libc.posix_spawnattr_setsigdefault(attributes, signalSet([abi.signals!.constants.SIGPIPE]));
    [streams.stdin, streams.stdout, streams.stderr].forEach((stream, target) => {
      if (stream === undefined) return;
      const errno = libc.posix_spawn_file_actions_adddup2(actions, stream.fileno(), target);
      if (errno !== 0) throw failure(errno);
    });
    const errno = posix_spawnp(
      pid,
      cString(command),
      actions,
      attributes,
      pointers,
      environment(),
    );
    if (errno !== 0) throw failure(errno);
  } finally {
    libc.posix_spawn_file_actions_destroy(actions);
    libc.posix_spawnattr_destroy(attributes);
    addressOf(strings); // They have to be kept up to here.
  }
  return pid[0];

  function failure(errno: number): OSError {
    return new OSError(`Cannot start ${command}`, "posix_spawnp", errno);
  }
}

/** Makes C's array of strings, which end with NUL each. */
function pointersInto(
  strings: Uint8Array<ArrayBuffer>,
  count: number,
): BigUint64Array<ArrayBuffer> {
  const address = addressOf(strings);
  const pointers = new BigUint64Array(new ArrayBuffer(8 * (count + 1)));
  for (let i = 0, at = 0; i < count; i++) {
    pointers[i] = address + BigInt(at);
    at = strings.indexOf(0, at) + 1;
  }
  return pointers;
}

/** Finds the environment, where libc has it. */
function environment(): bigint {
  const address = new BigUint64Array(1);
  copyFrom(calls().dlsym(0n, cString("environ")), new Uint8Array(address.buffer));
  return address[0];
}
