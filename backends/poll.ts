import { abi } from "../ffi/abi/mod.ts";
import { need } from "../ffi/checks.ts";
import { isOpen } from "../ffi/descriptor.ts";
import { lastErrno } from "../ffi/errno.ts";
import { platform } from "../ffi/platform/mod.ts";
import type { Calls } from "../ffi/libc.ts";
import { BaseSelector } from "./base.ts";
import { fitCapacity, resized } from "./capacity.ts";
import { EVENT_READ, EVENT_WRITE } from "./events.ts";
import type { FileObject } from "./key.ts";
import { fromPoll, toPoll } from "./poll_events.ts";
import { sleep, timeWords, writeTime } from "./timeout.ts";

/** Whether `poll` is Winsock's `WSAPoll`, which differs in more than its name. */
const IS_WINSOCK = abi.winsock !== undefined;
const NAME = IS_WINSOCK ? "WSAPoll" : "poll";

const declarations = {
  poll: { name: NAME, parameters: ["buffer", "u32", "i32"], result: "i32" },
  pollOffThread: {
    name: NAME,
    parameters: ["buffer", "u32", "i32"],
    result: "i32",
    nonblocking: true,
  },
  ppoll: { parameters: ["buffer", "u32", "buffer", "pointer"], result: "i32", optional: true },
  ppollOffThread: {
    name: "ppoll",
    parameters: ["buffer", "u32", "buffer", "pointer"],
    result: "i32",
    nonblocking: true,
    optional: true,
  },
} as const;

const pollCalls = platform.openCalls(declarations);

const { POLLHUP, POLLIN, POLLNVAL, POLLOUT } = abi.constants;

/** Winsock's `POLLIN` asks for urgent data as well, which is not to be read as the rest is. */
const READABLE = abi.winsock?.constants.POLLRDNORM ?? POLLIN;

// struct pollfd in 32-bit words: the descriptor, then a word with events below and revents above.
const { size, fields } = abi.structs.pollfd;
const STRIDE = size / 4;
const FD = fields.fd[0] / 4;
const EVENTS = fields.events[0] / 4;

/**
 * Waits with `poll`, which every POSIX system has. Its cost grows with the number of registrations.
 *
 * It cannot know that a descriptor was closed and is another's by now: until it is unregistered,
 * the new one's readiness is reported under the old key. A closed descriptor is reported as ready
 * for all that was asked. Timeouts below a millisecond are kept where there is `ppoll` (Linux, the
 * BSDs but NetBSD), and rounded up elsewhere.
 *
 * On Windows it waits with `WSAPoll`, from Windows 10 2004 and Windows Server 2022 on: before, that
 * does not tell of failed connections. It takes sockets alone, and refuses pipes, consoles and
 * files (`ENOTSOCK`). A closed socket is passed over where the system does not count it, and waits
 * fail where all are closed. `WSAPoll` cannot be kept from telling that a peer sends no more: to
 * wait for room to write to such a one keeps a processor busy, which {@linkcode SelectSelector}
 * does not.
 *
 * Its methods are those of {@linkcode BaseSelector}: `register()`, `modify()`, `unregister()`,
 * `select()`, `selectAsync()`, `wakeup()`, `waker()`, `getKey()`, `getMap()` and `close()`; it also
 * works with `for await` and `using`.
 *
 * @typeParam Data The data that goes with a registration
 * @typeParam File The file objects that can be registered
 *
 * @example
 * ```ts
 * import { EVENT_READ, PollSelector } from "@readiness/selectors";
 * import { pipe } from "@readiness/selectors/socket";
 *
 * using selector = new PollSelector();
 * const { reader, writer } = pipe();
 * selector.register(reader, EVENT_READ);
 * console.log(selector.select(0.2)); // []
 * reader.close();
 * writer.close();
 * ```
 */
