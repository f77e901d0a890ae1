/**
 * A model of a selector and of the descriptors that it watches. Random steps change both, and every
 * result of the selector is compared with the model's.
 *
 * @module
 */

import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { FileDescriptor } from "../../ffi/fd/mod.ts";
import { type Socket, socketpair } from "../../ffi/socket/mod.ts";
import {
  type BaseSelector,
  EDGE_TRIGGERED,
  EVENT_HANGUP,
  EVENT_READ,
  EVENT_WRITE,
  EXCLUSIVE,
  KeyError,
  ONE_SHOT,
  OSError,
  type ReadyEvent,
} from "../../mod.ts";
import { DEADLINE, inTime } from "../support/deadline.ts";
import { Descriptor } from "../support/descriptors.ts";
import { isPending, turnEventLoop } from "../support/event_loop.ts";
import type { Backend } from "./suite/backend.ts";

/** A class that is compared with the model. */
export interface ModelledBackend extends Omit<Backend, "source" | "excused" | "many"> {
  /** Events and modes that its fake lacks, ORed. */
  readonly lacks?: number;
  /** Whether a peer that has only shut down its sending side counts as a hang-up. */
  readonly seesHalfClosed: boolean;
  /** Whether a wait fails while a closed descriptor is registered. */
  readonly failsOnClosed?: boolean;
  /** Whether a descriptor must be unregistered before it is closed or reused. */
  readonly needsUnregistering?: boolean;
  /** Errors with which any call may fail. */
  readonly faults?: ReadonlySet<string>;
}

const BOTH = EVENT_READ | EVENT_WRITE;
const ALL = BOTH | EVENT_HANGUP;

/** The number of descriptors in a world. */
const SLOTS = 3;

/** Changes that take no time, so that they can be made during a wait, too. */
const CHANGES = [
  ...["open", "duplicate", "duplicate", "close"],
  ...["register", "register", "register", "modify", "modify", "unregister"],
  ...["send", "receive", "fill", "empty", "half-close", "hang up"],
] as const;

const ENDS = ["wake", "abort", "send", "close"] as const;

interface Change {
  readonly change: (typeof CHANGES)[number];
  readonly slot: number;
  readonly other: number;
  readonly events: number;
}

/** A wait in the event loop, with changes during it, some after a turn of the event loop. */
interface AsyncWait {
  readonly during: readonly { readonly change: Change; readonly turn: boolean }[];
  readonly end: (typeof ENDS)[number];
}

type Step = Change | AsyncWait | "select" | "wake" | "new selector";

const mask = fc.tuple(
  fc.constantFrom(...Array(3).fill([EVENT_READ, EVENT_WRITE, BOTH]).flat(), EVENT_HANGUP, ALL),
  fc.constantFrom(
    0,
    0,
    0,
    ONE_SHOT,
    ONE_SHOT,
    EDGE_TRIGGERED,
    ONE_SHOT | EDGE_TRIGGERED,
    EXCLUSIVE,
  ),
).map(([events, mode]) => events | mode);

const change: fc.Arbitrary<Change> = fc.record({
  change: fc.constantFrom(...CHANGES),
  slot: fc.nat(SLOTS - 1),
  other: fc.nat(SLOTS - 1),
  events: mask,
});

const asyncWait: fc.Arbitrary<AsyncWait> = fc.record({
  during: fc.array(fc.record({ change, turn: fc.boolean() }), { maxLength: 6 }),
  end: fc.constantFrom(...ENDS),
});

/** Random steps. */
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { arbitrary: change, weight: 40 },
    { arbitrary: fc.constant("select" as const), weight: 20 },
    { arbitrary: asyncWait, weight: 2 },
    { arbitrary: fc.constant("wake" as const), weight: 1 },
    { arbitrary: fc.constant("new selector" as const), weight: 1 },
  ),
  { maxLength: 100, size: "max" },
);

/**
 * Whatever the steps, a selector does what the model predicts.
 *
 * @param backend The class
 * @param onStep Called after each step
 */
