/**
 * Registrations of the examples that change all the time.
 *
 * @module
 */

import { type BaseSelector, type FileObject, OSError } from "@readiness/selectors";
import type { FileDescriptor } from "@readiness/selectors/fd";

/** Watches a file for these events from now on, and no longer if there are none. */
export function watch<Data, File extends FileObject>(
  selector: BaseSelector<Data, File>,
  file: File,
  events: number,
  data: Data,
): void {
  const key = selector.getMap().get(file);
  if (key?.events === events) return;
  if (key === undefined) {
    if (events !== 0) selector.register(file, events, data);
  } else if (events === 0) selector.unregister(file);
  else selector.modify(file, events, data);
}

/**
 * Stops watching a file and closes it. Errors do not matter any more: some systems report resets.
 */
export function discard<File extends FileDescriptor>(
  selector: BaseSelector<unknown, File>,
  file: File,
): void {
  ignoreErrors(() => unregister(selector, file));
  closeQuietly(file);
}

/** Closes a file, which is closed even if the system reports an error. */
export function closeQuietly(file: FileDescriptor): void {
  ignoreErrors(() => file.close());
}

function ignoreErrors(step: () => void): void {
  try {
    step();
  } catch (error) {
    if (!(error instanceof OSError)) throw error;
  }
}

/** A file can be unregistered already, such as after `modify` has failed. */
function unregister<File extends FileObject>(
  selector: BaseSelector<unknown, File>,
  file: File,
): void {
  if (selector.getMap().has(file)) selector.unregister(file);
}
