/**
 * Groups, sources and interfaces of multicast, as the functions for it take them.
 *
 * @module
 */

import { abi } from "../abi/mod.ts";
import { assertInteger, assertString, describeValue } from "../checks.ts";
import { interfaceIndex } from "./interfaces.ts";
import { parseAddress } from "./internet_address.ts";
import { familyOfSocket } from "./names.ts";
import type { AnySocket } from "./socket.ts";

const { AF_INET, AF_INET6 } = abi.constants;

/**
 * A network interface: its index, its name, such as `"eth0"`, or, only for IPv4, its address, such
 * as `"192.0.2.1"`. 0 lets the system choose.
 *
 * @category Multicast
 */
export type Interface = number | string;

/** A group and its interface. */
export interface Group {
  /** Its address, of 4 or 16 bytes. */
  readonly address: Uint8Array<ArrayBuffer>;
  readonly on: Interface;
}

/**
 * Returns the family of a socket that can use multicast.
 *
 * @param socket The socket
 * @returns `AF_INET` or `AF_INET6`
 * @throws {TypeError} If it is of another family
 */
export function familyForMulticast(socket: AnySocket): number {
  const family = familyOfSocket(socket.fileno());
  if (family !== AF_INET && family !== AF_INET6) {
    throw new TypeError(`Cannot use multicast with a socket of family ${family}`);
  }
  return family;
}

/**
 * Parses a group.
 *
 * @param group Its numeric address; an IPv6 address may have a zone
 * @param family Its family
 * @param on The interface; 0 for that of the zone, if there is one
 * @returns The group
 * @throws {TypeError} If an argument has the wrong type
 * @throws {RangeError} If it is not such an address, or has the zone of another interface
 * @throws {OSError} If there is no such interface (`if_nametoindex`)
 */
export function parseGroup(group: string, family: number, on: Interface = 0): Group {
  assertString("Cannot use a group: its address", group);
  const [text, zone] = family === AF_INET6 ? splitZone(group) : [group, undefined];
  const address = parseNumeric("Cannot use a group: its address", text, family, group);
  if (zone === undefined) return { address, on };
  const index = /^\d+$/.test(zone) ? indexOf(Number(zone)) : indexOf(zone);
  if (on !== 0 && indexOf(on) !== index) {
    throw new RangeError(
      `Cannot use the group ${group} on interface ${on}: its zone is another interface`,
    );
  }
  return { address, on: index };
}

/**
 * Parses a numeric address.
 *
 * @param subject The beginning of the message, such as `"Cannot use a group: its address"`
 * @param text The text
 * @param family Its family
 * @param received What the message shows; the text by default
 * @returns Its bytes
 * @throws {RangeError} If it is not such an address
 */
export function parseNumeric(
  subject: string,
  text: string,
  family: number,
  received: string = text,
): Uint8Array<ArrayBuffer> {
  const bytes = parseAddress(text, family);
  if (bytes === null) {
    throw new RangeError(
      `${subject} must be a numeric IPv${family === AF_INET ? 4 : 6} address, ` +
        `received ${JSON.stringify(received)}`,
    );
  }
  return bytes;
}

/** Returns the index of an interface. */
export function indexOf(on: Interface): number {
  if (typeof on === "string") return interfaceIndex(on);
  if (typeof on !== "number") {
    throw new TypeError(
      `Cannot use an interface: it must be a number or a string, received ${describeValue(on)}`,
    );
  }
  assertInteger("Cannot use an interface: its index", on, 0);
  return on;
}

/** Splits an address from its zone, if it has one. */
function splitZone(text: string): [address: string, zone?: string] {
  const at = text.indexOf("%");
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
