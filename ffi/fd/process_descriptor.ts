import { abi } from "../abi/mod.ts";
import { assertInteger, need } from "../checks.ts";
import { nameOf } from "../descriptor.ts";
import { lastErrno, OSError } from "../errno.ts";
import { libcCalls } from "../libc.ts";
import { EventDescriptor } from "./event_descriptor.ts";
import { FileDescriptor } from "./file_descriptor.ts";
import { type Signal, signalName, signalNumber } from "./signals.ts";
import { spawnProcess, type SpawnStreams } from "./spawn.ts";

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
 * itself waits for a child of `Deno.Command`, as soon as the event loop runs: use `child.status` for
 * it. Before that, {@linkcode ProcessDescriptor.wait} with `reap: false` looks at its status and
 * leaves it there; without `reap: false`, `child.status` rejects. {@linkcode ProcessDescriptor.spawn}
 * starts programs that Deno does not know, for this class to wait for.
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
 */
export class ProcessDescriptor extends FileDescriptor {
  /** The process ID. */
  readonly pid: number;

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
   * Starts a program in the current directory, with the environment of this process. Of this package's
   * descriptors the child inherits only the given streams. It starts with no signal blocked.
   *
   * Call {@linkcode ProcessDescriptor.wait} after the end of the child, which stays in the system's
   * process table until then.
   *
   * @param command The program, looked up in `PATH` unless it contains a slash
   * @param args Its arguments
   * @param streams Its standard streams, such as a terminal or one end of a pipe. They stay open
   * here. Make them blocking if the program expects that
   * @returns The process
   * @throws {TypeError} If the command or an argument is not a string
   * @throws {RangeError} If the command or an argument contains a NUL
   * @throws {OSError} If `posix_spawnp` fails, such as with `ENOENT`, or `EBADF` if a stream is closed
   * @throws {Deno.errors.NotSupported} On a system other than Linux
   * @throws {Deno.errors.NotCapable} Without FFI permission
   *
   * @example Read what a program writes
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
    // Reserves a descriptor: a program must not start that cannot be opened then.
    const reserved = new EventDescriptor();
    try {
      const pid = spawnProcess(command, args, streams);
      reserved.close();
      // The child's ID is not reused before the child was waited for.
      return new ProcessDescriptor(pid);
    } finally {
      reserved.close();
    }
  }

  /**
   * Returns how a child ended, and removes it from the system's process table.
   *
   * @param options Whether to remove it
   * @param options.reap Whether to remove the child, `true` by default. `false` leaves it for a later
   * wait
   * @returns The status, or `null` while the child runs. As in Deno, the code of a child that was
   * ended by a signal is 128 plus the signal's number
   * @throws {OSError} If `waitid` fails, such as with `ECHILD` if the process is not a child or was
   * waited for already, or `EBADF` once closed
   */
  wait(options: { readonly reap?: boolean } = {}): Deno.CommandStatus | null {
    const { constants, siginfo_t: { fields, size } } = abi.pidfd!;
    const { CLD_EXITED, P_PIDFD, WEXITED, WNOHANG, WNOWAIT } = constants;
    const info = new DataView(new ArrayBuffer(size));
    const flags = WEXITED | WNOHANG | (options.reap === false ? WNOWAIT : 0);
    if (calls().waitid(P_PIDFD, this.fileno(), info, flags) < 0) {
      const attempt = `Cannot wait for process ${this.pid}, ${nameOf(this.fileno())}`;
      // The kernel answers a closed descriptor with EINVAL.
      throw new OSError(attempt, "waitid", this.fileno() < 0 ? abi.errno.EBADF : lastErrno());
    }
    if (info.getInt32(fields.si_pid[0], true) === 0) return null;
    const status = info.getInt32(fields.si_status[0], true);
    return info.getInt32(fields.si_code[0], true) === CLD_EXITED
      ? { success: status === 0, code: status, signal: null }
      : { success: false, code: 128 + status, signal: signalName(status) };
  }

  /**
   * Sends a signal to the process. Unlike `Deno.kill` it cannot hit another process.
   *
   * @param signal The signal, by name or number, `SIGTERM` by default
   * @throws {TypeError} If this system has no such signal
   * @throws {RangeError} If it is a number that no signal has
   * @throws {OSError} If `pidfd_send_signal` fails, such as with `ESRCH` if the process has ended and
   * was waited for, `EPERM`, or `EBADF` once closed
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
    const syscall = BigInt(abi.pidfd!.constants.SYS_pidfd_send_signal);
    if (calls().pidfdSendSignal(syscall, this.fileno(), number, null, 0) < 0) {
      throw new OSError(`Cannot ${attempt}`, "pidfd_send_signal", lastErrno());
    }
  }
}

function openProcess(pid: number): number {
  const { constants } = need(abi.pidfd, "Cannot make a ProcessDescriptor", "pidfd");
  assertInteger("Cannot open a process: its ID", pid, 1);
  const fd = calls().pidfdOpen(BigInt(constants.SYS_pidfd_open), pid, abi.constants.O_NONBLOCK);
  if (fd < 0) throw new OSError(`Cannot open process ${pid}`, "pidfd_open", lastErrno());
  return fd;
}
