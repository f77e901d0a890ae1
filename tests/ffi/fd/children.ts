import {
  type FileDescriptor,
  pipe,
  ProcessDescriptor,
  type SpawnOptions,
} from "../../../ffi/fd/mod.ts";
import { isQemu } from "../../support/os.ts";
import { type Skip, skipIf } from "../../support/skip.ts";
import { untilReadable } from "../../support/sockets.ts";

/** Skips a test of programs that cannot be started. */
export const needsSpawnErrors: Skip = skipIf(
  isQemu,
  "qemu's child of posix_spawn() cannot report a failure",
);

/** Waits for the end of a child. */
export function waitForEnd(child: ProcessDescriptor): Deno.CommandStatus | null {
  untilReadable(child);
  return child.wait();
}

/** Reads to the end of a stream, waiting for it. */
export function readText(file: FileDescriptor): string {
  file.setBlocking(true);
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(1 << 16);
  let text = "";
  for (let size; (size = file.read(buffer));) {
    text += decoder.decode(buffer.subarray(0, size), { stream: true });
  }
  return text;
}

/** Starts a program, reads its output and errors, and waits for its end. */
export function outputOf(
  command: string,
  args: readonly string[] = [],
  options: SpawnOptions = {},
): string {
  using ends = pipe();
  const streams = { stdout: ends.writer, stderr: ends.writer };
  using child = ProcessDescriptor.spawn(command, args, { ...streams, ...options });
  ends.writer.close();
  const text = readText(ends.reader);
  waitForEnd(child);
  return text;
}
