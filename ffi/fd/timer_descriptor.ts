import { abi } from "../abi/mod.ts";
import { describeValue, need } from "../checks.ts";
import { nameOf } from "../descriptor.ts";
import { lastErrno, OSError } from "../errno.ts";
import { libcCalls } from "../libc.ts";
import { FileDescriptor } from "./file_descriptor.ts";

const { timespec } = abi.structs;

const calls = libcCalls({
  timerfd_create: { parameters: ["i32", "i32"], result: "i32" },
  timerfd_settime: { parameters: ["i32", "i32", "buffer", "pointer"], result: "i32" },
  timerfd_gettime: { parameters: ["i32", "buffer"], result: "i32" },
});

const EXPIRATIONS = new BigUint64Array(1);

/**
 * A timer that is a descriptor, Linux's `timerfd`, so that one selector can wait for it and
 * everything else. It is readable once it has expired, until the expiration is read. Like
 * `performance.now()` it uses the monotonic clock, which cannot be set.
 *
 * @example Wait for a timeout and an interval in one selector
 * ```ts
 * import { DefaultSelector, EVENT_READ } from "@readiness/selectors";
 * import { TimerDescriptor } from "@readiness/selectors/fd";
 * import { assertGreaterOrEqual } from "@std/assert";
 *
 * using interval = new TimerDescriptor();
 * using timeout = new TimerDescriptor();
 * using selector = new DefaultSelector<unknown, TimerDescriptor>();
 * selector.register(interval, EVENT_READ);
 * selector.register(timeout, EVENT_READ);
 * interval.start(2, 2);
 * timeout.start(20);
 * let count = 0;
 * for (let isOver = false; !isOver;) {
 *   for (const [{ fileobj }] of selector.select()) {
 *     const expirations = fileobj.readExpirations() ?? 0;
 *     if (fileobj === interval) count += expirations;
 *     else isOver = true;
 *   }
 * }
 * assertGreaterOrEqual(count, 9);
 * ```
 *
 * @category Timers, signals and events
 */
export class TimerDescriptor extends FileDescriptor {
  /**
   * Makes a stopped timer, non-blocking and close-on-exec.
   *
   * @throws {OSError} If `timerfd_create` fails, such as with `EMFILE`
   * @throws {Deno.errors.NotSupported} On a system other than Linux
   * @throws {Deno.errors.NotCapable} Without FFI permission
   */
  constructor() {
    super(createTimer());
  }

  /**
   * Starts or restarts the timer. Unread expirations are dropped.
   *
   * @param delay The time until the first expiration, in milliseconds, 0 or more, with fractions
   * @param interval The time between later expirations, in milliseconds; 0, the default, for none
   * @throws {TypeError} If one of them is `NaN` or not a number
   * @throws {RangeError} If one of them is negative or too large
   * @throws {OSError} If `timerfd_settime` fails, such as with `EBADF` once closed
   *
   * @example Usage
   * ```ts
   * import { EVENT_READ, ready } from "@readiness/selectors";
   * import { TimerDescriptor } from "@readiness/selectors/fd";
   *
   * using timer = new TimerDescriptor();
   * timer.start(5, 1000); // In 5 ms, and then every second.
   * await ready(timer, EVENT_READ);
   * console.log(timer.readExpirations()); // 1
   * ```
   */
  start(delay: number, interval?: number): void {
    if (interval === undefined) interval = 0;
    assertDuration("the delay", delay);
    assertDuration("the interval", interval);
    // A value of zero would stop the timer.
    setTimer(this, Math.max(delay, 1e-6), interval);
  }

  /**
   * Stops the timer. Unread expirations are dropped.
   *
   * @throws {OSError} If `timerfd_settime` fails, such as with `EBADF` once closed
   *
   * @example Usage
   * ```ts
   * import { TimerDescriptor } from "@readiness/selectors/fd";
   * import { assertEquals } from "@std/assert";
   *
   * using timer = new TimerDescriptor();
   * timer.start(60_000);
   * timer.stop();
   * assertEquals(timer.remaining(), null);
   * ```
   */
  stop(): void {
    setTimer(this, 0, 0);
  }

