/**
 * What the examples do when descriptors or memory run out: they go on when there are some again.
 *
 * @module
 */

import { setTimeout } from "node:timers/promises";
import {
  type BaseSelector,
  type FileObject,
  OSError,
  type ReadyEvent,
  type SelectAsyncOptions,
} from "@readiness/selectors";
import { warnSeldom } from "./output.ts";

/** Errors of calls that need a descriptor or memory. */
const NO_ROOM = ["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "ENOSPC"];

/** How long to rest, in milliseconds. */
const REST = 100;

/** Returns whether a call failed because descriptors or memory have run out. */
export function hasNoRoom(error: unknown): error is OSError {
  return error instanceof OSError && NO_ROOM.includes(error.code);
}

/** Rests for a moment after a call that failed. */
export async function rest(error: OSError, options?: SelectAsyncOptions): Promise<void> {
  warnSeldom(`${error.message}; resting`);
  await setTimeout(REST, undefined, options);
}

/** Waits as `selectAsync()` does, as soon as the system has room for the wait. */
export async function select<Data, File extends FileObject>(
  selector: BaseSelector<Data, File>,
  timeout: number | null,
  options: SelectAsyncOptions,
): Promise<ReadyEvent<Data, File>[]> {
  for (;;) {
    try {
      return await selector.selectAsync(timeout, options);
    } catch (error) {
      if (!hasNoRoom(error)) throw error;
      await rest(error, options);
    }
  }
}
