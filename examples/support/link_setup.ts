/**
 * Gives a network interface its addresses and sets it up, as `ip addr add` and `ip link set` do.
 *
 * @module
 */

import { whenReadable, whenWritable } from "@readiness/selectors";
import {
  AF_INET,
  AF_INET6,
  IFA_ADDRESS,
  IFA_LOCAL,
  IFF_UP,
  IFLA_MTU,
  interfaceIndex,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_REPLACE,
  NLMSG_ERROR,
  RTM_NEWADDR,
  RTM_NEWLINK,
} from "@readiness/selectors/socket";
import { exitWith } from "./command_line.ts";
import { NetlinkSocket, throwIfError, writeAttribute } from "./netlink.ts";

/** An address of an interface. */
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

/** Gives an interface these addresses and sets it up. */
export async function setUpLink(name: string, networks: Network[], mtu: number): Promise<void> {
  const index = interfaceIndex(name);
  using netlink = new NetlinkSocket();
  for (const { text, bytes, length } of networks) {
    const address = new Uint8Array(8); // A struct ifaddrmsg
    address.set([bytes.length === 4 ? AF_INET : AF_INET6, length]);
    new DataView(address.buffer).setUint32(4, index, true);
    await request(
      netlink,
      RTM_NEWADDR,
      NLM_F_CREATE | NLM_F_REPLACE,
      [address, writeAttribute(IFA_LOCAL, bytes), writeAttribute(IFA_ADDRESS, bytes)],
      `Cannot give ${name} the address ${text}`,
    );
  }
  const link = new Int32Array([0, index, IFF_UP, IFF_UP]); // A struct ifinfomsg
  const size = new Uint8Array(new Int32Array([mtu]).buffer);
  await request(
    netlink,
    RTM_NEWLINK,
    0,
    [new Uint8Array(link.buffer), writeAttribute(IFLA_MTU, size)],
    `Cannot set ${name} up`,
  );
}

/** Sends a request and waits for its acknowledgement. */
async function request(
  netlink: NetlinkSocket,
  type: number,
  flags: number,
  parts: Uint8Array[],
  attempt: string,
): Promise<void> {
  const body = new Uint8Array(parts.flatMap((part) => [...part]));
  const { socket } = netlink;
  const sequence = await whenWritable(socket, () => netlink.send(type, flags | NLM_F_ACK, body));
  for (;;) {
    for (const message of await whenReadable(socket, () => netlink.receive())) {
      if (message.type !== NLMSG_ERROR || !netlink.isAnswer(message, sequence)) continue;
      throwIfError(message, attempt);
      return;
    }
  }
}

/** Parses a numeric address, or returns `null`. */
function parseIp(text: string): Uint8Array | null {
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
