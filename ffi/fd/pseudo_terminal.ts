import { abi } from "../abi/mod.ts";
import { nameOf, setCloseOnExec } from "../descriptor.ts";
import { lastErrno, OSError } from "../errno.ts";
import { libcCalls } from "../libc.ts";
import { stringAt } from "../memory.ts";
import { decodeCString } from "../text.ts";
import { openTerminal, Terminal } from "./terminal.ts";
import { termiosTable } from "./terminal_attributes.ts";

const calls = libcCalls({
  posix_openpt: { parameters: ["i32"], result: "i32" },
  grantpt: { parameters: ["i32"], result: "i32" },
  unlockpt: { parameters: ["i32"], result: "i32" },
  ptsname: { parameters: ["i32"], result: "usize" },
  // Some systems lack it. ptsname returns memory that every thread writes to.
  ptsname_r: { parameters: ["i32", "buffer", "usize"], result: "i32", optional: true },
});

/**
 * A pseudo-terminal: each side reads what the other writes.
 *
 * @category Terminals
 */
export interface PseudoTerminal extends Disposable {
  /** The side of a program that stands for the keyboard and the screen. */
  readonly manager: Terminal;
  /** The side that programs use as their terminal. */
  readonly subsidiary: Terminal;
  /** The path of the subsidiary side, such as `/dev/pts/3`. */
  readonly path: string;
}

/**
 * Makes a pseudo-terminal. Both sides are non-blocking and close-on-exec. Like any terminal it
 * starts with line editing and echo.
 *
 * @returns Both sides, which are closed at the end of a `using` block
 * @throws {OSError} If `posix_openpt`, `grantpt`, `unlockpt`, `ptsname` or `open` fails, such as
 * with `EMFILE`, or `ENOSPC` if there are too many pseudo-terminals
 * @throws {Deno.errors.NotSupported} On a system that {@linkcode Terminal} does not list
 * @throws {Deno.errors.NotCapable} Without FFI permission
 *
 * @example Usage
 * ```ts
 * import { pseudoTerminal } from "@readiness/selectors/fd";
 *
 * using pair = pseudoTerminal();
 * pair.subsidiary.write(new TextEncoder().encode("login: "));
 * const buffer = new Uint8Array(100);
 * const size = pair.manager.read(buffer)!;
 * console.log(new TextDecoder().decode(buffer.subarray(0, size))); // login:
 * ```
 *
 * @category Terminals
 */
export function pseudoTerminal(): PseudoTerminal {
  const { termios2 } = termiosTable();
  const { O_CLOEXEC, O_NOCTTY, O_NONBLOCK, O_RDWR } = abi.constants;
  const { grantpt, posix_openpt, unlockpt } = calls();
  // POSIX allows only two flags here. Linux takes them all.
  const isLinux = termios2 !== undefined;
  const fd = posix_openpt(O_RDWR | O_NOCTTY | (isLinux ? O_NONBLOCK | O_CLOEXEC : 0));
  if (fd < 0) throw new OSError("Cannot make a pseudo-terminal", "posix_openpt", lastErrno());
  const manager = new Terminal(fd);
  let subsidiary: Terminal | undefined;
  try {
    if (grantpt(fd) < 0) throw failure("make a pseudo-terminal of", fd, "grantpt");
    if (unlockpt(fd) < 0) throw failure("make a pseudo-terminal of", fd, "unlockpt");
    const path = subsidiaryPath(fd);
    const opened = subsidiary = openTerminal(path);
    if (!isLinux) {
      // macOS refuses to set flags before the other side is open.
      setCloseOnExec(fd);
      manager.setBlocking(false);
    }
    return {
      manager,
      subsidiary,
      path,
      [Symbol.dispose]() {
        try {
          opened.close();
        } finally {
          manager.close();
        }
      },
    };
  } catch (error) {
    subsidiary?.close();
    manager.close();
    throw error;
  }
}

/** Returns whether a descriptor is the manager of a pseudo-terminal, on Linux. */
export function isManager(fd: number): boolean {
  const name = new Uint8Array(128);
  return calls().ptsname_r?.(fd, name, BigInt(name.length)) === 0;
}

function subsidiaryPath(manager: number): string {
  const { ptsname, ptsname_r } = calls();
  if (ptsname_r === null) {
    const address = ptsname(manager);
    if (address === 0n) throw failure("find the other side of", manager, "ptsname");
    return stringAt(address);
  }
  const name = new Uint8Array(128);
  if (ptsname_r(manager, name, BigInt(name.length)) !== 0) {
    throw failure("find the other side of", manager, "ptsname_r");
  }
  return decodeCString(name);
}

function failure(attempt: string, fd: number, syscall: string): OSError {
  return new OSError(`Cannot ${attempt} ${nameOf(fd)}`, syscall, lastErrno());
}
