import { isOpen } from "../ffi/descriptor.ts";
import { lastErrno } from "../ffi/errno.ts";
import { platform } from "../ffi/platform/mod.ts";
import { fitCapacity, resized } from "./capacity.ts";
import { EVENT_PRIORITY, EVENT_READ, EVENT_WRITE } from "./events.ts";
import type { BackendOwner } from "./backend.ts";
import type { DescriptorSets } from "./descriptor_sets.ts";

// A set in 32-bit words: a count, padding, and each handle in two words, the upper one zero.
const COUNT = 0;
const FIRST = 2;
const STRIDE = 2;

/**
 * Sets that list handles, as Winsock has them: any number, whatever `FD_SETSIZE` is in C.
 *
 * A failed connection and urgent data are reported as exceptions only. A broken connection is
 * readable, but writable only while there is room. So a socket that is registered for writing alone
 * is in the set to read as well, until there is something to read.
 */
export class HandleSets implements DescriptorSets {
  // The interest, from which each call's sets are copied.
  readonly #read = new HandleSet();
  readonly #write = new HandleSet();
  readonly #except = new HandleSet();
  /** What is in the set to read, but registered for writing alone. */
  readonly #watchedForBreaks = new Set<number>();
  /** What is registered for `EVENT_PRIORITY`. */
  readonly #urgent = new Set<number>();
  #size = 0;
  readonly #ready = new Map<number, number>();
  read = new Int32Array(FIRST);
  write = new Int32Array(FIRST);
  except = new Int32Array(FIRST);

  /** Winsock ignores it. */
  get limit(): number {
    return this.#size;
  }

  /** Refuses what is not a socket: otherwise each wait would fail. */
  add(fd: number, events: number): number {
    if (!isOpen(fd)) return -lastErrno();
    this.#size++;
    this.#except.add(fd);
    this.change(fd, events);
    return 0;
  }

  change(fd: number, to: number): void {
    const isForBreaks = (to & (EVENT_READ | EVENT_WRITE)) === EVENT_WRITE;
    if (isForBreaks) this.#watchedForBreaks.add(fd);
    else this.#watchedForBreaks.delete(fd);
    if (isForBreaks || to & EVENT_READ) this.#read.add(fd);
    else this.#read.remove(fd);
    if (to & EVENT_WRITE) this.#write.add(fd);
    else this.#write.remove(fd);
    if (to & EVENT_PRIORITY) {
      this.#urgent.add(fd);
      this.#except.add(fd);
    } else {
      this.#urgent.delete(fd);
    }
  }

  remove(fd: number): void {
    this.#size--;
    this.change(fd, 0);
    this.#except.remove(fd);
  }

  prepare(): void {
    this.read = this.#read.copyTo(this.read);
    this.write = this.#write.copyTo(this.write);
    this.except = this.#except.copyTo(this.except);
  }

  /** The call has moved what is ready to the front of each set. */
  collect(_count: number, owner: BackendOwner): void {
    const { read, write, except } = this;
    this.#ready.clear();
    for (let i = 0, at = FIRST; i < write[COUNT]!; i++, at += STRIDE) {
      this.#note(write[at]!, EVENT_WRITE);
    }
    for (let i = 0, at = FIRST; i < read[COUNT]!; i++, at += STRIDE) this.#noteReadable(read[at]!);
    for (let i = 0, at = FIRST; i < except[COUNT]!; i++, at += STRIDE) {
      const fd = except[at]!;
      // An exception of a connected socket is urgent data.
      if (!platform.winsock!.isConnected(fd)) this.#note(fd, EVENT_READ | EVENT_WRITE);
      else if (this.#urgent.has(fd)) this.#note(fd, EVENT_PRIORITY);
      else this.#except.remove(fd);
    }
    for (const [fd, events] of this.#ready) owner.report(fd, events);
  }

  #noteReadable(fd: number): void {
    const isForBreaks = this.#watchedForBreaks.has(fd);
    if (!isForBreaks) this.#note(fd, EVENT_READ);
    if (!this.#write.has(fd) || ((this.#ready.get(fd) ?? 0) & EVENT_WRITE) !== 0) return;
    if (platform.winsock!.isBroken(fd)) {
      this.#note(fd, EVENT_WRITE);
    } else if (isForBreaks) {
      this.#watchedForBreaks.delete(fd);
      this.#read.remove(fd);
    }
  }

  #note(fd: number, events: number): void {
    this.#ready.set(fd, (this.#ready.get(fd) ?? 0) | events);
  }
}

/** The handles of one interest. */
class HandleSet {
  readonly #slots = new Map<number, number>();
  #capacity = 0;
  #words: Int32Array<ArrayBuffer> = new Int32Array(FIRST);

  has(fd: number): boolean {
    return this.#slots.has(fd);
  }

  add(fd: number): void {
    if (this.#slots.has(fd)) return;
    const slot = this.#slots.size;
    this.#fit(slot + 1);
    this.#words[FIRST + slot * STRIDE] = fd;
    this.#slots.set(fd, slot);
    this.#words[COUNT] = slot + 1;
  }

  /** The last handle moves into the gap. */
  remove(fd: number): void {
    const gap = this.#slots.get(fd);
    if (gap === undefined) return;
    const last = this.#slots.size - 1;
    const moved = this.#words[FIRST + last * STRIDE]!;
    this.#words[FIRST + gap * STRIDE] = moved;
    this.#slots.set(moved, gap);
    this.#slots.delete(fd);
    this.#words[COUNT] = last;
    this.#fit(last);
  }

  /** Copies the set, into the given memory if that has the right length. */
  copyTo(words: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
    if (words.length !== this.#words.length) return this.#words.slice();
    words.set(this.#words);
    return words;
  }

  #fit(wanted: number): void {
    const capacity = fitCapacity(this.#capacity, wanted);
    if (capacity === this.#capacity) return;
    this.#capacity = capacity;
    this.#words = resized(this.#words, FIRST + capacity * STRIDE);
  }
}
