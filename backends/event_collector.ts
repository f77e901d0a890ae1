import { abi } from "../ffi/abi/mod.ts";
import { OSError } from "../ffi/errno.ts";
import { type Backend, type BackendOwner, UNASKED } from "./backend.ts";
import { EDGE_TRIGGERED, EVENT_READ, ONE_SHOT } from "./events.ts";
import type { FileObject, ReadyEvent, SelectorKey } from "./key.ts";
import type { KeyTable } from "./key_table.ts";
import { READ_WRITE } from "./masks.ts";
import { renewDescriptor } from "./reactor.ts";
import type { WakeDescriptor } from "./waker.ts";

const { EINTR } = abi.errno;

/** What was found when no wait looks for it. */
const NONE: never[] = [];

/** Placeholders. An array that grows step by step, or has holes, is slower to make or to read. */
const FILLER: ReadyEvent<never, never>[] = [];

/**
 * Turns what a backend reports into the events of a selector's keys. It limits them to those asked
 * for, and disarms keys that must not be reported again.
 */
export class EventCollector<Data, File extends FileObject> implements BackendOwner {
  /** Whether the selector was woken, since it last waited. */
  isWoken = false;
  /** The descriptor that wakes the selector, if it has one. */
  wake: WakeDescriptor | null = null;
  readonly #backend: Backend;
  readonly #keys: KeyTable<Data, File>;
  /** The events of the current wait, with room for all its results. */
  #ready: ReadyEvent<Data, File>[] = NONE;
  /** How many of them there are so far. */
  #found = 0;
  /** How many results the current wait has. Each is one event or none. */
  #count = 0;
  /** The descriptors of keys that are not reported until they are modified. */
  readonly #spent = new Set<number>();
  readonly #newlySpent: SelectorKey<Data, File>[] = [];

  /**
   * Makes a collector without events.
   *
   * @param backend The set of descriptors in the system
   * @param keys The keys of the selector
   */
  constructor(backend: Backend, keys: KeyTable<Data, File>) {
    this.#backend = backend;
    this.#keys = keys;
  }

  /**
   * Waits on this thread, and collects the events. An interrupted wait has none.
   *
   * @param timeout Milliseconds, from 0 to 2³¹ − 1
   * @returns The events
   * @throws {OSError} If the system refuses
   */
  wait(timeout: number): ReadyEvent<Data, File>[] {
    const result = this.#backend.wait(timeout);
    if (result > 0) return this.#collect(result);
    if (result < 0 && result !== -EINTR) {
      throw new OSError(
        `Cannot select among ${this.#keys.size} file objects`,
        this.#backend.waitCall,
        -result,
      );
    }
    return [];
  }

  #collect(count: number): ReadyEvent<Data, File>[] {
    this.#found = 0;
    this.#count = count;
    if (count > 1) this.#ready = arrayOf(count);
    const failure = this.#backend.collect(count, this);
    if (this.#newlySpent.length > 0) this.#disarm();
    const found = this.#found;
    if (failure < 0 && found === 0) {
      throw new OSError("Cannot rebuild the selector", this.#backend.changeCall, -failure);
    }
    if (found === 0) return [];
    const ready = this.#ready;
    this.#ready = NONE; // It would keep the data of keys alive.
    if (ready.length > found) ready.length = found;
    return ready;
  }

  report(fd: number, events: number): void {
    const same = this.#keys.same(fd, events);
    if (same !== undefined) this.#push(same);
    else this.#reportOther(fd, events);
  }

  /** Reports an event that differs from the last one, or whose key is missing or not ordinary. */
  #reportOther(fd: number, events: number): void {
    const key = this.#keys.get(fd);
    if (key === undefined) {
      if (fd === this.wake?.reader && this.wake.drain()) this.isWoken = true;
      return;
    }
    const asked = events & key.events;
    if (key.events > READ_WRITE) this.#reportSpecial(key, asked, events);
    else if (asked !== 0) this.#push(this.#keys.event(key, asked));
  }

  /** Reports a key with a mode or an event beyond Python's two. */
  #reportSpecial(key: SelectorKey<Data, File>, asked: number, events: number): void {
    if (this.#spent.has(key.fd)) return;
    if (asked !== 0) this.#push(this.#keys.event(key, asked));
    // A condition that nothing asked for, such as a hang-up, would be reported for ever.
    const isSpent = asked !== 0 ? (key.events & ONE_SHOT) !== 0 : (events & UNASKED) !== 0;
    if (isSpent) this.#newlySpent.push(key);
  }

  #push(event: ReadyEvent<Data, File>): void {
    if (this.#found === 0 && this.#count === 1) this.#ready = [event];
    else this.#ready[this.#found] = event;
    this.#found++;
  }

  /** Disarms what must not be reported again. */
  #disarm(): void {
    for (const key of this.#newlySpent.splice(0)) {
      this.#spent.add(key.fd);
      if (!this.#backend.hasOneShot) this.#backend.remove(key.fd, key.events);
      else if ((key.events & ONE_SHOT) === 0) this.#backend.change(key.fd, key.events, ONE_SHOT);
    }
  }

  /** Returns whether a key is not reported until it is modified. */
  isSpent({ fd }: SelectorKey<Data, File>): boolean {
    return this.#spent.has(fd);
  }

  /** Returns whether the backend watches a key. */
  isWatched(key: SelectorKey<Data, File>): boolean {
    return this.#backend.hasOneShot || !this.isSpent(key);
  }

  /** Forgets that a key was not to be reported: it is modified or removed. */
  forget({ fd }: SelectorKey<Data, File>): void {
    if (this.#spent.size > 0) this.#spent.delete(fd);
  }

  /** Arms a key again, so that what is ready is reported again. */
  rearm(key: SelectorKey<Data, File>): void {
    if ((key.events & (EDGE_TRIGGERED | ONE_SHOT)) === 0) return;
    if (this.isWatched(key)) this.#backend.remove(key.fd, key.events);
    this.forget(key);
    this.#backend.add(key.fd, key.events);
  }

  *registrations(): Iterable<readonly [fd: number, events: number]> {
    for (const key of this.#keys.values()) {
      yield [key.fd, this.isSpent(key) ? ONE_SHOT : key.events];
    }
    if (this.wake !== null) yield [this.wake.reader, EVENT_READ];
  }

  replaced(): void {
    renewDescriptor(this.#backend.pollableFd);
  }
}

/** Makes an array without holes of that length, to be filled. */
function arrayOf<Data, File extends FileObject>(length: number): ReadyEvent<Data, File>[] {
  while (FILLER.length < length) FILLER.push(undefined as never);
  return FILLER.slice(0, length);
}
