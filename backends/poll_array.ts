import { abi } from "../ffi/abi/mod.ts";
import { fitCapacity, resized } from "./capacity.ts";

// struct pollfd in 32-bit words: the descriptor, then a word with events below and revents above.
const { size, fields } = abi.structs.pollfd;
const STRIDE = size / 4;
const FD = fields.fd[0] / 4;
const EVENTS = fields.events[0] / 4;

/** The array of `struct pollfd` that `poll` is called with. */
export class PollArray {
  readonly #slots = new Map<number, number>();
  #capacity = 0;
  /** The array, in 32-bit words. */
  words: Int32Array<ArrayBuffer> = new Int32Array(0);

  /** How many elements are in use. */
  get length(): number {
    return this.#slots.size;
  }

  /** Takes the next slot. */
  add(fd: number, mask: number): void {
    const slot = this.#slots.size;
    this.#fit(slot + 1);
    this.words[slot * STRIDE + FD] = fd;
    this.words[slot * STRIDE + EVENTS] = mask;
    this.#slots.set(fd, slot);
  }

  /** Changes the mask of a descriptor. */
  change(fd: number, mask: number): void {
    this.words[this.#slots.get(fd)! * STRIDE + EVENTS] = mask;
  }

  /** Takes a descriptor out; the last slot moves into the gap. */
  remove(fd: number): void {
    const gap = this.#slots.get(fd)!;
    const last = this.#slots.size - 1;
    this.words.copyWithin(gap * STRIDE, last * STRIDE, (last + 1) * STRIDE);
    this.#slots.set(this.fd(gap), gap);
    this.#slots.delete(fd);
    this.#fit(last);
  }

  /** Returns the descriptor of a slot. */
  fd(slot: number): number {
    return this.words[slot * STRIDE + FD]!;
  }

  /** Returns the mask that a slot asks for. */
  events(slot: number): number {
    return this.words[slot * STRIDE + EVENTS]! & 0xffff;
  }

  /** Returns the mask that the last call found. */
  revents(slot: number): number {
    return this.words[slot * STRIDE + EVENTS]! >> 16;
  }

  #fit(wanted: number): void {
    const capacity = fitCapacity(this.#capacity, wanted);
    if (capacity === this.#capacity) return;
    this.#capacity = capacity;
    this.words = resized(this.words, capacity * STRIDE);
  }
}
