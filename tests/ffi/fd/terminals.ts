import { assertEquals } from "@std/assert";
import { type FileDescriptor, pseudoTerminal, type Terminal } from "../../../ffi/fd/mod.ts";
import { isWindows } from "../../support/os.ts";
import { type Skip, skipIf } from "../../support/skip.ts";
import { untilReadable } from "../../support/sockets.ts";

/** Skips a test of terminals on a system that has none. */
export const needsTerminals: Skip = skipIf(isWindows, "Windows has no POSIX terminals");

/** Writes a text that fits. */
export function write(file: FileDescriptor, text: string): void {
  const bytes = new TextEncoder().encode(text);
  assertEquals(file.write(bytes), bytes.length);
}

/** Waits for text and reads it. */
export function read(file: FileDescriptor): string {
  untilReadable(file);
  const buffer = new Uint8Array(1000);
  return new TextDecoder().decode(buffer.subarray(0, file.read(buffer)!));
}

/** Returns a terminal that is closed. */
export function closedTerminal(): Terminal {
  using pair = pseudoTerminal();
  return pair.subsidiary;
}
