import { DescriptorTable } from "./descriptor_table.ts";
import { descriptorOf, type FileObject, type ReadyEvent, type SelectorKey } from "./key.ts";

interface Row<Data, File extends FileObject> {
  key: SelectorKey<Data, File>;
  /** When the descriptor was registered: the order in which the keys are listed. */
  readonly serial: number;
  /** The last event of the key: most events are the same as the one before. */
  event: ReadyEvent<Data, File> | undefined;
}

/**
 * The keys of a selector, found by descriptor. Systems give out the lowest free descriptors, so an
 * array is compact. A `Map` would be slower: whenever the same few descriptors are closed and reused,
 * its chains grow until it is rehashed.
 */
export class KeyTable<Data, File extends FileObject> {
  readonly #rows = new DescriptorTable<Row<Data, File>>();
  #nextSerial = 0;
  #size = 0;

  /** How many keys there are. */
  get size(): number {
    return this.#size;
  }

  /** The key of a descriptor. */
  get(fd: number): SelectorKey<Data, File> | undefined {
    return this.#rows.get(fd)?.key;
  }

  /** Whether a descriptor has a key. */
  has(fd: number): boolean {
    return this.#rows.get(fd) !== undefined;
  }

  /** Adds the key of a descriptor that has none. */
  add(key: SelectorKey<Data, File>): void {
    this.#rows.set(key.fd, { key, serial: this.#nextSerial++, event: undefined });
    this.#size++;
  }

  /** Returns an event of a key, the same one as before if it is equal. */
  event(key: SelectorKey<Data, File>, events: number): ReadyEvent<Data, File> {
    const row = this.#rows.get(key.fd)!;
    const last = row.event;
    if (last !== undefined && last[1] === events && last[0] === key) return last;
    return row.event = [key, events];
  }

  /** Replaces the key of its descriptor. */
  replace(key: SelectorKey<Data, File>): void {
    const row = this.#rows.get(key.fd)!;
    row.key = key;
    row.event = undefined;
  }

  /** Removes the key of a descriptor. */
  delete(fd: number): void {
    this.#rows.delete(fd);
    this.#size--;
  }

  /** Removes all keys. */
  clear(): void {
    this.#rows.clear();
    this.#size = 0;
  }

  /** Lists the keys in the order of their registration, without those removed in the meantime. */
  *values(): MapIterator<SelectorKey<Data, File>> {
    const rows = this.#rows.values().sort((a, b) => a.serial - b.serial);
    for (const { key: { fd } } of rows) {
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
    for (const { key: candidate } of this.#rows.values()) {
      if (candidate.fileobj === fileobj) return candidate;
    }
    if (refusal !== undefined) throw refusal;
    return key;
  }
}
