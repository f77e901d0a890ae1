import type { Kqueue } from "../ffi/abi/abi.ts";
import { abi, tableOf } from "../ffi/abi/mod.ts";
import { need } from "../ffi/checks.ts";
import { closeDescriptor, isOpen, setCloseOnExec } from "../ffi/descriptor.ts";
import { lastErrno, OSError } from "../ffi/errno.ts";
import { type Calls, libcCalls, libraryCalls } from "../ffi/libc.ts";
import type { BackendOwner, OffThreadBackend } from "./backend.ts";
import { fitCapacity, resized } from "./capacity.ts";
import {
  EDGE_TRIGGERED,
  EVENT_HANGUP,
  EVENT_PRIORITY,
  EVENT_READ,
  EVENT_WRITE,
  ONE_SHOT,
} from "./events.ts";
import { OffThreadRead } from "./off_thread_poll.ts";
import { timeWords, writeTime } from "./timeout.ts";

/** The calls; `kevent` has another name in NetBSD's libc, and its counts are wider there. */
function declare(name: string, countSize?: 4 | 8) {
  const count = countSize === 8 ? "usize" : "i32";
  const parameters = ["i32", "buffer", count, "buffer", count, "buffer"] as const;
  return {
    kqueue: { parameters: [], result: "i32" },
    kevent: { name, parameters, result: "i32" },
  } as const;
}

const systemCalls = libcCalls(declare(abi.kqueue?.symbol ?? "kevent", abi.kqueue?.countSize));
const callsOf = libraryCalls(declare("kevent"));

const LAYOUTS: readonly KqueueLayout[] = ["darwin", "freebsd", "netbsd", "openbsd"];

const { EBADF, EPIPE } = abi.errno;

/**
 * The system whose `struct kevent` a library uses.
 *
 * @category Selectors
 */
export type KqueueLayout = "darwin" | "freebsd" | "netbsd" | "openbsd";

/** A time of 0: a change of registrations returns at once. */
const NOW = timeWords();

/** macOS' and the BSDs' kqueue. Closing a descriptor removes its registrations. */
export class KqueueBackend implements OffThreadBackend {
  readonly waitCall = "kevent";
  readonly changeCall = "kevent";
  readonly isPrecise = true;
  readonly hasOneShot = false;
  readonly limit = Infinity;
  fd: number;
  readonly #isEmulated: boolean;
  readonly #calls: Calls<ReturnType<typeof declare>>;
  readonly #table: Kqueue;
  readonly #time = timeWords();
  readonly #changes: EventList;
  readonly #receipts: EventList;
  #offThread: OffThreadRead | undefined;
  #ready: EventList;
  /** How many results the last wait wrote. */
  #results = 0;
  /** How many filters are registered: a descriptor has up to three. */
  #filters = 0;
  /** What each descriptor was found ready for, while results are collected; all zero otherwise. */
  #found = new Int32Array(0);
  /** What is registered for `EVENT_HANGUP` without reading, with `EV_CLEAR` until the end comes. */
  readonly #beforeEnd = new Set<number>();
  /** Writing ends of pipes without a reader, which kqueue refuses: they are always writable. */
  readonly #broken = new Set<number>();

