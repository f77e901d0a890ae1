import type { Epoll } from "../ffi/abi/abi.ts";
import { abi } from "../ffi/abi/mod.ts";
import { need } from "../ffi/checks.ts";
import { linuxX64 } from "../ffi/abi/linux.ts";
import { closeDescriptor } from "../ffi/descriptor.ts";
import { lastErrno, OSError } from "../ffi/errno.ts";
import { type Calls, libcCalls } from "../ffi/libc.ts";
import { BaseSelector } from "./base.ts";
import { fitCapacity } from "./capacity.ts";
import type { FileObject } from "./key.ts";
import { fromPoll, toPoll } from "./poll_events.ts";
import { timeWords, writeTime } from "./timeout.ts";

const declarations = {
  epoll_create1: { parameters: ["i32"], result: "i32" },
  epoll_ctl: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  epoll_wait: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },
  epoll_waitOffThread: {
    name: "epoll_wait",
    parameters: ["i32", "buffer", "i32", "i32"],
    result: "i32",
    nonblocking: true,
  },
  epoll_pwait2: {
    parameters: ["i32", "buffer", "i32", "buffer", "pointer"],
    result: "i32",
    optional: true,
  },
  epoll_pwait2OffThread: {
    name: "epoll_pwait2",
    parameters: ["i32", "buffer", "i32", "buffer", "pointer"],
    result: "i32",
    nonblocking: true,
    optional: true,
  },
  dup3: { parameters: ["i32", "i32", "i32"], result: "i32" },
} as const;

const epollCalls = libcCalls(declarations);

const { EBADF, EEXIST } = abi.errno;

// Where there is no epoll the class only says so, and any numbers will do.
const { epoll_event, constants }: Epoll = abi.epoll ?? linuxX64.epoll!;
const { EPOLLIN, EPOLLOUT, EPOLL_CLOEXEC, EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD } = constants;
const { O_CLOEXEC } = abi.constants;

// struct epoll_event in 32-bit words. Its data holds the descriptor, then a generation.
const STRIDE = epoll_event.size / 4;
const EVENTS = epoll_event.fields.events[0] / 4;
const FD = epoll_event.fields.data[0] / 4;
const GENERATION = FD + 1;

/** The generation of a descriptor that is not registered. */
const NONE = -1;

/**
 * Waits with Linux's epoll, whose cost does not grow with the number of registrations.
 *
 * Registrations belong to open files, not to descriptors: one whose descriptor was closed lives on
 * while a duplicate is open. After such a one was unregistered, its late events are not reported: the
 * first makes the set anew, under the same number, so that who waits for {@linkcode fileno} with
 * another epoll instance has to register it again.
 * Regular files are refused (`EPERM`). Timeouts below a millisecond are kept since Linux 5.11 and
 * glibc 2.35, and rounded up before.
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
 * import { EpollSelector, EVENT_READ } from "@readiness/selectors";
 * import { pipe } from "@readiness/selectors/socket";
 *
 * using selector = new EpollSelector();
 * const { reader, writer } = pipe();
 * selector.register(reader, EVENT_READ);
 * console.log(selector.select(0.2)); // []
 * reader.close();
 * writer.close();
 * ```
 */
