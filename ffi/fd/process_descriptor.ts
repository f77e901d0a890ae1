import { type WaitOptions, whenReadable } from "../../backends/ready.ts";
import { abi } from "../abi/mod.ts";
import { assertBoolean, assertInteger, need, readOptions } from "../checks.ts";
import { nameOf } from "../descriptor.ts";
import { lastErrno, OSError } from "../errno.ts";
import { libcCalls } from "../libc.ts";
import { EventDescriptor } from "./event_descriptor.ts";
import { FileDescriptor } from "./file_descriptor.ts";
import { type Signal, signalName, signalNumber } from "./signals.ts";
import { type SpawnOptions, spawnProcess } from "./spawn.ts";
import type { Pipes, StreamName } from "./spawn_streams.ts";

const calls = libcCalls({
  // libc has functions for these two only since 2022.
  pidfdOpen: { name: "syscall", parameters: ["i64", "i32", "i32"], result: "i32" },
  pidfdSendSignal: {
    name: "syscall",
    parameters: ["i64", "i32", "i32", "pointer", "u32"],
    result: "i32",
  },
  waitid: { parameters: ["i32", "i32", "buffer", "i32"], result: "i32" },
});

/**
 * A descriptor of a process, Linux's `pidfd`. It is readable once the process has ended. Unlike a
 * process ID it never comes to mean another process.
 *
 * It can refer to any process, but only the parent learns how a process ended, and only once. Deno
 * itself waits for a child of `Deno.Command`, as soon as the event loop runs: use `child.status`
 * for it. Before that, {@linkcode ProcessDescriptor.wait} with `reap: false` looks at its status
 * and leaves it there; without `reap: false`, `child.status` rejects.
 * {@linkcode ProcessDescriptor.spawn} starts programs that Deno does not know, for this class to
 * wait for.
 *
 * @example Wait for the end of a program with a selector
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
 *
 * @category Processes
 */
export class ProcessDescriptor extends FileDescriptor {
  /** The process ID. */
  readonly pid: number;
  #pipes: Pipes = Object.create(null);
  #status: Deno.CommandStatus | null = null;

  /**
   * Opens a process, non-blocking and close-on-exec. Requires Linux 5.10.
   *
   * @param pid The process ID, an integer from 1 to 2³¹ − 1
   * @throws {RangeError} If `pid` is not an integer in that range
   * @throws {OSError} If `pidfd_open` fails, such as with `ESRCH` if there is no such process
   * @throws {Deno.errors.NotSupported} On a system other than Linux
   * @throws {Deno.errors.NotCapable} Without FFI permission
   */
  constructor(pid: number) {
    super(openProcess(pid));
    this.pid = pid;
  }

