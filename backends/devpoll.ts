import type { Devpoll } from "../ffi/abi/abi.ts";
import { abi } from "../ffi/abi/mod.ts";
import { need } from "../ffi/checks.ts";
import { solarisX64 } from "../ffi/abi/solaris.ts";
import { lastErrno, OSError } from "../ffi/errno.ts";
import { type Calls, libcCalls, libraryCalls } from "../ffi/libc.ts";
import { addressOf, cString } from "../ffi/memory.ts";
import { BaseSelector } from "./base.ts";
import { fitCapacity } from "./capacity.ts";
import type { FileObject } from "./key.ts";
import { fromPoll, toPoll } from "./poll_events.ts";

// `open` and `ioctl` are variadic, which makes no difference where there is /dev/poll: on x86-64.
const declarations = {
  open: { parameters: ["buffer", "i32"], result: "i32" },
  write: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  ioctl: { parameters: ["i32", "i32", "buffer"], result: "i32" },
  ioctlOffThread: {
    name: "ioctl",
    parameters: ["i32", "i32", "buffer"],
    result: "i32",
    nonblocking: true,
  },
} as const;

const systemCalls = libcCalls(declarations);
const callsOf = libraryCalls(declarations);

// Where there is no /dev/poll, a library that offers it has Solaris' numbers.
const { dvpoll, constants }: Devpoll = abi.devpoll ?? solarisX64.devpoll!;
const { DP_POLL, POLLREMOVE } = constants;
const { O_RDWR, O_CLOEXEC } = (abi.devpoll === undefined ? solarisX64 : abi).constants;
const { POLLIN, POLLOUT } = abi.constants;

// struct pollfd in 32-bit words: the descriptor, then a word with events below and revents above.
const { size, fields } = abi.structs.pollfd;
const STRIDE = size / 4;
const FD = fields.fd[0] / 4;
const EVENTS = fields.events[0] / 4;

// struct dvpoll in 32-bit words; the upper half of dp_nfds stays zero.
const RESULTS = dvpoll.fields.dp_fds[0];
const ROOM = dvpoll.fields.dp_nfds[0] / 4;
const TIMEOUT = dvpoll.fields.dp_timeout[0] / 4;

/** Where a {@linkcode DevpollSelector} finds its calls. */
export interface DevpollSelectorOptions {
  /**
   * The shared library that has `open`, `write` and `ioctl` for it; libc by default. Give an
   * absolute path. With any scope or `--deny-ffi` rule, Deno takes another one for a file in the
   * current folder; without, the system searches for a name that has no slash.
   */
  library?: string;
}

/**
 * Waits with `/dev/poll`, which Solaris and illumos have, and whose cost does not grow with the
 * number of registrations.
 *
 * Deno exists for no system that has it: this class is run over a library that behaves like it, and
 * its numbers are Solaris' on x86-64. A descriptor that is not open is taken, and reported as ready
 * for all that was asked. The system is free to watch on when a descriptor was closed and is
 * another's by now, says its manual, poll(7d): unregister before closing. Timeouts are rounded up
 * to whole milliseconds.
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
 * import { DevpollSelector, EVENT_READ } from "@readiness/selectors";
 * import { pipe } from "@readiness/selectors/socket";
 *
 * if (DevpollSelector.isAvailable()) {
 *   using selector = new DevpollSelector();
 *   const { reader, writer } = pipe();
 *   selector.register(reader, EVENT_READ);
 *   console.log(selector.select(5)); // []
 *   reader.close();
 *   writer.close();
 * }
 * ```
 */
