import { abi } from "../abi/mod.ts";
import { need } from "../checks.ts";
import { lastErrno, OSError } from "../errno.ts";
import { libcCalls } from "../libc.ts";
import { FileDescriptor } from "./file_descriptor.ts";
import { type Signal, signalName, signalNumber, signalSet } from "./signals.ts";

const calls = libcCalls({
  signalfd: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  pthread_sigmask: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  sigtimedwait: { parameters: ["buffer", "pointer", "buffer"], result: "i32" },
});

const INFO = new Uint8Array(abi.signalfd?.signalfd_siginfo.size ?? 0);

/**
 * A signal that was read, as the kernel describes it.
 *
 * @category Timers, signals and events
 */
export interface SignalInfo {
  /** Its name, or `null` for a real-time signal. */
  readonly signal: Deno.Signal | null;
  /** Its number. */
  readonly number: number;
  /** Its origin: 0 for a user's `kill`, below 0 for other calls, above 0 for the kernel. */
  readonly code: number;
  /** The process that sent it or, for `SIGCHLD`, the child. */
  readonly pid: number;
  /** The user of that process. */
  readonly uid: number;
  /** For `SIGCHLD`, the child's exit code or signal. */
  readonly status: number;
  /** The integer that `sigqueue` sent with it. */
  readonly value: number;
}

/** The signals that this thread's descriptors block: how many do, and whether they were before. */
const held = new Map<number, { count: number; readonly wasBlocked: boolean }>();

/**
 * A descriptor from which signals are read, Linux's `signalfd`.
 *
 * **In Deno it sees few signals, unless Deno was started with these signals blocked.** The kernel
 * delivers a signal to any thread that does not block it. A thread blocks signals for itself only,
 * and Deno starts its other threads before the program. There are three cases, measured with
 * Deno 2.9:
 *
 * - A signal to *this thread* (`pthread_kill`, `tgkill`, `raise`, a timer's) arrives here. A
 *   synchronous `select` sees it; `selectAsync` does not, since it waits on another thread.
 * - A signal to *the process* (Ctrl-C, `kill`) goes to another of Deno's threads, and does what it
 *   does without this descriptor: `SIGTERM` ends the process. Of the signals that are ignored by
 *   default, `SIGCHLD` and `SIGWINCH`, some arrive here and most do not.
 * - If the signals were blocked before Deno started, every thread inherits that, and every signal
 *   arrives here, for `selectAsync` too: `env --block-signal=TERM,INT deno run …`, also as a
 *   service's `ExecStart`. {@linkcode SignalDescriptor.seesProcess} is `true` then.
 *
 * Otherwise use `Deno.addSignalListener` and wait with `selectAsync`. For the end of a child there
 * is {@linkcode ProcessDescriptor}.
 *
 * The signals are blocked in this thread while the descriptor is open. When the last descriptor for
 * a signal is closed, unread signals are dropped, and the signal is unblocked unless it was blocked
 * before. Use a descriptor only in the thread that made it.
 *
 * @example Read a signal to this thread
 * ```ts
 * import { SignalDescriptor } from "@readiness/selectors/fd";
 * import { assertEquals } from "@std/assert";
 *
 * const libc = Deno.dlopen("libc.so.6", { raise: { parameters: ["i32"], result: "i32" } });
 * using signals = new SignalDescriptor(["SIGUSR1", "SIGUSR2"]);
 * libc.symbols.raise(10);
 * assertEquals(signals.readSignal()?.signal, "SIGUSR1");
 * assertEquals(signals.readSignal(), null);
 * libc.close();
 * ```
 *
 * @category Timers, signals and events
 */
export class SignalDescriptor extends FileDescriptor {
  /**
   * Whether signals to the process arrive here too: whether this thread blocked all of these
   * signals before, as every thread does if Deno was started with them blocked.
   */
  readonly seesProcess: boolean;
  readonly #numbers: ReadonlySet<number>;

