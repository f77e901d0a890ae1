import { abi } from "../ffi/abi/mod.ts";
import { need } from "../ffi/checks.ts";
import { isOpen } from "../ffi/descriptor.ts";
import { lastErrno } from "../ffi/errno.ts";
import { platform } from "../ffi/platform/mod.ts";
import type { Backend, BackendOwner } from "./backend.ts";
import { EVENT_PRIORITY, EVENT_READ, EVENT_WRITE, ONE_SHOT } from "./events.ts";
import { PollArray } from "./poll_array.ts";
import { fromPoll, toPoll } from "./poll_events.ts";
import { sleep } from "./timeout.ts";

const pollCalls = platform.openCalls({
  WSAPoll: { parameters: ["buffer", "u32", "i32"], result: "i32" },
});

const { POLLHUP, POLLIN, POLLNVAL, POLLOUT, POLLRDBAND } = abi.constants;

/** `POLLIN` asks for urgent data as well, which ordinary reading does not return. */
const READABLE = abi.winsock?.constants.POLLRDNORM ?? POLLIN;

/** Winsock's `WSAPoll`. */
export class WinsockPollBackend implements Backend {
  readonly waitCall = "WSAPoll";
  readonly changeCall = "WSAPoll";
  readonly pollableFd = -1;
  readonly hasOneShot = false;
  readonly limit = Infinity;
  readonly #calls = pollCalls();
  readonly #array = new PollArray();

  constructor() {
    need(
      platform.winsock!.hasReliablePoll(),
      "Cannot make a PollSelector",
      "WSAPoll that reports failed connections before build 19041",
      "use DefaultSelector instead",
    );
  }

  supports(events: number): boolean {
    return winsockPollSupports(events);
  }

  add(fd: number, events: number): number {
    if (!isOpen(fd)) return -lastErrno(); // A wait would ignore it.
    this.#array.add(fd, toPoll(events, READABLE, POLLOUT, POLLRDBAND, 0));
    return 0;
  }

  change(fd: number, _from: number, to: number): number {
    this.#array.change(fd, toPoll(to, READABLE, POLLOUT, POLLRDBAND, 0));
    return 0;
  }

  remove(fd: number): number {
    this.#array.remove(fd);
    return 0;
  }

  wait(timeout: number): number {
    const { words, length } = this.#array;
    if (length === 0) {
      sleep(timeout); // WSAPoll refuses to wait for nothing.
      return 0;
    }
    const result = this.#calls.WSAPoll(words, length, Math.ceil(timeout));
    return result < 0 ? -lastErrno() : result;
  }

  /**
   * A hang-up is the end of what can be read; it concerns writing only if the connection is broken.
   */
  collect(count: number, owner: BackendOwner): number {
    const array = this.#array;
    let left = count;
    for (let slot = 0; slot < array.length; slot++) {
      const revents = array.revents(slot);
      if (revents === 0 || revents === POLLNVAL) continue;
      left--;
      const fd = array.fd(slot);
      const events = fromPoll(revents, READABLE | POLLHUP, POLLOUT, POLLRDBAND, 0);
      const isKnown = (array.events(slot) & POLLOUT) === 0 || (events & EVENT_WRITE) !== 0;
      owner.report(fd, isKnown || !platform.winsock!.isBroken(fd) ? events : events | EVENT_WRITE);
    }
    // A closed socket is not counted, unless it was closed during the wait (Wine). If it is
    // counted, it must be reported, or the next wait would return at once, and so on for ever.
    for (let slot = 0; left > 0 && slot < array.length; slot++) {
      if (array.revents(slot) !== POLLNVAL) continue;
      left--;
      owner.report(array.fd(slot), EVENT_READ | EVENT_WRITE);
    }
    return 0;
  }

  close(): void {}
}

/** Returns whether WSAPoll can watch a mask. It does not distinguish the ends of a stream. */
export function winsockPollSupports(events: number): boolean {
  return (events & ~(EVENT_READ | EVENT_WRITE | EVENT_PRIORITY | ONE_SHOT)) === 0;
}