  /**
   * @param library The shared library with the calls; libc by default
   * @param layout The layout of `struct kevent` that the library uses
   */
  constructor(library: string | undefined, layout: KqueueLayout | undefined) {
    this.#isEmulated = library !== undefined;
    if (library === undefined) {
      this.#table = need(
        abi.kqueue,
        "Cannot make a KqueueSelector",
        "kqueue",
        "use DefaultSelector instead",
      );
      this.#calls = systemCalls();
    } else {
      this.#table = numbersOf(layout);
      this.#calls = callsOf(library);
    }
    this.#changes = new EventList(this.#table, 2 * FILTERS.length);
    this.#receipts = new EventList(this.#table, 2 * FILTERS.length);
    this.#ready = new EventList(this.#table, 0);
    this.fd = this.#calls.kqueue();
    if (this.fd < 0) throw new OSError("Cannot make a kqueue", "kqueue", lastErrno());
    setCloseOnExec(this.fd);
  }

  /** A descriptor that kqueue refuses is not part of a wait in progress. */
  get isLive(): boolean {
    return this.#broken.size === 0;
  }

  /** An emulation in a library need not make its descriptor readable. */
  get pollableFd(): number {
    return this.#isEmulated ? -1 : this.fd;
  }

  supports(events: number): boolean {
    return kqueueSupports(events, this.#table);
  }

  add(fd: number, events: number): number {
    return this.change(fd, 0, events);
  }

  change(fd: number, from: number, to: number): number {
    let before = filtersOf(from);
    if (this.#broken.delete(fd)) before &= ~WRITE;
    const after = filtersOf(to);
    const wasCleared = (from & EDGE_TRIGGERED) !== 0 || this.#beforeEnd.has(fd);
    const isCleared = (to & EDGE_TRIGGERED) !== 0 || wantsEndAlone(to);
    // Another mode takes another registration.
    const kept = wasCleared === isCleared ? before & after : 0;
    const added = after & ~kept;
    const removed = before & ~kept;
    const flags = isCleared ? this.#table.constants.EV_CLEAR : 0;
    let result = this.#apply(fd, added, removed, flags);
    if (isBrokenPipe(result, fd, added)) {
      this.#broken.add(fd);
      result = this.#apply(fd, added & ~WRITE, 0, flags);
    }
    if (result !== 0) {
      // One filter may have been accepted and the other refused.
      this.#broken.delete(fd);
      this.#apply(fd, 0, added, 0);
      return result;
    }
    if (wantsEndAlone(to)) this.#beforeEnd.add(fd);
    else this.#beforeEnd.delete(fd);
    this.#filters += countOf(after) - countOf(filtersOf(from));
    if (fd >= this.#found.length) this.#found = resized(this.#found, fitCapacity(0, fd + 1));
    return 0;
  }

  remove(fd: number, events: number): number {
    const filters = filtersOf(events);
    this.#filters -= countOf(filters);
    this.#beforeEnd.delete(fd);
    return this.#apply(fd, 0, this.#broken.delete(fd) ? filters & ~WRITE : filters, 0);
  }

  wait(timeout: number): number {
    const room = this.#fit();
    writeTime(this.#time, this.#broken.size > 0 ? 0 : timeout, 1_000_000);
    const result = this.#calls.kevent(this.fd, null, 0, this.#ready.words, room, this.#time);
    if (result < 0) return -lastErrno();
    this.#results = result;
    return result + this.#broken.size;
  }

  waitOffThread(timeout: number): Promise<number> {
    this.#offThread ??= new OffThreadRead(this.fd);
    return this.#offThread.wait(this.#broken.size > 0 ? 0 : timeout);
  }

  /** The filters of a descriptor may be far apart in the list, but are reported as one. */
  collect(_count: number, owner: BackendOwner): number {
    const ready = this.#ready;
    const found = this.#found;
    const count = this.#results;
    for (let i = 0; i < count; i++) found[ready.fd(i)]! |= ready.events(i);
    for (const fd of this.#broken) {
      owner.report(fd, found[fd]! | EVENT_WRITE | EVENT_HANGUP);
      found[fd] = 0;
    }
    for (let i = 0; i < count; i++) {
      const fd = ready.fd(i);
      const events = found[fd]!;
      if (events === 0) continue;
      found[fd] = 0;
      // The end lasts, so it is reported from now on as any other event.
      if (events & EVENT_HANGUP && this.#beforeEnd.delete(fd)) this.#apply(fd, READ, READ, 0);
      owner.report(fd, events);
    }
    return 0;
  }

  close(): void {
    const { fd } = this;
    this.fd = -1;
    closeDescriptor(fd);
  }

  /** Makes the list of results fit the registrations, and returns how many there can be. */
  #fit(): number {
    const room = Math.max(this.#filters, 1);
    const capacity = fitCapacity(this.#ready.length, room);
    if (capacity !== this.#ready.length) this.#ready = new EventList(this.#table, capacity);
    return room;
  }

  /**
   * Adds some filters and removes others, in one call. With `EV_RECEIPT` the system tries each
   * change, reports the error of each, and does not look for what is ready. A system without it
   * reports errors, and fills the remaining room with what is ready.
   */
  #apply(fd: number, added: number, removed: number, flags: number): number {
    const { EV_ADD, EV_DELETE, EV_RECEIPT } = this.#table.constants;
    const changes = this.#changes;
    const receipts = this.#receipts;
    let count = 0;
    for (const filter of FILTERS) {
      if (removed & filter) changes.set(count++, fd, filter, EV_DELETE | EV_RECEIPT);
      if (added & filter) changes.set(count++, fd, filter, EV_ADD | EV_RECEIPT | flags);
    }
    if (count === 0) return 0;
    const answered = this.#calls.kevent(this.fd, changes.words, count, receipts.words, count, NOW);
    if (answered < 0) return -lastErrno();
    for (let i = 0; i < answered; i++) {
      const errno = receipts.errno(i);
      if (errno !== 0 && receipts.fd(i) === fd) return -errno;
    }
    return 0;
  }
}

// The filters of a descriptor.
const READ = 1;
const WRITE = 2;
const EXCEPT = 4;
const FILTERS = [READ, WRITE, EXCEPT];

/** Returns the filters for an interest mask. The end of the peer's data is an event of reading. */
function filtersOf(events: number): number {
  return (events & (EVENT_READ | EVENT_HANGUP) ? READ : 0) | (events & EVENT_WRITE ? WRITE : 0) |
    (events & EVENT_PRIORITY ? EXCEPT : 0);
}

/** Returns whether a mask has the end of the data without the data, which must not be reported. */
function wantsEndAlone(events: number): boolean {
  return (events & (EVENT_READ | EVENT_HANGUP | EDGE_TRIGGERED)) === EVENT_HANGUP;
}

/** Returns whether kqueue can watch an interest mask, with the numbers of a system. */
export function kqueueSupports(events: number, { constants }: Kqueue = numbersOf()): boolean {
  const priority = constants.EVFILT_EXCEPT === undefined ? 0 : EVENT_PRIORITY;
  const all = EVENT_READ | EVENT_WRITE | EVENT_HANGUP | EDGE_TRIGGERED | ONE_SHOT | priority;
  return (events & ~all) === 0;
}

/** Returns whether a change was refused because the descriptor is a pipe without a reader. */
function isBrokenPipe(result: number, fd: number, added: number): boolean {
  return (added & WRITE) !== 0 && (result === -EPIPE || result === -EBADF && isOpen(fd));
}

/**
 * A list of `struct kevent`. Descriptors and errors are accessed as 32-bit words, filter and flags
 * by their own width, which differs between systems.
 */
class EventList {
  readonly length: number;
  readonly words: Int32Array<ArrayBuffer>;
  readonly #narrow: Int16Array | Int32Array;
  readonly #constants: Kqueue["constants"];
  readonly #stride: number;
  readonly #ident: number;
  readonly #fflags: number;
  readonly #data: number;
  readonly #narrowStride: number;
  readonly #filter: number;
  readonly #flags: number;

  constructor({ kevent: { size, fields }, constants }: Kqueue, length: number) {
    const [at, width] = fields.filter;
    const memory = new ArrayBuffer(length * size);
    this.length = length;
    this.words = new Int32Array(memory);
    this.#narrow = width === 2 ? new Int16Array(memory) : this.words;
    this.#constants = constants;
    this.#stride = size / 4;
    this.#ident = fields.ident[0] / 4;
    this.#fflags = fields.fflags[0] / 4;
    this.#data = fields.data[0] / 4;
    this.#narrowStride = size / width;
    this.#filter = at / width;
    this.#flags = fields.flags[0] / width;
  }

  set(i: number, fd: number, filter: number, flags: number): void {
    const { EVFILT_READ, EVFILT_WRITE, EVFILT_EXCEPT, NOTE_OOB } = this.#constants;
    this.words[i * this.#stride + this.#ident] = fd;
    this.words[i * this.#stride + this.#fflags] = filter === EXCEPT ? NOTE_OOB! : 0;
    this.#narrow[i * this.#narrowStride + this.#filter] = filter === READ
      ? EVFILT_READ
      : filter === WRITE
      ? EVFILT_WRITE
      : EVFILT_EXCEPT!;
    this.#narrow[i * this.#narrowStride + this.#flags] = flags;
  }

  fd(i: number): number {
    return this.words[i * this.#stride + this.#ident]!;
  }

  /**
   * Returns what a result says that its descriptor is ready for. `EV_EOF` concerns the direction of
   * its filter; an error, in the flags or in `fflags`, concerns both.
   */
  events(i: number): number {
    const { EV_EOF, EV_ERROR, EVFILT_READ, EVFILT_WRITE } = this.#constants;
    const at = i * this.#narrowStride;
    const flags = this.#narrow[at + this.#flags]!;
    const filter = this.#narrow[at + this.#filter]!;
    const isEnd = (flags & EV_EOF) !== 0;
    if (filter === EVFILT_READ || filter === EVFILT_WRITE) {
      if (flags & EV_ERROR || isEnd && this.words[i * this.#stride + this.#fflags] !== 0) {
        return EVENT_READ | EVENT_WRITE | EVENT_HANGUP;
      }
      return (filter === EVFILT_READ ? EVENT_READ : EVENT_WRITE) | (isEnd ? EVENT_HANGUP : 0);
    }
    return EVENT_PRIORITY;
  }

  /** Returns why a change was refused; 0 if it was not, or if the entry is not a receipt. */
  errno(i: number): number {
    const flags = this.#narrow[i * this.#narrowStride + this.#flags]!;
    return flags & this.#constants.EV_ERROR ? this.words[i * this.#stride + this.#data]! : 0;
  }
}

function countOf(filters: number): number {
  return (filters & READ) + (filters >> 1 & READ) + (filters >> 2);
}

/** Returns the numbers that a library uses: by default the system's, or else macOS'. */
function numbersOf(layout?: KqueueLayout): Kqueue {
  if (layout === undefined) return abi.kqueue ?? numbersOf("darwin");
  if (LAYOUTS.includes(layout)) {
    return tableOf({ os: layout, arch: "x86_64", target: "" }).kqueue!;
  }
  throw new TypeError(
    `Cannot make a KqueueSelector: the layout must be ${LAYOUTS.join(", ")}, received ${layout}`,
  );
}
