import { abi } from "../abi/mod.ts";
import { assertInteger, need } from "../checks.ts";
import { filenoOf, type HasFileno, nameOf } from "../descriptor.ts";
import { lastErrno, OSError } from "../errno.ts";
import { libcCalls } from "../libc.ts";
import type { AnySocket } from "./socket.ts";

const { EAGAIN, EINTR, EINVAL, ENOSYS, EOPNOTSUPP, EWOULDBLOCK } = abi.errno;

// One call, with the parameters of each system.
const calls = {
  linux: libcCalls({
    sendfile: { parameters: ["i32", "i32", "buffer", "usize"], result: "i64" },
  }),
  darwin: libcCalls({
    sendfile: { parameters: ["i32", "i32", "i64", "buffer", "pointer", "i32"], result: "i32" },
  }),
  freebsd: libcCalls({
    sendfile: {
      parameters: ["i32", "i32", "i64", "usize", "pointer", "buffer", "i32"],
      result: "i32",
    },
  }),
  none: libcCalls({
    pread: { parameters: ["i32", "buffer", "usize", "i64"], result: "i64" },
  }),
};

/** The most bytes that one call sends: Linux's own limit. */
const MAX_COUNT = 0x7fff_f000;

/** The most bytes that are read at once where the system does not send from files. */
const MAX_READ = 65_536;

/** The errors of `sendfile` with a file or socket that it cannot use. */
const UNSUITABLE = [EINVAL, ENOSYS, EOPNOTSUPP];

/**
 * Sends a part of a file, which the system copies without passing it through this program: with
 * `sendfile` on Linux, macOS and FreeBSD. On other systems, and for files and sockets that
 * `sendfile` refuses, it reads up to 64 KiB of the file with `pread` and sends them.
 *
 * The position of the file is neither used nor changed. Reading the file may block until the disk
 * has delivered it.
 *
 * @param socket A connected stream socket
 * @param file The descriptor of a regular file, or an object that has it
 * @param offset Where to begin, in bytes from the beginning of the file
 * @param count The most bytes to send
 * @returns The number of bytes sent, which may be less than `count`; 0 at the end of the file; or
 * `null` if there is no room now
 * @throws {TypeError} If `file` is neither a number nor an object with `fileno()`
 * @throws {RangeError} If `offset` or `count` is negative, not an integer or above 2⁵³ − 1
 * @throws {OSError} If the system refuses (`sendfile`, `pread`, `send`), such as with `EPIPE`, with
 * `ESPIPE` if the file is a pipe, or with `EBADF` if one of the two is closed
 * @throws {Deno.errors.NotSupported} On Windows
 * @throws {Deno.errors.NotCapable} Without FFI permission
 *
 * @example Send a whole file
 * ```ts
 * import { whenWritable } from "@readiness/selectors";
 * import { FileDescriptor } from "@readiness/selectors/fd";
 * import { sendFile, type Socket, socketpair } from "@readiness/selectors/socket";
 *
 * async function sendWhole(socket: Socket, path: string): Promise<number> {
 *   using file = FileDescriptor.open(path);
 *   let offset = 0;
 *   for (;;) {
 *     const sent = await whenWritable(socket, () => sendFile(socket, file, offset, 1 << 20));
 *     if (sent === 0) return offset;
 *     offset += sent;
 *   }
 * }
 *
 * if (Deno.build.os !== "windows") {
 *   const path = await Deno.makeTempFile();
 *   await Deno.writeTextFile(path, "hello");
 *   using pair = socketpair();
 *   console.log(await sendWhole(pair[0], path)); // 5
 *   await Deno.remove(path);
 * }
 * ```
 *
 * @category Sockets
 */
export function sendFile(
  socket: AnySocket,
  file: number | HasFileno,
  offset: number,
  count: number,
): number | null {
  need(abi.winsock === undefined, "Cannot send a file", "sendfile()");
  const fd = filenoOf(file, "Cannot send a file");
  assertInteger("Cannot send a file: the offset", offset, 0, Number.MAX_SAFE_INTEGER);
  assertInteger("Cannot send a file: the count", count, 0, Number.MAX_SAFE_INTEGER);
  const size = Math.min(count, MAX_COUNT);
  const to = socket.fileno();
  for (;;) {
    const sent = sendOnce(to, fd, offset, size);
    if (sent >= 0) return sent;
    const errno = -sent;
    if (errno === EAGAIN || errno === EWOULDBLOCK) return null;
    if (UNSUITABLE.includes(errno)) return readAndSend(socket, fd, offset, size);
    if (errno !== EINTR) {
      const attempt = `Cannot send ${nameOf(fd)} on ${nameOf(to)}`;
      throw new OSError(attempt, "sendfile", errno);
    }
  }
}

/** Calls the system's `sendfile`. Returns how many bytes it sent, or the negated errno. */
function sendOnce(to: number, fd: number, offset: number, count: number): number {
  if (count === 0) return 0; // To FreeBSD and macOS it means the rest of the file.
  if (abi.sendfile === "linux") {
    const at = new BigInt64Array([BigInt(offset)]);
    const sent = Number(calls.linux().sendfile(to, fd, at, BigInt(count)));
    return sent < 0 ? -lastErrno() : sent;
  }
  const sent = new BigInt64Array([abi.sendfile === "darwin" ? BigInt(count) : 0n]);
  let result: number;
  if (abi.sendfile === "darwin") {
    result = calls.darwin().sendfile(fd, to, BigInt(offset), sent, null, 0);
  } else if (abi.sendfile === "freebsd") {
    result = calls.freebsd().sendfile(fd, to, BigInt(offset), BigInt(count), null, sent, 0);
  } else return -ENOSYS;
  // A call that there was no room for, or that was interrupted, may have sent something.
  if (result < 0 && (sent[0] === 0n || !isPartial(lastErrno()))) return -lastErrno();
  return Number(sent[0]);
}

function isPartial(errno: number): boolean {
  return errno === EAGAIN || errno === EINTR;
}

function readAndSend(socket: AnySocket, fd: number, offset: number, count: number): number | null {
  const buffer = new Uint8Array(Math.min(count, MAX_READ));
  for (;;) {
    const size = Number(calls.none().pread(fd, buffer, BigInt(buffer.length), BigInt(offset)));
    if (size > 0) return socket.send(buffer.subarray(0, size));
    if (size === 0) return 0;
    const errno = lastErrno();
    if (errno !== EINTR) throw new OSError(`Cannot read from ${nameOf(fd)}`, "pread", errno);
  }
}
