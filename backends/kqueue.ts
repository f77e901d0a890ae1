import type { Kqueue } from "../ffi/abi/abi.ts";
import { darwinX64 } from "../ffi/abi/darwin.ts";
import { freebsdX64 } from "../ffi/abi/freebsd.ts";
import { abi } from "../ffi/abi/mod.ts";
import { netbsdX64 } from "../ffi/abi/netbsd.ts";
import { openbsdX64 } from "../ffi/abi/openbsd.ts";
import { need } from "../ffi/checks.ts";
import { closeDescriptor, isOpen, setCloseOnExec } from "../ffi/descriptor.ts";
import { lastErrno, OSError } from "../ffi/errno.ts";
import { type Calls, libcCalls, libraryCalls } from "../ffi/libc.ts";
import type { BackendOwner, OffThreadBackend } from "./backend.ts";
import { fitCapacity, resized } from "./capacity.ts";
import { EVENT_READ, EVENT_WRITE } from "./events.ts";
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

const tables: { readonly [layout in KqueueLayout]: Kqueue } = {
  darwin: darwinX64.kqueue!,
  freebsd: freebsdX64.kqueue!,
  netbsd: netbsdX64.kqueue!,
  openbsd: openbsdX64.kqueue!,
};

const { EBADF, EPIPE } = abi.errno;

/** The system whose `struct kevent` a library uses. */
export type KqueueLayout = "darwin" | "freebsd" | "netbsd" | "openbsd";

/** A time of 0: a change of registrations returns at once. */
const NOW = timeWords();

/** macOS' and the BSDs' kqueue. Closing a descriptor removes its registrations. */
export class KqueueBackend implements OffThreadBackend {
  readonly waitCall = "kevent";
  readonly changeCall = "kevent";
  readonly isPrecise = true;
  readonly modes = 0;
  readonly limit = Infinity;
  fd: number;
  readonly #calls: Calls<ReturnType<typeof declare>>;
  readonly #table: Kqueue;
  readonly #time = timeWords();
  readonly #changes: EventList;
  readonly #receipts: EventList;
  #offThread: OffThreadRead | undefined;
  #ready: EventList;
  /** How many results the last wait wrote. */
  #results = 0;
  /** How many directions of descriptors are registered: a descriptor has up to two. */
  #directions = 0;
  /** What each descriptor was found ready for, while results are collected; all zero otherwise. */
  #found = new Int32Array(0);
  /** Writing ends of pipes without a reader, which kqueue refuses: they are always writable. */
  readonly #broken = new Set<number>();

