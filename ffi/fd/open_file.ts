import { abi } from "../abi/mod.ts";
import { assertCString, assertInteger, need } from "../checks.ts";
import { lastErrno, OSError } from "../errno.ts";
import { libcCalls } from "../libc.ts";
import { cString } from "../memory.ts";
import { O_RDONLY } from "./open_constants.ts";

const calls = libcCalls({
  open: { parameters: ["buffer", "i32", "i32"], result: "i32" },
  // Fillers take up the registers, so that the mode goes on the stack.
  openOnStack: {
    name: "open",
    parameters: ["buffer", "i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32"],
    result: "i32",
  },
});

/**
 * Opens a file, non-blocking and close-on-exec.
 *
 * @param path The path
 * @param flags The flags of `open`
 * @param mode The permissions of a file that is created
 * @param kind The kind of file, for messages, such as `"the terminal "`
 * @returns The descriptor
 */
export function openFile(
  path: string,
  flags: number = O_RDONLY,
  mode: number = 0o666,
  kind: string = "",
): number {
  need(abi.winsock === undefined, "Cannot open a file as a descriptor", "such descriptors");
  assertCString("Cannot open a file: its path", path);
  const attempt = `Cannot open ${kind}${path}`;
  assertInteger(`${attempt}: the flags`, flags);
  assertInteger(`${attempt}: the mode`, mode);
  const { O_CLOEXEC, O_NONBLOCK } = abi.constants;
  const allFlags = flags | O_NONBLOCK | O_CLOEXEC;
  const name = cString(path);
  for (;;) {
    const fd = abi.variadicOnStack
      ? calls().openOnStack(name, allFlags, 0, 0, 0, 0, 0, 0, mode | 0)
      : calls().open(name, allFlags, mode | 0);
    if (fd >= 0) return fd;
    if (lastErrno() !== abi.errno.EINTR) throw new OSError(attempt, "open", lastErrno());
  }
}
