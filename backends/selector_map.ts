import type { FileObject, SelectorKey } from "./key.ts";
import type { KeyTable } from "./key_table.ts";

/**
 * A live, read-only view of what is registered with a selector. It takes descriptors and objects
 * alike, and lists in the order of registration.
 *
 * @typeParam Data The data that goes with a registration
 * @typeParam File The file objects that can be registered
 *
 * @example Usage
 * ```ts
 * import { DefaultSelector, EVENT_READ } from "@readiness/selectors";
 * import { pipe } from "@readiness/selectors/fd";
 * import { assertEquals } from "@std/assert";
 *
 * using selector = new DefaultSelector<string>();
 * using ends = pipe();
 * const { reader, writer } = ends;
 * const map = selector.getMap();
 * selector.register(reader, EVENT_READ, "the reader");
 * assertEquals([map.has(reader), map.has(writer)], [true, false]);
 * assertEquals(map.get(reader.fileno())?.data, "the reader");
 * for (const [fd, key] of map) console.log(fd, key.data);
 * ```
 *
 * @category Selectors
 */
export class SelectorMap<Data = unknown, File extends FileObject = FileObject>
  implements ReadonlyMap<FileObject, SelectorKey<Data, File>> {
  readonly #keys: KeyTable<Data, File>;

  /**
   * Views the keys of a selector.
   *
   * @param keys The keys, which go on changing
   * @ignore
   */
  constructor(keys: KeyTable<Data, File>) {
    this.#keys = keys;
  }

  /** How many file objects are registered. */
  get size(): number {
    return this.#keys.size;
  }

  /**
   * Finds the key of a file object.
   *
   * @param fileobj A descriptor, or an object as it was registered
   * @returns Its key, or `undefined` if it is not registered
   *
   * @example Usage
   * ```ts
   * import { DefaultSelector, EVENT_READ } from "@readiness/selectors";
   * import { socketpair } from "@readiness/selectors/socket";
   * import { assertEquals } from "@std/assert";
   *
   * using selector = new DefaultSelector();
   * using pair = socketpair();
   * const [left, right] = pair;
   * selector.register(left, EVENT_READ);
   * assertEquals(selector.getMap().get(left)?.events, EVENT_READ);
   * assertEquals(selector.getMap().get(right), undefined);
   * ```
   */
  get(fileobj: FileObject): SelectorKey<Data, File> | undefined {
    try {
      return this.#keys.find(fileobj);
    } catch {
      return undefined; // What has no descriptor is not registered.
    }
  }

  /**
   * Returns whether a file object is registered.
   *
   * @param fileobj A descriptor, or an object as it was registered
   * @returns Whether it has a key
   *
   * @example Usage
   * ```ts
   * import { DefaultSelector, EVENT_READ } from "@readiness/selectors";
   * import { socketpair } from "@readiness/selectors/socket";
   * import { assertEquals } from "@std/assert";
   *
   * using selector = new DefaultSelector();
   * using pair = socketpair();
   * const [left, right] = pair;
   * selector.register(left, EVENT_READ);
   * assertEquals(selector.getMap().has(left), true);
   * assertEquals(selector.getMap().has(right.fileno()), false);
   * ```
   */
  has(fileobj: FileObject): boolean {
    return this.get(fileobj) !== undefined;
  }

  /**
   * Lists the descriptors.
   *
   * @returns An iterator over the descriptors
   *
   * @example Usage
   * ```ts
   * import { DefaultSelector, EVENT_READ } from "@readiness/selectors";
   * import { socketpair } from "@readiness/selectors/socket";
   * import { assertEquals } from "@std/assert";
   *
   * using selector = new DefaultSelector();
   * using pair = socketpair();
   * const [left] = pair;
   * selector.register(left, EVENT_READ);
   * assertEquals([...selector.getMap().keys()], [left.fileno()]);
   * ```
   */
  *keys(): MapIterator<number> {
    for (const key of this.#keys.values()) yield key.fd;
  }

  /**
   * Lists the keys.
   *
   * @returns An iterator over the keys
   *
   * @example Usage
   * ```ts
   * import { DefaultSelector, EVENT_READ } from "@readiness/selectors";
   * import { socketpair } from "@readiness/selectors/socket";
   * import { assertEquals } from "@std/assert";
   *
   * using selector = new DefaultSelector();
   * using pair = socketpair();
   * const [left] = pair;
   * selector.register(left, EVENT_READ);
   * assertEquals([...selector.getMap().values()].map(({ fileobj }) => fileobj), [left]);
   * ```
   */
  values(): MapIterator<SelectorKey<Data, File>> {
    return this.#keys.values();
  }

  /**
   * Lists the descriptors with their keys.
   *
   * @returns An iterator over the pairs
   *
   * @example Usage
   * ```ts
   * import { DefaultSelector, EVENT_READ } from "@readiness/selectors";
   * import { socketpair } from "@readiness/selectors/socket";
   * import { assertEquals } from "@std/assert";
   *
   * using selector = new DefaultSelector();
   * using pair = socketpair();
   * const [left] = pair;
   * selector.register(left, EVENT_READ);
   * assertEquals([...selector.getMap().entries()], [[left.fileno(), selector.getKey(left)]]);
   * ```
   */
  *entries(): MapIterator<[number, SelectorKey<Data, File>]> {
    for (const key of this.#keys.values()) yield [key.fd, key];
  }

  /**
   * Calls a function with each key.
   *
   * @param callback Called with the key, its descriptor and this map
   * @param thisArg What `this` is in the callback
   *
   * @example Usage
   * ```ts
   * import { DefaultSelector, EVENT_READ } from "@readiness/selectors";
   * import { socketpair } from "@readiness/selectors/socket";
   * import { assertEquals } from "@std/assert";
   *
   * using selector = new DefaultSelector();
   * using pair = socketpair();
   * const [left] = pair;
   * selector.register(left, EVENT_READ);
   * selector.getMap().forEach((key, fd) => assertEquals([fd, key], [left.fileno(), selector.getKey(left)]));
   * ```
   */
  forEach(
    callback: (
      key: SelectorKey<Data, File>,
      fd: number,
      map: ReadonlyMap<FileObject, SelectorKey<Data, File>>,
    ) => void,
    thisArg?: unknown,
  ): void {
    for (const key of this.#keys.values()) callback.call(thisArg, key, key.fd, this);
  }

  /**
   * Lists the descriptors with their keys, as {@linkcode SelectorMap.entries} does.
   *
   * @returns An iterator over the pairs
   */
  [Symbol.iterator](): MapIterator<[number, SelectorKey<Data, File>]> {
    return this.entries();
  }
}
