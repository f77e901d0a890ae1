import { abi } from "../abi/host.ts";
import { setBlocking, setCloseOnExec } from "../descriptor.ts";
import { lastErrno, OSError } from "../errno.ts";
import { libcCalls } from "../libc.ts";
import { cString, stringAt } from "../memory.ts";
import { FileDescriptor } from "../fd/file_descriptor.ts";
import { Socket } from "./socket.ts";
import { need } from "../checks.ts";

const { FD_CLOEXEC } = abi.constants;

// Through libc: Deno's environment takes a permission of its own.
const calls = libcCalls({
  getenv: { parameters: ["buffer"], result: "usize" },
  unsetenv: { parameters: ["buffer"], result: "i32" },
  getpid: { parameters: [], result: "i32" },
  getFlags: { name: "fcntl", parameters: ["i32", "i32"], result: "i32" },
});

/** The first descriptor that is handed over: systemd's `SD_LISTEN_FDS_START`. */
const FIRST = 3;

/** More than anyone hands over, and few enough to go through. */
const MOST = 65_536;

const VARIABLES = ["LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "LISTEN_PIDFDID"] as const;

/** A descriptor that this process was started with. */
export interface ListenFd {
  /** Its name: `FileDescriptorName=` of the unit, or `"unknown"`. */
  readonly name: string;
  /** A {@linkcode Socket}, or, if it is something else, such as a FIFO, a plain descriptor. */
  readonly descriptor: FileDescriptor;
}

/**
 * Takes over the sockets that this process was started with by systemd, or whoever does as it does:
 * descriptors from 3 up, `LISTEN_FDS` of them, for the process `LISTEN_PID`, named `LISTEN_FDNAMES`.
 *
 * They become non-blocking and close-on-exec. The variables are cleared, also if they are wrong or for
 * another process, so that no child takes itself for the one meant; a second call finds nothing.
 *
 * @returns The descriptors in order; none if there are no variables, or they are for another process
 * @throws {RangeError} If a variable is malformed, or there are not as many names as descriptors
 * @throws {OSError} If a descriptor is not open (`fcntl`, `EBADF`)
 * @throws {Deno.errors.BadResource} If a descriptor was not inherited, but is one of Deno's own
 * @throws {Deno.errors.NotSupported} On Solaris and Windows
 * @throws {Deno.errors.NotCapable} Without FFI permission
 *
 * @example A server that makes its socket itself if it was given none
 * ```ts
 * import { AF_INET, listenFds, SOCK_STREAM, Socket } from "@readiness/selectors/socket";
 *
 * const [given] = listenFds();
 * using server = given?.descriptor instanceof Socket ? given.descriptor : own();
 * console.log(server.localAddress);
 *
 * function own(): Socket {
 *   const socket = new Socket(AF_INET, SOCK_STREAM);
 *   socket.bind({ hostname: "127.0.0.1", port: 0 });
 *   socket.listen();
 *   return socket;
 * }
 * ```
 */
export function listenFds(): ListenFd[] {
  need(
    abi.constants.F_GETFD as number | undefined,
    "Cannot list the descriptors that were handed over",
    "socket activation",
  );
  const [count, pid, names] = VARIABLES.map(take);
  if (count === null || pid === null) return [];
  if (parse("LISTEN_PID", pid, 0x7fff_ffff) !== calls().getpid()) return [];
  const total = parse("LISTEN_FDS", count, MOST);
  const words = names?.split(":");
  if (words !== undefined && total > 0 && words.length !== total) {
    throw new RangeError(
      `Cannot take descriptors over: LISTEN_FDS is ${total}, ` +
        `but LISTEN_FDNAMES has ${words.length} names`,
    );
  }
  const fds = Array.from({ length: total }, (_, i) => FIRST + i);
  fds.forEach(assertInherited);
  return fds.map((fd, i) => {
    setCloseOnExec(fd);
    setBlocking(fd, false);
    return { name: words?.[i] ?? "unknown", descriptor: adopt(fd) };
  });
}

/** Reads a variable and clears it. */
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
      `Cannot take descriptors over: ${name} must be an integer from 0 to ${maximum}, ` +
        `received "${text}"`,
    );
  }
  return value;
}

/** What was inherited is not close-on-exec, and what Deno has opened itself is. */
function assertInherited(fd: number): void {
  const flags = calls().getFlags(fd, abi.constants.F_GETFD);
  if (flags < 0) throw new OSError(`Cannot take fd ${fd} over`, "fcntl", lastErrno());
  if (flags & FD_CLOEXEC) {
    throw new Deno.errors.BadResource(
      `Cannot take fd ${fd} over: it is Deno's own, so LISTEN_FDS counts too many`,
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
