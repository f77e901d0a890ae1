import { type Sleeper, theReactor, type Watch } from "./reactor.ts";

/** One wait of a selector in the reactor. */
export class SelectorWait implements Sleeper {
  readonly deadline: number;
  readonly #reactor = theReactor();
  readonly #watches: Watch[] = [];
  readonly #end: PromiseWithResolvers<void> = Promise.withResolvers();
  #isOver = false;

  /**
   * Begins the wait.
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
   * @param announces Whether `forgetDescriptor()` is called before the descriptor is closed
   * @returns 0, or the negated `errno`
   */
  watch(fd: number, events: number, announces: boolean): number {
    if (this.#isOver) return 0;
    const watch = new SelectorWatch(fd, events, this);
    const result = this.#reactor.watch(watch, announces);
    if (result === 0) this.#watches.push(watch);
    return result;
  }

  /** Ends the wait. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const watch of this.#watches) this.#reactor.unwatch(watch);
    this.#reactor.leave(this);
    this.#end.resolve();
  }

  expired(): void {
    this.end();
  }

  failed(error: unknown): void {
    this.#end.reject(error);
    this.end();
  }
}

/** A descriptor that a selector waits for. */
class SelectorWatch implements Watch {
  readonly fd: number;
  readonly events: number;
  found = 0;
  readonly #wait: SelectorWait;

  constructor(fd: number, events: number, wait: SelectorWait) {
    this.fd = fd;
    this.events = events;
    this.#wait = wait;
  }

  ready(): void {
    this.#wait.end();
  }

  /** The selector goes on with what else is registered. */
  closed(): void {}

  failed(error: unknown): void {
    this.#wait.failed(error);
  }
}