export function property(
  backend: ModelledBackend,
  onStep: () => void = () => {},
): fc.IAsyncProperty<[Step[]]> {
  return fc.asyncProperty(steps, async (steps) => {
    using world = new World(backend);
    for (const step of steps) {
      await world.step(step);
      onStep();
    }
  });
}

/** An open file: one of two connected sockets. The other is its peer. */
class OpenFile {
  readonly peer: Socket;
  /** How many descriptors refer to it. */
  references = 0;
  /** The descriptors under which it was registered. */
  readonly registered = new Set<number>();
  received = 0;
  isFull = false;
  isHalfClosed = false;
  isHungUp = false;

  constructor(peer: Socket) {
    this.peer = peer;
  }

  get ready(): number {
    if (this.isHungUp) return ALL;
    return (this.received > 0 || this.isHalfClosed ? EVENT_READ : 0) |
      (this.isFull ? 0 : EVENT_WRITE) | (this.isHalfClosed ? EVENT_HANGUP : 0);
  }
}

/** A descriptor with a number of its own, which is closed, or refers to an open file. */
interface Slot {
  readonly descriptor: Descriptor;
  file: OpenFile | null;
}

/** A key of the selector. */
interface Key {
  events: number;
  data: number;
  /** The open file that was registered. */
  readonly file: OpenFile | null;
  /** Whether the descriptor was closed or reused since. */
  isStale: boolean;
  /** Whether it was modified since then. */
  isMixed: boolean;
  /** Whether it is one-shot, and was reported. */
  isSpent: boolean;
  /** Events that happened since it was reported, if it is edge-triggered. */
  happened: number;
}

/** The outcome of a wait. */
type Outcome = readonly ReadyEvent[] | { readonly error: unknown };

/** Events of a key that must be reported, and those that may be. */
interface Expected {
  readonly must: number;
  readonly may: number;
}

/** A selector, the descriptors that it watches, and the model of both. */
class World implements Disposable {
  readonly #backend: ModelledBackend;
  readonly #slots: readonly Slot[];
  readonly #keys = new Map<number, Key>();
  #selector: BaseSelector;
  #isWoken = false;
  #serial = 0;

