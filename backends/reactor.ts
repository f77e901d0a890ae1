/**
 * The one native wait of an isolate. All asynchronous waits share it, those for one descriptor and
 * those of selectors. While nothing waits, no call is in progress.
 *
 * A descriptor is watched as long as something waits for it, and a little longer: it is removed
 * before the next native wait. So a program that waits for the same descriptors over and over, such
 * as an async function for each connection, needs no system calls to add and remove them.
 *
 * @module
 */

import { abi } from "../ffi/abi/mod.ts";
import { isOpen } from "../ffi/descriptor.ts";
import { OSError } from "../ffi/errno.ts";
import { type BackendOwner, type OffThreadBackend, UNASKED } from "./backend.ts";
import { createBackend } from "./default_backend.ts";
import { DescriptorTable } from "./descriptor_table.ts";
import { holdLoop, loopTurned, turnLoop } from "./event_loop.ts";
import { EVENT_READ } from "./events.ts";
import { now } from "./timeout.ts";
import { WakeDescriptor } from "./waker.ts";

const { EINTR } = abi.errno;

/** The longest native wait in milliseconds: a terminated Worker holds its thread that long. */
const LONGEST_WAIT = 60_000;

// In milliseconds. A native wait that ends within BUSY is followed by waits on this thread, each
// for PATIENCE at most, until MOST_PATIENCE after it. Deno's own I/O waits meanwhile.
const BUSY = 0.1;
const PATIENCE = 0.05;
const MOST_PATIENCE = 0.25;

/** A wait for one descriptor. */
export interface Watch {
  readonly fd: number;
  readonly events: number;
  /** What was found, until {@linkcode ready} is called; 0 otherwise. */
  found: number;
  /**
   * Called when the descriptor is ready; it is no longer watched.
   *
   * @param events What was found
   */
  ready(events: number): void;
  /** Called when the descriptor is about to be closed; it is no longer watched. */
  closed(): void;
  /** Called when the reactor fails. */
  failed(error: unknown): void;
}

/** A wait with a deadline, which its owner can end earlier. */
export interface Sleeper {
  /** When the wait ends, as a time of `now()`. */
  readonly deadline: number;
  /** Called when the deadline has passed. */
  expired(): void;
  /** Called when the reactor fails. */
  failed(error: unknown): void;
}

/** A descriptor that the system watches. */
interface Watched {
  readonly fd: number;
  /** The interest mask in the system; 0 if the descriptor is not in its set. */
  mask: number;
  watches: Watch[];
  /** Whether the descriptor cannot be closed without {@linkcode forgetDescriptor}. */
  announces: boolean;
  /** Whether it is in the list of those that nothing waits for. */
  isIdle: boolean;
  /** Whether it has an error or a hang-up that nothing waits for. */
  isBroken: boolean;
}

class Reactor implements BackendOwner {
  readonly #backend: OffThreadBackend = createBackend();
  readonly #wake: WakeDescriptor;
  readonly #sleepers = new Set<Sleeper>();
  readonly #watched = new DescriptorTable<Watched>();
  /** How many waits there are for descriptors. */
  #watches = 0;
  #idle: Watched[] = [];
  /** The waits whose descriptors the last poll found ready. */
  #found: Watch[] = [];
  /** The descriptors that it found ready, but for no event that something waits for. */
  #unwanted: Watched[] = [];
  #nextDeadline = Infinity;
  #isRunning = false;
  #isWaiting = false;
  #isKicked = false;
  /** Whether the last events came so soon that a wait on this thread would have been cheaper. */
  #isBusy = false;
  #tripEnd = 0;

