import { abi } from "../ffi/abi/mod.ts";
import { lastErrno } from "../ffi/errno.ts";
import { libcCalls } from "../ffi/libc.ts";
import type { BackendOwner, OffThreadBackend } from "./backend.ts";
import { hasPpoll, OffThreadPoll } from "./off_thread_poll.ts";
import { ONE_SHOT } from "./events.ts";
import { ALL_EVENTS } from "./masks.ts";
import { PollArray } from "./poll_array.ts";
import { fromPoll, toPoll } from "./poll_events.ts";
import { timeWords, writeTime } from "./timeout.ts";

const pollCalls = libcCalls({
  poll: { parameters: ["buffer", "u32", "i32"], result: "i32" },
  ppoll: { parameters: ["buffer", "u32", "buffer", "pointer"], result: "i32", optional: true },
});

const { POLLIN, POLLOUT, POLLPRI, POLLRDHUP = 0 } = abi.constants;

/** `poll` and, for a fraction of a millisecond, `ppoll`. */
export class PollBackend implements OffThreadBackend {
  readonly waitCall = "poll";
  readonly changeCall = "poll";
  readonly pollableFd = -1;
  readonly isLive = false;
  readonly isPrecise = hasPpoll();
  readonly hasOneShot = false;
  readonly limit = Infinity;
  readonly #calls = pollCalls();
  readonly #time = timeWords();
  readonly #array = new PollArray();
  readonly #offThread = new OffThreadPoll();

  supports(events: number): boolean {
    return pollSupports(events);
  }

  add(fd: number, events: number): number {
    this.#array.add(fd, toPoll(events, POLLIN, POLLOUT, POLLPRI, POLLRDHUP));
    return 0;
  }

  change(fd: number, _from: number, to: number): number {
    this.#array.change(fd, toPoll(to, POLLIN, POLLOUT, POLLPRI, POLLRDHUP));
    return 0;
  }

  remove(fd: number): number {
    this.#array.remove(fd);
    return 0;
  }

  wait(timeout: number): number {
    const { words, length } = this.#array;
    let result: number;
    if (!this.isPrecise || Number.isInteger(timeout)) {
      result = this.#calls.poll(words, length, Math.ceil(timeout));
    } else {
      writeTime(this.#time, timeout, 1_000_000);
      result = this.#calls.ppoll!(words, length, this.#time, null);
    }
    return result < 0 ? -lastErrno() : result;
  }

  waitOffThread(timeout: number): Promise<number> {
    return this.#offThread.wait(this.#array.words, this.#array.length, timeout);
  }

  collect(count: number, owner: BackendOwner): number {
    const array = this.#array;
    for (let slot = 0, left = count; left > 0; slot++) {
      const revents = array.revents(slot);
      if (revents === 0) continue;
      left--;
      owner.report(array.fd(slot), fromPoll(revents, POLLIN, POLLOUT, POLLPRI, POLLRDHUP));
    }
    return 0;
  }

  close(): void {}
}

/** Returns whether poll can watch an interest mask. */
export function pollSupports(events: number): boolean {
  return (events & ~(ALL_EVENTS | ONE_SHOT)) === 0;
}
