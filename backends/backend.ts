/**
 * The seam between the rules and the system: what a family of system calls provides, and what it
 * may ask of its user. {@linkcode BaseSelector} and the reactor use it; nothing else does.
 *
 * There is one convention for failure: 0 or more is a success, and a negative number is an `errno`,
 * negated.
 *
 * @module
 */

/**
 * An event that backends report in addition to the others: a condition that the system reports
 * unasked (an error, a hang-up). A descriptor that is watched only for other events stays ready
 * then.
 */
export const UNASKED = 1 << 30;

/** A set of watched descriptors in the system. */
export interface Backend {
  /** The system call that waits, for messages. */
  readonly waitCall: string;
  /** The system call that changes what is watched, for messages. */
  readonly changeCall: string;
  /** A descriptor of its own that is readable while something is ready; -1 if there is none. */
  readonly pollableFd: number;
  /** Whether the system itself implements `ONE_SHOT`. */
  readonly hasOneShot: boolean;
  /** The first descriptor that is too high to be watched. */
  readonly limit: number;

  /**
   * Returns whether an interest mask can be watched.
   *
   * @param events The mask, with modes; `ONE_SHOT` is always supported together with events
   * @returns Whether it can
   */
  supports(events: number): boolean;

  /**
   * Watches a descriptor that is not watched.
   *
   * @param fd The descriptor
   * @param events The interest mask, with modes
   * @returns 0, or the negated `errno`
   */
  add(fd: number, events: number): number;

  /**
   * Changes the interest mask of a watched descriptor.
   *
   * @param fd The descriptor
   * @param from Its mask so far
   * @param to Its new mask
   * @returns 0, or the negated `errno`
   */
  change(fd: number, from: number, to: number): number;

  /**
   * Stops watching a descriptor, which may be closed or reused by now.
   *
   * @param fd The descriptor
   * @param events Its mask
   * @returns 0, or the negated `errno`
   */
  remove(fd: number, events: number): number;

  /**
   * Waits on this thread.
   *
   * @param timeout Milliseconds, from 0 to 2³¹ − 1
   * @returns The number of results to collect, or the negated `errno`
   */
  wait(timeout: number): number;

  /**
   * Reports each ready descriptor of the last wait once.
   *
   * @param count What the wait returned, above 0
   * @param owner Receives the reports
   * @returns 0, or the negated `errno` of a repair that failed and is due again
   */
  collect(count: number, owner: BackendOwner): number;

  /** Closes what the backend itself has open. */
  close(): void;
}

/** A backend that the reactor can use. */
export interface OffThreadBackend extends Backend {
  /** Whether a change takes effect on a wait in progress on another thread. */
  readonly isLive: boolean;
  /** Whether `wait` honours a fraction of a millisecond. */
  readonly isPrecise: boolean;

  /**
   * Waits on another thread until something may be ready. Nothing is consumed: `wait(0)` then finds
   * what it is. The call uses memory of its own, so that a Worker can be terminated meanwhile.
   *
   * @param timeout Milliseconds, from 0 to 2³¹ − 1
   * @returns 0 or more, or the negated `errno`
   */
  waitOffThread(timeout: number): Promise<number>;
}

/** The user of a backend. */
export interface BackendOwner {
  /**
   * Receives a ready descriptor.
   *
   * @param fd The descriptor, watched or not
   * @param events What it is ready for, which may be more than was asked for
   */
  report(fd: number, events: number): void;

  /**
   * Lists what is watched, for a backend that has to rebuild its set.
   *
   * @returns Each descriptor and its interest mask
   */
  registrations(): Iterable<readonly [fd: number, events: number]>;

  /** Called when the set behind the backend's descriptor was rebuilt. */
  replaced(): void;
}
