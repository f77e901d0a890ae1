/**
 * The public class of each family of system calls.
 *
 * @module
 */

import { abi } from "../ffi/abi/mod.ts";
import { readOptions } from "../ffi/checks.ts";
import { BaseSelector } from "./base.ts";
import { DevpollBackend } from "./devpoll.ts";
import { EpollBackend, epollSupports } from "./epoll.ts";
import type { FileObject } from "./key.ts";
import { KqueueBackend, type KqueueLayout, kqueueSupports } from "./kqueue.ts";
import { ALL_BITS, isMask } from "./masks.ts";
import { PollBackend, pollSupports } from "./poll.ts";
import { SelectBackend, selectSupports } from "./select.ts";
import { WinsockPollBackend, winsockPollSupports } from "./winsock_poll.ts";

export type { KqueueLayout };

/**
 * Waits with Linux's epoll, whose cost does not grow with the number of registrations.
 *
 * Registrations belong to open files, not to descriptors: one whose descriptor was closed lives on
 * while a duplicate is open. After it is unregistered, its late events are not reported; the first
 * one makes the selector replace its set in the kernel, under the same number, and an epoll
 * instance that watches {@linkcode EpollSelector.fileno} must then register it again. Unregister
 * before you close: if the number of a closed descriptor that is still registered goes back to an
 * open file that was registered under it before, the key can report events of that file.
 *
 * Linux lets at most 500 selectors that wait asynchronously watch the same open file: `register` of
 * the 501st fails with `EINVAL` during such a wait. A wait that begins later watches the file
 * without its own epoll instance, or rejects if the key has `EDGE_TRIGGERED`. The same holds for a
 * selector that watches others, more than five deep.
 *
 * Regular files and `/dev/null` are refused (`EPERM`): they are always ready. Timeouts below a
 * millisecond are honoured since Linux 5.11 and glibc 2.35, and rounded up before.
 *
 * It supports every event and mode. `EVENT_PRIORITY` is `EPOLLPRI`; `EVENT_HANGUP` is `EPOLLRDHUP`,
 * `EPOLLHUP` and `EPOLLERR`; `EDGE_TRIGGERED` is `EPOLLET`; `ONE_SHOT` is `EPOLLONESHOT`.
 * `EXCLUSIVE`, `EPOLLEXCLUSIVE`, goes with `EVENT_READ`, `EVENT_WRITE` and `EDGE_TRIGGERED` only.
 *
 * Its methods are those of {@linkcode BaseSelector}: `register()`, `modify()`, `unregister()`,
 * `select()`, `selectAsync()`, `wakeup()`, `waker()`, `getKey()`, `getMap()` and `close()`; it also
 * works with `for await` and `using`.
 *
 * @typeParam Data The data that goes with a registration
 * @typeParam File The file objects that can be registered
 *
 * @example Usage
 * ```ts
 * import { EpollSelector, EVENT_READ } from "@readiness/selectors";
 * import { pipe } from "@readiness/selectors/fd";
 *
 * if (EpollSelector.isAvailable()) {
 *   using selector = new EpollSelector();
 *   const { reader, writer } = pipe();
 *   selector.register(reader, EVENT_READ);
 *   console.log(selector.select(0.2)); // []
 *   reader.close();
 *   writer.close();
 * }
 * ```
 *
 * @category Selectors
 */
