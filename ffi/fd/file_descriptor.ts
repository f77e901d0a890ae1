import { forgetDescriptor } from "../../backends/ready.ts";
import { abi } from "../abi/mod.ts";
import { assertBoolean, assertBytes, assertDescriptor } from "../checks.ts";
import {
  ANNOUNCES_CLOSING,
  closeDescriptor,
  duplicate,
  errnoOf,
  type HasFileno,
  isBlocking,
  nameOf,
  setBlocking,
  setInheritable,
} from "../descriptor.ts";
import { lastErrno, OSError } from "../errno.ts";
import { platform } from "../platform/mod.ts";
import { openFile } from "./open_file.ts";

const { EAGAIN, EINTR, EWOULDBLOCK } = abi.errno;

const { callNames, readWriteCalls: calls } = platform;

/** The most bytes that one call moves: Linux's own limit, which fits a 32-bit result. */
const MAX_TRANSFER = 0x7fff_f000;

/**
 * An open descriptor: one end of a pipe, a terminal, anything that this process has inherited.
 *
 * The garbage collector closes no descriptor, since its number may still be in use elsewhere: close
 * it, or declare it with `using`.
 *
 * @example Read from a descriptor once it is readable
 * ```ts
 * import { DefaultSelector, EVENT_READ } from "@readiness/selectors";
 * import { FileDescriptor, pipe } from "@readiness/selectors/fd";
 * import { assertEquals } from "@std/assert";
 *
 * const { reader, writer } = pipe(); // Standard input would be new FileDescriptor(0).
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
 *
 * @category Descriptors
 */
export class FileDescriptor implements HasFileno, Disposable {
  static {
    Object.defineProperty(this.prototype, ANNOUNCES_CLOSING, { value: true });
  }

  #fd: number;

  /**
   * Adopts an open descriptor. Whether it blocks does not change.
   *
   * @param fd The descriptor, an integer from 0 to 2³¹ − 1
   * @throws {TypeError} If `fd` is not a number
   * @throws {RangeError} If `fd` is negative, fractional or too large
   */
  constructor(fd: number) {
    assertDescriptor("Cannot adopt a descriptor: it", fd);
    this.#fd = fd | 0; // Not -0.
  }

  /**
   * Opens a file or device with `open`, non-blocking and close-on-exec.
   *
   * A named pipe opens at once: for reading even without a writer, for writing only if there is a
   * reader (`ENXIO` if not). A regular file never blocks, and is always ready.
   *
   * @param path The path
   * @param flags `O_RDONLY`, `O_WRONLY` or `O_RDWR`, ORed with other flags of `open`. `O_RDONLY` by
   * default
   * @param mode The permissions of a file that `O_CREAT` creates, less those of the umask
   * @returns The descriptor
   * @throws {TypeError} If `path` is not a string
   * @throws {RangeError} If `path` contains a NUL, or `flags` or `mode` is not a 32-bit integer
   * @throws {OSError} If `open` fails, such as with `ENOENT`, `EACCES` or `EMFILE`
   * @throws {Deno.errors.NotSupported} On Windows, where only sockets are descriptors
   * @throws {Deno.errors.NotCapable} Without FFI permission
   *
   * @example Read random bytes
   * ```ts
   * import { FileDescriptor } from "@readiness/selectors/fd";
   * import { assertEquals } from "@std/assert";
   *
   * if (Deno.build.os !== "windows") {
   *   using random = FileDescriptor.open("/dev/urandom");
   *   assertEquals(random.read(new Uint8Array(16)), 16);
   * }
   * ```
   */
  static open(path: string, flags?: number, mode?: number): FileDescriptor {
    return new FileDescriptor(openFile(path, flags, mode));
  }

  /**
   * Returns the descriptor.
   *
   * @returns The descriptor, or -1 once it is closed or detached
   *
   * @example Usage
   * ```ts
   * import { FileDescriptor } from "@readiness/selectors/fd";
   *
   * console.log(new FileDescriptor(0).fileno()); // 0
   * ```
   */
  fileno(): number {
    return this.#fd;
  }

