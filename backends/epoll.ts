import type { Epoll } from "../ffi/abi/abi.ts";
import { abi } from "../ffi/abi/mod.ts";
import { epollX64 } from "../ffi/abi/linux.ts";
import { need } from "../ffi/checks.ts";
import { closeDescriptor } from "../ffi/descriptor.ts";
import { lastErrno, OSError } from "../ffi/errno.ts";
import { type Calls, libcCalls } from "../ffi/libc.ts";
import type { BackendOwner, OffThreadBackend } from "./backend.ts";
import { fitCapacity } from "./capacity.ts";
import { EDGE_TRIGGERED, EVENT_READ, EXCLUSIVE, ONE_SHOT } from "./events.ts";
import { ALL_EVENTS, READ_WRITE } from "./masks.ts";
import { OffThreadRead } from "./off_thread_poll.ts";
import { fromPoll, toPoll } from "./poll_events.ts";
import { timeWords, writeTime } from "./timeout.ts";

const declarations = {
  epoll_create1: { parameters: ["i32"], result: "i32" },
  epoll_ctl: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  epoll_wait: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },
  epoll_pwait2: {
    parameters: ["i32", "buffer", "i32", "buffer", "pointer"],
    result: "i32",
    optional: true,
  },
} as const;

const epollCalls = libcCalls(declarations);
const dupCalls = libcCalls({ dup3: { parameters: ["i32", "i32", "i32"], result: "i32" } });

const { EBADF, EEXIST } = abi.errno;

// Without epoll the constructor throws, so any numbers will do.
const { epoll_event, constants }: Epoll = abi.epoll ?? epollX64;
const { EPOLLIN, EPOLLOUT, EPOLLPRI, EPOLLRDHUP, EPOLLET, EPOLLONESHOT, EPOLLEXCLUSIVE } =
  constants;
const { EPOLL_CLOEXEC, EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD } = constants;
const { O_CLOEXEC } = abi.constants;

// struct epoll_event in 32-bit words. Its data holds the descriptor, then a generation.
const STRIDE = epoll_event.size / 4;
const EVENTS = epoll_event.fields.events[0] / 4;
const FD = epoll_event.fields.data[0] / 4;
const GENERATION = FD + 1;

/** The generation of a descriptor that is not registered. */
const NONE = -1;

/**
 * Linux's epoll. Its registrations belong to open files, not to descriptors: one whose descriptor
 * was closed lives on while a duplicate is open, and no call can remove it.
 */
export class EpollBackend implements OffThreadBackend {
  readonly waitCall = "epoll_wait";
  readonly changeCall = "epoll_ctl";
  readonly isLive = true;
  readonly isPrecise: boolean;
  readonly hasOneShot = true;
  readonly limit = Infinity;
  fd: number;
  readonly #calls: Calls<typeof declarations>;
  readonly #time = timeWords();
  readonly #event = new Int32Array(STRIDE);
  #offThread: OffThreadRead | undefined;
  #count = 0;
  #capacity = fitCapacity(0, 1);
  #ready = new Int32Array(this.#capacity * STRIDE);
  // A refused removal may leave a registration behind, whose events look like those of the next
  // owner of the descriptor. From then on a generation distinguishes them.
  #generation = 0;
  readonly #generations = new Map<number, number>();