  /**
   * Makes a descriptor, non-blocking and close-on-exec, and blocks the signals in this thread.
   *
   * @param signals One or more signals, by name or number
   * @throws {TypeError} If this system lacks one of the signals
   * @throws {RangeError} If there are none, or one is a number that no signal has, or one cannot be
   * blocked: `SIGKILL` and `SIGSTOP`
   * @throws {OSError} If `signalfd` fails, such as with `EMFILE`
   * @throws {Deno.errors.NotSupported} On a system other than Linux
   * @throws {Deno.errors.NotCapable} Without FFI permission
   */
  constructor(signals: Iterable<Signal>) {
    const { constants } = need(abi.signalfd, "Cannot make a SignalDescriptor", "signalfd");
    const numbers = numbersOf(signals);
    const flags = constants.SFD_CLOEXEC | constants.SFD_NONBLOCK;
    const fd = calls().signalfd(-1, signalSet(numbers), flags);
    if (fd < 0) throw new OSError("Cannot read signals", "signalfd", lastErrno());
    super(fd);
    this.#numbers = numbers;
    this.seesProcess = hold(numbers);
  }

  /**
   * Reads a signal.
   *
   * @returns The signal, or `null` if there is none
   * @throws {OSError} If `read` fails, such as with `EBADF` once closed
   *
   * @example Usage
   * ```ts
   * import { SignalDescriptor } from "@readiness/selectors/fd";
   * import { assertEquals } from "@std/assert";
   *
   * using signals = new SignalDescriptor(["SIGUSR1"]);
   * assertEquals(signals.readSignal(), null);
   * ```
   */
  readSignal(): SignalInfo | null {
    if (super.read(INFO) === null) return null;
    const { fields } = abi.signalfd!.signalfd_siginfo;
    const view = new DataView(INFO.buffer);
    const number = view.getUint32(fields.ssi_signo[0], true);
    return {
      signal: signalName(number),
      number,
      code: view.getInt32(fields.ssi_code[0], true),
      pid: view.getUint32(fields.ssi_pid[0], true),
      uid: view.getUint32(fields.ssi_uid[0], true),
      status: view.getInt32(fields.ssi_status[0], true),
      value: view.getInt32(fields.ssi_int[0], true),
    };
  }

  /**
   * Closes the descriptor, and unblocks the signals that no other descriptor reads. Does nothing if
   * it is closed already. A detached descriptor leaves its signals blocked.
   *
   * @throws {OSError} If `close` fails; the descriptor is given up anyway
   *
   * @example Usage
   * ```ts
   * import { SignalDescriptor } from "@readiness/selectors/fd";
   *
   * const signals = new SignalDescriptor(["SIGUSR1"]);
   * signals.close(); // SIGUSR1 is no longer blocked.
   * ```
   */
  override close(): void {
    if (super.fileno() < 0) return;
    release(this.#numbers);
    super.close();
  }
}

function numbersOf(signals: Iterable<Signal>): ReadonlySet<number> {
  const numbers = new Set<number>();
  for (const signal of signals) {
    const number = signalNumber(signal, "read signals");
    const name = signalName(number);
    if (name === "SIGKILL" || name === "SIGSTOP") {
      throw new RangeError(`Cannot read signals: ${name} cannot be blocked`);
    }
    numbers.add(number);
  }
  if (numbers.size === 0) throw new RangeError("Cannot read signals: there must be one or more");
  return numbers;
}

/** Blocks signals in this thread. Returns whether all of them were blocked before. */
function hold(numbers: ReadonlySet<number>): boolean {
  const before = signalSet([]);
  calls().pthread_sigmask(abi.signalfd!.constants.SIG_BLOCK, signalSet(numbers), before);
  let wereBlocked = true;
  for (const number of numbers) {
    const holding = held.get(number) ??
      { count: 0, wasBlocked: (before[0]! & signalSet([number])[0]!) !== 0n };
    holding.count++;
    held.set(number, holding);
    wereBlocked &&= holding.wasBlocked;
  }
  return wereBlocked;
}

/** Unblocks the signals that no descriptor holds any more, after dropping the pending ones. */
function release(numbers: ReadonlySet<number>): void {
  const unheld = [...numbers].filter((number) => {
    const holding = held.get(number)!;
    if (--holding.count > 0) return false;
    held.delete(number);
    return !holding.wasBlocked;
  });
  const set = signalSet(unheld);
  const noTime = new Uint8Array(abi.structs.timespec.size);
  while (calls().sigtimedwait(set, null, noTime) > 0);
  calls().pthread_sigmask(abi.signalfd!.constants.SIG_UNBLOCK, set, signalSet([]));
}
