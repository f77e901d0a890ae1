import { theReactor, type Waiter } from "./reactor.ts";

/** One wait of a selector in the reactor. */
export class SelectorWait implements Waiter {
  readonly deadline: number;
  readonly #reactor = theReactor();
  readonly #watched: number[] = [];
  readonly #end: PromiseWithResolvers<void> = Promise.withResolvers();
  #isOver = false;

  /**
   * Begins.
   *
   * @param deadline When to end, as a time of `now()`
   */
  constructor(deadline: number) {
    this.deadline = deadline;
    this.#reactor.enter(this);
  }

  /** Resolved when it is time to look at the selector again; rejected when the reactor fails. */
  get ended(): Promise<void> {
    return this.#end.promise;
  }

  /**
   * Ends the wait when a descriptor is ready.
   *
   * @param fd The descriptor
   * @param events The interest mask
   * @param announces Whether the reactor is told before the descriptor is closed
   * @returns 0, or the negated `errno`
   */
  watch(fd: number, events: number, announces: boolean): number {
    if (this.#isOver) return 0;
    const result = this.#reactor.watch(fd, events, this, announces);
    if (result === 0) this.#watched.push(fd);
    return result;
  }

  /** Ends the wait. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const fd of this.#watched) this.#reactor.unwatch(fd, this);
    this.#reactor.leave(this);
    this.#end.resolve();
  }

  ready(): void {
    this.end();
  }

  expired(): void {
    this.end();
  }

  /** The selector goes on with what else is registered. */
  closed(): void {}

  failed(error: unknown): void {
    this.#end.reject(error);
    this.end();
  }
}