  constructor() {
    need(
      abi.epoll,
      "Cannot make an EpollSelector",
      "epoll_create1",
      "use DefaultSelector instead",
    );
    this.#calls = epollCalls();
    this.isPrecise = hasPwait2(this.#calls);
    this.fd = this.#calls.epoll_create1(EPOLL_CLOEXEC);
    if (this.fd < 0) {
      throw new OSError("Cannot make an epoll instance", "epoll_create1", lastErrno());
    }
  }

  get pollableFd(): number {
    return this.fd;
  }

  supports(events: number): boolean {
    return epollSupports(events);
  }

  add(fd: number, events: number): number {
    const generation = this.#generation;
    let result = this.#control(this.fd, EPOLL_CTL_ADD, fd, events, generation);
    // A refused removal left one behind under this number.
    if (result === -EEXIST) { // An exclusive one could not be modified.
      this.#control(this.fd, EPOLL_CTL_DEL, fd, 0, 0);
      result = this.#control(this.fd, EPOLL_CTL_ADD, fd, events, generation);
    }
    if (result === 0) {
      this.#count++;
      this.#fit();
      if (generation > 0) this.#generations.set(fd, generation);
    }
    return result;
  }

  change(fd: number, _from: number, to: number): number {
    return this.#control(this.fd, EPOLL_CTL_MOD, fd, to, this.#generationOf(fd));
  }

  remove(fd: number): number {
    this.#count--;
    this.#fit();
    const result = this.#control(this.fd, EPOLL_CTL_DEL, fd, 0, 0);
    if (result !== 0) {
      this.#generation++;
      this.#generations.set(fd, NONE);
    }
    return result;
  }

  /** Waits with `epoll_wait`, or `epoll_pwait2` for a fraction of a millisecond. */
  wait(timeout: number): number {
    let result: number;
    if (!this.isPrecise || Number.isInteger(timeout)) {
      result = this.#calls.epoll_wait(this.fd, this.#ready, this.#capacity, Math.ceil(timeout));
    } else {
      writeTime(this.#time, timeout, 1_000_000);
      result = this.#calls.epoll_pwait2!(this.fd, this.#ready, this.#capacity, this.#time, null);
    }
    return result < 0 ? -lastErrno() : result;
  }

  waitOffThread(timeout: number): Promise<number> {
    this.#offThread ??= new OffThreadRead(this.fd);
    return this.#offThread.wait(timeout);
  }

  collect(count: number, owner: BackendOwner): number {
    const ready = this.#ready;
    let isStale = false;
    for (let i = 0, at = 0; i < count; i++, at += STRIDE) {
      const fd = ready[at + FD]!;
      if (ready[at + GENERATION] !== this.#generationOf(fd)) {
        isStale = true;
      } else {
        owner.report(fd, fromPoll(ready[at + EVENTS]!, EPOLLIN, EPOLLOUT, EPOLLPRI, EPOLLRDHUP));
      }
    }
    return isStale ? this.#rebuild(owner) : 0;
  }

  close(): void {
    const { fd } = this;
    this.fd = -1;
    closeDescriptor(fd);
  }

  /** Makes the buffer of results fit the registrations. */
  #fit(): void {
    const capacity = fitCapacity(this.#capacity, this.#count);
    if (capacity === this.#capacity) return;
    this.#capacity = capacity;
    this.#ready = new Int32Array(capacity * STRIDE);
  }

  #control(
    epoll: number,
    operation: number,
    fd: number,
    events: number,
    generation: number,
  ): number {
    const event = this.#event;
    event[EVENTS] = toEpoll(events);
    event[FD] = fd;
    event[GENERATION] = generation;
    return this.#calls.epoll_ctl(epoll, operation, fd, event) < 0 ? -lastErrno() : 0;
  }

  #generationOf(fd: number): number {
    return this.#generation === 0 ? 0 : this.#generations.get(fd) ?? 0;
  }

  /**
   * Returns whether the system still has a registration. It cannot distinguish one from another
   * that was left behind under the same number, if the number refers to that open file again.
   */
  #isRegistered(fd: number, events: number): boolean {
    const generation = this.#generationOf(fd);
    if ((events & EXCLUSIVE) === 0) {
      return this.#control(this.fd, EPOLL_CTL_MOD, fd, events, generation) === 0;
    }
    // An exclusive one cannot be modified.
    const result = this.#control(this.fd, EPOLL_CTL_ADD, fd, EVENT_READ, generation);
    if (result === 0) this.#control(this.fd, EPOLL_CTL_DEL, fd, 0, 0);
    return result === -EEXIST;
  }

  /**
   * Replaces the set in the system with one without what was left behind. The old set stays until
   * the new one is complete.
   */
  #rebuild(owner: BackendOwner): number {
    const fresh = this.#calls.epoll_create1(EPOLL_CLOEXEC);
    if (fresh < 0) return -lastErrno();
    try {
      for (const [fd, events] of owner.registrations()) {
        if (!this.#isRegistered(fd, events)) continue; // It was closed or reused.
        const result = this.#control(fresh, EPOLL_CTL_ADD, fd, events, 0);
        if (result < 0) return result;
      }
      // The number stays, since programs may know it.
      if (dupCalls().dup3(fresh, this.fd, O_CLOEXEC) < 0) return -lastErrno();
    } finally {
      closeDescriptor(fresh);
    }
    this.#generation = 0;
    this.#generations.clear();
    owner.replaced();
    return 0;
  }
}

/** Returns whether epoll can watch an interest mask. */
export function epollSupports(events: number): boolean {
  return (events & EXCLUSIVE) === 0 || (events & ~(READ_WRITE | EDGE_TRIGGERED | EXCLUSIVE)) === 0;
}

function toEpoll(events: number): number {
  const mask = toPoll(events, EPOLLIN, EPOLLOUT, EPOLLPRI, EPOLLRDHUP);
  if (events <= ALL_EVENTS) return mask;
  return mask | (events & EDGE_TRIGGERED ? EPOLLET : 0) | (events & ONE_SHOT ? EPOLLONESHOT : 0) |
    (events & EXCLUSIVE ? EPOLLEXCLUSIVE : 0);
}

/** Returns whether waits can be shorter than a millisecond: libc and the system must allow it. */
function hasPwait2({ epoll_pwait2 }: Calls<typeof declarations>): boolean {
  if (epoll_pwait2 === null) return false;
  // Any other answer comes from a system, or a filter of calls, that does not know the call.
  return epoll_pwait2(-1, null, 1, null, null) < 0 && lastErrno() === EBADF;
}
