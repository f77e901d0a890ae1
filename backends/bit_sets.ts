import { abi } from "../ffi/abi/mod.ts";
import { isOpen } from "../ffi/descriptor.ts";
import { fitCapacity, resized } from "./capacity.ts";
import { EVENT_READ, EVENT_WRITE } from "./events.ts";
import type { BackendOwner } from "./backend.ts";
import type { DescriptorSets } from "./descriptor_sets.ts";

const { EBADF } = abi.errno;

/** A descriptor this high must be open to be registered: the sets are as long as it is high. */
const FAR = 65536;

/** Sets with a bit for each descriptor, as POSIX has them: word n begins with descriptor 32 n. */
export class BitSets implements DescriptorSets {
  // The interest, from which each call's sets are copied.
  #read = new Int32Array(0);
  #write = new Int32Array(0);
  /** How many words are in use. */
  #words = 0;
  read = this.#read;
  write = this.#write;
  readonly except = null;

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
  }

  remove(fd: number): void {
    this.change(fd, 0);
    while (this.#words > 0 && this.#isEmpty(this.#words - 1)) this.#words--;
    this.#fit();
  }

  prepare(): void {
    if (this.read.length !== this.#read.length) {
      this.read = new Int32Array(this.#read.length);
      this.write = new Int32Array(this.#write.length);
    }
    this.read.set(this.#read);
    this.write.set(this.#write);
  }

  collect(count: number, owner: BackendOwner): void {
    const { read, write } = this;
    // A descriptor that is in both sets counts twice.
    for (let word = 0, left = count; left > 0; word++) {
      let bits = read[word]! | write[word]!;
      while (bits !== 0) {
        const bit = bits & -bits;
        bits ^= bit;
        const events = (read[word]! & bit ? EVENT_READ : 0) |
          (write[word]! & bit ? EVENT_WRITE : 0);
        left -= events === (EVENT_READ | EVENT_WRITE) ? 2 : 1;
        owner.report(word * 32 + 31 - Math.clz32(bit), events);
      }
    }
  }

  #isEmpty(word: number): boolean {
    return (this.#read[word]! | this.#write[word]!) === 0;
  }

  /** Makes the sets of interest fit the words in use. */
  #fit(): void {
    const capacity = fitCapacity(this.#read.length, this.#words);
    if (capacity === this.#read.length) return;
    this.#read = resized(this.#read, capacity);
    this.#write = resized(this.#write, capacity);
  }
}

function setBit(set: Int32Array, fd: number, on: boolean): void {
  if (on) set[fd >> 5]! |= 1 << (fd & 31);
  else set[fd >> 5]! &= ~(1 << (fd & 31));
}