  /**
   * Reads bytes with `read`.
   *
   * 0 is the end of the stream, as in POSIX; Deno's own `read` returns `null` there.
   *
   * @param buffer Receives the bytes, at most as many as fit
   * @returns The number of bytes read, 0 at the end of the stream, or `null` if there is nothing to
   * read now
   * @throws {TypeError} If `buffer` is not a `Uint8Array`
   * @throws {OSError} If `read` fails, such as with `ECONNRESET`, or `EBADF` once closed
   *
   * @example Usage
   * ```ts
   * import { pipe } from "@readiness/selectors/fd";
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
   * Writes bytes with `write`: as many as there is room for.
   *
   * @param data The bytes
   * @returns The number of bytes written, or `null` if there is no room now
   * @throws {TypeError} If `data` is not a `Uint8Array`
   * @throws {OSError} If `write` fails, such as with `EPIPE`, or `EBADF` once closed
   *
   * @example Usage
   * ```ts
   * import { pipe } from "@readiness/selectors/fd";
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
   * Sets whether reads and writes block, or return `null` at once.
   *
   * The setting belongs to the open file: it changes for every duplicate of the descriptor, in
   * other processes too.
   *
   * @param blocking Whether they block
   * @throws {TypeError} If `blocking` is not a boolean
   * @throws {OSError} If `fcntl` fails, such as with `EBADF` once closed
   *
   * @example Usage
   * ```ts
   * import { pipe } from "@readiness/selectors/fd";
   *
   * const { reader, writer } = pipe();
   * writer.setBlocking(true); // Its writes wait until there is room.
   * reader.close();
   * writer.close();
   * ```
   */
  setBlocking(blocking: boolean): void {
    assertBoolean("Cannot set whether calls block: it", blocking);
    setBlocking(this.#fd, blocking);
  }

  /**
   * Returns whether reads and writes block.
   *
   * An inherited descriptor, such as standard input, shares its open file with other programs.
   * Change it back with {@linkcode FileDescriptor.setBlocking} before this program ends.
   *
   * @returns Whether they block
   * @throws {Deno.errors.NotSupported} On Windows, which has no call for it
   * @throws {OSError} If `fcntl` fails, such as with `EBADF` once closed
   *
   * @example Usage
   * ```ts
   * import { FileDescriptor } from "@readiness/selectors/fd";
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
   * Sets whether programs that this process starts inherit the descriptor, under the same number.
   * They do not inherit this package's descriptors by default.
   *
   * @param inheritable Whether they inherit it
   * @throws {TypeError} If `inheritable` is not a boolean
   * @throws {OSError} If `fcntl`, or `SetHandleInformation` on Windows, fails, such as with `EBADF`
   * once closed
   *
   * @example Usage
   * ```ts
   * import { pipe } from "@readiness/selectors/fd";
   * import { assertEquals } from "@std/assert";
   *
   * const { reader, writer } = pipe();
   * writer.setInheritable(true);
   * if (Deno.build.os === "linux") {
   *   const args = ["-c", `echo hello > /dev/fd/${writer.fileno()}`];
   *   await new Deno.Command("sh", { args }).output();
   *   assertEquals(reader.read(new Uint8Array(100)), 6);
   * }
   * reader.close();
   * writer.close();
   * ```
   */
  setInheritable(inheritable: boolean): void {
    assertBoolean("Cannot set whether programs inherit a descriptor: it", inheritable);
    setInheritable(this.#fd, inheritable);
  }

  /**
   * Duplicates the descriptor. Both descriptors share the open file: its position, and whether it
   * blocks. The duplicate is close-on-exec.
   *
   * @returns The duplicate, which has to be closed too
   * @throws {OSError} If `fcntl` fails, such as with `EMFILE`, or `EBADF` once closed
   * @throws {Deno.errors.NotSupported} On Windows
   *
   * @example Usage
   * ```ts
   * import { pipe } from "@readiness/selectors/fd";
   * import { assertEquals } from "@std/assert";
   *
   * if (Deno.build.os !== "windows") {
   *   const { reader, writer } = pipe();
   *   using copy = writer.dup();
   *   writer.close();
   *   copy.write(new Uint8Array(3));
   *   assertEquals(reader.read(new Uint8Array(10)), 3);
   *   reader.close();
   * }
   * ```
   */
  dup(): FileDescriptor {
    return new FileDescriptor(duplicate(this.#fd));
  }

  /**
   * Gives the descriptor up without closing it.
   *
   * @returns The descriptor, which the caller has to close; -1 if it was closed already
   *
   * @example Usage
   * ```ts
   * import { FileDescriptor, pipe } from "@readiness/selectors/fd";
   *
   * const { reader, writer } = pipe();
   * writer.close();
   * using adopted = new FileDescriptor(reader.detach());
   * ```
   */
  detach(): number {
    const fd = this.#fd;
    this.#fd = -1;
    if (fd >= 0) forgetDescriptor(fd);
    return fd;
  }

  /**
   * Closes the descriptor. Does nothing if it is closed already.
   *
   * @throws {OSError} If `close` fails; the descriptor is given up anyway
   *
   * @example Usage
   * ```ts
   * import { pipe } from "@readiness/selectors/fd";
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

  /** Shows the class, the descriptor and the public fields in `console.log()`. */
  [Symbol.for("Deno.customInspect")](
    inspect: typeof Deno.inspect,
    options: Deno.InspectOptions,
  ): string {
    return `${this.constructor.name} ${inspect({ fd: this.#fd, ...this }, options)}`;
  }
}

/** Returns how many bytes of a buffer to hand to one call. */
export function transferLength(buffer: Uint8Array): number {
  assertBytes("Cannot use a buffer: it", buffer);
  return Math.min(buffer.byteLength, MAX_TRANSFER);
}

/**
 * Returns whether a failed transfer was interrupted by a signal, and has to be repeated. If not, it
 * would have blocked.
 *
 * @throws {OSError} If it failed for any other reason
 */
export function isInterrupted(
  attempt: string,
  file: HasFileno,
  syscall: string,
  errno: number = lastErrno(),
): boolean {
  if (errno === EINTR) return true;
  if (errno === EAGAIN || errno === EWOULDBLOCK) return false;
  const fd = file.fileno();
  throw new OSError(`Cannot ${attempt} ${nameOf(fd)}`, syscall, errnoOf(fd, errno));
}