export class EpollSelector<Data = unknown, File extends FileObject = FileObject>
  extends BaseSelector<Data, File> {
  readonly #backend: EpollBackend;

  /**
   * Returns whether this class takes an interest mask on this system.
   *
   * @param events The mask, with modes
   * @returns Whether it does; `false` if `events` is not a mask
   *
   * @example Usage
   * ```ts
   * import { EVENT_PRIORITY, EpollSelector } from "@readiness/selectors";
   *
   * console.log(EpollSelector.supports(EVENT_PRIORITY));
   * ```
   */
  static override supports(events: number): boolean {
    return isMask(events, ALL_BITS) && abi.epoll !== undefined && epollSupports(events);
  }

  /**
   * Makes a selector.
   *
   * @throws {Deno.errors.NotSupported} On every system but Linux and Android
   * @throws {Deno.errors.NotCapable} Without FFI permission
   * @throws {OSError} If the system refuses (`epoll_create1`), such as with `EMFILE`
   */
  constructor() {
    const backend = new EpollBackend();
    super(backend);
    this.#backend = backend;
  }

  /**
   * Returns the descriptor of the epoll instance, which is readable while something is ready.
   *
   * @returns The descriptor
   * @throws {Deno.errors.BadResource} If the selector is closed
   *
   * @example Usage
   * ```ts
   * import { EpollSelector } from "@readiness/selectors";
   *
   * if (EpollSelector.isAvailable()) {
   *   using selector = new EpollSelector();
   *   console.log(selector.fileno());
   * }
   * ```
   */
  fileno(): number {
    return openDescriptor(this.#backend.fd);
  }
}

/**
 * Options of a {@linkcode KqueueSelector}.
 *
 * @category Selectors
 */
export interface KqueueSelectorOptions {
  /**
   * The shared library that has `kqueue` and `kevent`; libc by default. Give an absolute path.
   * With any scope or `--deny-ffi` rule, Deno takes another one for a file in the current folder;
   * without, the system searches for a name that has no slash.
   */
  library?: string;
  /**
   * The layout of `struct kevent` that the library uses: by default that of this system, or of
   * macOS if this system has none. The layout of libc is known.
   */
  layout?: KqueueLayout;
}

/**
 * Waits with `kqueue`, which macOS and the BSDs have. Its cost does not grow with the number of
 * registrations.
 *
 * Closing a descriptor removes its registration. Timeouts below a millisecond are honoured. A
 * regular file is readable unless it has been read to its end. macOS' kqueue refuses most character
 * devices, such as `/dev/tty` and `/dev/null` (`EINVAL`): {@linkcode SelectSelector} takes them,
 * while macOS' `poll` does not either.
 *
 * It supports `EVENT_HANGUP` (`EV_EOF`), `EDGE_TRIGGERED` (`EV_CLEAR`) and `ONE_SHOT`, and on macOS
 * and OpenBSD `EVENT_PRIORITY` (`EVFILT_EXCEPT`), but not `EXCLUSIVE`.
 *
 * Its methods are those of {@linkcode BaseSelector}: `register()`, `modify()`, `unregister()`,
 * `select()`, `selectAsync()`, `wakeup()`, `waker()`, `getKey()`, `getMap()` and `close()`; it also
 * works with `for await` and `using`.
 *
 * @typeParam Data The data that goes with a registration
 * @typeParam File The file objects that can be registered
 *
 * @example Usage
 * ```ts
 * import { EVENT_READ, KqueueSelector } from "@readiness/selectors";
 * import { pipe } from "@readiness/selectors/fd";
 *
 * if (KqueueSelector.isAvailable()) {
 *   using selector = new KqueueSelector();
 *   const { reader, writer } = pipe();
 *   selector.register(reader, EVENT_READ);
 *   console.log(selector.select(0.2)); // []
 *   reader.close();
 *   writer.close();
 * }
 * ```
 *
 * @category Selectors
 */
export class KqueueSelector<Data = unknown, File extends FileObject = FileObject>
  extends BaseSelector<Data, File> {
  readonly #backend: KqueueBackend;

  /**
   * Returns whether this class takes an interest mask on this system.
   *
   * @param events The mask, with modes
   * @returns Whether it does; `false` if `events` is not a mask
   *
   * @example Usage
   * ```ts
   * import { EVENT_PRIORITY, KqueueSelector } from "@readiness/selectors";
   *
   * console.log(KqueueSelector.supports(EVENT_PRIORITY));
   * ```
   */
  static override supports(events: number): boolean {
    return isMask(events, ALL_BITS) && kqueueSupports(events);
  }

  /**
   * Makes a selector.
   *
   * @param options A library with the calls, for a system whose libc lacks them
   * @throws {Deno.errors.NotSupported} If libc has no kqueue and no library is given (on every
   * system but macOS and the BSDs), or if the library lacks a call
   * @throws {Deno.errors.NotFound} If the library cannot be opened
   * @throws {RangeError} If the library's path contains a NUL
   * @throws {Deno.errors.NotCapable} Without FFI permission
   * @throws {TypeError} If the layout is unknown
   * @throws {OSError} If the system refuses (`kqueue`), such as with `EMFILE`
   *
   * @example A library that provides kqueue on another system
   * ```ts ignore
   * import { KqueueSelector } from "@readiness/selectors";
   *
   * using selector = new KqueueSelector({ library: "/usr/local/lib/libkqueue.so" });
   * ```
   */
  constructor(options?: KqueueSelectorOptions) {
    const { library, layout } = readOptions("Cannot make a KqueueSelector", options, [
      "library",
      "layout",
    ]);
    const backend = new KqueueBackend(library, layout);
    super(backend);
    this.#backend = backend;
  }

  /**
   * Returns the descriptor of the kqueue, which is readable while something is ready.
   *
   * @returns The descriptor
   * @throws {Deno.errors.BadResource} If the selector is closed
   *
   * @example Usage
   * ```ts
   * import { KqueueSelector } from "@readiness/selectors";
   *
   * if (KqueueSelector.isAvailable()) {
   *   using selector = new KqueueSelector();
   *   console.log(selector.fileno());
   * }
   * ```
   */
  fileno(): number {
    return openDescriptor(this.#backend.fd);
  }
}

/**
 * Options of a {@linkcode DevpollSelector}.
 *
 * @category Selectors
 */
export interface DevpollSelectorOptions {
  /**
   * The shared library that has `open`, `write` and `ioctl`; libc by default. Give an absolute
   * path. With any scope or `--deny-ffi` rule, Deno takes another one for a file in the current
   * folder; without, the system searches for a name that has no slash.
   */
  library?: string;
}

/**
 * Waits with `/dev/poll`, which Solaris and illumos have. Its cost does not grow with the number of
 * registrations.
 *
 * No system that has it runs Deno: this class is tested over a library that behaves like it, with
 * the numbers of Solaris on x86-64. A descriptor that is not open is accepted, and reported as
 * ready for everything that was asked for. After a descriptor was closed and reused, the system may
 * watch the new file, says its manual, poll(7d): unregister before you close. Timeouts are rounded
 * up to whole milliseconds.
 *
 * It supports `EVENT_PRIORITY` (`POLLPRI`), `EVENT_HANGUP` (`POLLHUP`: the connection is gone) and
 * `ONE_SHOT`, but neither `EDGE_TRIGGERED` nor `EXCLUSIVE`.
 *
 * Its methods are those of {@linkcode BaseSelector}: `register()`, `modify()`, `unregister()`,
 * `select()`, `selectAsync()`, `wakeup()`, `waker()`, `getKey()`, `getMap()` and `close()`; it also
 * works with `for await` and `using`.
 *
 * @typeParam Data The data that goes with a registration
 * @typeParam File The file objects that can be registered
 *
 * @example Usage
 * ```ts
 * import { DevpollSelector, EVENT_READ } from "@readiness/selectors";
 * import { pipe } from "@readiness/selectors/fd";
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
 *
 * @category Selectors
 */
export class DevpollSelector<Data = unknown, File extends FileObject = FileObject>
  extends BaseSelector<Data, File> {
  readonly #backend: DevpollBackend;

  /**
   * Returns whether this class takes an interest mask on this system.
   *
   * @param events The mask, with modes
   * @returns Whether it does; `false` if `events` is not a mask
   *
   * @example Usage
   * ```ts
   * import { EVENT_PRIORITY, DevpollSelector } from "@readiness/selectors";
   *
   * console.log(DevpollSelector.supports(EVENT_PRIORITY));
   * ```
   */
  static override supports(events: number): boolean {
    return isMask(events, ALL_BITS) && pollSupports(events);
  }

  /**
   * Makes a selector.
   *
   * @param options A library with the calls, for a system whose libc lacks /dev/poll
   * @throws {Deno.errors.NotSupported} If there is no /dev/poll and no library is given (on every
   * system but Solaris and illumos), or if the library lacks a call
   * @throws {Deno.errors.NotFound} If the library cannot be opened
   * @throws {RangeError} If the library's path contains a NUL
   * @throws {Deno.errors.NotCapable} Without FFI permission
   * @throws {OSError} If the system refuses (`open`)
   *
   * @example A library that provides /dev/poll on another system
   * ```ts ignore
   * import { DevpollSelector } from "@readiness/selectors";
   *
   * using selector = new DevpollSelector({ library: "/usr/local/lib/libdevpoll.so" });
   * ```
   */
  constructor(options?: DevpollSelectorOptions) {
    const { library } = readOptions("Cannot make a DevpollSelector", options, ["library"]);
    const backend = new DevpollBackend(library);
    super(backend);
    this.#backend = backend;
  }

  /**
   * Returns the descriptor under which `/dev/poll` is open.
   *
   * @returns The descriptor
   * @throws {Deno.errors.BadResource} If the selector is closed
   *
   * @example Usage
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
    return openDescriptor(this.#backend.fd);
  }
}

/**
 * Waits with `poll`, which every POSIX system has. Its cost grows with the number of registrations.
 *
 * It cannot know that a descriptor was closed and reused: until it is unregistered, the readiness
 * of the new file is reported under the old key. A closed descriptor is reported as ready for
 * everything that was asked for. Timeouts below a millisecond are honoured where there is `ppoll`
 * (Linux and the BSDs, except NetBSD), and rounded up elsewhere. macOS' `poll` does not take most
 * character devices, such as `/dev/tty`: {@linkcode SelectSelector} does.
 *
 * On Windows it waits with `WSAPoll`, since Windows 10 2004 and Windows Server 2022: before, it
 * does not report failed connections. It takes only sockets, and refuses pipes, consoles and files
 * (`ENOTSOCK`). A closed socket is ignored where the system does not count it, and waits fail if
 * all are closed. `WSAPoll` always reports the end of the peer's data, so a wait for room to write
 * to such a peer keeps a processor busy; {@linkcode SelectSelector} does not have this problem.
 *
 * It supports `EVENT_PRIORITY` (`POLLPRI`), `EVENT_HANGUP` (`POLLRDHUP` where there is one,
 * `POLLHUP`, `POLLERR`; not on Windows) and `ONE_SHOT`, but neither `EDGE_TRIGGERED` nor
 * `EXCLUSIVE`.
 *
 * Its methods are those of {@linkcode BaseSelector}: `register()`, `modify()`, `unregister()`,
 * `select()`, `selectAsync()`, `wakeup()`, `waker()`, `getKey()`, `getMap()` and `close()`; it also
 * works with `for await` and `using`.
 *
 * @typeParam Data The data that goes with a registration
 * @typeParam File The file objects that can be registered
 *
 * @example Usage
 * ```ts
 * import { EVENT_READ, PollSelector } from "@readiness/selectors";
 * import { pipe } from "@readiness/selectors/fd";
 *
 * using selector = new PollSelector();
 * const { reader, writer } = pipe();
 * selector.register(reader, EVENT_READ);
 * console.log(selector.select(0.2)); // []
 * reader.close();
 * writer.close();
 * ```
 *
 * @category Selectors
 */
export class PollSelector<Data = unknown, File extends FileObject = FileObject>
  extends BaseSelector<Data, File> {
  /**
   * Returns whether this class takes an interest mask on this system.
   *
   * @param events The mask, with modes
   * @returns Whether it does; `false` if `events` is not a mask
   *
   * @example Usage
   * ```ts
   * import { EVENT_PRIORITY, PollSelector } from "@readiness/selectors";
   *
   * console.log(PollSelector.supports(EVENT_PRIORITY));
   * ```
   */
  static override supports(events: number): boolean {
    return isMask(events, ALL_BITS) &&
      (abi.winsock === undefined ? pollSupports(events) : winsockPollSupports(events));
  }

  /**
   * Makes a selector.
   *
   * @throws {Deno.errors.NotSupported} On Windows before Windows 10 2004 and Windows Server 2022
   * @throws {Deno.errors.NotCapable} Without FFI permission
   */
  constructor() {
    super(abi.winsock === undefined ? new PollBackend() : new WinsockPollBackend());
  }
}

/**
 * Waits with `select`, the oldest of these calls. Its cost grows with the highest descriptor that
 * is registered; on Windows with the number of registrations.
 *
 * Descriptors above 1023 are accepted on Linux, macOS and the BSDs; on Solaris `register` throws a
 * `RangeError` that names the limit. It cannot know that a descriptor was closed and reused: until
 * it is unregistered, the readiness of the new file is reported under the old key. While a closed
 * descriptor is registered, waits fail with `EBADF` where the system notices. A hang-up counts
 * only as readable if the system reports no more than that, as Linux does for pipes.
 *
 * On Windows it takes only sockets, any number, and refuses pipes, consoles and files (`ENOTSOCK`);
 * waits with a closed socket fail with `ENOTSOCK`, too. A socket that is registered for
 * `EVENT_WRITE` alone gets no event when its connection breaks after unread data, or after the end
 * of the peer's data, while there is no room to send.
 *
 * It supports `EVENT_PRIORITY` (the set of exceptions) and `ONE_SHOT`, but not `EVENT_HANGUP`,
 * `EDGE_TRIGGERED` and `EXCLUSIVE`.
 *
 * Its methods are those of {@linkcode BaseSelector}: `register()`, `modify()`, `unregister()`,
 * `select()`, `selectAsync()`, `wakeup()`, `waker()`, `getKey()`, `getMap()` and `close()`; it also
 * works with `for await` and `using`.
 *
 * @typeParam Data The data that goes with a registration
 * @typeParam File The file objects that can be registered
 *
 * @example Usage
 * ```ts
 * import { EVENT_READ, SelectSelector } from "@readiness/selectors";
 * import { pipe } from "@readiness/selectors/fd";
 *
 * using selector = new SelectSelector();
 * const { reader, writer } = pipe();
 * selector.register(reader, EVENT_READ);
 * console.log(selector.select(0.2)); // []
 * reader.close();
 * writer.close();
 * ```
 *
 * @category Selectors
 */
export class SelectSelector<Data = unknown, File extends FileObject = FileObject>
  extends BaseSelector<Data, File> {
  /**
   * Returns whether this class takes an interest mask on this system.
   *
   * @param events The mask, with modes
   * @returns Whether it does; `false` if `events` is not a mask
   *
   * @example Usage
   * ```ts
   * import { EVENT_PRIORITY, SelectSelector } from "@readiness/selectors";
   *
   * console.log(SelectSelector.supports(EVENT_PRIORITY));
   * ```
   */
  static override supports(events: number): boolean {
    return isMask(events, ALL_BITS) && selectSupports(events);
  }

  /**
   * Makes a selector.
   *
   * @throws {Deno.errors.NotCapable} Without FFI permission
   */
  constructor() {
    super(new SelectBackend());
  }
}

/** Returns the descriptor of a selector that is open. */
function openDescriptor(fd: number): number {
  if (fd < 0) {
    throw new Deno.errors.BadResource("Cannot get the descriptor: the selector is closed");
  }
  return fd;
}
