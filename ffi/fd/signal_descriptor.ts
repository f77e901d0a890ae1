import { abi } from "../abi/host.ts";
import { lastErrno, OSError } from "../errno.ts";
import { libcCalls } from "../libc.ts";
import { FileDescriptor } from "./file_descriptor.ts";
import { type Signal, signalName, signalNumber, signalSet } from "./signals.ts";
import { need } from "../checks.ts";

const calls = libcCalls({
  signalfd: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  pthread_sigmask: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  sigtimedwait: { parameters: ["buffer", "pointer", "buffer"], result: "i32" },
});

const INFO = new Uint8Array(abi.signalfd?.signalfd_siginfo.size ?? 0);

/** What is told of a signal. */
export interface SignalInfo {
  /** Its name, or `null` of a real-time signal. */
  readonly signal: Deno.Signal | null;
  /** Its number. */
  readonly number: number;
  /** Where it comes from: 0 from a user's `kill`, below 0 from other calls, above 0 the kernel. */
  readonly code: number;
  /** The process that sent it, or the child that it is about. */
  readonly pid: number;
  /** The user of that process. */
  readonly uid: number;
  /** Of `SIGCHLD`: the child's exit code or signal. */
  readonly status: number;
  /** The integer that was sent with it, by `sigqueue`. */
  readonly value: number;
}

/** The signals that the descriptors of this thread keep blocked: how many do, and who was first. */
const held = new Map<number, { count: number; readonly wasBlocked: boolean }>();

/**
 * Linux's descriptor from which signals are read (`signalfd`).
 *
 * **In Deno it sees little, unless Deno was started with the signals blocked.** A signal goes to any
 * thread that does not block it. A thread can block signals for itself alone, and Deno has other
 * threads, which exist before a program begins. Three cases, as measured with Deno 2.9:
 *
 * - A signal sent to *this thread* (`pthread_kill`, `tgkill`, `raise`, a timer's) comes here. A
 *   synchronous `select` sees it; `selectAsync` does not, as it waits on another thread.
 * - One sent to *the process* (Ctrl-C, `kill`) goes to another of Deno's threads and does what it
 *   does without this descriptor: `SIGTERM` ends the process. Of those that do nothing by
 *   themselves, `SIGCHLD` and `SIGWINCH`, some come here and most do not.
 * - Where the signals were blocked before Deno began, all threads have inherited that, and every
 *   signal comes here, for `selectAsync` too: `env --block-signal=TERM,INT deno run …`, or `ExecStart`
 *   of a service through that. {@linkcode SignalDescriptor.seesProcess} tells.
 *
 * Otherwise listen with `Deno.addSignalListener`, and wait with `selectAsync`; for a child's end
 * there is {@linkcode ProcessDescriptor}.
 *
 * The signals are blocked in the thread while the descriptor is open, so that they do nothing else
 * there, and unblocked when the last descriptor with them is closed, if they were not blocked
 * before. Those that wait unread then are dropped. Use it in the thread that made it.
 *
 * @example A signal to this thread
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
 */
export class SignalDescriptor extends FileDescriptor {
  /**
   * Whether signals to the process come here too: whether all of these signals were blocked in this
   * thread before, as they are in every thread if Deno was started so.
   */
  readonly seesProcess: boolean;
  readonly #numbers: ReadonlySet<number>;

  /**
   * Makes a descriptor, non-blocking and close-on-exec, and blocks the signals in this thread.
   *
   * @param signals The signals, one or more, by name or number
   * @throws {TypeError} If one of them is no signal of this system
   * @throws {RangeError} If there are none, or one is no signal's number, or cannot be blocked:
   * `SIGKILL` and `SIGSTOP`
   * @throws {OSError} If the system refuses (`signalfd`), such as with `EMFILE`
   * @throws {Deno.errors.NotSupported} On a system other than Linux
   * @throws {Deno.errors.NotCapable} Without FFI permission
   */
  constructor(signals: Iterable<Signal>) {
    const { constants } = need(abi.signalfd, "Cannot make a SignalDescriptor", "signalfd");
    const numbers = numbersOf(signals);
    const fd = calls().signalfd(
      -1,
      signalSet(numbers),
      constants.SFD_CLOEXEC | constants.SFD_NONBLOCK,
    );
    if (fd < 0) throw new OSError("Cannot read signals", "signalfd", lastErrno());
    super(fd);
    this.#numbers = numbers;
    this.seesProcess = hold(numbers);
  }

  /**
   * Reads a signal.
   *
   * @returns The signal, or `null` if none has come
   * @throws {OSError} If the system refuses (`read`), such as with `EBADF` once closed
   */
  readSignal(): SignalInfo | null {
    if (this.read(INFO) === null) return null;
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
   * Closes the descriptor, and unblocks the signals that no other one has. Closing again does
   * nothing. One that was detached leaves its signals blocked.
   *
   * @throws {OSError} If the system refuses (`close`); the descriptor is given up all the same
   */
  override close(): void {
    if (this.fileno() < 0) return;
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

/** Blocks signals in this thread; tells whether all of them were blocked before by others. */
function hold(numbers: ReadonlySet<number>): boolean {
  const before = signalSet([]);
  calls().pthread_sigmask(abi.signalfd!.constants.SIG_BLOCK, signalSet(numbers), before);
  for (const number of numbers) {
    const holding = held.get(number) ??
      { count: 0, wasBlocked: (before[0] & signalSet([number])[0]) !== 0n };
    holding.count++;
    held.set(number, holding);
  }
  return [...numbers].every((number) => held.get(number)!.wasBlocked);
}

/** Unblocks the signals that nobody holds any more, once those that wait are out of the way. */
function release(numbers: ReadonlySet<number>): void {
  const over = [...numbers].filter((number) => {
    const holding = held.get(number)!;
    if (--holding.count > 0) return false;
    held.delete(number);
    return !holding.wasBlocked;
  });
  const set = signalSet(over);
  const atOnce = new Uint8Array(abi.structs.timespec.size);
  while (calls().sigtimedwait(set, null, atOnce) > 0);
  calls().pthread_sigmask(abi.signalfd!.constants.SIG_UNBLOCK, set, signalSet([]));
}
