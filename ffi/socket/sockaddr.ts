/**
 * What addresses of all families have in common in C: they begin with the family, on the BSDs after
 * a byte with the length.
 *
 * @module
 */

import { abi } from "../abi/mod.ts";

const { AF_UNIX } = abi.constants;
const { sun_family, sun_len, sun_path } = abi.structs.sockaddr_un.fields;

/** Enough bytes for any address: the size of C's `sockaddr_storage`. */
export const ADDRESS_SIZE = 128;

/** Where the bytes begin that depend on the family. */
export const DATA_AT: number = sun_path[0];

/**
 * Returns the family of an address. An address of no bytes is that of an unnamed Unix socket.
 *
 * @param bytes The address
 * @param size The number of bytes that the system filled
 * @returns Its family
 */
export function familyOf(bytes: Uint8Array<ArrayBuffer>, size: number): number {
  const [at, width] = sun_family;
  if (size < at + width) return AF_UNIX;
  if (width === 1) return bytes[at]!;
  return bytes[at]! | bytes[at + 1]! << 8;
}

/**
 * Writes the family into an address, and the length where the system has a field for it.
 *
 * @param bytes The address, as long as it will be
 * @param family Its family
 */
export function setFamily(bytes: Uint8Array<ArrayBuffer>, family: number): void {
  bytes[sun_family[0]] = family; // The low byte, whether the field has one or two.
  if (sun_len !== undefined) bytes[sun_len[0]] = bytes.length;
}

/** Clears the family of an address, and the length. A loop is faster than `fill`. */
export function clearFamily(bytes: Uint8Array<ArrayBuffer>): void {
  for (let i = 0; i < DATA_AT; i++) bytes[i] = 0;
}
