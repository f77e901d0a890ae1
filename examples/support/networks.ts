/**
 * Numeric addresses and networks, as on command lines.
 *
 * @module
 */

import { AF_INET, AF_INET6, interfaceIndex, type RawAddress } from "@readiness/selectors/socket";
import { exitWith } from "./command_line.ts";
import { formatIp } from "./packets.ts";

/** An address with the length of its network. */
export interface Network {
  readonly text: string;
  /** The 4 or 16 bytes of the address. */
  readonly bytes: Uint8Array;
  /** How many bits are the network's. */
  readonly length: number;
}

/** Parses `ADDRESS/LENGTH`, or exits. */
export function parseNetwork(text: string): Network {
  const [, address, length] = /^([^/]*)\/(\d{1,3})$/.exec(text) ?? [];
  const bytes = parseIp(address ?? "");
  if (bytes === null || Number(length) > 8 * bytes.length) {
    exitWith(2, `An address must be ADDRESS/LENGTH, such as 10.0.0.1/24, received ${text}`);
  }
  return { text, bytes, length: Number(length) };
}

/** The most bits that the addresses of a network may differ in. */
const MAX_HOST_BITS = 16;

/** Returns each address of a network, or exits if there are too many. */
export function addressesOf({ text, bytes, length }: Network): string[] {
  const hostBits = 8 * bytes.length - length;
  if (hostBits > MAX_HOST_BITS) {
    const shortest = 8 * bytes.length - MAX_HOST_BITS;
    exitWith(2, `The network must be /${shortest} or smaller, received ${text}`);
  }
  const address = bytes.slice();
  const view = new DataView(address.buffer, bytes.length - 4); // Its last bits
  const first = view.getUint32(0) & -(2 ** hostBits);
  return Array.from({ length: 2 ** hostBits }, (_, i) => {
    view.setUint32(0, first + i);
    return formatIp(address);
  });
}

/** Parses a numeric address, or returns `null`. */
export function parseIp(text: string): Uint8Array | null {
  const isIpv6 = text.includes(":");
  const url = isIpv6 ? `http://[${text}]` : `http://${text}`;
  if (!isIpv6 && !/^\d+\.\d+\.\d+\.\d+$/.test(text) || !URL.canParse(url)) return null;
  const { hostname } = new URL(url); // In its shortest form
  if (!isIpv6) return new Uint8Array(hostname.split(".").map(Number));
  const [start, end] = hostname.slice(1, -1).split("::").map((part) =>
    part.split(":").filter(Boolean).map((word) => parseInt(word, 16))
  );
  const words = end === undefined ? start! : [...start!, ...Array(8).fill(0)].slice(0, 8);
  if (end !== undefined) words.splice(8 - end.length, end.length, ...end);
  return new Uint8Array(words.flatMap((word) => [word >> 8, word & 0xff]));
}

/**
 * Encodes a numeric address once, for programs that use it with thousands of ports: the port is the
 * first two bytes.
 */
export function encodeIp(hostname: string): RawAddress {
  const [address, zone] = hostname.split("%") as [string, string?];
  const ip = parseIp(address)!;
  if (ip.length === 4) {
    const bytes = new Uint8Array(14); // The port, the address and padding
    bytes.set(ip, 2);
    return { family: AF_INET, bytes };
  }
  const bytes = new Uint8Array(26); // The port, the flow, the address and the interface
  bytes.set(ip, 6);
  const index = zone === undefined ? 0 : Number(zone) || interfaceIndex(zone);
  new DataView(bytes.buffer).setUint32(22, index, true);
  return { family: AF_INET6, bytes };
}
