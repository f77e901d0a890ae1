import { abi } from "../abi/host.ts";
import { assertDescriptor } from "../checks.ts";
import {
  closeDescriptor,
  errnoOf,
  type HasFileno,
  isBlocking,
  makePipe,
  nameOf,
  setBlocking,
} from "../descriptor.ts";
import { platform } from "../platform/mod.ts";
import { lastErrno, OSError } from "../errno.ts";

const { EAGAIN, EINTR, EWOULDBLOCK } = abi.errno;

const { callNames, readWriteCalls: calls } = platform;

/** What one call moves at the most, in bytes: it fits a 32-bit result, and is Linux's own limit. */
const MAX_TRANSFER = 0x7fff_f000;

/**
 * An open descriptor: a pipe's end, a terminal, anything that this process has inherited.
 *
 * @example Reading standard input when there is some
 * ```ts
 * import { DefaultSelector, EVENT_READ } from "@readiness/selectors";
 * import { FileDescriptor, pipe } from "@readiness/selectors/socket";
 * import { assertEquals } from "@std/assert";
 *
 * const { reader, writer } = pipe(); // new FileDescriptor(0) would be standard input.
 * writer.write(new TextEncoder().encode("hi"));
 * using selector = new DefaultSelector<unknown, FileDescriptor>();
 * selector.register(reader, EVENT_READ);
 * for (const [key] of selector.select()) {
 *   const buffer = new Uint8Array(1024);
 *   assertEquals(key.fileobj.read(buffer), 2);
 * }
 * reader.close();
 * writer.close();
 * ```
 */
export class FileDescriptor implements HasFileno, Disposable {
  #fd: number;

  /**
   * Adopts an open descriptor, as it is: blocking or not.
   *
   * @param fd The descriptor, an integer from 0 to 2³¹ − 1
   * @throws {TypeError} If it is not a number
   * @throws {RangeError} If it is negative, fractional or too large
   */
  constructor(fd: number) {
    assertDescriptor("Cannot adopt a descriptor: it", fd);
    this.#fd = fd;
  }

  /**
   * Tells the descriptor.
   *
   * @returns The descriptor, or -1 once it is closed or detached
   *
   * @example
   * ```ts
   * import { FileDescriptor } from "@readiness/selectors/socket";
   *
   * console.log(new FileDescriptor(0).fileno()); // 0
   * ```
   */
  fileno(): number {
    return this.#fd;
  }

