import { descriptorOf, type FileObject, type ReadyEvent, type SelectorKey } from "./key.ts";

/** With so many places for each key, the array counts as full of gaps. */
const SPARSE = 256;

/**
 * The keys of a selector, found by descriptor. Systems give out the lowest free descriptors, so an
 * array is compact. A `Map` would be slower: whenever the same few descriptors are closed and reused,
 * its chains grow until it is rehashed.
 */
export class KeyTable<Data, File extends FileObject> {
  readonly #keys: (SelectorKey<Data, File> | undefined)[] = [];
  /** When each descriptor was registered: the order in which the keys are listed. */
  readonly #serials: number[] = [];
  /** The last event of each descriptor: most events of a key are the same as the one before. */
  readonly #events: (ReadyEvent<Data, File> | undefined)[] = [];
  #nextSerial = 0;
  #size = 0;

  /** How many keys there are. */
  get size(): number {
    return this.#size;
  }

  /** The key of a descriptor. */
  get(fd: number): SelectorKey<Data, File> | undefined {
    return this.#keys[fd];
  }

  /** Whether a descriptor has a key. */
  has(fd: number): boolean {
    return this.#keys[fd] !== undefined;
  }

  /** Adds the key of a descriptor that has none. */
  add(key: SelectorKey<Data, File>): void {
    this.#keys[key.fd] = key;
    this.#serials[key.fd] = this.#nextSerial++;
    this.#size++;
  }

  /** Returns an event of a key, the same one as before if it is equal. */
  event(key: SelectorKey<Data, File>, events: number): ReadyEvent<Data, File> {
    const last = this.#events[key.fd];
    if (last !== undefined && last[1] === events && last[0] === key) return last;
    return this.#events[key.fd] = [key, events];
  }

  /** Replaces the key of its descriptor. */
  replace(key: SelectorKey<Data, File>): void {
    this.#keys[key.fd] = key;
    this.#events[key.fd] = undefined;
  }

  /** Removes the key of a descriptor. */
  delete(fd: number): void {
    this.#keys[fd] = undefined;
    this.#events[fd] = undefined;
    this.#size--;
  }

  /** Removes all keys. */
  clear(): void {
    this.#keys.length = 0;
    this.#serials.length = 0;
    this.#events.length = 0;
    this.#size = 0;
  }

  /** Lists the keys in the order of their registration, without those removed in the meantime. */
  *values(): MapIterator<SelectorKey<Data, File>> {
    const serials = this.#serials;
    const fds = this.#descriptors();
    fds.sort((a, b) => serials[a]! - serials[b]!);
    for (const fd of fds) {
      const key = this.#keys[fd];
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
    for (const fd of this.#descriptors()) {
      const candidate = this.#keys[fd]!;
      if (candidate.fileobj === fileobj) return candidate;
    }
    if (refusal !== undefined) throw refusal;
    return key;
  }

  /** Lists the descriptors that have a key. */
  #descriptors(): number[] {
    const keys = this.#keys;
    // Does not walk through a large gap.
    if (keys.length > SPARSE * (this.#size + 1)) {
      return Object.keys(keys).map(Number).filter((fd) => keys[fd] !== undefined);
    }
    const fds: number[] = [];
    for (let fd = 0; fd < keys.length; fd++) if (keys[fd] !== undefined) fds.push(fd);
    return fds;
  }
}
