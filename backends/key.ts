/**
 * What a selector knows of a registration: the key, the map of them, and how a file object becomes
 * a descriptor.
 *
 * @module
 */

import { assertDescriptor, type HasFileno } from "../ffi/descriptor.ts";

export type { HasFileno };

/** What can be registered: a descriptor, or an object that has one. */
export type FileObject = number | HasFileno;

/** A registration: what was registered, for which events, and the data that goes with it. */
export interface SelectorKey<Data = unknown, File extends FileObject = FileObject> {
  /** The file object as it was registered, the same reference. */
  readonly fileobj: File;
  /** Its descriptor. */
  readonly fd: number;
  /** The interest mask: `EVENT_READ`, `EVENT_WRITE` or both. */
  readonly events: number;
  /** Whatever the program wants to find again with the event. */
  readonly data: Data;
}

/** A ready file object: its key, and the events that it is ready for, never more than asked. */
export type ReadyEvent<Data = unknown, File extends FileObject = FileObject> = readonly [
  key: SelectorKey<Data, File>,
  events: number,
];

/**
 * A file object is not registered, or is registered already.
 *
 * @example A second registration
 * ```ts
 * import { DefaultSelector, EVENT_READ, KeyError } from "@readiness/selectors";
 * import { socketpair } from "@readiness/selectors/socket";
 * import { assertThrows } from "@std/assert";
 *
 * using selector = new DefaultSelector();
 * const [left, right] = socketpair();
 * selector.register(left, EVENT_READ);
 * assertThrows(() => selector.register(left, EVENT_READ), KeyError);
 * left.close();
 * right.close();
 * ```
 */
export class KeyError extends Error {
  /**
   * Makes the error.
   *
   * @param message What could not be done, and the state that forbids it
   */
  constructor(message: string) {
    super(message);
    this.name = "KeyError";
  }
}

/**
 * Tells the descriptor of a file object.
 *
 * @throws {TypeError} If it is neither a number nor has a `fileno()` that returns one
 * @throws {RangeError} If the descriptor is negative, fractional or above 2³¹ − 1
 */
export function descriptorOf(fileobj: unknown): number {
  if (typeof fileobj === "number") {
    assertDescriptor(fileobj, "Cannot use a descriptor: it");
    return fileobj;
  }
  const fd = filenoOf(fileobj);
  assertDescriptor(fd, "Cannot use a file object: what its fileno() returns");
  return fd;
}

function filenoOf(fileobj: unknown): number {
  const fileno = (fileobj as HasFileno | null | undefined)?.fileno;
  if (typeof fileno !== "function") {
    throw new TypeError(
      `Cannot use a file object: it must be a number or have a fileno() method, received ${
        describe(fileobj)
      }`,
    );
  }
  const fd = fileno.call(fileobj);
  if (typeof fd !== "number") {
    throw new TypeError(
      `Cannot use a file object: its fileno() must return a number, received ${describe(fd)}`,
    );
  }
  return fd;
}

/** Names a value briefly, for a message. */
function describe(value: unknown): string {
  if (value === null || typeof value !== "object") return String(value);
  return value.constructor?.name ?? "an object without a class";
}

/** Names a file object, for a message. */
export function describeFile(fileobj: FileObject, fd: number): string {
  return typeof fileobj === "number" ? `fd ${fd}` : `fd ${fd} (${describe(fileobj)})`;
}

/**
 * Finds the key of a file object, or `undefined`. One that is closed tells no descriptor any more,
 * or one that is another's by now, and is found by identity.
 *
 * @throws What {@linkcode descriptorOf} throws, if the object tells no descriptor and has no key
 */
export function findKey<Data, File extends FileObject>(
  keys: ReadonlyMap<number, SelectorKey<Data, File>>,
  fileobj: FileObject,
): SelectorKey<Data, File> | undefined {
  if (typeof fileobj === "number") return keys.get(descriptorOf(fileobj));
  let key: SelectorKey<Data, File> | undefined;
  let refusal: unknown;
  try {
    key = keys.get(descriptorOf(fileobj));
    if (key?.fileobj === fileobj) return key;
  } catch (error) {
    refusal = error;
  }
  for (const candidate of keys.values()) {
    if (candidate.fileobj === fileobj) return candidate;
  }
  if (refusal !== undefined) throw refusal;
  return key;
}

/** A live, read-only view of a selector's keys, which takes descriptors and objects alike. */
export class SelectorMap<Data = unknown, File extends FileObject = FileObject>
  implements ReadonlyMap<FileObject, SelectorKey<Data, File>> {
  readonly #keys: ReadonlyMap<number, SelectorKey<Data, File>>;

  /**
   * Views the keys of a selector.
   *
   * @param keys The keys by descriptor, which go on changing
   */
  constructor(keys: ReadonlyMap<number, SelectorKey<Data, File>>) {
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
   */
  get(fileobj: FileObject): SelectorKey<Data, File> | undefined {
    try {
      return findKey(this.#keys, fileobj);
    } catch {
      return undefined; // What has no descriptor is not registered.
    }
  }

  /**
   * Tells whether a file object is registered.
   *
   * @param fileobj A descriptor, or an object as it was registered
   * @returns Whether it has a key
   */
  has(fileobj: FileObject): boolean {
    return this.get(fileobj) !== undefined;
  }

  /**
   * Lists the descriptors, in the order of their registration.
   *
   * @returns An iterator over the descriptors
   */
  keys(): MapIterator<number> {
    return this.#keys.keys();
  }

  /**
   * Lists the keys, in the order of their registration.
   *
   * @returns An iterator over the keys
   */
  values(): MapIterator<SelectorKey<Data, File>> {
    return this.#keys.values();
  }

  /**
   * Lists descriptors and keys, in the order of their registration.
   *
   * @returns An iterator over the pairs
   */
  entries(): MapIterator<[number, SelectorKey<Data, File>]> {
    return this.#keys.entries();
  }

  /**
   * Calls a function with each key.
   *
   * @param callback Called with the key, its descriptor and this map
   * @param thisArg What `this` is in the callback
   */
  forEach(
    callback: (
      key: SelectorKey<Data, File>,
      fd: number,
      map: ReadonlyMap<FileObject, SelectorKey<Data, File>>,
    ) => void,
    thisArg?: unknown,
  ): void {
    for (const [fd, key] of this.#keys) callback.call(thisArg, key, fd, this);
  }

  /**
   * Lists descriptors and keys, as {@linkcode SelectorMap.entries} does.
   *
   * @returns An iterator over the pairs
   */
  [Symbol.iterator](): MapIterator<[number, SelectorKey<Data, File>]> {
    return this.#keys.entries();
  }
}