  /**
   * Reads with `read`.
   *
   * 0 is the end of the stream, as in POSIX; Deno's own `read` returns `null` there.
   *
   * @param buffer Where the bytes go, as many as fit
   * @returns The number of bytes read, 0 at the end of the stream, or `null` if there is nothing to
   * read now
   * @throws {TypeError} If `buffer` is no `Uint8Array`
   * @throws {OSError} If the system refuses, such as with `ECONNRESET`; `EBADF` once closed
   *
   * @example
   * ```ts
   * import { pipe } from "@readiness/selectors/socket";
   * import { assertEquals } from "@std/assert";
   *
   * const { reader, writer } = pipe();
   * assertEquals(reader.read(new Uint8Array(10)), null);
   * writer.close();
   * assertEquals(reader.read(new Uint8Array(10)), 0);
   * reader.close();
   * ```
   */
  read(buffer: Uint8Array): number | null {
    const length = transferLength(buffer);
    for (;;) {
      const size = calls().read(this.#fd, buffer, length);
      if (size >= 0) return size;
      if (!isInterrupted("read from", this, callNames.read)) return null;
    }
  }

  /**
   * Writes with `write`.
   *
   * @param data The bytes, of which as many are taken as there is room for
   * @returns The number of bytes written, or `null` if there is no room now
   * @throws {TypeError} If `data` is no `Uint8Array`
   * @throws {OSError} If the system refuses, such as with `EPIPE`; `EBADF` once closed
   *
   * @example
   * ```ts
   * import { pipe } from "@readiness/selectors/socket";
   * import { assertEquals } from "@std/assert";
   *
   * const { reader, writer } = pipe();
   * assertEquals(writer.write(new Uint8Array(10)), 10);
   * reader.close();
   * writer.close();
   * ```
   */
  write(data: Uint8Array): number | null {
    const length = transferLength(data);
    for (;;) {
      const size = calls().write(this.#fd, data, length);
      if (size >= 0) return size;
      if (!isInterrupted("write to", this, callNames.write)) return null;
    }
  }

  /**
   * Makes the calls on this descriptor's open file block, or return `null`.
   *
   * @param blocking Whether they are to block
   * @throws {OSError} If the system refuses (`fcntl`)
   *
   * @example
   * ```ts
   * import { pipe } from "@readiness/selectors/socket";
   *
   * const { reader, writer } = pipe();
   * writer.setBlocking(true); // Its writes wait until there is room.
   * reader.close();
   * writer.close();
   * ```
   */
  setBlocking(blocking: boolean): void {
    setBlocking(this.#fd, blocking);
  }

  /**
   * Tells whether reads and writes on the descriptor's open file block. Who changes that for an
   * inherited descriptor, such as standard input, changes it for every program that has it, and
   * does well to change it back.
   *
   * @returns Whether they block
   * @throws {Deno.errors.NotSupported} On Windows, which does not tell
   * @throws {OSError} If the system refuses (`fcntl`)
   *
   * @example
   * ```ts
   * import { FileDescriptor } from "@readiness/selectors/socket";
   *
   * if (Deno.build.os !== "windows") {
   *   const input = new FileDescriptor(0);
   *   const wasBlocking = input.isBlocking();
   *   input.setBlocking(false);
   *   input.setBlocking(wasBlocking);
   * }
   * ```
   */
  isBlocking(): boolean {
    return isBlocking(this.#fd);
  }

  /**
   * Gives the descriptor up without closing it.
   *
   * @returns The descriptor, which is the caller's to close; -1 if it was closed already
   *
   * @example
   * ```ts
   * import { FileDescriptor, pipe } from "@readiness/selectors/socket";
   *
   * const { reader, writer } = pipe();
   * writer.close();
   * using adopted = new FileDescriptor(reader.detach());
   * ```
   */
  detach(): number {
    const fd = this.#fd;
    this.#fd = -1;
    return fd;
  }

  /**
   * Closes the descriptor. Closing again does nothing.
   *
   * @throws {OSError} If the system refuses (`close`); the descriptor is given up all the same
   *
   * @example
   * ```ts
   * import { pipe } from "@readiness/selectors/socket";
   * import { assertEquals } from "@std/assert";
   *
   * const { reader, writer } = pipe();
   * reader.close();
   * writer.close();
   * assertEquals(reader.fileno(), -1);
   * ```
   */
  close(): void {
    const fd = this.detach();
    if (fd >= 0) closeDescriptor(fd);
  }

  /** Closes the descriptor at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Makes a pipe, both ends non-blocking and close-on-exec. On Windows, where pipes cannot be waited
 * for, it is a pair of sockets, connected over loopback: whatever is written to the one is read
 * from the other, and nothing keeps the reader from writing.
 *
 * @returns The end to read from and the end to write to
 * @throws {OSError} If the system refuses (`pipe2` or `pipe`), such as with `EMFILE`
 * @throws {Deno.errors.NotCapable} Without FFI permission
 *
 * @example
 * ```ts
 * import { pipe } from "@readiness/selectors/socket";
 *
 * const { reader, writer } = pipe();
 * using _reader = reader;
 * using _writer = writer;
 * ```
 */
export function pipe(): { reader: FileDescriptor; writer: FileDescriptor } {
  const [reader, writer] = makePipe();
  return { reader: new FileDescriptor(reader), writer: new FileDescriptor(writer) };
}

/** How many bytes of a buffer one call is given. */
export function transferLength(buffer: Uint8Array): number {
  if (!(buffer instanceof Uint8Array)) {
    throw new TypeError(`Cannot use a buffer: it must be a Uint8Array, received ${String(buffer)}`);
  }
  return Math.min(buffer.byteLength, MAX_TRANSFER);
}

/**
 * Tells, of a transfer that failed, whether a signal came in between, so that it is to be repeated.
 * If not, it would have had to wait.
 *
 * @throws {OSError} If it failed for any other reason
 */
export function isInterrupted(attempt: string, file: HasFileno, syscall: string): boolean {
  const errno = lastErrno();
  if (errno === EINTR) return true;
  if (errno === EAGAIN || errno === EWOULDBLOCK) return false;
  const fd = file.fileno();
  throw new OSError(`Cannot ${attempt} ${nameOf(fd)}`, syscall, errnoOf(fd, errno));
}
