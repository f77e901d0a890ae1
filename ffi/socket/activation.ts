import { abi } from "../abi/mod.ts";
import { need } from "../checks.ts";
import { closeQuietly, setBlocking, setCloseOnExec } from "../descriptor.ts";
import { lastErrno, OSError } from "../errno.ts";
import { libcCalls } from "../libc.ts";
import { cString, stringAt } from "../memory.ts";
import { FileDescriptor } from "../fd/file_descriptor.ts";
import { Socket } from "./socket.ts";

const { FD_CLOEXEC } = abi.constants;

// Deno.env would need another permission.
const calls = libcCalls({
  getenv: { parameters: ["buffer"], result: "usize" },
  unsetenv: { parameters: ["buffer"], result: "i32" },
  getpid: { parameters: [], result: "i32" },
  getFlags: { name: "fcntl", parameters: ["i32", "i32"], result: "i32" },
});

/** The first descriptor that is passed: systemd's `SD_LISTEN_FDS_START`. */
const FIRST = 3;

/** More descriptors than a service manager passes, but few enough to check each. */
const MAX_FDS = 65_536;

/**
 * A descriptor that the service manager passed to this process.
 *
 * @category systemd
 */
export interface ListenFd {
  /** Its name: `FileDescriptorName=` of the unit, or `"unknown"`. */
  readonly name: string;
  /** A {@linkcode Socket}, or a plain descriptor of anything else, such as a FIFO. */
  readonly descriptor: FileDescriptor;
}

/**
 * Returns the descriptors that a service manager such as systemd passed to this process (socket
 * activation): `LISTEN_FDS` descriptors from 3 up, for the process `LISTEN_PID`, with the names
 * `LISTEN_FDNAMES`.
 *
 * It makes them non-blocking and close-on-exec. It removes the variables, even if they are wrong or
 * for another process, so that no child process uses them; a second call returns nothing. If it
 * fails, it closes the descriptors that were passed.
 *
 * @returns The descriptors in order; none if the variables are not set or for another process
 * @throws {RangeError} If a variable is malformed, or the number of names is not that of
 * descriptors
 * @throws {OSError} If a descriptor is not open (`fcntl`, `EBADF`)
 * @throws {Deno.errors.BadResource} If a descriptor was not inherited, but opened by Deno
 * @throws {Deno.errors.NotSupported} On Windows
 * @throws {Deno.errors.NotCapable} Without FFI permission
 *
 * @example A server that creates its own socket if none was passed
 * ```ts
 * import { AF_INET, listenFds, SOCK_STREAM, Socket } from "@readiness/selectors/socket";
 *
 * const [given] = listenFds();
 * using server = given?.descriptor instanceof Socket ? given.descriptor : listen();
 * console.log(server.localAddress);
 *
 * function listen(): Socket {
 *   const socket = new Socket(AF_INET, SOCK_STREAM);
 *   socket.bind({ hostname: "127.0.0.1", port: 0 });
 *   socket.listen();
 *   return socket;
 * }
 * ```
 *
 * @category systemd
 */
export function listenFds(): ListenFd[] {
  const command = need(
    abi.constants.F_GETFD as number | undefined,
    "Cannot list passed descriptors",
    "socket activation",
  );
  const count = take("LISTEN_FDS");
  const pid = take("LISTEN_PID");
  const names = take("LISTEN_FDNAMES");
  take("LISTEN_PIDFDID");
  if (count === null || pid === null) return [];
  if (parse("LISTEN_PID", pid, 0x7fff_ffff) !== calls().getpid()) return [];
  const total = parse("LISTEN_FDS", count, MAX_FDS);
  const fds = Array.from({ length: total }, (_, i) => FIRST + i);
  const inherited = fds.filter((fd) => isInherited(fd, command));
  try {
    const words = names?.split(":");
    if (words !== undefined && total > 0 && words.length !== total) {
      throw new RangeError(
        `Cannot take over descriptors: LISTEN_FDS is ${total}, ` +
          `but LISTEN_FDNAMES has ${words.length} names`,
      );
    }
    for (const fd of fds) assertInherited(fd, command);
    return fds.map((fd, i) => {
      setCloseOnExec(fd);
      setBlocking(fd, false);
      return { name: words?.[i] ?? "unknown", descriptor: adopt(fd) };
    });
  } catch (error) {
    closeQuietly(inherited);
    throw error;
  }
}

/** Returns a variable and removes it. */
function take(name: string): string | null {
  const { getenv, unsetenv } = calls();
  const address = getenv(cString(name));
  if (address === 0n) return null;
  const value = stringAt(address);
  unsetenv(cString(name));
  return value;
}

function parse(name: string, text: string, maximum: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > maximum) {
    throw new RangeError(
      `Cannot take over descriptors: ${name} must be an integer from 0 to ${maximum}, ` +
        `received "${text}"`,
    );
  }
  return value;
}

/** Deno's own descriptors are close-on-exec; an inherited one cannot be. */
function isInherited(fd: number, command: number): boolean {
  const flags = calls().getFlags(fd, command);
  return flags >= 0 && (flags & FD_CLOEXEC) === 0;
}

function assertInherited(fd: number, command: number): void {
  if (calls().getFlags(fd, command) < 0) {
    throw new OSError(`Cannot take over fd ${fd}`, "fcntl", lastErrno());
  }
  if (!isInherited(fd, command)) {
    throw new Deno.errors.BadResource(
      `Cannot take over fd ${fd}: it is Deno's own, so LISTEN_FDS is too high`,
    );
  }
}

function adopt(fd: number): FileDescriptor {
  try {
    return Socket.fromFd(fd);
  } catch (error) {
    if (!(error instanceof OSError) || error.code !== "ENOTSOCK") throw error;
    return new FileDescriptor(fd);
  }
}
