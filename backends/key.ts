/**
 * What a selector knows of a registration, and how messages name a file object.
 *
 * @module
 */

import { describeValue } from "../ffi/checks.ts";
import { descriptorOf, type HasFileno } from "../ffi/descriptor.ts";

export type { HasFileno };

/**
 * What can be registered: a descriptor, or an object that has one.
 *
 * @category Descriptors
 */
export type FileObject = number | HasFileno;

/**
 * A registration: what was registered, for which events, and the data that goes with it.
 *
 * @category Selectors
 */
export interface SelectorKey<Data = unknown, File extends FileObject = FileObject> {
  /** The file object as it was registered, the same reference. */
  readonly fileobj: File;
  /** Its descriptor. */
  readonly fd: number;
  /** The interest mask, modes included. */
  readonly events: number;
  /** Any value of the program, which comes with each event. */
  readonly data: Data;
}

/**
 * A ready file object: its key, and the events that it is ready for, never more than asked.
 *
 * @category Selectors
 */
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
 *
 * @category Errors
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

/** Returns whether a file object has a descriptor. A closed one has none, or another file's. */
export function hasDescriptor(fileobj: FileObject, fd: number): boolean {
  try {
    return descriptorOf(fileobj) === fd;
  } catch {
    return false;
  }
}

/** Names a file object, for a message. */
export function describeFile(fileobj: FileObject, fd: number): string {
  return typeof fileobj === "number" ? `fd ${fd}` : `fd ${fd} (${describeValue(fileobj)})`;
}
