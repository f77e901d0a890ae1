import { abi } from "../abi/mod.ts";
import { cString } from "../memory.ts";
import { setFamily } from "./sockaddr.ts";

const { AF_UNIX } = abi.constants;
const [AT, ROOM] = abi.structs.sockaddr_un.fields.sun_path;

/** The address of a Unix socket: a path in the file system. */
export interface UnixAddress {
  /**
   * The path, empty for an unnamed socket. On Linux a path that begins with a NUL is abstract: it
   * does not name a file.
   */
  path: string;
}

/**
 * Encodes a Unix address as C does.
 *
 * @param address The address
 * @returns As much of a `struct sockaddr_un` as the path needs
 * @throws {RangeError} If the path is empty or too long, or contains a NUL after its first
 * character
 * @throws {Deno.errors.NotSupported} If the path is abstract and the system has no abstract paths
 */
export function encodeUnixAddress({ path }: UnixAddress): Uint8Array<ArrayBuffer> {
  if (path === "") throw new RangeError("Cannot use an address: its path must not be empty");
  const isAbstract = path.startsWith("\0");
  if (isAbstract && !abi.abstractPaths) {
    throw new Deno.errors.NotSupported(
      `Cannot use an abstract path: every path on ${Deno.build.os} names a file`,
    );
  }
  if (!isAbstract && path.includes("\0")) {
    throw new RangeError(
      "Cannot use an address: its path must contain a NUL only at the beginning",
    );
  }
  // An abstract name ends with the address, any other with a NUL.
  const text = isAbstract ? new TextEncoder().encode(path) : cString(path);
  if (text.length > ROOM) {
    const included = isAbstract ? "" : " including the final NUL";
    throw new RangeError(
      `Cannot use a path of ${text.length} bytes${included}: the limit is ${ROOM}`,
    );
  }
  const bytes = new Uint8Array(AT + text.length);
  setFamily(bytes, AF_UNIX);
  bytes.set(text, AT);
  return bytes;
}

/**
 * Decodes a `struct sockaddr_un`.
 *
 * @param bytes The address
 * @param size The number of bytes that the system filled
 * @returns The address
 */
export function decodeUnixAddress(bytes: Uint8Array<ArrayBuffer>, size: number): UnixAddress {
  const text = bytes.subarray(AT, Math.max(AT, size));
  if (text.every((byte) => byte === 0)) return { path: "" };
  const end = text[0] === 0 ? -1 : text.indexOf(0);
  return { path: new TextDecoder().decode(end < 0 ? text : text.subarray(0, end)) };
}
