/**
 * Links, addresses and routes, as netlink describes them, in words like those of `ip`.
 *
 * @module
 */

import {
  AF_INET,
  AF_INET6,
  IFA_ADDRESS,
  IFA_LOCAL,
  IFF_UP,
  IFLA_ADDRESS,
  IFLA_IFNAME,
  IFLA_MTU,
  IFLA_OPERSTATE,
  NLM_F_REPLACE,
  RTA_DST,
  RTA_GATEWAY,
  RTA_MULTIPATH,
  RTA_OIF,
  RTA_PREFSRC,
  RTA_PRIORITY,
  RTA_TABLE,
  RTM_DELADDR,
  RTM_DELLINK,
  RTM_DELROUTE,
  RTM_NEWADDR,
  RTM_NEWLINK,
  RTM_NEWROUTE,
} from "@readiness/selectors/socket";
import { MalformedMessage, type NetlinkMessage, readAttributes, word } from "./netlink.ts";
import { printable } from "./output.ts";
import { formatIp } from "./packets.ts";

/** The kinds of entries. */
export const KINDS = ["link", "address", "route"] as const;

/** What a message says about a link, an address or a route. */
export interface Entry {
  readonly kind: typeof KINDS[number];
  /** Two entries with the same key are the same one, before and after a change. */
  readonly key: string;
  readonly text: string;
  readonly isRemoval: boolean;
  /** Whether other entries may have gone with it, of which there is no message. */
  readonly isDisruptive: boolean;
  /** Whether it is of the table of this host's own addresses. */
  readonly isLocal?: boolean;
}

/** The operational states of a link, by their numbers. */
const STATES = ["unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up"];

/** The types of routes, by their numbers. A common route, of type 1, has no word for it. */
const ROUTES = ["none", "", "local", "broadcast", "anycast", "multicast", "blackhole"]
  .concat("unreachable", "prohibit", "throw");

/** Flags of addresses that say that they cannot be used yet, or should not be used any more. */
const ADDRESS_FLAGS: readonly [bit: number, word: string][] = [
  [0x40, "tentative"],
  [0x08, "dadfailed"],
  [0x20, "deprecated"],
];

const MAIN_TABLE = 254;
const LOCAL_TABLE = 255;

/** A cached route of older systems, which nobody has configured. */
const CLONED = 0x200;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Reads entries, and keeps the names of links for what is on them. */
export class EntryReader {
  readonly #names = new Map<number, string>();

  /**
   * Reads the entry in a message, or returns `null` if there is none.
   *
   * @throws {MalformedMessage} If the message is cut short
   */
  read(message: NetlinkMessage): Entry | null {
    switch (message.type) {
      case RTM_NEWLINK:
      case RTM_DELLINK:
        return this.#readLink(message);
      case RTM_NEWADDR:
      case RTM_DELADDR:
        return this.#readAddress(message);
      case RTM_NEWROUTE:
      case RTM_DELROUTE:
        return this.#readRoute(message);
      default:
        return null;
    }
  }