  /**
   * Starts a program. By default it has the working directory, the environment and the standard
   * streams of this process. It inherits no other descriptor of this package, and starts with no
   * signal blocked.
   *
   * A stream can be a descriptor of yours. It stays open here, and is made blocking, as programs
   * expect: for everything that shares its open file. Close yours, or use `"pipe"`, which makes a
   * pipe whose end in this process does not block.
   *
   * With `terminal` the program runs in a session of its own that the terminal controls, so that
   * `/dev/tty`, job control and `SIGWINCH` work, and every signal has its default action.
   *
   * Call {@linkcode ProcessDescriptor.exited}, or {@linkcode ProcessDescriptor.wait} after the end
   * of the child, which stays in the system's process table until then.
   *
   * @param command The program, looked up in the child's `PATH` unless it contains a slash. A
   * relative path is relative to `cwd`
   * @param args Its arguments
   * @param options Its streams, terminal, working directory and environment
   * @returns The process
   * @throws {TypeError} If the command, an argument, `cwd` or a variable is not a string, or a
   * stream or `terminal` is not a descriptor, or `terminal` is the manager of a pseudo-terminal
   * @throws {RangeError} If one of the strings contains a NUL, or the name of a variable is empty
   * or contains `=`
   * @throws {OSError} If `posix_spawnp` fails, such as with `ENOENT`; if `cwd` is not a directory
   * (`access`), a stream is closed (`EBADF`), or `terminal` is not a terminal (`isatty`,
   * `ENOTTY`)
   * @throws {Deno.errors.NotSupported} On a system other than Linux
   * @throws {Deno.errors.NotCapable} Without FFI permission
   *
   * @example Read what a program writes
   * ```ts
   * import { ProcessDescriptor } from "@readiness/selectors/fd";
   *
   * using child = ProcessDescriptor.spawn("echo", ["hello"], { stdout: "pipe" });
   * child.stdout.setBlocking(true); // Instead of a selector.
   * const buffer = new Uint8Array(100);
   * for (let size; (size = child.stdout.read(buffer));) {
   *   console.log(new TextDecoder().decode(buffer.subarray(0, size))); // hello
   * }
   * console.log(await child.exited()); // { success: true, code: 0, signal: null }
   * ```
   *
   * @example Run a program on a terminal of its own
   * ```ts
   * import { DefaultSelector, EVENT_READ } from "@readiness/selectors";
   * import { ProcessDescriptor, pseudoTerminal } from "@readiness/selectors/fd";
   *
   * using terminal = pseudoTerminal();
   * terminal.manager.setWindowSize({ rows: 24, columns: 80 });
   * using child = ProcessDescriptor.spawn("sh", ["-c", "stty size > /dev/tty"], {
   *   terminal: terminal.subsidiary,
   * });
   * using selector = new DefaultSelector();
   * selector.register(terminal.manager, EVENT_READ);
   * selector.select();
   * const buffer = new Uint8Array(100);
   * const size = terminal.manager.read(buffer)!;
   * console.log(new TextDecoder().decode(buffer.subarray(0, size))); // 24 80
   * await child.exited();
   * ```
   */
  static spawn(
    command: string,
    args?: readonly string[],
    options?: SpawnOptions,
  ): ProcessDescriptor {
    need(abi.pidfd, "Cannot make a ProcessDescriptor", "pidfd");
    // Reserves a descriptor: a program must not start if it could not be opened afterwards.
    const reserved = new EventDescriptor();
    try {
      const { pid, pipes } = spawnProcess(command, args, options);
      reserved.close();
      // The child's ID is not reused before the child has been waited for.
      const child = new ProcessDescriptor(pid);
      child.#pipes = pipes;
      return child;
    } finally {
      reserved.close();
    }
  }

  /**
   * The writing end of the pipe to the child's standard input, if it was started with
   * `stdin: "pipe"`. Close it to end the child's input.
   *
   * @throws {TypeError} If there is no such pipe
   */
  get stdin(): FileDescriptor {
    return this.#pipe("stdin");
  }

  /**
   * The reading end of the pipe from the child's standard output, if it was started with
   * `stdout: "pipe"`.
   *
   * @throws {TypeError} If there is no such pipe
   */
  get stdout(): FileDescriptor {
    return this.#pipe("stdout");
  }

  /**
   * The reading end of the pipe from the child's standard error, if it was started with
   * `stderr: "pipe"`.
   *
   * @throws {TypeError} If there is no such pipe
   */
  get stderr(): FileDescriptor {
    return this.#pipe("stderr");
  }

