import { abi } from "../ffi/abi/mod.ts";
import { BaseSelector } from "./base.ts";
import type { FileObject } from "./key.ts";
import {
  DevpollSelector,
  EpollSelector,
  KqueueSelector,
  PollSelector,
  SelectSelector,
} from "./selectors.ts";

/**
 * A class of selectors.
 *
 * @category Selectors
 */
export interface SelectorClass {
  /** Makes a selector. */
  new <Data = unknown, File extends FileObject = FileObject>(): BaseSelector<Data, File>;
  /**
   * Returns whether this machine can allocate a selector of this class, by trying it.
   *
   * @returns Whether it can
   */
  isAvailable(): boolean;
  /**
   * Returns whether the class takes an interest mask on this system.
   *
   * @param events The mask, with modes
   * @returns Whether it does
   */
  supports(events: number): boolean;
}

/** Every class, the best first: on Windows `select`, since `WSAPoll` may keep a processor busy. */
export const BACKENDS: readonly SelectorClass[] = [
  KqueueSelector,
  DevpollSelector,
  EpollSelector,
  ...(abi.winsock === undefined ? [PollSelector, SelectSelector] : [SelectSelector, PollSelector]),
];

let best: SelectorClass | undefined;

/**
 * Returns the first class that this machine can allocate. The last one is returned without a check:
 * its constructor's error is the best explanation.
 */
export function firstAvailable(classes: readonly SelectorClass[]): SelectorClass {
  return classes.find((backend, i) => i === classes.length - 1 || backend.isAvailable())!;
}

/**
 * The best selector of this machine: the first of kqueue, /dev/poll, epoll, poll and select that it
 * can allocate; on Windows, select. `new DefaultSelector()` makes an instance of that class.
 *
 * Its methods are those of {@linkcode BaseSelector}: `register()`, `modify()`, `unregister()`,
 * `select()`, `selectAsync()`, `wakeup()`, `waker()`, `getKey()`, `getMap()` and `close()`; it also
 * works with `for await` and `using`.
 *
 * @example Usage
 * ```ts
 * import { DefaultSelector } from "@readiness/selectors";
 *
 * using selector = new DefaultSelector();
 * console.log(selector.constructor.name); // EpollSelector, on Linux
 * ```
 *
 * @category Selectors
 */
export const DefaultSelector: SelectorClass = class {
  constructor() {
    if (new.target !== DefaultSelector) {
      throw new TypeError(
        "Cannot extend DefaultSelector: it makes instances of other classes, such as EpollSelector",
      );
    }
    best ??= firstAvailable(BACKENDS);
    return new best();
  }

  static isAvailable(): boolean {
    return firstAvailable(BACKENDS).isAvailable();
  }

  static supports(events: number): boolean {
    best ??= firstAvailable(BACKENDS);
    return best.supports(events);
  }

  static [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof BaseSelector;
  }
} as SelectorClass;

/**
 * A selector of the class that is best on this machine.
 *
 * @category Selectors
 */
export type DefaultSelector<Data = unknown, File extends FileObject = FileObject> = BaseSelector<
  Data,
  File
>;
