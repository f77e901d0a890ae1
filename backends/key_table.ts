import { descriptorOf } from "../ffi/descriptor.ts";
import { DescriptorTable } from "./descriptor_table.ts";
import type { FileObject, ReadyEvent, SelectorKey } from "./key.ts";
import { READ_WRITE } from "./masks.ts";

/**
 * The keys of a selector, found by descriptor. Systems give out the lowest free descriptors, so an
 * array is compact. A `Map` would be slower: whenever the same few descriptors are closed and
 * reused, its chains grow until it is rehashed.
 *
 * There is an array for each part, so that finding an event touches little memory: neither the key
 * nor the event itself.
 */
export class KeyTable<Data, File extends FileObject> {
  readonly #keys = new DescriptorTable<SelectorKey<Data, File>>();
  /** When each descriptor was registered: the order in which the keys are listed. */
  readonly #serials = new DescriptorTable<number>();
  /** The interest mask and above it, from bit 2, the mask of the last event; 0 before the first. */
  readonly #masks = new DescriptorTable<number>();
  /** The last event of each key: most events are the same as the one before. */
  readonly #events = new DescriptorTable<ReadyEvent<Data, File> | undefined>();
  #nextSerial = 0;
  #size = 0;

  /** How many keys there are. */
  get size(): number {
    return this.#size;
  }

  /** Returns the key of a descriptor. */
  get(fd: number): SelectorKey<Data, File> | undefined {
    return this.#keys.get(fd);
  }

  /** Returns whether a descriptor has a key. */
  has(fd: number): boolean {
    return this.#keys.get(fd) !== undefined;
  }

  /**
   * Returns the last event of a descriptor's key, if it is an ordinary key, without modes, and its
   * next event is the same.
   */
  same(fd: number, events: number): ReadyEvent<Data, File> | undefined {
    const mask = this.#masks.get(fd);
    if (mask === undefined) return undefined;
    const found = events & mask & READ_WRITE;
    return found !== 0 && found === mask >> 2 ? this.#events.get(fd) : undefined;
  }

  /** Adds the key of a descriptor that has none. */
  add(key: SelectorKey<Data, File>): void {
    const { fd } = key;
    this.#keys.set(fd, key);
    this.#serials.set(fd, this.#nextSerial++);
    this.#masks.set(fd, 0);
    this.#events.set(fd, undefined);
    this.#size++;
  }

  /** Returns an event of a key, the same one as before if it is equal. */
  event(key: SelectorKey<Data, File>, events: number): ReadyEvent<Data, File> {
    const { fd } = key;
    const last = this.#events.get(fd);
    if (last?.[1] === events) return last;
    const event: ReadyEvent<Data, File> = [key, events];
    this.#events.set(fd, event);
    if (key.events <= READ_WRITE) this.#masks.set(fd, key.events | events << 2);
    return event;
  }

  /** Replaces the key of its descriptor. */
  replace(key: SelectorKey<Data, File>): void {
    const { fd } = key;
    this.#keys.set(fd, key);
    if (this.#events.get(fd) === undefined) return;
    this.#masks.set(fd, 0);
    this.#events.set(fd, undefined);
  }

  /** Removes the key of a descriptor. */
  delete(fd: number): void {
    this.#keys.delete(fd);
    this.#serials.delete(fd);
    this.#masks.delete(fd);
    this.#events.delete(fd);
    this.#size--;
  }

  /** Removes all keys. */
  clear(): void {
    this.#keys.clear();
    this.#serials.clear();
    this.#masks.clear();
    this.#events.clear();
    this.#size = 0;
  }

  /** Lists the keys in the order of their registration, without those removed in the meantime. */
  *values(): MapIterator<SelectorKey<Data, File>> {
    const fds = this.#keys.values().map(({ fd }) => fd);
    for (const fd of fds.sort((a, b) => this.#serials.get(a)! - this.#serials.get(b)!)) {
      const key = this.get(fd);
      if (key !== undefined) yield key;
    }
  }

  /**
   * Finds the key of a file object. A closed one no longer has a descriptor, or has one that stands
   * for another file by now; it is found by identity.
   *
   * @returns The key, or `undefined` if there is none
   * @throws What {@linkcode descriptorOf} throws, if the object has neither a descriptor nor a key
   */
  find(fileobj: FileObject): SelectorKey<Data, File> | undefined {
    if (typeof fileobj === "number") return this.get(descriptorOf(fileobj));
    let key: SelectorKey<Data, File> | undefined;
    let refusal: unknown;
    try {
      key = this.get(descriptorOf(fileobj));
      if (key?.fileobj === fileobj) return key;
    } catch (error) {
      refusal = error;
    }
    for (const candidate of this.#keys.values()) {
      if (candidate.fileobj === fileobj) return candidate;
    }
    if (refusal !== undefined) throw refusal;
    return key;
  }
}
