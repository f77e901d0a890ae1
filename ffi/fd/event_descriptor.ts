import { abi } from "../abi/mod.ts";
import { assertBoolean, assertInteger, describeValue, need, readOptions } from "../checks.ts";
import { lastErrno, OSError } from "../errno.ts";
import { libcCalls } from "../libc.ts";
import { FileDescriptor } from "./file_descriptor.ts";

const calls = libcCalls({ eventfd: { parameters: ["u32", "i32"], result: "i32" } });

/** The highest value of the counter. */
const MAX_COUNTER = 0xffff_ffff_ffff_fffen;

const COUNTER = new BigUint64Array(1);

/**
 * A counter that is a descriptor, Linux's `eventfd`. It is readable while it is above zero.
 * Anything that has the descriptor, such as another thread, can add to it: a cheap way to signal a
 * selector.
 *
 * @example Read many signals as one
 * ```ts
 * import { EventDescriptor } from "@readiness/selectors/fd";
 * import { assertEquals } from "@std/assert";
 *
 * using event = new EventDescriptor();
 * event.add();
 * event.add(41);
 * assertEquals(event.readCounter(), 42n);
 * assertEquals(event.readCounter(), null);
 * ```
 *
 * @example A semaphore, from which each read takes one
 * ```ts
 * import { EventDescriptor } from "@readiness/selectors/fd";
 * import { assertEquals } from "@std/assert";
 *
 * using event = new EventDescriptor({ initial: 2, semaphore: true });
 * assertEquals([1, 2, 3].map(() => event.readCounter()), [1n, 1n, null]);
 * ```
 *
 * @category Timers, signals and events
 */
export class EventDescriptor extends FileDescriptor {
  /**
   * Makes a counter, non-blocking and close-on-exec.
   *
   * @param options The first value, and whether the counter is a semaphore
   * @param options.initial The first value, an integer from 0 to 2³² − 1, 0 by default
   * @param options.semaphore Whether each read takes one instead of everything
   * @throws {TypeError} If `semaphore` is not a boolean
   * @throws {RangeError} If `initial` is out of range or not an integer
   * @throws {OSError} If `eventfd` fails, such as with `EMFILE`
   * @throws {Deno.errors.NotSupported} On a system other than Linux
   * @throws {Deno.errors.NotCapable} Without FFI permission
   */
  constructor(options?: { readonly initial?: number; readonly semaphore?: boolean }) {
    super(createCounter(options));
  }

  /**
   * Adopts an open counter, such as an inherited one or another thread's.
   *
   * @param fd Its descriptor, an integer from 0 to 2³¹ − 1
   * @returns The counter
   * @throws {TypeError} If `fd` is not a number
   * @throws {RangeError} If `fd` is negative, fractional or too large
   *
   * @example Usage
   * ```ts
   * import { EventDescriptor } from "@readiness/selectors/fd";
   *
   * using adopted = EventDescriptor.fromFd(new EventDescriptor().detach());
   * ```
   */
  static fromFd(fd: number): EventDescriptor {
    return Reflect.construct(FileDescriptor, [fd], EventDescriptor) as EventDescriptor;
  }

  /**
   * Adds to the counter.
   *
   * @param value What to add, an integer from 0 to 2⁶⁴ − 2; 1 by default
   * @returns Whether there was room for it. If not, the counter becomes writable once there is
   * @throws {TypeError} If `value` is neither a number nor a `bigint`
   * @throws {RangeError} If `value` is out of range or not an integer
   * @throws {OSError} If `write` fails, such as with `EBADF` once closed
   *
   * @example Usage
   * ```ts
   * import { EventDescriptor } from "@readiness/selectors/fd";
   * import { assertEquals } from "@std/assert";
   *
   * using event = new EventDescriptor();
   * event.add();
   * event.add(2n ** 63n);
   * assertEquals(event.add(2n ** 63n), false); // There is no room.
   * ```
   */
  add(value?: number | bigint): boolean {
    if (value === undefined) value = 1;
    if (typeof value !== "number" && typeof value !== "bigint") {
      throw new TypeError(
        `Cannot add to a counter: the value must be a number or a bigint, ` +
          `received ${describeValue(value)}`,
      );
    }
    const isInteger = typeof value === "bigint" || Number.isSafeInteger(value);
    if (!isInteger || value < 0 || value > MAX_COUNTER) {
      throw new RangeError(
        `Cannot add to a counter: the value must be an integer from 0 to ${MAX_COUNTER}, ` +
          `a bigint above ${Number.MAX_SAFE_INTEGER}, received ${value}`,
      );
    }
    COUNTER[0] = BigInt(value);
    return super.write(new Uint8Array(COUNTER.buffer)) !== null;
  }

  /**
   * Reads the counter and resets it to zero. A read takes one from a semaphore instead.
   *
   * @returns The counter's value, 1 for a semaphore, or `null` if it was zero
   * @throws {OSError} If `read` fails, such as with `EBADF` once closed
   *
   * @example Usage
   * ```ts
   * import { EventDescriptor } from "@readiness/selectors/fd";
   * import { assertEquals } from "@std/assert";
   *
   * using event = new EventDescriptor({ initial: 3 });
   * assertEquals(event.readCounter(), 3n);
   * assertEquals(event.readCounter(), null);
   * ```
   */
  readCounter(): bigint | null {
    return super.read(new Uint8Array(COUNTER.buffer)) === null ? null : COUNTER[0]!;
  }
}

function createCounter(options?: { initial?: number; semaphore?: boolean }): number {
  const { constants } = need(abi.eventfd, "Cannot make an EventDescriptor", "eventfd");
  const { initial = 0, semaphore = false } = readOptions("Cannot make a counter", options, [
    "initial",
    "semaphore",
  ]);
  const { EFD_CLOEXEC, EFD_NONBLOCK, EFD_SEMAPHORE } = constants;
  assertInteger("Cannot make a counter: its first value", initial, 0, 0xffff_ffff);
  assertBoolean("Cannot make a counter: semaphore", semaphore);
  const flags = EFD_CLOEXEC | EFD_NONBLOCK | (semaphore ? EFD_SEMAPHORE : 0);
  const fd = calls().eventfd(initial, flags);
  if (fd < 0) throw new OSError("Cannot make a counter", "eventfd", lastErrno());
  return fd;
}