  /**
   * @param library The shared library with the calls; libc by default
   * @param layout The layout of `struct kevent` that the library uses
   */
  constructor(library: string | undefined, layout: KqueueLayout | undefined) {
    if (library === undefined) {
      this.#table = need(
        abi.kqueue,
        "Cannot make a KqueueSelector",
        "kqueue",
        "DefaultSelector takes what the system has",
      );
      this.#calls = systemCalls();
    } else {
      this.#table = tableOf(layout);
      this.#calls = callsOf(library);
    }
    this.#changes = new EventList(this.#table, 2);
    this.#receipts = new EventList(this.#table, 2);
    this.#ready = new EventList(this.#table, 0);
    this.fd = this.#calls.kqueue();
    if (this.fd < 0) throw new OSError("Cannot make a kqueue", "kqueue", lastErrno());
    setCloseOnExec(this.fd);
  }

  /** A descriptor that kqueue refuses is not part of a wait in progress. */
  get isLive(): boolean {
    return this.#broken.size === 0;
  }

  add(fd: number, events: number): number {
    return this.change(fd, 0, events);
  }

  change(fd: number, from: number, to: number): number {
    if (this.#broken.delete(fd)) from &= ~EVENT_WRITE;
    const added = to & ~from;
    const removed = from & ~to;
    let result = this.#apply(fd, added, removed);
    if (isBrokenPipe(result, fd, added)) {
      this.#broken.add(fd);
      result = this.#apply(fd, added & ~EVENT_WRITE, 0);
    }
    if (result !== 0) {
      // One direction may have been accepted and the other refused.
      this.#broken.delete(fd);
      this.#apply(fd, 0, added);
      return result;
    }
    this.#directions += countOf(added) - countOf(removed);
    if (fd >= this.#found.length) this.#found = resized(this.#found, fitCapacity(0, fd + 1));
    return 0;
  }

  remove(fd: number, events: number): number {
    this.#directions -= countOf(events);
    return this.#apply(fd, 0, this.#broken.delete(fd) ? events & ~EVENT_WRITE : events);
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

  /** Both directions of a descriptor may be in the list, and far apart, but are reported as one. */
  collect(_count: number, owner: BackendOwner): number {
    const ready = this.#ready;
    const found = this.#found;
    const count = this.#results;
    for (let i = 0; i < count; i++) found[ready.fd(i)]! |= ready.events(i);
    for (let i = 0; i < count; i++) {
      const fd = ready.fd(i);
      const events = found[fd]!;
      if (events === 0) continue;
      found[fd] = 0;
      owner.report(fd, this.#broken.has(fd) ? events | EVENT_WRITE : events);
    }
    for (const fd of this.#broken) owner.report(fd, EVENT_WRITE);
    return 0;
  }

  close(): void {
    const { fd } = this;
    this.fd = -1;
    closeDescriptor(fd);
  }

  /** Makes the list of results fit the registrations, and returns how many there can be. */
  #fit(): number {
    const room = Math.max(this.#directions, 1);
    const capacity = fitCapacity(this.#ready.length, room);
    if (capacity !== this.#ready.length) this.#ready = new EventList(this.#table, capacity);
    return room;
  }

  /**
   * Adds some directions and removes others, in one call. With `EV_RECEIPT` the system tries each
   * change, reports the error of each, and does not look for what is ready. A system without it
   * reports errors, and fills the remaining room with what is ready.
   */
  #apply(fd: number, added: number, removed: number): number {
    const { EV_ADD, EV_DELETE, EV_RECEIPT } = this.#table.constants;
    const changes = this.#changes;
    const receipts = this.#receipts;
    let count = 0;
    for (let events = EVENT_READ; events <= EVENT_WRITE; events <<= 1) {
      if (removed & events) changes.set(count++, fd, events, EV_DELETE | EV_RECEIPT);
      if (added & events) changes.set(count++, fd, events, EV_ADD | EV_RECEIPT);
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

/** Returns whether a change was refused because the descriptor is a pipe without a reader. */
function isBrokenPipe(result: number, fd: number, added: number): boolean {
  return (added & EVENT_WRITE) !== 0 && (result === -EPIPE || result === -EBADF && isOpen(fd));
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

  set(i: number, fd: number, events: number, flags: number): void {
    const { EVFILT_READ, EVFILT_WRITE } = this.#constants;
    this.words[i * this.#stride + this.#ident] = fd;
    this.#narrow[i * this.#narrowStride + this.#filter] = events === EVENT_READ
      ? EVFILT_READ
      : EVFILT_WRITE;
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
    const { EV_EOF, EV_ERROR, EVFILT_READ } = this.#constants;
    const at = i * this.#narrowStride;
    const flags = this.#narrow[at + this.#flags]!;
    if (flags & EV_ERROR || flags & EV_EOF && this.words[i * this.#stride + this.#fflags] !== 0) {
      return EVENT_READ | EVENT_WRITE;
    }
    return this.#narrow[at + this.#filter] === EVFILT_READ ? EVENT_READ : EVENT_WRITE;
  }

  /** Returns why a change was refused; 0 if it was not, or if the entry is not a receipt. */
  errno(i: number): number {
    const flags = this.#narrow[i * this.#narrowStride + this.#flags]!;
    return flags & this.#constants.EV_ERROR ? this.words[i * this.#stride + this.#data]! : 0;
  }
}

/** Returns how many directions an interest mask has. */
function countOf(events: number): number {
  return (events & EVENT_READ) + (events >> 1);
}

/** Returns the numbers that a library uses. */
function tableOf(layout: KqueueLayout | undefined): Kqueue {
  if (layout === undefined) return abi.kqueue ?? tables.darwin;
  if (Object.hasOwn(tables, layout)) return tables[layout];
  throw new TypeError(
    `Cannot make a KqueueSelector: the layout must be ${
      Object.keys(tables).join(", ")
    }, received ${layout}`,
  );
}
