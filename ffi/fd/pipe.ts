import { makePipe } from "../descriptor.ts";
import { FileDescriptor } from "./file_descriptor.ts";

/**
 * A pipe: one end reads what the other writes. Disposing of it closes both.
 *
 * @category Descriptors
 */
export interface Pipe extends Disposable {
  /** The reading end. */
  readonly reader: FileDescriptor;
  /** The writing end. */
  readonly writer: FileDescriptor;
}

/**
 * Makes a pipe. Both ends are non-blocking and close-on-exec.
 *
 * Windows cannot wait for pipes. There the ends are two sockets that are connected over loopback:
 * what one end writes the other reads, in either direction.
 *
 * @returns Both ends, which are closed at the end of a `using` block
 * @throws {OSError} If `pipe2` or `pipe` fails, such as with `EMFILE`
 * @throws {Deno.errors.NotCapable} Without FFI permission
 *
 * @example Usage
 * ```ts
 * import { pipe } from "@readiness/selectors/fd";
 * import { assertEquals } from "@std/assert";
 *
 * using ends = pipe();
 * ends.writer.write(new Uint8Array(3));
 * assertEquals(ends.reader.read(new Uint8Array(10)), 3);
 * ```
 *
 * @category Descriptors
 */
export function pipe(): Pipe {
  const fds = makePipe();
  const reader = new FileDescriptor(fds[0]);
  const writer = new FileDescriptor(fds[1]);
  return {
    reader,
    writer,
    [Symbol.dispose]() {
      try {
        reader.close();
      } finally {
        writer.close();
      }
    },
  };
}
