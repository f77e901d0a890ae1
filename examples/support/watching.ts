import type { BaseSelector, FileObject } from "@readiness/selectors";

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