export class EpollSelector<Data = unknown, File extends FileObject = FileObject>
  extends BaseSelector<Data, File> {
  readonly #calls: Calls<typeof declarations>;
  readonly #fd: number;
  readonly #precise: boolean;
  readonly #time = timeWords();
  readonly #event = new Int32Array(STRIDE);
  #capacity = 0;
  #ready = new Int32Array(0);
  // A removal that the system refused may leave a registration behind in it, whose events look like
  // those of the descriptor's next owner. From then on a generation tells them apart.
  #generation = 0;
  readonly #generations = new Map<number, number>();

  /**
   * Makes a selector.
   *
   * @throws {Deno.errors.NotSupported} Where there is no epoll: everywhere but on Linux and Android
   * @throws {Deno.errors.NotCapable} Without FFI permission
   * @throws {OSError} If `epoll_create1` fails, such as with `EMFILE`
   */
  constructor() {
    super({ waitCall: "epoll_wait", changeCall: "epoll_ctl", live: true });
    need(abi.epoll, "Cannot make an EpollSelector", "epoll_create1", "use DefaultSelector instead");
    this.#calls = epollCalls();
    this.#fd = this.#create();
    this.#precise = hasPwait2(this.#calls);
    this.own(this.#fd);
  }

  /**
   * Tells the descriptor of the epoll instance, which is readable when something is ready.
   *
   * @returns The descriptor
   * @throws {Deno.errors.BadResource} If the selector is closed
   *
   * @example
   * ```ts
   * import { EpollSelector } from "@readiness/selectors";
   *
   * using selector = new EpollSelector();
   * console.log(selector.fileno());
   * ```
   */
  fileno(): number {
    this.assertOpen("tell the descriptor");
    return this.#fd;
  }

  /** @ignore Registers with `EPOLL_CTL_ADD`. */
  protected override add(fd: number, events: number): number {
    const generation = this.#generation;
    let errno = this.#control(this.#fd, EPOLL_CTL_ADD, fd, events, generation);
    // Left behind under this very number, by a removal that was refused.
    if (errno === EEXIST) {
      errno = this.#control(this.#fd, EPOLL_CTL_MOD, fd, events, generation);
    }
    if (errno === 0 && generation > 0) this.#generations.set(fd, generation);
    return errno;
  }

  /** @ignore Changes with `EPOLL_CTL_MOD`. */
  protected override change(fd: number, _from: number, to: number): number {
    return this.#control(this.#fd, EPOLL_CTL_MOD, fd, to, this.#generationOf(fd));
  }

  /** @ignore Takes out with `EPOLL_CTL_DEL`. */
  protected override remove(fd: number): number {
    const errno = this.#control(this.#fd, EPOLL_CTL_DEL, fd, 0, 0);
    if (errno !== 0) {
      this.#generation++;
      this.#generations.set(fd, NONE);
    }
    return errno;
  }

  /** @ignore Waits with `epoll_wait`, or `epoll_pwait2` for a fraction of a millisecond. */
  protected override wait(timeout: number): number {
    this.#fit();
    if (!this.#precise || Number.isInteger(timeout)) {
      return this.#calls.epoll_wait(this.#fd, this.#ready, this.#capacity, Math.ceil(timeout));
    }
    writeTime(this.#time, timeout, 1_000_000);
    return this.#calls.epoll_pwait2!(this.#fd, this.#ready, this.#capacity, this.#time, null);
  }

  /** @ignore Waits likewise on another thread. */
  protected override waitOffThread(timeout: number): Promise<number> {
    this.#fit();
    if (!this.#precise || Number.isInteger(timeout)) {
      return this.#calls.epoll_waitOffThread(
        this.#fd,
        this.#ready,
        this.#capacity,
        Math.ceil(timeout),
      );
    }
    writeTime(this.#time, timeout, 1_000_000);
    return this.#calls.epoll_pwait2OffThread!(
      this.#fd,
      this.#ready,
      this.#capacity,
      this.#time,
      null,
    );
  }

  /** @ignore Reports what `epoll_wait` wrote, but for what was left behind in the system. */
  protected override collect(count: number): void {
    const ready = this.#ready;
    let stale = false;
    for (let i = 0, at = 0; i < count; i++, at += STRIDE) {
      const fd = ready[at + FD];
      if (ready[at + GENERATION] !== this.#generationOf(fd)) {
        stale = true;
      } else {
        this.report(fd, fromPoll(ready[at + EVENTS], EPOLLIN, EPOLLOUT));
      }
    }
    if (stale) this.#rebuild();
  }

  /** Makes the buffer of results fit the registrations. */
  #fit(): void {
    const capacity = fitCapacity(this.#capacity, Math.max(this.count, 1));
    if (capacity === this.#capacity) return;
    this.#capacity = capacity;
    this.#ready = new Int32Array(capacity * STRIDE);
  }

  #create(): number {
    const fd = this.#calls.epoll_create1(EPOLL_CLOEXEC);
    if (fd < 0) throw new OSError("Cannot make an epoll instance", "epoll_create1", lastErrno());
    return fd;
  }

  #control(
    epoll: number,
    operation: number,
    fd: number,
    events: number,
    generation: number,
  ): number {
    const event = this.#event;
    event[EVENTS] = toPoll(events, EPOLLIN, EPOLLOUT);
    event[FD] = fd;
    event[GENERATION] = generation;
    return this.#calls.epoll_ctl(epoll, operation, fd, event) < 0 ? lastErrno() : 0;
  }

  #generationOf(fd: number): number {
    return this.#generation === 0 ? 0 : this.#generations.get(fd) ?? 0;
  }

  /** Rids the system's set of what was left behind in it: nothing else takes that out. */
  #rebuild(): void {
    const fresh = this.#create();
    try {
      for (const [fd, events] of this.registrations()) {
        // The old set tells a descriptor that was closed, or is another's by now: it refuses it.
        const errno = this.#control(this.#fd, EPOLL_CTL_MOD, fd, events, this.#generationOf(fd));
        if (errno === 0) this.#control(fresh, EPOLL_CTL_ADD, fd, events, 0);
      }
      // The number stays, as programs may know it.
      if (this.#calls.dup3(fresh, this.#fd, O_CLOEXEC) < 0) {
        throw new OSError(`Cannot rebuild the epoll instance ${this.#fd}`, "dup3", lastErrno());
      }
    } finally {
      closeDescriptor(fresh);
    }
    this.#generation = 0;
    this.#generations.clear();
  }
}

/** Whether waits can be shorter than a millisecond: libc and the system must both know how. */
function hasPwait2({ epoll_pwait2 }: Calls<typeof declarations>): boolean {
  if (epoll_pwait2 === null) return false;
  // Any other answer to no descriptor comes from a system, or a filter, that does not know the call.
  return epoll_pwait2(-1, null, 1, null, null) < 0 && lastErrno() === EBADF;
}
