import { abi } from "../abi/mod.ts";
import { assertInteger } from "../checks.ts";
import { ADDRESS_SIZE, DATA_AT, familyOf, setFamily } from "./sockaddr.ts";

const { AF_INET, AF_INET6, AF_UNIX } = abi.constants;
const { sockaddr_in, sockaddr_in6, sockaddr_un } = abi.structs;

/** The sizes of addresses that are shorter than those of other families. */
const SIZES = new Map([
  [AF_INET, sockaddr_in.size],
  [AF_INET6, sockaddr_in6.size],
  [AF_UNIX, sockaddr_un.size],
]);

/**
 * An address as its bytes: one of a family that has no type of its own here, such as netlink, vsock
 * or CAN, or the name of a Unix socket that is not UTF-8. Every socket also accepts the bytes of an
 * address of its family that has another type, and returns it in that type.
 *
 * @example A netlink socket (Linux)
 * ```ts
 * import { AF_NETLINK, NETLINK_ROUTE, SOCK_RAW, Socket } from "@readiness/selectors/socket";
 *
 * if (Deno.build.os === "linux") {
 *   using socket = new Socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
 *   // The rest of a struct sockaddr_nl: padding, an id that the kernel chooses, no groups.
 *   socket.bind({ family: AF_NETLINK, bytes: new Uint8Array(10) });
 *   console.log(socket.localAddress); // { family: 16, bytes: Uint8Array(10) […] }
 * }
 * ```
 *
 * @category Addresses
 */
export interface RawAddress {
  /** The address family: `AF_NETLINK`, … */
  family: number;
  /**
   * The bytes of its C structure after the family and, on the BSDs, the length: up to 14 of IPv4,
   * 26 of IPv6, 108 of Unix on Linux, and 126 of any other family.
   */
  bytes: Uint8Array;
}

/**
 * Encodes a raw address as C does.
 *
 * @param address The address
 * @returns Its C structure
 * @throws {RangeError} If the family is not one that the structure can hold, or it has too many
 * bytes for the family
 */
export function encodeRawAddress({ family, bytes }: RawAddress): Uint8Array<ArrayBuffer> {
  assertInteger("Cannot use an address: its family", family, 0, 0xff);
  const limit = (SIZES.get(family) ?? ADDRESS_SIZE) - DATA_AT;
  if (bytes.length > limit) {
    throw new RangeError(
      `Cannot use an address of family ${family} and ${bytes.length} bytes: the limit is ${limit}`,
    );
  }
  const encoded = new Uint8Array(DATA_AT + bytes.length);
  setFamily(encoded, family);
  encoded.set(bytes, DATA_AT);
  return encoded;
}

/**
 * Decodes an address as its bytes.
 *
 * @param bytes The address in C's form
 * @param size The number of bytes that the system filled
 * @returns The address
 */
export function decodeRawAddress(bytes: Uint8Array<ArrayBuffer>, size: number): RawAddress {
  return { family: familyOf(bytes, size), bytes: bytes.slice(DATA_AT, size) };
}
