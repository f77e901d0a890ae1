import { abi } from "../ffi/abi/mod.ts";
import { lastErrno } from "../ffi/errno.ts";
import { libcCalls } from "../ffi/libc.ts";
import { NativeMemory } from "../ffi/memory.ts";
import { timeWords, writeTime } from "./timeout.ts";

const calls = libcCalls({
  poll: { parameters: ["usize", "u32", "i32"], result: "i32" },
  pollOffThread: {
    name: "poll",
    parameters: ["usize", "u32", "i32"],
    result: "i32",
    nonblocking: true,
  },
  ppoll: { parameters: ["usize", "u32", "buffer", "usize"], result: "i32", optional: true },
  ppollOffThread: {
    name: "ppoll",
    parameters: ["usize", "u32", "usize", "usize"],
    result: "i32",
    nonblocking: true,
    optional: true,
  },
});

const { size: POLLFD_SIZE, fields } = abi.structs.pollfd;
const { POLLIN } = abi.constants;
const { EINTR } = abi.errno;

/** The `timespec` comes first, then the descriptors. */
const TIME_SIZE = 16;

/**
 * `poll` on another thread. The call uses memory that the garbage collector does not own, so that a
 * Worker which is terminated during the wait takes nothing from under it.
 */
export class OffThreadPoll {
  readonly #memory = new NativeMemory();
  readonly #time = timeWords();

  /**
   * Waits until a descriptor may be ready.
   *
   * @param fds An array of `struct pollfd`
   * @param count How many of its elements are in use
   * @param timeout Milliseconds, from 0 to 2³¹ − 1
   * @returns 0 or more, or the negated `errno`
   */
  async wait(fds: Int32Array<ArrayBuffer>, count: number, timeout: number): Promise<number> {
    const time = this.#memory.reserve(TIME_SIZE + count * POLLFD_SIZE);
    const array = time + BigInt(TIME_SIZE);
    this.#memory.write(TIME_SIZE, fds, count * POLLFD_SIZE);
    let result: number;
    if (Number.isInteger(timeout) || !hasPpoll()) {
      result = await calls().pollOffThread(array, count, Math.ceil(timeout));
    } else {
      writeTime(this.#time, timeout, 1_000_000);
      this.#memory.write(0, this.#time, TIME_SIZE);
      result = await calls().ppollOffThread!(array, count, time, 0n);
    }
    if (result >= 0) return result;
    // The errno of another thread is out of reach: the same call on this thread has one.
    if (calls().poll(array, count, 0) >= 0) return 0;
    const errno = lastErrno();
    return errno === EINTR ? 0 : -errno;
  }
}

/** Waits on another thread until one descriptor is readable. */
export class OffThreadRead {
  readonly #poll = new OffThreadPoll();
  readonly #fds = new Int32Array(new ArrayBuffer(POLLFD_SIZE));

  /**
   * @param fd The descriptor
   */
  constructor(fd: number) {
    this.#fds[fields.fd[0] / 4] = fd;
    this.#fds[fields.events[0] / 4] = POLLIN;
  }

  /**
   * Waits.
   *
   * @param timeout Milliseconds, from 0 to 2³¹ − 1
   * @returns 0 or more, or the negated `errno`
   */
  wait(timeout: number): Promise<number> {
    return this.#poll.wait(this.#fds, 1, timeout);
  }
}

let knowsPpoll: boolean | undefined;

/** Returns whether `ppoll` can be used: libc, the system and its filters of calls must allow it. */
export function hasPpoll(): boolean {
  // Without time or descriptors, only a missing call fails.
  return knowsPpoll ??= (calls().ppoll?.(0n, 0, timeWords(), 0n) ?? -1) >= 0;
}
