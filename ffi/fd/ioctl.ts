import { abi } from "../abi/mod.ts";
import { assertInteger32, describeValue, need } from "../checks.ts";
import { filenoOf, type HasFileno, nameOf } from "../descriptor.ts";
import { lastErrno, OSError } from "../errno.ts";
import { libcCalls } from "../libc.ts";

const calls = libcCalls({
  ioctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },
  ioctlValue: { name: "ioctl", parameters: ["i32", "u64", "i64"], result: "i32" },
  // Fillers take up the registers, so that the argument goes on the stack.
  ioctlOnStack: {
    name: "ioctl",
    parameters: ["i32", "u64", "i32", "i32", "i32", "i32", "i32", "i32", "buffer"],
    result: "i32",
  },
  ioctlValueOnStack: {
    name: "ioctl",
    parameters: ["i32", "u64", "i32", "i32", "i32", "i32", "i32", "i32", "i64"],
    result: "i32",
  },
});

/** More than any structure whose size a request can state, which has 14 bits for it. */
const SCRATCH = new Uint8Array(1 << 14);

/**
 * Controls a device with `ioctl`.
 *
 * Every driver has requests of its own, with their numbers in its header: `TIOCGWINSZ` is 0x5413 on
 * Linux and 0x40087468 on macOS. Most take a pointer to a structure; a few take a number.
 *
 * Many requests state the size of their structure, and a shorter array is refused. Others do not,
 * or state a wrong one. The call therefore gets a copy of the array with zeros up to 16 KiB, and
 * the array gets its part of the result back: an array that is too short does no harm. An array
 * of 16 KiB or more is passed without a copy. Addresses inside a structure cannot be checked.
 *
 * @param file The device's descriptor, or an object that has it
 * @param request The request, a 32-bit integer
 * @param argument The bytes of a structure, which the call may read and change, or a 32-bit
 * integer. A null pointer by default
 * @returns The result of the call, usually 0
 * @throws {TypeError} If `file` is not a descriptor, or `argument` neither an integer nor a
 * `Uint8Array`
 * @throws {RangeError} If a number is not a 32-bit integer, or `argument` is shorter than the
 * request states
 * @throws {OSError} If `ioctl` fails, such as with `ENOTTY` if the device does not know the
 * request, or `EBADF` once closed
 * @throws {Deno.errors.NotSupported} On Windows
 * @throws {Deno.errors.NotCapable} Without FFI permission
 *
 * @example Get the number of bytes in a pipe
 * ```ts
 * import { ioctl, pipe } from "@readiness/selectors/fd";
 * import { assertEquals } from "@std/assert";
 *
 * if (Deno.build.os !== "windows") {
 *   using ends = pipe();
 *   ends.writer.write(new Uint8Array(5));
 *   const FIONREAD = Deno.build.os === "linux" ? 0x541b : 0x4004667f;
 *   const count = new Int32Array(1);
 *   ioctl(ends.reader, FIONREAD, new Uint8Array(count.buffer));
 *   assertEquals(count[0], 5);
 * }
 * ```
 *
 * @category Descriptors
 */
export function ioctl(
  file: number | HasFileno,
  request: number,
  argument?: number | Uint8Array,
): number {
  need(abi.winsock === undefined, "Cannot call ioctl()", "such call");
  const fd = filenoOf(file, "Cannot call ioctl()");
  assertInteger32("Cannot call ioctl(): the request", request);
  const attempt = `Cannot call ioctl() with 0x${(request >>> 0).toString(16)} on ${nameOf(fd)}`;
  for (;;) {
    const result = argument === undefined
      ? callIoctl(fd, request, null)
      : argument instanceof Uint8Array
      ? withBytes(fd, request, argument, attempt)
      : withValue(fd, request, argument);
    if (result >= 0) return result;
    const errno = lastErrno();
    if (errno !== abi.errno.EINTR) throw new OSError(attempt, "ioctl", errno);
  }
}

/** Calls `ioctl` with a pointer. Returns what it returns. */
export function callIoctl(
  fd: number,
  request: number,
  pointer: BufferSource | null,
): number {
  const { ioctl, ioctlOnStack } = calls();
  const number = BigInt(request >>> 0);
  return abi.variadicOnStack
    ? ioctlOnStack(fd, number, 0, 0, 0, 0, 0, 0, pointer)
    : ioctl(fd, number, pointer);
}

function withBytes(fd: number, request: number, bytes: Uint8Array, attempt: string): number {
  const size = statedSize(request);
  if (bytes.byteLength < size) {
    throw new RangeError(
      `${attempt}: the argument must have ${size} bytes or more, received ${bytes.byteLength}`,
    );
  }
  if (bytes.byteLength >= SCRATCH.byteLength) return callIoctl(fd, request, bytes as BufferSource);
  SCRATCH.set(bytes);
  SCRATCH.fill(0, bytes.byteLength);
  const result = callIoctl(fd, request, SCRATCH);
  bytes.set(SCRATCH.subarray(0, bytes.byteLength));
  return result;
}

function withValue(fd: number, request: number, value: number): number {
  if (typeof value !== "number") {
    throw new TypeError(
      `Cannot call ioctl(): the argument must be an integer or a Uint8Array, ` +
        `received ${describeValue(value)}`,
    );
  }
  assertInteger32("Cannot call ioctl(): the argument", value);
  const { ioctlValue, ioctlValueOnStack } = calls();
  const number = BigInt(request >>> 0);
  return abi.variadicOnStack
    ? ioctlValueOnStack(fd, number, 0, 0, 0, 0, 0, 0, BigInt(value))
    : ioctlValue(fd, number, BigInt(value));
}

/**
 * Returns the size of a request's structure, or 0 if it does not state one. Every system has two
 * bits at the top for the direction, then the size above the lower 16 bits. The systems differ in
 * the number of its bits, but those that a system does not use are zero.
 */
function statedSize(request: number): number {
  return request >>> 30 === 0 ? 0 : request >>> 16 & 0x3fff;
}
