import { abi } from "../ffi/abi/mod.ts";
import { isOpen } from "../ffi/descriptor.ts";
import { fitCapacity, resized } from "./capacity.ts";
import { EVENT_PRIORITY, EVENT_READ, EVENT_WRITE } from "./events.ts";
import type { BackendOwner } from "./backend.ts";
import type { DescriptorSets } from "./descriptor_sets.ts";

const { EBADF } = abi.errno;

/** From this number on, a descriptor must be open: the sets grow with the highest one. */
const FAR = 65536;

/** Sets with a bit for each descriptor, as POSIX has them: word n begins with descriptor 32 n. */
export class BitSets implements DescriptorSets {
  // The interest, from which each call's sets are copied.
  #read = new Int32Array(0);
  #write = new Int32Array(0);
  /** `null` until a descriptor is registered for `EVENT_PRIORITY`. */
  #except: Int32Array<ArrayBuffer> | null = null;
  /** How many words are in use. */
  #words = 0;
  read = this.#read;
  write = this.#write;
  except: Int32Array<ArrayBuffer> | null = null;

  get limit(): number {
    return this.#words * 32;
  }

  add(fd: number, events: number): number {
    const words = Math.max(this.#words, (fd >> 5) + 1);
    if (fd >= FAR && !isOpen(fd)) return -EBADF;
    this.#words = words;
    this.#fit();
    this.change(fd, events);
    return 0;
  }

  change(fd: number, to: number): void {
    setBit(this.#read, fd, (to & EVENT_READ) !== 0);
    setBit(this.#write, fd, (to & EVENT_WRITE) !== 0);
    if (to & EVENT_PRIORITY) this.#except ??= new Int32Array(this.#read.length);
    if (this.#except !== null) setBit(this.#except, fd, (to & EVENT_PRIORITY) !== 0);
  }

  remove(fd: number): void {
    this.change(fd, 0);
    while (this.#words > 0 && this.#isEmpty(this.#words - 1)) this.#words--;
    this.#fit();
  }

  prepare(): void {
    this.read = copied(this.#read, this.read);
    this.write = copied(this.#write, this.write);
    if (this.#except !== null) this.except = copied(this.#except, this.except);
  }

  collect(count: number, owner: BackendOwner): void {
    const { read, write, except } = this;
    // A descriptor that is in several sets counts several times.
    for (let word = 0, left = count; left > 0; word++) {
      const urgent = except === null ? 0 : except[word]!;
      let bits = read[word]! | write[word]! | urgent;
      while (bits !== 0) {
        const bit = bits & -bits;
        bits ^= bit;
        let events = 0;
        if (read[word]! & bit) {
          events = EVENT_READ;
          left--;
        }
        if (write[word]! & bit) {
          events |= EVENT_WRITE;
          left--;
        }
        if (urgent & bit) {
          events |= EVENT_PRIORITY;
          left--;
        }
        owner.report(word * 32 + 31 - Math.clz32(bit), events);
      }
    }
  }

  #isEmpty(word: number): boolean {
    return (this.#read[word]! | this.#write[word]! | (this.#except?.[word] ?? 0)) === 0;
  }

  /** Makes the sets of interest fit the words in use. */
  #fit(): void {
    const capacity = fitCapacity(this.#read.length, this.#words);
    if (capacity === this.#read.length) return;
    this.#read = resized(this.#read, capacity);
    this.#write = resized(this.#write, capacity);
    if (this.#except !== null) this.#except = resized(this.#except, capacity);
  }
}

/** Copies a set, into the given memory if that has the right length. */
function copied(
  set: Int32Array<ArrayBuffer>,
  memory: Int32Array<ArrayBuffer> | null,
): Int32Array<ArrayBuffer> {
  if (memory === null || memory.length !== set.length) return set.slice();
  memory.set(set);
  return memory;
}

function setBit(set: Int32Array, fd: number, on: boolean): void {
  if (on) set[fd >> 5]! |= 1 << (fd & 31);
  else set[fd >> 5]! &= ~(1 << (fd & 31));
}
