import { pipe, ProcessDescriptor } from "../../../ffi/fd/mod.ts";
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

/** Starts a program, reads all that it writes, and waits for its end. */
export function outputOf(command: string, ...args: string[]): string {
  const { reader, writer } = pipe();
  using output = reader;
  writer.setBlocking(true);
  using child = ProcessDescriptor.spawn(command, args, { stdout: writer, stderr: writer });
  writer.close();
  output.setBlocking(true);
  let text = "";
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(4096);
  for (let size; (size = output.read(buffer));) {
    text += decoder.decode(buffer.subarray(0, size), { stream: true });
  }
  waitForEnd(child);
  return text;
}