  #pipe(name: StreamName): FileDescriptor {
    const end = this.#pipes[name];
    if (end === undefined) {
      throw new TypeError(`Cannot get the ${name} of process ${this.pid}: it is not a pipe`);
    }
    return end;
  }

  /**
   * Returns how a child ended, and removes it from the system's process table. After that, and
   * after {@linkcode ProcessDescriptor.exited}, it returns the same status again.
   *
   * @param options Whether to remove it
   * @param options.reap Whether to remove the child, `true` by default. `false` leaves it for a
   * later wait
   * @returns The status, or `null` while the child runs. As in Deno, the code of a child that was
   * ended by a signal is 128 plus the signal's number
   * @throws {TypeError} If `reap` is not a boolean
   * @throws {OSError} If `waitid` fails, such as with `ECHILD` if the process is not a child or
   * something else waited for it, or `EBADF` if it was closed before its status was known
   *
   * @example Usage
   * ```ts
   * import { EVENT_READ, ready } from "@readiness/selectors";
   * import { ProcessDescriptor } from "@readiness/selectors/fd";
   * import { assertEquals } from "@std/assert";
   *
   * using child = ProcessDescriptor.spawn("sh", ["-c", "exit 3"]);
   * await ready(child, EVENT_READ);
   * assertEquals(child.wait({ reap: false })?.code, 3);
   * assertEquals(child.wait()?.code, 3);
   * ```
   */
  wait(options?: { readonly reap?: boolean }): Deno.CommandStatus | null {
    const { constants, siginfo_t: { fields, size } } = abi.pidfd!;
    const { CLD_EXITED, P_PIDFD, WEXITED, WNOHANG, WNOWAIT } = constants;
    const info = new DataView(new ArrayBuffer(size));
    const { reap = true } = readOptions("Cannot wait for a process", options, ["reap"]);
    assertBoolean("Cannot wait for a process: reap", reap);
    if (this.#status !== null) return this.#status;
    const flags = WEXITED | WNOHANG | (reap ? 0 : WNOWAIT);
    const fd = this.fileno();
    if (calls().waitid(P_PIDFD, fd, info, flags) < 0) {
      // The kernel answers a closed descriptor with EINVAL.
      const errno = fd < 0 ? abi.errno.EBADF : lastErrno();
      throw new OSError(`Cannot wait for process ${this.pid}, ${nameOf(fd)}`, "waitid", errno);
    }
    if (info.getInt32(fields.si_pid[0], true) === 0) return null;
    const number = info.getInt32(fields.si_status[0], true);
    const status = info.getInt32(fields.si_code[0], true) === CLD_EXITED
      ? { success: number === 0, code: number, signal: null }
      : { success: false, code: 128 + number, signal: signalName(number) };
    if (reap) this.#status = status;
    return status;
  }

  /**
   * Waits for the end of a child, and removes it from the system's process table. It can be called
   * several times, also after {@linkcode ProcessDescriptor.wait} has returned the status.
   *
   * @param options A signal that ends the wait
   * @returns A promise of the status, as {@linkcode ProcessDescriptor.wait} returns it
   * @throws {OSError} If `waitid` fails, such as with `ECHILD` if the process is not a child, or
   * `EBADF` if it was closed before its status was known
   * @throws {Deno.errors.BadResource} If the descriptor is closed during the wait
   * @throws The signal's reason if it is aborted
   *
   * @example Usage
   * ```ts
   * import { ProcessDescriptor } from "@readiness/selectors/fd";
   * import { assertEquals } from "@std/assert";
   *
   * using child = ProcessDescriptor.spawn("sh", ["-c", "exit 3"]);
   * assertEquals((await child.exited()).code, 3);
   * ```
   */
  exited(options?: WaitOptions): Promise<Deno.CommandStatus> {
    return whenReadable(this, () => this.wait(), options);
  }

  /**
   * Sends a signal to the process. Unlike `Deno.kill` it cannot hit another process.
   *
   * @param signal The signal, by name or number, `SIGTERM` by default
   * @throws {TypeError} If this system has no such signal
   * @throws {RangeError} If it is a number that no signal has
   * @throws {OSError} If `pidfd_send_signal` fails, such as with `ESRCH` if the process has ended
   * and was waited for, `EPERM`, or `EBADF` once closed
   *
   * @example Usage
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
  sendSignal(signal?: Signal): void {
    const fd = this.fileno();
    const attempt = `send a signal to process ${this.pid}, ${nameOf(fd)}`;
    const number = signalNumber(signal === undefined ? "SIGTERM" : signal, attempt);
    const syscall = BigInt(abi.pidfd!.constants.SYS_pidfd_send_signal);
    if (calls().pidfdSendSignal(syscall, fd, number, null, 0) < 0) {
      throw new OSError(`Cannot ${attempt}`, "pidfd_send_signal", lastErrno());
    }
  }

  /**
   * Closes the descriptor and the pipes to the child. The child goes on. Does nothing if it is
   * closed already.
   *
   * @throws {OSError} If `close` fails; all descriptors are given up anyway
   *
   * @example Usage
   * ```ts
   * import { ProcessDescriptor } from "@readiness/selectors/fd";
   * import { assertEquals } from "@std/assert";
   *
   * const child = ProcessDescriptor.spawn("cat", [], { stdin: "pipe" });
   * child.close(); // The child ends, as its input does.
   * assertEquals(child.stdin.fileno(), -1);
   * ```
   */
  override close(): void {
    using stack = new DisposableStack();
    for (const end of Object.values(this.#pipes)) stack.use(end);
    super.close();
  }
}

function openProcess(pid: number): number {
  const { constants } = need(abi.pidfd, "Cannot make a ProcessDescriptor", "pidfd");
  assertInteger("Cannot open a process: its ID", pid, 1);
  const fd = calls().pidfdOpen(BigInt(constants.SYS_pidfd_open), pid, abi.constants.O_NONBLOCK);
  if (fd < 0) throw new OSError(`Cannot open process ${pid}`, "pidfd_open", lastErrno());
  return fd;
}
