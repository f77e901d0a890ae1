import type { Kqueue } from "../ffi/abi/abi.ts";
import { darwinX64 } from "../ffi/abi/darwin.ts";
import { freebsdX64 } from "../ffi/abi/freebsd.ts";
import { abi } from "../ffi/abi/mod.ts";
import { need } from "../ffi/checks.ts";
import { netbsdX64 } from "../ffi/abi/netbsd.ts";
import { openbsdX64 } from "../ffi/abi/openbsd.ts";
import { setCloseOnExec } from "../ffi/descriptor.ts";
import { lastErrno, OSError } from "../ffi/errno.ts";
import { type Calls, libcCalls, libraryCalls } from "../ffi/libc.ts";
import { BaseSelector } from "./base.ts";
import { fitCapacity, resized } from "./capacity.ts";
import { EVENT_READ, EVENT_WRITE } from "./events.ts";
import type { FileObject } from "./key.ts";
import { timeWords, writeTime } from "./timeout.ts";

/** The calls; `kevent` has another name in NetBSD's libc, and its counts are wider there. */
function declare(name: string, countSize?: 4 | 8) {
  const count = countSize === 8 ? "usize" : "i32";
  const parameters = ["i32", "buffer", count, "buffer", count, "buffer"] as const;
  return {
    kqueue: { parameters: [], result: "i32" },
    kevent: { name, parameters, result: "i32" },
    keventOffThread: { name, parameters, result: "i32", nonblocking: true },
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

/** The system whose `struct kevent` a library takes. */
export type KqueueLayout = "darwin" | "freebsd" | "netbsd" | "openbsd";

/** Where a {@linkcode KqueueSelector} finds its calls. */
export interface KqueueSelectorOptions {
  /**
   * The shared library that has `kqueue` and `kevent`; libc by default. Give an absolute path. With
   * any scope or `--deny-ffi` rule, Deno takes another one for a file in the current folder;
   * without, the system searches for a name that has no slash.
   */
  library?: string;
  /**
   * How that library lays `struct kevent` out; left out, as this system does, or as macOS does
   * where this system has none. Not for libc, whose layout is known.
   */
  layout?: KqueueLayout;
}

/** Not to wait: a change of registrations returns at once. */
const NOW = timeWords();

/**
 * Waits with `kqueue`, which macOS and the BSDs have, and whose cost does not grow with the number
 * of registrations.
 *
 * Closing a descriptor takes its registration out. Timeouts below a millisecond are kept, as exactly
 * as the system's timers are. A regular file is readable unless it is read to its end.
 *
 * Its methods are those of {@linkcode BaseSelector}: `register()`, `modify()`, `unregister()`,
 * `select()`, `selectAsync()`, `wakeup()`, `waker()`, `getKey()`, `getMap()` and `close()`; it also
 * works with `for await` and `using`.
 *
 * @typeParam Data The data that goes with a registration
 * @typeParam File The file objects that can be registered
 *
 * @example
 * ```ts
 * import { EVENT_READ, KqueueSelector } from "@readiness/selectors";
 * import { pipe } from "@readiness/selectors/socket";
 *
 * if (KqueueSelector.isAvailable()) {
 *   using selector = new KqueueSelector();
 *   const { reader, writer } = pipe();
 *   selector.register(reader, EVENT_READ);
 *   console.log(selector.select(0.2)); // []
 *   reader.close();
 *   writer.close();
 * }
 * ```
 */
export class KqueueSelector<Data = unknown, File extends FileObject = FileObject>
  extends BaseSelector<Data, File> {
  readonly #calls: Calls<ReturnType<typeof declare>>;
  readonly #table: Kqueue;
  readonly #fd: number;
  readonly #time = timeWords();
  // A change has lists of its own, as it may be made while a wait is under way on another thread.
  readonly #changes: EventList;
  readonly #receipts: EventList;
  #ready: EventList;
  /** How many directions of descriptors are registered: a descriptor has up to two. */
  #directions = 0;
  /** What each descriptor was found ready for, while results are collected; all zero otherwise. */
  #found = new Int32Array(0);

  /**
   * Makes a selector.
   *
   * @param options A library to find the calls in, for a system whose libc lacks them
   * @throws {Deno.errors.NotSupported} Where libc has no kqueue (everywhere but on macOS and the
   * BSDs) and no library is given, or if the library lacks a call
   * @throws {Deno.errors.NotFound} If the library cannot be opened
   * @throws {Deno.errors.NotCapable} Without FFI permission
   * @throws {TypeError} If the layout is none of those known
   * @throws {OSError} If `kqueue` fails, such as with `EMFILE`
   *
   * @example A library that offers kqueue elsewhere
   * ```ts ignore
   * import { KqueueSelector } from "@readiness/selectors";
   *
   * using selector = new KqueueSelector({ library: "/usr/local/lib/libkqueue.so" });
   * ```
   */
  constructor(options: KqueueSelectorOptions = {}) {
    super({ waitCall: "kevent", changeCall: "kevent", live: true });
    const { library, layout } = options;
    if (library === undefined) {
      this.#table = need(
        abi.kqueue,
        "Cannot make a KqueueSelector",
        "kqueue",
        "use DefaultSelector instead",
      );
      this.#calls = systemCalls();
    } else {
      this.#table = tableOf(layout);
      this.#calls = callsOf(library);
    }
    this.#changes = new EventList(this.#table, 2);
    this.#receipts = new EventList(this.#table, 2);
    this.#ready = new EventList(this.#table, 0);
    this.#fd = this.#calls.kqueue();
    if (this.#fd < 0) throw new OSError("Cannot make a kqueue", "kqueue", lastErrno());
    this.own(this.#fd);
    setCloseOnExec(this.#fd);
  }

  /**
   * Tells the descriptor of the kqueue, which is readable when something is ready.
   *
   * @returns The descriptor
   * @throws {Deno.errors.BadResource} If the selector is closed
   *
   * @example
   * ```ts
   * import { KqueueSelector } from "@readiness/selectors";
   *
   * if (KqueueSelector.isAvailable()) {
   *   using selector = new KqueueSelector();
   *   console.log(selector.fileno());
   * }
   * ```
   */
  fileno(): number {
    this.assertOpen("tell the descriptor");
    return this.#fd;
  }

  /** @ignore Registers each direction with `EV_ADD`. */
  protected override add(fd: number, events: number): number {
    return this.change(fd, 0, events);
  }

  /** @ignore Adds and deletes the directions that differ. */
  protected override change(fd: number, from: number, to: number): number {
    const added = to & ~from;
    const removed = from & ~to;
    const errno = this.#apply(fd, added, removed);
    if (errno !== 0) {
      // One direction may have been taken and the other refused.
      this.#apply(fd, 0, added);
      return errno;
    }
    this.#directions += countOf(added) - countOf(removed);
    if (fd >= this.#found.length) this.#found = resized(this.#found, fitCapacity(0, fd + 1));
    return 0;
  }

  /** @ignore Takes each direction out with `EV_DELETE`. */
  protected override remove(fd: number, events: number): number {
    this.#directions -= countOf(events);
    return this.#apply(fd, 0, events);
  }

  /** @ignore Waits with `kevent`. */
  protected override wait(timeout: number): number {
    const room = this.#fit();
    writeTime(this.#time, timeout, 1_000_000);
    return this.#calls.kevent(this.#fd, null, 0, this.#ready.words, room, this.#time);
  }

  /** @ignore Waits likewise on another thread. */
  protected override waitOffThread(timeout: number): Promise<number> {
    const room = this.#fit();
    writeTime(this.#time, timeout, 1_000_000);
    return this.#calls.keventOffThread(this.#fd, null, 0, this.#ready.words, room, this.#time);
  }

  /** @ignore Both directions of a descriptor may be in the list, and far apart, but are reported as one. */
  protected override collect(count: number): void {
    const ready = this.#ready;
    const found = this.#found;
    for (let i = 0; i < count; i++) found[ready.fd(i)] |= ready.events(i);
    for (let i = 0; i < count; i++) {
      const fd = ready.fd(i);
      const events = found[fd];
      if (events === 0) continue;
      found[fd] = 0;
      this.report(fd, events);
    }
  }

  /** Makes the list of results fit the registrations, and tells how many there can be. */
  #fit(): number {
    const room = Math.max(this.#directions, 1);
    const capacity = fitCapacity(this.#ready.length, room);
    if (capacity !== this.#ready.length) this.#ready = new EventList(this.#table, capacity);
    return room;
  }

  /**
   * Registers some directions and takes others out, in one call. Asked for a receipt, the system
   * tries each change, tells of each whether it failed, and does not look for what is ready; one
   * that knows no receipts tells of failures, and fills what room is left with what is ready.
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
    const answered = this.#calls.kevent(this.#fd, changes.words, count, receipts.words, count, NOW);
    if (answered < 0) return lastErrno();
    for (let i = 0; i < answered; i++) {
      const errno = receipts.errno(i);
      if (errno !== 0 && receipts.fd(i) === fd) return errno;
    }
    return 0;
  }
}

/**
 * A list of `struct kevent`. Descriptors and error numbers are read as 32-bit words, filter and
 * flags by their own width, which differs between systems.
 */
class EventList {
  readonly length: number;
  readonly words: Int32Array<ArrayBuffer>;
  readonly #narrow: Int16Array | Int32Array;
  readonly #constants: Kqueue["constants"];
  readonly #stride: number;
  readonly #ident: number;
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
    return this.words[i * this.#stride + this.#ident];
  }

  /** What a result says that its descriptor is ready for; its end and an error count as both. */
  events(i: number): number {
    const { EV_EOF, EV_ERROR, EVFILT_READ } = this.#constants;
    const at = i * this.#narrowStride;
    if (this.#narrow[at + this.#flags] & (EV_EOF | EV_ERROR)) return EVENT_READ | EVENT_WRITE;
    return this.#narrow[at + this.#filter] === EVFILT_READ ? EVENT_READ : EVENT_WRITE;
  }

  /** Why a change was refused, or 0: it was not, or the entry is no receipt but something ready. */
  errno(i: number): number {
    const flags = this.#narrow[i * this.#narrowStride + this.#flags];
    return flags & this.#constants.EV_ERROR ? this.words[i * this.#stride + this.#data] : 0;
  }
}

/** How many directions an interest mask names. */
function countOf(events: number): number {
  return (events & EVENT_READ) + (events >> 1);
}

/** The numbers of a library. */
function tableOf(layout: KqueueLayout | undefined): Kqueue {
  if (layout === undefined) return abi.kqueue ?? tables.darwin;
  if (Object.hasOwn(tables, layout)) return tables[layout];
  throw new TypeError(
    `Cannot make a KqueueSelector: the layout must be ${
      Object.keys(tables).join(", ")
    }, received ${layout}`,
  );
}
