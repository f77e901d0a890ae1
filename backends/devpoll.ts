import { abi } from "../ffi/abi/mod.ts";
import { devpoll } from "../ffi/abi/solaris.ts";
import { need } from "../ffi/checks.ts";
import { closeDescriptor } from "../ffi/descriptor.ts";
import { lastErrno, OSError } from "../ffi/errno.ts";
import { type Calls, libcCalls, libraryCalls } from "../ffi/libc.ts";
import { addressOf, cString } from "../ffi/memory.ts";
import type { BackendOwner, OffThreadBackend } from "./backend.ts";
import { fitCapacity } from "./capacity.ts";
import { OffThreadRead } from "./off_thread_poll.ts";
import { pollSupports } from "./poll.ts";
import { fromPoll, toPoll } from "./poll_events.ts";

// `open` and `ioctl` are variadic, which makes no difference where there is /dev/poll: on x86-64.
const declarations = {
  open: { parameters: ["buffer", "i32"], result: "i32" },
  write: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  ioctl: { parameters: ["i32", "i32", "buffer"], result: "i32" },
} as const;

const systemCalls = libcCalls(declarations);
const callsOf = libraryCalls(declarations);

// Where there is no /dev/poll, a library that offers it has Solaris' numbers.
const { dvpoll, constants } = abi.devpoll ?? devpoll;
const { DP_POLL, POLLREMOVE } = constants;
const { O_RDWR, O_CLOEXEC, POLLIN, POLLOUT, POLLPRI } = abi.constants;

// struct pollfd in 32-bit words: the descriptor, then a word with events below and revents above.
const { size, fields } = abi.structs.pollfd;
const STRIDE = size / 4;
const FD = fields.fd[0] / 4;
const EVENTS = fields.events[0] / 4;

// struct dvpoll in 32-bit words; the upper half of dp_nfds stays zero.
const RESULTS = dvpoll.fields.dp_fds[0];
const ROOM = dvpoll.fields.dp_nfds[0] / 4;
const TIMEOUT = dvpoll.fields.dp_timeout[0] / 4;

/** Solaris' and illumos' /dev/poll. */
export class DevpollBackend implements OffThreadBackend {
  readonly waitCall = "ioctl";
  readonly changeCall = "write";
  /** The manual does not promise that a write reaches a wait in progress. */
  readonly isLive = false;
  readonly isPrecise = false;
  readonly hasOneShot = false;
  readonly limit = Infinity;
  fd: number;
  readonly #isEmulated: boolean;
  readonly #calls: Calls<typeof declarations>;
  #offThread: OffThreadRead | undefined;
  #count = 0;
  // In an ArrayBuffer of its own, whose address does not change.
  readonly #call = new Int32Array(new ArrayBuffer(dvpoll.size));
  readonly #changes = new Int32Array(2 * STRIDE);
  #capacity = 0;
  #ready = new Int32Array(new ArrayBuffer(0));

  /**
   * @param library The shared library with the calls; libc by default
   */
  constructor(library: string | undefined) {
    this.#isEmulated = library !== undefined;
    if (library === undefined) {
      need(
        abi.devpoll,
        "Cannot make a DevpollSelector",
        "/dev/poll",
        "use DefaultSelector instead",
      );
      this.#calls = systemCalls();
    } else {
      this.#calls = callsOf(library);
    }
    this.fd = this.#calls.open(cString("/dev/poll"), O_RDWR | O_CLOEXEC);
    if (this.fd < 0) throw new OSError("Cannot open /dev/poll", "open", lastErrno());
  }

  /** An emulation in a library need not make its descriptor readable. */
  get pollableFd(): number {
    return this.#isEmulated ? -1 : this.fd;
  }

  supports(events: number): boolean {
    return pollSupports(events);
  }

  add(fd: number, events: number): number {
    this.#write(0, fd, toPoll(events, POLLIN, POLLOUT, POLLPRI, 0));
    const result = this.#apply(1);
    if (result === 0) this.#count++;
    return result;
  }

  /** A write adds to the events so far, so they are removed first. */
  change(fd: number, _from: number, to: number): number {
    this.#write(0, fd, POLLREMOVE);
    this.#write(1, fd, toPoll(to, POLLIN, POLLOUT, POLLPRI, 0));
    return this.#apply(2);
  }

  remove(fd: number): number {
    this.#count--;
    this.#write(0, fd, POLLREMOVE);
    return this.#apply(1);
  }

  wait(timeout: number): number {
    this.#prepare(timeout);
    const result = this.#calls.ioctl(this.fd, DP_POLL, this.#call);
    return result < 0 ? -lastErrno() : result;
  }

  waitOffThread(timeout: number): Promise<number> {
    this.#offThread ??= new OffThreadRead(this.fd);
    return this.#offThread.wait(timeout);
  }

  collect(count: number, owner: BackendOwner): number {
    const ready = this.#ready;
    for (let i = 0, at = 0; i < count; i++, at += STRIDE) {
      owner.report(
        ready[at + FD]!,
        fromPoll(ready[at + EVENTS]! >> 16, POLLIN, POLLOUT, POLLPRI, 0),
      );
    }
    return 0;
  }

  close(): void {
    const { fd } = this;
    this.fd = -1;
    closeDescriptor(fd);
  }

  #write(slot: number, fd: number, mask: number): void {
    this.#changes[slot * STRIDE + FD] = fd;
    this.#changes[slot * STRIDE + EVENTS] = mask;
  }

  #apply(count: number): number {
    return this.#calls.write(this.fd, this.#changes, count * size) < 0 ? -lastErrno() : 0;
  }

  /** Asks for no more results than there are registrations: the system refuses more. */
  #prepare(timeout: number): void {
    const room = Math.max(this.#count, 1);
    const capacity = fitCapacity(this.#capacity, room);
    if (capacity !== this.#capacity) {
      this.#capacity = capacity;
      this.#ready = new Int32Array(new ArrayBuffer(capacity * size));
      new BigUint64Array(this.#call.buffer, RESULTS, 1)[0] = addressOf(this.#ready);
    }
    this.#call[ROOM] = room;
    this.#call[TIMEOUT] = Math.ceil(timeout);
  }
}