export class PollSelector<Data = unknown, File extends FileObject = FileObject>
  extends BaseSelector<Data, File> {
  readonly #calls: Calls<typeof declarations>;
  readonly #time = timeWords();
  readonly #slots = new Map<number, number>();
  #capacity = 0;
  #fds = new Int32Array(0);
  /** What the last wait wrote its results into. */
  #results = this.#fds;

  /**
   * Makes a selector.
   *
   * @throws {Deno.errors.NotSupported} On Windows before Windows 10 2004 and Windows Server 2022
   * @throws {Deno.errors.NotCapable} Without FFI permission
   */
  constructor() {
    super({ waitCall: NAME, changeCall: NAME, live: false });
    need(
      platform.winsock?.hasReliablePoll() ?? true,
      "Cannot make a PollSelector",
      "WSAPoll that reports failed connections before build 19041",
      "use DefaultSelector instead",
    );
    this.#calls = pollCalls();
  }

  /** @ignore Takes the next slot of the array. */
  protected override add(fd: number, events: number): number {
    if (IS_WINSOCK && !isOpen(fd)) return lastErrno(); // Waits would pass over it without a word.
    const slot = this.#slots.size;
    this.#fit(slot + 1);
    this.#fds[slot * STRIDE + FD] = fd;
    this.#fds[slot * STRIDE + EVENTS] = toPoll(events, READABLE, POLLOUT);
    this.#slots.set(fd, slot);
    return 0;
  }

  /** @ignore Changes the slot. */
  protected override change(fd: number, _from: number, to: number): number {
    this.#fds[this.#slots.get(fd)! * STRIDE + EVENTS] = toPoll(to, READABLE, POLLOUT);
    return 0;
  }

  /** @ignore The last slot moves into the gap. */
  protected override remove(fd: number): number {
    const gap = this.#slots.get(fd)!;
    const last = this.#slots.size - 1;
    this.#fds.copyWithin(gap * STRIDE, last * STRIDE, (last + 1) * STRIDE);
    this.#slots.set(this.#fds[gap * STRIDE + FD], gap);
    this.#slots.delete(fd);
    this.#fit(last);
    return 0;
  }

  /** @ignore Waits with `poll`, or `ppoll` for a fraction of a millisecond. */
  protected override wait(timeout: number): number {
    this.#results = this.#fds;
    if (IS_WINSOCK && this.#slots.size === 0) {
      sleep(timeout);
      return 0;
    }
    const { ppoll } = this.#calls;
    if (ppoll === null || Number.isInteger(timeout)) {
      return this.#calls.poll(this.#fds, this.#slots.size, Math.ceil(timeout));
    }
    writeTime(this.#time, timeout, 1_000_000);
    return ppoll(this.#fds, this.#slots.size, this.#time, null);
  }

  /** @ignore Waits with a copy, so that registrations can change meanwhile. */
  protected override waitOffThread(timeout: number): Promise<number> {
    this.#results = this.#fds.slice();
    const { ppoll, ppollOffThread } = this.#calls;
    // Deno makes a function of a `nonblocking` call that the system lacks, too.
    if (ppoll === null || Number.isInteger(timeout)) {
      return this.#calls.pollOffThread(this.#results, this.#slots.size, Math.ceil(timeout));
    }
    writeTime(this.#time, timeout, 1_000_000);
    return ppollOffThread!(this.#results, this.#slots.size, this.#time, null);
  }

  /** @ignore Reports the slots with something in `revents`. */
  protected override collect(count: number): void {
    if (IS_WINSOCK) return this.#collectFromWinsock(count);
    const results = this.#results;
    for (let at = 0, left = count; left > 0; at += STRIDE) {
      const revents = results[at + EVENTS] >> 16;
      if (revents === 0) continue;
      left--;
      this.report(results[at + FD], fromPoll(revents, POLLIN, POLLOUT));
    }
  }

  /** A hang-up is the end of what can be read, unless the connection broke, which makes it all. */
  #collectFromWinsock(count: number): void {
    const results = this.#results;
    const end = this.#slots.size * STRIDE;
    let left = count;
    for (let at = 0; at < end; at += STRIDE) {
      const revents = results[at + EVENTS] >> 16;
      if (revents === 0 || revents === POLLNVAL) continue;
      left--;
      const events = fromPoll(revents, POLLIN | POLLHUP, POLLOUT);
      const isKnown = (results[at + EVENTS] & POLLOUT) === 0 || (events & EVENT_WRITE) !== 0;
      const fd = results[at + FD];
      this.report(fd, isKnown || !platform.winsock!.isBroken(fd) ? events : events | EVENT_WRITE);
    }
    // Closed sockets are told of, but not counted, unless they are closed under the wait (Wine). To
    // pass over one that is counted each time would never end.
    for (let at = 0; left > 0 && at < end; at += STRIDE) {
      if (results[at + EVENTS] >> 16 !== POLLNVAL) continue;
      left--;
      this.report(results[at + FD], EVENT_READ | EVENT_WRITE);
    }
  }

  #fit(wanted: number): void {
    const capacity = fitCapacity(this.#capacity, wanted);
    if (capacity === this.#capacity) return;
    this.#capacity = capacity;
    this.#fds = resized(this.#fds, capacity * STRIDE);
  }
}
