import { assertInteger } from "../checks.ts";
import { ADDRESS_SIZE, DATA_AT, setFamily } from "./sockaddr.ts";

/**
 * An address as its bytes. A Unix socket has one if its name is not UTF-8; of the families IPv4,
 * IPv6 and Unix, all other addresses read back in their typed form.
 */
export interface RawAddress {
  /** The address family: `AF_UNIX`, … */
  family: number;
  /** The bytes of its C structure after the family and, on the BSDs, the length. */
  bytes: Uint8Array;
}

/**
 * Encodes a raw address as C does.
 *
 * @param address The address
 * @returns Its C structure
 * @throws {RangeError} If the family is not one that the structure can hold, or there are too many
 * bytes for any address
 */
export function encodeRawAddress({ family, bytes }: RawAddress): Uint8Array<ArrayBuffer> {
  const limit = ADDRESS_SIZE - DATA_AT;
  assertInteger("Cannot use an address: its family", family, 0, 0xff);
  if (bytes.length > limit) {
    throw new RangeError(`Cannot use an address of ${bytes.length} bytes: the limit is ${limit}`);
  }
  const encoded = new Uint8Array(DATA_AT + bytes.length);
  setFamily(encoded, family);
  encoded.set(bytes, DATA_AT);
  return encoded;
}
