import { makePipe } from "../descriptor.ts";
import { FileDescriptor } from "./file_descriptor.ts";

/**
 * Makes a pipe. Both ends are non-blocking and close-on-exec.
 *
 * Windows cannot wait for pipes. There the ends are two sockets that are connected over loopback: what
 * one end writes the other reads, in either direction.
 *
 * @returns The end to read from and the end to write to
 * @throws {OSError} If `pipe2` or `pipe` fails, such as with `EMFILE`
 * @throws {Deno.errors.NotCapable} Without FFI permission
 *
 * @example
 * ```ts
 * import { pipe } from "@readiness/selectors/fd";
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