  /** Reads a `struct ifinfomsg` with its attributes. */
  #readLink({ type, body }: NetlinkMessage): Entry | null {
    const attributes = readAttributes(body, 16);
    const [name, mtu] = [attributes.get(IFLA_IFNAME), attributes.get(IFLA_MTU)];
    // A bridge's message about a port has a family; one of a wireless device has no MTU.
    if (body[0] !== 0 || name === undefined || mtu === undefined) return null;
    const index = word(body, 4);
    const isUp = (word(body, 8) & IFF_UP) !== 0;
    const text = printable(decoder.decode(name).replace(/\0.*$/s, ""));
    const isRenamed = this.#names.has(index) && this.#names.get(index) !== text;
    this.#names.set(index, text);
    const isRemoval = type === RTM_DELLINK;
    const state = attributes.get(IFLA_OPERSTATE)?.[0] ?? 0;
    const address = attributes.get(IFLA_ADDRESS);
    return {
      kind: "link",
      key: `link ${index}`,
      text: words(
        `link ${text} ${isUp ? "up" : "down"} mtu ${word(mtu, 0)}`,
        ["state", STATES[state] ?? state],
        ["address", address && Array.from(address, hexadecimal).join(":")],
      ),
      isRemoval,
      isDisruptive: isRemoval || !isUp || isRenamed,
    };
  }

  /** Reads a `struct ifaddrmsg` with its attributes. */
  #readAddress({ type, body }: NetlinkMessage): Entry | null {
    const attributes = readAttributes(body, 8);
    const [length, flags] = [body[1]!, body[2]!];
    const peer = attributes.get(IFA_ADDRESS) ?? attributes.get(IFA_LOCAL);
    if (!isIp(body[0]!) || peer === undefined) return null;
    const own = toText(attributes.get(IFA_LOCAL) ?? peer);
    const other = toText(peer);
    const address = own === other ? `${own}/${length}` : `${own} peer ${other}/${length}`;
    const index = word(body, 4);
    const states = ADDRESS_FLAGS.filter(([bit]) => flags & bit).map(([, word]) => ` ${word}`);
    return {
      kind: "address",
      key: `address ${index} ${address}`,
      text: `address ${address} dev ${this.#nameOf(index)}${states.join("")}`,
      isRemoval: type === RTM_DELADDR,
      isDisruptive: type === RTM_DELADDR,
    };
  }

  /** Reads a `struct rtmsg` with its attributes. */
  #readRoute({ type, flags, body }: NetlinkMessage): Entry | null {
    const attributes = readAttributes(body, 12);
    const [family, length] = [body[0]!, body[1]!];
    if (!isIp(family) || word(body, 8) & CLONED) return null;
    const number = (attribute: number) => {
      const data = attributes.get(attribute);
      return data && word(data, 0);
    };
    const ip = (attribute: number) => {
      const data = attributes.get(attribute);
      return data && toText(data);
    };
    const table = number(RTA_TABLE) ?? body[4]!;
    const device = number(RTA_OIF);
    const destination = length === 0 ? "default" : ip(RTA_DST) ?? "default";
    const isHost = length === (family === AF_INET ? 32 : 128);
    const text = words(
      `route ${ROUTES[body[7]!] ?? `type ${body[7]}`}`.trim(),
      ["", length === 0 || isHost ? destination : `${destination}/${length}`],
      ["via", ip(RTA_GATEWAY)],
      ["dev", device && this.#nameOf(device)],
      ["src", ip(RTA_PREFSRC)],
      ["metric", number(RTA_PRIORITY) || undefined],
      ["table", table === MAIN_TABLE ? undefined : table === LOCAL_TABLE ? "local" : table >>> 0],
      ...this.#readGateways(attributes.get(RTA_MULTIPATH)),
    );
    return {
      kind: "route",
      key: text,
      text,
      isRemoval: type === RTM_DELROUTE,
      isDisruptive: (flags & NLM_F_REPLACE) !== 0 && type === RTM_NEWROUTE,
      isLocal: table === LOCAL_TABLE,
    };
  }

  /** Reads a list of `struct rtnexthop`, each with its attributes. */
  *#readGateways(list: Uint8Array | undefined): Generator<["nexthop", string]> {
    for (let bytes = list ?? new Uint8Array(); bytes.length > 0;) {
      const length = word(bytes, 0) & 0xffff;
      const device = this.#nameOf(word(bytes, 4));
      if (length < 8 || length > bytes.length) {
        throw new MalformedMessage(`${bytes.length} bytes where ${length} are needed`);
      }
      const gateway = readAttributes(bytes.subarray(0, length), 8).get(RTA_GATEWAY);
      yield ["nexthop", words("", ["via", gateway && toText(gateway)], ["dev", device]).trim()];
      bytes = bytes.subarray((length + 3) & ~3);
    }
  }

  #nameOf(index: number): string {
    return this.#names.get(index) ?? `#${index}`;
  }
}

function isIp(family: number): boolean {
  return family === AF_INET || family === AF_INET6;
}

function toText(address: Uint8Array): string {
  if (address.length === 4 || address.length === 16) return formatIp(address);
  throw new MalformedMessage(`an address of ${address.length} bytes`);
}

function hexadecimal(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}

/** Joins names with their values, without those that there is no value for. */
function words(start: string, ...rest: [name: string, value: string | number | undefined][]) {
  const present = rest.filter(([, value]) => value !== undefined);
  return [start, ...present.map(([name, value]) => `${name} ${value}`.trim())].join(" ");
}
