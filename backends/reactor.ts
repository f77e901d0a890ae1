/**
 * The one native wait of an isolate. Everything that waits in the event loop waits here: single
 * descriptors, and selectors by their own descriptor. While nothing waits, no call is in progress.
 *
 * A descriptor is watched as long as something waits for it, and a little longer: it is removed
 * before the next native wait. So a program that waits for the same descriptors over and over, such
 * as an async function for each connection, changes nothing in the system.
 *
 * @module
 */

import { abi } from "../ffi/abi/mod.ts";
import { OSError } from "../ffi/errno.ts";
import type { BackendOwner, OffThreadBackend } from "./backend.ts";
import { createBackend } from "./default_backend.ts";
import { holdLoop, loopTurned, turnLoop } from "./event_loop.ts";
import { EVENT_READ } from "./events.ts";
import { now } from "./timeout.ts";
import { WakeDescriptor } from "./waker.ts";

const { EINTR } = abi.errno;

/** The longest native wait in milliseconds: a Worker that is terminated holds its thread so long. */
const LONGEST_WAIT = 60_000;

/** Something that waits in the reactor. None of its methods runs code of the user. */
export interface Waiter {
  /** When the wait is over, as a time of `now()`. */
  readonly deadline: number;
  /** Called when a descriptor is ready, which is then no longer watched for this waiter. */
  ready(fd: number, events: number): void;
  /** Called when the deadline has passed. */
  expired(): void;
  /** Called before a descriptor is closed, which is then no longer watched. */
  closed(fd: number): void;
  /** Called when the reactor fails. */
  failed(error: unknown): void;
}

/** What one waiter waits for on one descriptor. */
interface Watch {
  readonly fd: number;
  readonly events: number;
  readonly waiter: Waiter;
  /** What was found. */
  found: number;
}

/** A descriptor that the system watches. */
interface Watched {
  readonly fd: number;
  /** The interest mask in the system. */
  mask: number;
  watches: Watch[];
  /** Whether it is in the list of those that nothing waits for. */
  isIdle: boolean;
}

class Reactor implements BackendOwner {
  readonly #backend: OffThreadBackend = createBackend();
  readonly #wake = new WakeDescriptor();
  readonly #waiters = new Set<Waiter>();
  readonly #watched: (Watched | undefined)[] = [];
  #idle: Watched[] = [];
  /** What the last poll found: for a waiter, or for none. */
  #found: Watch[] = [];
  #unwanted: Watched[] = [];
  #nextDeadline = Infinity;
  #isRunning = false;
  #isWaiting = false;
  #isKicked = false;

  constructor() {
    const result = this.#backend.add(this.#wake.reader, EVENT_READ);
    if (result < 0) {
      this.#wake.close();
      this.#backend.close();
      throw this.#error("Cannot watch the waking descriptor", this.#backend.changeCall, result);
    }
  }

  /** The system call that changes what is watched, for messages. */
  get changeCall(): string {
    return this.#backend.changeCall;
  }

