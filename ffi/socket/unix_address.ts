import { abi } from "../abi/mod.ts";
import { assertWellFormed } from "../checks.ts";
import { decodeExactly, untilNul } from "../text.ts";
import type { RawAddress } from "./raw_address.ts";
import { setFamily } from "./sockaddr.ts";

const { AF_UNIX } = abi.constants;
const [AT, ROOM] = abi.structs.sockaddr_un.fields.sun_path;

/**
 * The address of a Unix socket: a path in the file system. If its bytes are not UTF-8, it is a
 * {@linkcode RawAddress} instead.
 *
 * @category Addresses
 */
export interface UnixAddress {
  /**
   * The path, empty for an unnamed socket. On Linux a path that begins with a NUL is abstract: it
   * does not name a file. Binding to an empty path lets Linux choose a free abstract one.
   */
  path: string;
}

/**
 * Encodes a Unix address as C does.
 *
 * @param address The address
 * @returns As much of a `struct sockaddr_un` as the path needs
 * @throws {RangeError} If the path is empty, too long or not well-formed, or contains a NUL but
 * does not begin with one
 * @throws {Deno.errors.NotSupported} If the path is abstract and the system has no abstract paths
 */
export function encodeUnixAddress({ path }: UnixAddress): Uint8Array<ArrayBuffer> {
  assertWellFormed("Cannot use an address: its path", path);
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
  const text = new TextEncoder().encode(path);
  if (text.length > ROOM) {
    throw new RangeError(`Cannot use a path of ${text.length} bytes: the limit is ${ROOM}`);
  }
  // An abstract name ends with the address, any other with a NUL if there is room.
  const bytes = new Uint8Array(AT + (isAbstract ? text.length : Math.min(text.length + 1, ROOM)));
  setFamily(bytes, AF_UNIX);
  bytes.set(text, AT);
  return bytes;
}

/** Returns a `struct sockaddr_un` without a path. */
export function unnamedUnixAddress(): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(AT);
  setFamily(bytes, AF_UNIX);
  return bytes;
}

/**
 * Decodes a `struct sockaddr_un`.
 *
 * @param bytes The address
 * @param size The number of bytes that the system filled
 * @returns The address, as its bytes if its name is not UTF-8
 */
export function decodeUnixAddress(
  bytes: Uint8Array<ArrayBuffer>,
  size: number,
): UnixAddress | RawAddress {
  const filled = bytes.subarray(AT, Math.max(AT, size));
  const isAbstract = abi.abstractPaths === true && filled[0] === 0;
  const name = isAbstract ? filled : untilNul(filled);
  const path = decodeExactly(name);
  return path === null ? { family: AF_UNIX, bytes: name.slice() } : { path };
}