  /**
   * Reads how often the timer has expired since the last read, or since it was started.
   *
   * @returns The number of expirations, or `null` if there are none
   * @throws {OSError} If `read` fails, such as with `EBADF` once closed
   *
   * @example Usage
   * ```ts
   * import { TimerDescriptor } from "@readiness/selectors/fd";
   * import { assertEquals } from "@std/assert";
   *
   * using timer = new TimerDescriptor();
   * timer.start(60_000);
   * assertEquals(timer.readExpirations(), null);
   * ```
   */
  readExpirations(): number | null {
    const size = super.read(new Uint8Array(EXPIRATIONS.buffer));
    return size === null ? null : Number(EXPIRATIONS[0]);
  }

  /**
   * Returns the time until the next expiration.
   *
   * @returns The time in milliseconds, or `null` if the timer is stopped
   * @throws {OSError} If `timerfd_gettime` fails, such as with `EBADF` once closed
   *
   * @example Usage
   * ```ts
   * import { TimerDescriptor } from "@readiness/selectors/fd";
   * import { assertEquals, assertLessOrEqual } from "@std/assert";
   *
   * using timer = new TimerDescriptor();
   * assertEquals(timer.remaining(), null);
   * timer.start(1000);
   * assertLessOrEqual(timer.remaining()!, 1000);
   * ```
   */
  remaining(): number | null {
    const { itimerspec } = abi.timerfd!;
    const bytes = new DataView(new ArrayBuffer(itimerspec.size));
    if (calls().timerfd_gettime(this.fileno(), bytes) < 0) {
      throw failure(this, "read the remaining time of", "timerfd_gettime");
    }
    const at = itimerspec.fields.it_value[0];
    const seconds = Number(bytes.getBigInt64(at + timespec.fields.tv_sec[0], true));
    const nanoseconds = Number(bytes.getBigInt64(at + timespec.fields.tv_nsec[0], true));
    return seconds === 0 && nanoseconds === 0 ? null : seconds * 1e3 + nanoseconds / 1e6;
  }
}

function createTimer(): number {
  const { constants } = need(abi.timerfd, "Cannot make a TimerDescriptor", "timerfd");
  const { CLOCK_MONOTONIC, TFD_CLOEXEC, TFD_NONBLOCK } = constants;
  const fd = calls().timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (fd < 0) throw new OSError("Cannot make a timer", "timerfd_create", lastErrno());
  return fd;
}

function setTimer(timer: TimerDescriptor, value: number, interval: number): void {
  const { itimerspec } = abi.timerfd!;
  const bytes = new DataView(new ArrayBuffer(itimerspec.size));
  setTimespec(bytes, itimerspec.fields.it_value[0], value);
  setTimespec(bytes, itimerspec.fields.it_interval[0], interval);
  if (calls().timerfd_settime(timer.fileno(), 0, bytes, null) < 0) {
    throw failure(timer, "set the timer of", "timerfd_settime");
  }
}

/** Writes a duration, rounded up: a timer never expires early. */
function setTimespec(bytes: DataView, at: number, milliseconds: number): void {
  let seconds = Math.floor(milliseconds / 1e3);
  let nanoseconds = Math.ceil((milliseconds - seconds * 1e3) * 1e6);
  if (nanoseconds >= 1e9) {
    seconds += 1;
    nanoseconds = 0;
  }
  bytes.setBigInt64(at + timespec.fields.tv_sec[0], BigInt(seconds), true);
  bytes.setBigInt64(at + timespec.fields.tv_nsec[0], BigInt(nanoseconds), true);
}

function assertDuration(subject: string, value: number): void {
  if (typeof value !== "number" || Number.isNaN(value)) {
    throw new TypeError(
      `Cannot start a timer: ${subject} must be a number of milliseconds, ` +
        `received ${describeValue(value)}`,
    );
  }
  if (value < 0 || value > Number.MAX_SAFE_INTEGER) {
    throw new RangeError(
      `Cannot start a timer: ${subject} must be from 0 to ${Number.MAX_SAFE_INTEGER} ` +
        `milliseconds, received ${value}`,
    );
  }
}

function failure(timer: TimerDescriptor, attempt: string, syscall: string): OSError {
  const errno = lastErrno(); // Before a fileno() of the caller's can change it.
  return new OSError(`Cannot ${attempt} ${nameOf(timer.fileno())}`, syscall, errno);
}