  /**
   * Begins to call a waiter.
   *
   * @param waiter The waiter
   */
  enter(waiter: Waiter): void {
    this.#waiters.add(waiter);
    if (waiter.deadline < this.#nextDeadline) {
      this.#nextDeadline = waiter.deadline;
      this.#kick();
    }
    if (!this.#isRunning) void this.#run();
  }

  /**
   * No longer calls a waiter, which must not watch anything any more.
   *
   * @param waiter The waiter
   */
  leave(waiter: Waiter): void {
    this.#waiters.delete(waiter);
    if (this.#waiters.size === 0) this.#kick();
  }

  /**
   * Watches a descriptor for a waiter until it is ready.
   *
   * @param fd The descriptor
   * @param events The interest mask
   * @param waiter The waiter
   * @param announces Whether {@linkcode forget} is called before the descriptor is closed; if not,
   * its number may stand for another file by now
   * @returns 0, or the negated `errno`
   */
  watch(fd: number, events: number, waiter: Waiter, announces: boolean): number {
    let watched = this.#watched[fd];
    if (watched !== undefined && watched.watches.length === 0) {
      const isCurrent = announces && this.#change(watched, events) === 0;
      if (!isCurrent) {
        this.#remove(watched);
        watched = undefined;
      }
    } else if (watched !== undefined) {
      const result = this.#change(watched, watched.mask | events);
      if (result < 0) return result;
    }
    if (watched === undefined) {
      const result = this.#backend.add(fd, events);
      if (result < 0) return result;
      watched = this.#watched[fd] = { fd, mask: events, watches: [], isIdle: false };
    }
    watched.watches.push({ fd, events, waiter, found: 0 });
    if (!this.#backend.isLive) this.#kick();
    return 0;
  }

  /**
   * No longer watches a descriptor for a waiter.
   *
   * @param fd The descriptor, watched or not
   * @param waiter The waiter
   */
  unwatch(fd: number, waiter: Waiter): void {
    const watched = this.#watched[fd];
    const at = watched?.watches.findIndex((watch) => watch.waiter === waiter) ?? -1;
    if (watched === undefined || at < 0) return;
    watched.watches.splice(at, 1);
    this.#noteIdle(watched);
  }

  /**
   * Forgets a descriptor that is about to be closed.
   *
   * @param fd The descriptor, watched or not
   */
  forget(fd: number): void {
    const watched = this.#watched[fd];
    if (watched === undefined) return;
    this.#remove(watched);
    for (const { waiter } of watched.watches) waiter.closed(fd);
  }

  report(fd: number, events: number): void {
    const watched = this.#watched[fd];
    if (watched === undefined) {
      if (fd === this.#wake.reader) {
        this.#wake.drain();
        this.#isKicked = false;
      }
      return;
    }
    const { watches } = watched;
    let kept = 0;
    for (const watch of watches) {
      watch.found = events & watch.events;
      if (watch.found === 0) watches[kept++] = watch;
      else this.#found.push(watch);
    }
    if (kept === watches.length) this.#unwanted.push(watched);
    watches.length = kept;
    this.#noteIdle(watched);
  }

  *registrations(): Iterable<readonly [fd: number, events: number]> {
    for (const watched of this.#watched) {
      if (watched !== undefined) yield [watched.fd, watched.mask];
    }
    yield [this.#wake.reader, EVENT_READ];
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    try {
      for (;;) {
        await turnLoop(); // What was called before runs now, and may wait again.
        if (this.#waiters.size === 0) break;
        if (this.#poll()) {
          holdLoop();
          continue;
        }
        this.#sweep();
        await this.#waitOffThread();
        this.#poll();
      }
      this.#sweep();
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#isRunning = false;
    }
  }

  /** Finds what is ready now, and calls who waits for it. Returns whether there was any. */
  #poll(): boolean {
    const result = this.#backend.wait(0);
    if (result < 0 && result !== -EINTR) {
      throw this.#error("Cannot wait for descriptors", this.#backend.waitCall, result);
    }
    const failure = result > 0 ? this.#backend.collect(result, this) : 0;
    const found = this.#found;
    if (found.length === 0 && failure < 0) {
      throw this.#error("Cannot wait for descriptors", this.#backend.changeCall, failure);
    }
    for (const { waiter, fd, found: events } of found) waiter.ready(fd, events);
    if (found.length > 0) this.#found = [];
    if (this.#unwanted.length > 0) this.#narrow();
    return this.#expire() || found.length > 0;
  }

  #expire(): boolean {
    const time = now();
    if (time < this.#nextDeadline) return false;
    this.#nextDeadline = Infinity;
    let any = false;
    for (const waiter of this.#waiters) {
      if (waiter.deadline <= time) {
        any = true;
        waiter.expired();
      } else if (waiter.deadline < this.#nextDeadline) {
        this.#nextDeadline = waiter.deadline;
      }
    }
    return any;
  }

  async #waitOffThread(): Promise<void> {
    const timeout = Math.min(Math.max(this.#nextDeadline - now(), 0), LONGEST_WAIT);
    this.#isWaiting = true;
    let result: number;
    try {
      result = await this.#backend.waitOffThread(timeout);
    } finally {
      this.#isWaiting = false;
    }
    loopTurned();
    if (result < 0) {
      throw this.#error("Cannot wait for descriptors", this.#backend.waitCall, result);
    }
  }

  /** Ends the native wait in progress. */
  #kick(): void {
    if (!this.#isWaiting || this.#isKicked) return;
    try {
      this.#wake.wake();
      this.#isKicked = true;
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    this.#nextDeadline = Infinity;
    for (const waiter of waiters) waiter.failed(error);
  }

  #noteIdle(watched: Watched): void {
    if (watched.watches.length > 0 || watched.isIdle) return;
    watched.isIdle = true;
    this.#idle.push(watched);
  }

  /** Removes what nothing waits for. */
  #sweep(): void {
    const idle = this.#idle;
    if (idle.length === 0) return;
    this.#idle = [];
    for (const watched of idle) {
      watched.isIdle = false;
      if (watched.watches.length === 0 && this.#watched[watched.fd] === watched) {
        this.#remove(watched);
      }
    }
  }

  /** Takes from the interest masks what was reported for nothing. */
  #narrow(): void {
    for (const watched of this.#unwanted.splice(0)) {
      if (this.#watched[watched.fd] !== watched) continue;
      const mask = watched.watches.reduce((all, { events }) => all | events, 0);
      if (mask === 0) this.#remove(watched);
      else this.#change(watched, mask);
    }
  }

  #change(watched: Watched, mask: number): number {
    if (mask === watched.mask) return 0;
    const result = this.#backend.change(watched.fd, watched.mask, mask);
    if (result === 0) watched.mask = mask;
    return result;
  }

  /** A refusal is ignored: the descriptor may be closed or reused by now. */
  #remove(watched: Watched): void {
    this.#watched[watched.fd] = undefined;
    this.#backend.remove(watched.fd, watched.mask);
  }

  #error(attempt: string, call: string, result: number): OSError {
    return new OSError(attempt, call, -result);
  }
}

let reactor: Reactor | undefined;

/**
 * Returns the reactor of this isolate.
 *
 * @throws {OSError} If the system has no descriptors for it
 */
export function theReactor(): Reactor {
  return reactor ??= new Reactor();
}

/** Rejects the waits for a descriptor that its owner is about to close or to give up. */
export function forgetDescriptor(fd: number): void {
  reactor?.forget(fd);
}