  constructor(backend: ModelledBackend) {
    this.#backend = backend;
    this.#selector = this.#create();
    const [left, right] = socketpair();
    this.#slots = Array.from({ length: SLOTS }, (_, i) => {
      const descriptor = Descriptor.dupReserved(left.fileno(), i);
      descriptor.close();
      return { descriptor, file: null };
    });
    left.close();
    right.close();
  }

  [Symbol.dispose](): void {
    this.#selector.close();
    this.#keys.clear();
    for (const slot of this.#slots) this.#close(slot);
  }

  /** Makes a step, and compares what happens with the model. */
  async step(step: Step): Promise<void> {
    if (step === "select") this.#select();
    else if (step === "wake") this.#wake();
    else if (step === "new selector") this.#renew();
    else if ("during" in step) await this.#wait(step);
    else this.#change(step);
    this.#compareMap();
  }

  #change({ change, slot: number, other, events }: Change): void {
    const slot = this.#slots[number]!;
    const { file } = slot;
    switch (change) {
      case "open":
        return this.#open(slot);
      case "duplicate": {
        const target = this.#slots[other]!;
        if (file === null || target === slot) return;
        this.#prepareToClose(target);
        file.references++; // Also while the target still refers to it.
        target.descriptor.becomes(slot.descriptor.fd);
        this.#refer(target, file);
        file.references--;
        return;
      }
      case "close":
        return this.#close(slot);
      case "register":
        return this.#register(slot, this.#maskOf(events));
      case "modify":
        return this.#modify(slot, this.#maskOf(events));
      case "unregister":
        return this.#unregister(slot);
    }
    if (file === null || file.isHungUp) return;
    const end = new FileDescriptor(slot.descriptor.fd);
    switch (change) {
      case "send":
        if (file.isHalfClosed) return;
        file.received += file.peer.send(new Uint8Array(1))!;
        return this.#happen(file, EVENT_READ);
      case "receive":
        while ((end.read(new Uint8Array(64)) ?? 0) > 0);
        file.received = 0;
        return;
      case "fill":
        while (end.write(new Uint8Array(1 << 16)) !== null);
        file.isFull = true;
        return;
      case "empty":
        while ((file.peer.recv(new Uint8Array(1 << 16)) ?? 0) > 0);
        if (file.isFull) this.#happen(file, EVENT_WRITE);
        file.isFull = false;
        return;
      case "half-close":
        file.peer.shutdown("write");
        file.isHalfClosed = true;
        return this.#happen(file, EVENT_READ | EVENT_HANGUP);
      case "hang up":
        file.peer.close();
        file.isHungUp = true;
        return this.#happen(file, ALL);
    }
  }

  /** Returns a mask without what the class lacks. */
  #maskOf(events: number): number {
    const mask = events & ~(this.#backend.lacks ?? 0);
    return (mask & ALL) === 0 ? mask | EVENT_READ : mask;
  }

  #prepareToClose(slot: Slot): void {
    if (this.#backend.needsUnregistering && this.#keys.has(slot.descriptor.fd)) {
      this.#unregister(slot);
    }
  }

  #open(slot: Slot): void {
    this.#prepareToClose(slot);
    const [left, peer] = socketpair();
    slot.descriptor.becomes(left.fileno());
    left.close();
    this.#refer(slot, new OpenFile(peer));
  }

  #close(slot: Slot): void {
    if (slot.file === null) return;
    this.#prepareToClose(slot);
    slot.descriptor.close();
    this.#refer(slot, null);
  }

  /** The descriptor was closed, and refers to another open file now, if any. */
  #refer(slot: Slot, file: OpenFile | null): void {
    const key = this.#keys.get(slot.descriptor.fd);
    if (key !== undefined) key.isStale = true;
    const before = slot.file;
    slot.file = file;
    if (file !== null) file.references++;
    if (before !== null && --before.references === 0) before.peer.close();
  }

  #happen(file: OpenFile, events: number): void {
    for (const key of this.#keys.values()) if (key.file === file) key.happened |= events;
  }

  #register({ descriptor: { fd }, file }: Slot, events: number): void {
    const data = this.#serial++;
    const register = () => this.#selector.register(fd, events, data);
    if (!this.#backend.supports(events)) {
      const error = assertThrows(register);
      assert(error instanceof Deno.errors.NotSupported || this.#keys.has(fd));
    } else if (this.#keys.has(fd)) {
      assertThrows(register, KeyError);
    } else if (file === null && this.#backend.descriptorsAreChecked) {
      const error = assertThrows(register, OSError);
      assert(error.code === "EBADF" || this.#isFault(error), error.message);
    } else {
      try {
        register();
      } catch (error) {
        if (file !== null && !this.#isFault(error)) throw error;
        return;
      }
      const isStale = file === null;
      file?.registered.add(fd);
      const isNew = { isStale, isMixed: false, isSpent: false, happened: ALL };
      this.#keys.set(fd, { events, data, file, ...isNew });
    }
  }

  #modify({ descriptor: { fd } }: Slot, events: number): void {
    const data = this.#serial++;
    const modify = () => this.#selector.modify(fd, events, data);
    const key = this.#keys.get(fd);
    if (key === undefined) return void assertThrows(modify);
    const isSame = events === key.events;
    if (!this.#backend.supports(events) || !isSame && ((events | key.events) & EXCLUSIVE) !== 0) {
      return void assertThrows(modify, Deno.errors.NotSupported);
    }
    try {
      modify();
      if (!isSame || (events & ONE_SHOT) !== 0) { // A system call was made.
        key.isMixed ||= key.isStale;
        key.happened = ALL;
      }
      key.isSpent = false;
      key.events = events;
      key.data = data;
    } catch (error) {
      if (!(key.isStale && error instanceof OSError || this.#isFault(error))) throw error;
      this.#keys.delete(fd);
    }
  }

  #unregister({ descriptor: { fd } }: Slot): void {
    const unregister = () => this.#selector.unregister(fd);
    const key = this.#keys.get(fd);
    if (key === undefined) return void assertThrows(unregister, KeyError);
    try {
      assertEquals(unregister().data, key.data);
    } catch (error) {
      if (!this.#isFault(error)) throw error;
    }
    this.#keys.delete(fd);
  }

  #wake(): void {
    this.#selector.wakeup();
    this.#isWoken = true;
  }

  #renew(): void {
    this.#selector.close();
    this.#selector = this.#create();
    this.#keys.clear();
    this.#isWoken = false;
  }

  #select(): void {
    const isSure = this.#isWoken || this.#isReady(this.#expected());
    const ready = this.#selectOnce(isSure ? DEADLINE : 0);
    if (ready !== "EBADF") {
      this.#compare(ready, this.#expected());
      this.#spend(ready);
    }
    this.#isWoken = false;
  }

  /** Returns the results, or the error that a closed descriptor causes. */
  #selectOnce(timeout: number): readonly ReadyEvent[] | "EBADF" {
    for (;;) {
      try {
        const ready = this.#selector.select(timeout);
        assert(!this.#failsOnClosed(), "A closed descriptor is registered");
        return ready;
      } catch (error) {
        if (this.#failsOnClosed() && error instanceof OSError && error.code === "EBADF") {
          return "EBADF";
        }
        if (!this.#isFault(error)) throw error;
      }
      if (this.#isWoken) timeout = 0; // The wake has been used.
    }
  }

  #create(): BaseSelector {
    for (;;) {
      try {
        return this.#backend.create();
      } catch (error) {
        if (!this.#isFault(error)) throw error;
      }
    }
  }

  #isFault(error: unknown): boolean {
    return error instanceof OSError && this.#backend.faults?.has(error.code) === true;
  }

  async #wait({ during, end }: AsyncWait): Promise<void> {
    const controller = new AbortController();
    const wait = this.#selector.selectAsync(null, controller);
    const outcome: Promise<Outcome> = wait.catch((error: unknown) => ({ error }));
    assertThrows(() => this.#selector.select(0), Deno.errors.Busy);
    let isQuiet = true; // So far nothing can have ended the wait.
    let mayFail = false;
    for (const { change, turn } of during) {
      isQuiet &&= this.#isQuiet();
      mayFail ||= this.#hasClosed();
      if (this.#isWoken || this.#isReady(this.#expected(true))) break;
      if (turn) await turnEventLoop(1);
      this.#change(change);
    }
    mayFail ||= this.#hasClosed();

    let check: (outcome: Outcome) => void;
    const expected = this.#expected(true);
    if (this.#isWoken || this.#isReady(expected)) {
      check = (outcome) => {
        if (isQuiet) this.#compare(outcome, expected);
      };
    } else if (!isQuiet || !this.#isQuiet()) {
      controller.abort("over");
      check = () => {};
    } else if (await isPending(wait)) {
      check = this.#end(end, controller);
    } else {
      check = () => assert(false, "It must go on waiting");
    }
    const result = await inTime(outcome, "the end of selectAsync()");
    this.#isWoken = false;
    if (!("error" in result && this.#isFault(result.error))) {
      if (!(mayFail && "error" in result && result.error instanceof OSError)) check(result);
      if (!("error" in result)) this.#spend(result);
    } else if (!(result.error instanceof Deno.errors.BadResource)) {
      const ready = this.#selectOnce(0); // The wake may not have been used.
      if (ready !== "EBADF") this.#spend(ready);
    }
  }

  /** Ends a wait while nothing is ready, and returns a check of its outcome. */
  #end(end: (typeof ENDS)[number], controller: AbortController): (outcome: Outcome) => void {
    switch (end) {
      case "abort":
        controller.abort("over");
        return (outcome) => assertEquals(outcome, { error: "over" });
      case "close":
        this.#renew();
        return (outcome) => {
          assert("error" in outcome && outcome.error instanceof Deno.errors.BadResource);
        };
      case "send": {
        const slot = this.#slots.find(({ descriptor }) => !this.#keys.has(descriptor.fd));
        if (slot === undefined) break;
        this.#open(slot);
        this.#register(slot, EVENT_READ);
        this.#change({ change: "send", slot: this.#slots.indexOf(slot), other: 0, events: 0 });
        const expected = this.#expected(true);
        if (this.#isReady(expected)) return (outcome) => this.#compare(outcome, expected);
      }
    }
    this.#selector.wakeup();
    return (outcome) => assertEquals(outcome, []);
  }

  /**
   * The events of each key, by its descriptor.
   *
   * @param isAsync Whether for a wait in the event loop, which may use other system calls: what it
   * makes of a stale key is not predicted for a class that cannot see that it is stale
   */
  #expected(isAsync = false): Map<number, Expected> {
    const all = new Map<number, Expected>();
    for (const [fd, key] of this.#keys) {
      const { file } = this.#slots.find(({ descriptor }) => descriptor.fd === fd)!;
      const ready = key.events & this.#readyEvents(file);
      const isEdge = (key.events & EDGE_TRIGGERED) !== 0;
      if (key.isSpent) all.set(fd, { must: 0, may: 0 });
      else if (!key.isStale) {
        all.set(fd, { must: isEdge ? ready & key.happened : ready, may: ready });
      } else if (this.#backend.seesReuse) {
        all.set(fd, { must: 0, may: key.events & this.#lingering(fd, key, file) });
      } else if (isAsync) all.set(fd, { must: 0, may: key.events & ALL });
      else all.set(fd, { must: ready, may: ready });
    }
    return all;
  }

  #isQuiet(): boolean {
    return [...this.#expected(true).values()].every(({ may }) => may === 0);
  }

  #isReady(expected: Map<number, Expected>): boolean {
    return [...expected.values()].some(({ must }) => must !== 0);
  }

  /** Whether a closed descriptor is registered, of which some system calls complain. */
  #hasClosed(): boolean {
    return this.#slots.some(({ descriptor, file }) =>
      file === null && this.#keys.get(descriptor.fd)?.isSpent === false
    );
  }

  /** `select` fails while a closed descriptor is registered. */
  #failsOnClosed(): boolean {
    return this.#backend.failsOnClosed === true && this.#hasClosed();
  }

  #compare(ready: Outcome, expected: Map<number, Expected>): void {
    if ("error" in ready) throw ready.error;
    const reported = new Map(ready.map(([{ fd }, events]) => [fd, events]));
    assertEquals(reported.size, ready.length, "A key was reported twice");
    for (const [key, events] of ready) {
      assertStrictEquals(key, this.#selector.getKey(key.fd));
      const { may } = expected.get(key.fd)!;
      assert(events !== 0 && (events & ~may) === 0, `fd ${key.fd}: ${events} of at most ${may}`);
    }
    for (const [fd, { must }] of expected) {
      const events = reported.get(fd) ?? 0;
      assertEquals(events & must, must, `fd ${fd}: ${events} instead of ${must}`);
    }
  }

  /** Notes what was reported. */
  #spend(ready: readonly ReadyEvent[]): void {
    for (const [{ fd, events, data }] of ready) {
      const key = this.#keys.get(fd);
      if (key === undefined || key.data !== data) continue; // It was removed or modified since.
      key.happened = 0;
      key.isSpent = (events & ONE_SHOT) !== 0;
    }
  }

  #readyEvents(file: OpenFile | null): number {
    if (file === null) return ALL;
    const isSeen = this.#backend.seesHalfClosed || file.isHungUp;
    return isSeen ? file.ready : file.ready & ~EVENT_HANGUP;
  }

  #compareMap(): void {
    const map = this.#selector.getMap();
    assertEquals(map.size, this.#keys.size);
    for (const [fd, { data, events }] of this.#keys) {
      const key = map.get(fd);
      assert(key?.data === data && key.events === events, `The key of fd ${fd} differs`);
    }
  }

  /**
   * Events that may still come for a key whose descriptor was closed or reused: of the open file
   * that was registered, while it lives, since epoll watches open files; of the file behind the
   * descriptor, if it was registered earlier, or if the key was modified; all, if the descriptor
   * was closed when it was registered.
   */
  #lingering(fd: number, { file: old, isMixed }: Key, file: OpenFile | null): number {
    if (old === null) return ALL;
    const ofOld = old.references > 0 ? this.#readyEvents(old) : 0;
    const isWatched = isMixed || file?.registered.has(fd) === true;
    return isWatched ? ofOld | this.#readyEvents(file) : ofOld;
  }
}