  constructor() {
    using undo = new DisposableStack();
    undo.defer(() => this.#backend.close());
    this.#wake = new WakeDescriptor();
    undo.defer(() => this.#wake.close());
    const result = this.#backend.add(this.#wake.reader, EVENT_READ);
    if (result < 0) {
      throw this.#error("Cannot watch the waking descriptor", this.#backend.changeCall, result);
    }
    undo.move();
  }

  /** Returns whether an interest mask can be watched. */
  supports(events: number): boolean {
    return this.#backend.supports(events);
  }

  /** The system call that changes what is watched, for messages. */
  get changeCall(): string {
    return this.#backend.changeCall;
  }

  /**
   * Begins a wait.
   *
   * @param sleeper The wait
   */
  enter(sleeper: Sleeper): void {
    this.#sleepers.add(sleeper);
    if (sleeper.deadline < this.#nextDeadline) {
      this.#nextDeadline = sleeper.deadline;
      this.#kick();
    }
    this.#begin();
  }

  /**
   * Ends a wait.
   *
   * @param sleeper The wait
   */
  leave(sleeper: Sleeper): void {
    this.#sleepers.delete(sleeper);
    if (!this.#isNeeded) this.#kick();
  }

  /**
   * Begins to wait for a descriptor.
   *
   * @param watch The wait
   * @param announces Whether {@linkcode forgetDescriptor} is called before the descriptor is
   * closed; if not, its number may stand for another file by now
   * @returns 0, or the negated `errno`
   */
  watch(watch: Watch, announces: boolean): number {
    const { fd, events } = watch;
    let watched = this.#watched.get(fd);
    if (watched === undefined) {
      watched = { fd, mask: 0, watches: [], announces, isIdle: false, isBroken: false };
      this.#watched.set(fd, watched);
    }
    const { watches } = watched;
    const mask = watches.reduce((all, { events }) => all | events, events);
    // If the number may stand for another file by now, the system has to look again.
    if (!announces || !watched.announces) this.#change(watched, 0);
    let result = this.#change(watched, mask);
    if (result < 0 && watched.mask !== 0) {
      this.#change(watched, 0);
      result = this.#change(watched, mask);
    }
    if (result < 0) {
      if (watches.length === 0) this.#remove(watched);
      return result;
    }
    watched.announces = announces && (watched.announces || watches.length === 0);
    watches.push(watch);
    this.#watches++;
    if (!this.#backend.isLive) this.#kick();
    this.#begin();
    return 0;
  }

  /**
   * Stops waiting for a descriptor.
   *
   * @param watch The wait, which may have ended
   */
  unwatch(watch: Watch): void {
    const watched = this.#watched.get(watch.fd);
    const at = watched?.watches.indexOf(watch) ?? -1;
    if (watched === undefined || at < 0) return;
    watched.watches.splice(at, 1);
    this.#watches--;
    this.#noteIdle(watched);
    if (!this.#isNeeded) this.#kick();
  }

  /**
   * Forgets a descriptor that is about to be closed.
   *
   * @param fd The descriptor, watched or not
   */
  forget(fd: number): void {
    const watched = this.#watched.get(fd);
    if (watched === undefined) return;
    this.#remove(watched);
    this.#watches -= watched.watches.length;
    for (const watch of watched.watches) watch.closed();
    for (const watch of this.#found) {
      if (watch.fd !== fd || watch.found === 0) continue;
      watch.found = 0; // A callback before it has closed the descriptor.
      watch.closed();
    }
    // A `poll` or `select` in progress holds the open file.
    if (!this.#isNeeded || !this.#backend.isLive) this.#kick();
  }

  /**
   * Watches a descriptor again if it is watched: its number now stands for another open file.
   *
   * @param fd The descriptor, watched or not
   */
  renew(fd: number): void {
    const watched = this.#watched.get(fd);
    if (watched === undefined) return;
    const { mask } = watched;
    this.#change(watched, 0);
    const result = this.#change(watched, mask);
    if (result < 0) {
      this.#fail(this.#error(`Cannot watch fd ${fd} again`, this.#backend.changeCall, result));
    }
  }

  report(fd: number, events: number): void {
    const watched = this.#watched.get(fd);
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
    if (kept === watches.length) {
      this.#unwanted.push(watched);
      if (events & UNASKED) watched.isBroken = true;
    }
    this.#watches -= watches.length - kept;
    watches.length = kept;
    this.#noteIdle(watched);
  }

  *registrations(): Iterable<readonly [fd: number, events: number]> {
    for (const { fd, mask } of this.#watched.values()) if (mask !== 0) yield [fd, mask];
    yield [this.#wake.reader, EVENT_READ];
  }

  /** Nothing watches the descriptor of the reactor itself. */
  replaced(): void {}

  async #run(): Promise<void> {
    this.#isRunning = true;
    try {
      for (;;) {
        await turnLoop(); // What the callbacks resumed runs now, and may wait again.
        if (!this.#isNeeded) break;
        const patience = this.#patience();
        if (this.#poll(patience)) {
          holdLoop();
          continue;
        }
        if (patience > 0) this.#isBusy = false;
        this.#sweep();
        await this.#waitOffThread();
        this.#poll(0);
        await undefined; // What the callbacks resumed runs before the loop turns.
      }
      this.#sweep();
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#isRunning = false;
    }
  }

  /**
   * Returns how long to wait on this thread, in milliseconds. On a busy server the next event often
   * comes sooner than a trip to another thread and back takes.
   */
  #patience(): number {
    if (!this.#isBusy) return 0;
    const time = now();
    if (time - this.#tripEnd > MOST_PATIENCE) return 0;
    return Math.max(0, Math.min(PATIENCE, this.#nextDeadline - time));
  }

  get #isNeeded(): boolean {
    return this.#watches > 0 || this.#sleepers.size > 0;
  }

  #begin(): void {
    if (!this.#isRunning) void this.#run();
  }

  /** Finds what is ready, and ends the waits for it. Returns whether a wait has ended. */
  #poll(timeout: number): boolean {
    const result = this.#backend.wait(timeout);
    if (result < 0 && result !== -EINTR) {
      if (this.#dropClosed()) return true;
      throw this.#error("Cannot wait for descriptors", this.#backend.waitCall, result);
    }
    const failure = result > 0 ? this.#backend.collect(result, this) : 0;
    const found = this.#found;
    if (found.length === 0 && failure < 0) {
      throw this.#error("Cannot wait for descriptors", this.#backend.changeCall, failure);
    }
    for (const watch of found) {
      const events = watch.found;
      if (events === 0) continue; // It is closed.
      watch.found = 0;
      watch.ready(events);
    }
    if (found.length > 0) this.#found = [];
    if (this.#unwanted.length > 0) this.#narrow();
    return this.#expire() || found.length > 0;
  }

  /** Drops descriptors that were closed unannounced: one of them makes `select` fail. */
  #dropClosed(): boolean {
    const closed = this.#watched.values().filter(({ fd }) => !isOpen(fd));
    for (const { fd } of closed) this.forget(fd);
    return closed.length > 0;
  }

  #expire(): boolean {
    const time = now();
    if (time < this.#nextDeadline) return false;
    this.#nextDeadline = Infinity;
    let any = false;
    for (const sleeper of this.#sleepers) {
      if (sleeper.deadline <= time) {
        any = true;
        sleeper.expired();
      } else if (sleeper.deadline < this.#nextDeadline) {
        this.#nextDeadline = sleeper.deadline;
      }
    }
    return any;
  }

  async #waitOffThread(): Promise<void> {
    const start = now();
    const timeout = Math.min(Math.max(this.#nextDeadline - start, 0), LONGEST_WAIT);
    this.#isWaiting = true;
    let result: number;
    try {
      result = await this.#backend.waitOffThread(timeout);
    } finally {
      this.#isWaiting = false;
    }
    loopTurned();
    this.#tripEnd = now();
    this.#isBusy = this.#backend.isPrecise && this.#tripEnd - start < BUSY;
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

  /** Rejects every wait. */
  #fail(error: unknown): void {
    const found = this.#found.splice(0).filter(({ found }) => found !== 0);
    const waits: (Sleeper | Watch)[] = [...this.#sleepers, ...found];
    for (const watched of this.#watched.values()) {
      waits.push(...watched.watches.splice(0));
      this.#remove(watched);
    }
    this.#sleepers.clear();
    this.#watches = 0;
    this.#nextDeadline = Infinity;
    for (const wait of waits) wait.failed(error);
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
      if (watched.watches.length === 0 && this.#watched.get(watched.fd) === watched) {
        this.#remove(watched);
      }
    }
  }

  /** Removes events that nothing waits for from the interest masks. */
  #narrow(): void {
    for (const watched of this.#unwanted.splice(0)) {
      if (this.#watched.get(watched.fd) !== watched) continue;
      const mask = watched.watches.reduce((all, { events }) => all | events, 0);
      if (mask === 0) this.#remove(watched);
      // A hang-up, or a descriptor that was closed unnoticed, would be reported for ever.
      else if (watched.isBroken || this.#change(watched, mask) < 0) this.#change(watched, 0);
      watched.isBroken = false;
    }
  }

  /** Changes the mask in the system; with 0, the descriptor is not in the set. */
  #change(watched: Watched, mask: number): number {
    const { fd, mask: before } = watched;
    if (mask === before) return 0;
    const result = mask === 0
      ? this.#backend.remove(fd, before)
      : before === 0
      ? this.#backend.add(fd, mask)
      : this.#backend.change(fd, before, mask);
    if (result === 0 || mask === 0) watched.mask = mask;
    return result;
  }

  /** Ignores errors: the descriptor may be closed or reused by now. */
  #remove(watched: Watched): void {
    this.#watched.delete(watched.fd);
    this.#change(watched, 0);
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

/**
 * Opens the descriptors of the reactor, before the program runs out of them. An error is ignored
 * until something has to wait.
 */
export function prepareReactor(): void {
  try {
    theReactor();
  } catch {
    // The wait tries again.
  }
}

/** Rejects the waits for a descriptor that its owner is about to close or give up. */
export function forgetDescriptor(fd: number): void {
  reactor?.forget(fd);
}

/** Renews the waits for a descriptor under which its owner has opened another file. */
export function renewDescriptor(fd: number): void {
  reactor?.renew(fd);
}