export class DevpollSelector<Data = unknown, File extends FileObject = FileObject>
  extends BaseSelector<Data, File> {
  readonly #calls: Calls<typeof declarations>;
  readonly #fd: number;
  // At addresses that stay while a call is under way, as each `ArrayBuffer` does.
  readonly #call = new Int32Array(new ArrayBuffer(dvpoll.size));
  readonly #changes = new Int32Array(2 * STRIDE);
  #capacity = 0;
  #ready = new Int32Array(new ArrayBuffer(0));

  /**
   * Makes a selector.
   *
   * @param options A library to find the calls in, for a system whose libc lacks /dev/poll
   * @throws {Deno.errors.NotSupported} Where there is no /dev/poll (everywhere but on Solaris and
   * illumos) and no library is given, or if the library lacks a call
   * @throws {Deno.errors.NotFound} If the library cannot be opened
   * @throws {Deno.errors.NotCapable} Without FFI permission
   * @throws {OSError} If `/dev/poll` cannot be opened
   *
   * @example A library that offers /dev/poll elsewhere
   * ```ts ignore
   * import { DevpollSelector } from "@readiness/selectors";
   *
   * using selector = new DevpollSelector({ library: "/usr/local/lib/libdevpoll.so" });
   * ```
   */
  constructor(options: DevpollSelectorOptions = {}) {
    // The manual does not promise that a write reaches a wait under way.
    super({ waitCall: "ioctl", changeCall: "write", live: false });
    const { library } = options;
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
    this.#fd = this.#calls.open(cString("/dev/poll"), O_RDWR | O_CLOEXEC);
    if (this.#fd < 0) throw new OSError("Cannot open /dev/poll", "open", lastErrno());
    this.own(this.#fd);
  }

  /**
   * Tells the descriptor under which `/dev/poll` is open.
   *
   * @returns The descriptor
   * @throws {Deno.errors.BadResource} If the selector is closed
   *
   * @example
   * ```ts
   * import { DevpollSelector } from "@readiness/selectors";
   *
   * if (DevpollSelector.isAvailable()) {
   *   using selector = new DevpollSelector();
   *   console.log(selector.fileno());
   * }
   * ```
   */
  fileno(): number {
    this.assertOpen("tell the descriptor");
    return this.#fd;
  }

  /** @ignore Registers by a write. */
  protected override add(fd: number, events: number): number {
    this.#write(0, fd, toPoll(events, POLLIN, POLLOUT));
    return this.#apply(1);
  }

  /** @ignore What is written adds to the events so far, so that they have to go first. */
  protected override change(fd: number, _from: number, to: number): number {
    this.#write(0, fd, POLLREMOVE);
    this.#write(1, fd, toPoll(to, POLLIN, POLLOUT));
    return this.#apply(2);
  }

  /** @ignore Takes out by a write of `POLLREMOVE`. */
  protected override remove(fd: number): number {
    this.#write(0, fd, POLLREMOVE);
    return this.#apply(1);
  }

  /** @ignore Waits with `ioctl(DP_POLL)`. */
  protected override wait(timeout: number): number {
    this.#prepare(timeout);
    return this.#calls.ioctl(this.#fd, DP_POLL, this.#call);
  }

  /** @ignore Waits likewise on another thread. */
  protected override waitOffThread(timeout: number): Promise<number> {
    this.#prepare(timeout);
    return this.#calls.ioctlOffThread(this.#fd, DP_POLL, this.#call);
  }

  /** @ignore Reports what `ioctl` wrote. */
  protected override collect(count: number): void {
    const ready = this.#ready;
    for (let i = 0, at = 0; i < count; i++, at += STRIDE) {
      this.report(ready[at + FD], fromPoll(ready[at + EVENTS] >> 16, POLLIN, POLLOUT));
    }
  }

  #write(slot: number, fd: number, mask: number): void {
    this.#changes[slot * STRIDE + FD] = fd;
    this.#changes[slot * STRIDE + EVENTS] = mask;
  }

  #apply(count: number): number {
    return this.#calls.write(this.#fd, this.#changes, count * size) < 0 ? lastErrno() : 0;
  }

  /** Asks for no more results than there are registrations: the system refuses room for too many. */
  #prepare(timeout: number): void {
    const room = Math.max(this.count, 1);
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
