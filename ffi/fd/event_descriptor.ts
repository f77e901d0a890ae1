import { abi } from "../abi/host.ts";
import { lastErrno, OSError } from "../errno.ts";
import { libcCalls } from "../libc.ts";
import { FileDescriptor } from "./file_descriptor.ts";
import { need } from "../checks.ts";

const calls = libcCalls({ eventfd: { parameters: ["u32", "i32"], result: "i32" } });

/** The most that the counter can hold. */
const MAX_COUNTER = 0xffff_ffff_ffff_fffen;

const COUNTER = new BigUint64Array(1);

/**
 * Linux's counter that is a descriptor (`eventfd`): readable while it is above zero. Whoever has the
 * descriptor, such as another thread, can add to it, which makes it a light signal to a selector.
 *
 * @example Many signals, read as one
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
 * @example A semaphore, of which each takes one
 * ```ts
 * import { EventDescriptor } from "@readiness/selectors/fd";
 * import { assertEquals } from "@std/assert";
 *
 * using event = new EventDescriptor({ initial: 2, semaphore: true });
 * assertEquals([1, 2, 3].map(() => event.readCounter()), [1n, 1n, null]);
 * ```
 */
export class EventDescriptor extends FileDescriptor {
  /**
   * Makes a counter, non-blocking and close-on-exec.
   *
   * @param options How it begins, 0 unless told, and whether it is a semaphore
   * @param options.initial The counter's first value, an integer from 0 to 2³² − 1
   * @param options.semaphore Whether a read takes one instead of everything
   * @throws {RangeError} If `initial` is out of range or no integer
   * @throws {OSError} If the system refuses (`eventfd`), such as with `EMFILE`
   * @throws {Deno.errors.NotSupported} On a system other than Linux
   * @throws {Deno.errors.NotCapable} Without FFI permission
   */
  constructor(options: { readonly initial?: number; readonly semaphore?: boolean } = {}) {
    super(createCounter(options.initial ?? 0, options.semaphore ?? false));
  }

  /**
   * Adopts an open counter, as it is: one that was inherited, or another thread's.
   *
   * @param fd Its descriptor, an integer from 0 to 2³¹ − 1
   * @returns The counter
   * @throws {TypeError} If it is not a number
   * @throws {RangeError} If it is negative, fractional or too large
   *
   * @example
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
   * @param value How much, an integer from 0 to 2⁶⁴ − 2
   * @returns Whether there was room for it; if not, the counter is writable once there is
   * @throws {TypeError} If `value` is neither a number nor a `bigint`
   * @throws {RangeError} If `value` is out of range or no integer
   * @throws {OSError} If the system refuses (`write`), such as with `EBADF` once closed
   */
  add(value: number | bigint = 1): boolean {
    if (typeof value !== "number" && typeof value !== "bigint") {
      throw new TypeError(`Cannot add: it must be a number or a bigint, received ${String(value)}`);
    }
    if (
      typeof value === "number" && !Number.isSafeInteger(value) || value < 0 || value > MAX_COUNTER
    ) {
      throw new RangeError(
        `Cannot add: it must be an integer from 0 to ${MAX_COUNTER}, ` +
          `a bigint if it is above ${Number.MAX_SAFE_INTEGER}, received ${value}`,
      );
    }
    COUNTER[0] = BigInt(value);
    return this.write(new Uint8Array(COUNTER.buffer)) !== null;
  }

  /**
   * Reads the counter and sets it to zero; a semaphore's is lowered by one instead.
   *
   * @returns What it was, or 1 of a semaphore; `null` if it was zero
   * @throws {OSError} If the system refuses (`read`), such as with `EBADF` once closed
   */
  readCounter(): bigint | null {
    return this.read(new Uint8Array(COUNTER.buffer)) === null ? null : COUNTER[0];
  }
}

function createCounter(initial: number, semaphore: boolean): number {
  const { constants } = need(abi.eventfd, "Cannot make an EventDescriptor", "eventfd");
  const { EFD_CLOEXEC, EFD_NONBLOCK, EFD_SEMAPHORE } = constants;
  if (!Number.isInteger(initial) || initial < 0 || initial > 0xffff_ffff) {
    throw new RangeError(
      `Cannot make a counter: its first value must be an integer from 0 to ${0xffff_ffff}, ` +
        `received ${String(initial)}`,
    );
  }
  const fd = calls().eventfd(
    initial,
    EFD_CLOEXEC | EFD_NONBLOCK | (semaphore ? EFD_SEMAPHORE : 0),
  );
  if (fd < 0) throw new OSError("Cannot make a counter", "eventfd", lastErrno());
  return fd;
}
