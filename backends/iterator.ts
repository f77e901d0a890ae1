import type { FileObject, ReadyEvent, SelectorKey } from "./key.ts";

/** What the iterator needs of a selector. */
export interface EventSource<Data, File extends FileObject> {
  /** Waits for the next batch of events. */
  fetch(): Promise<ReadyEvent<Data, File>[]>;
  /** Returns whether a key is still registered, unmodified. */
  isCurrent(key: SelectorKey<Data, File>): boolean;
  /** Returns whether the selector is closed. */
  isClosed(): boolean;
  /** Ends the wait in progress. */
  interrupt(): void;
  /** Takes an event back that was fetched, but that the caller has not seen. */
  takeBack(key: SelectorKey<Data, File>): void;
}

/**
 * Iterates over the events of a selector, one at a time. An async generator would do the same, but
 * at the cost of more promises for each event.
 */
export function iterate<Data, File extends FileObject>(
  source: EventSource<Data, File>,
): AsyncIterableIterator<ReadyEvent<Data, File>> {
  type Result = IteratorResult<ReadyEvent<Data, File>>;
  const end: Result = { value: undefined, done: true };
  let batch: ReadyEvent<Data, File>[] = [];
  let at = 0;
  let isOver = false;
  let fetching: Promise<Result> | undefined;

  /** Takes the next event of the batch whose key is current. */
  function take(): Result | undefined {
    while (at < batch.length) {
      const value = batch[at++]!;
      if (source.isCurrent(value[0])) return { value, done: false };
    }
    return undefined;
  }

  async function fetch(): Promise<Result> {
    try {
      while (!isOver) {
        batch = await source.fetch();
        at = 0;
        const result = isOver ? end : take();
        if (result !== undefined) return result;
      }
    } catch (error) {
      isOver = true;
      if (!source.isClosed()) throw error;
    } finally {
      fetching = undefined;
    }
    return end;
  }

  function next(): Promise<Result> {
    if (fetching !== undefined) return fetching.then(next, next); // In the order of the calls.
    const result = isOver || source.isClosed() ? end : take();
    return result === undefined ? fetching = fetch() : Promise.resolve(result);
  }

  return {
    next,
    async return() {
      isOver = true;
      const pending = fetching;
      if (pending !== undefined) source.interrupt();
      await pending?.catch(() => {}); // The caller of next() gets the error.
      for (let left = take(); left !== undefined; left = take()) source.takeBack(left.value[0]);
      return end;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
