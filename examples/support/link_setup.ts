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
import { NetlinkSocket, throwIfError, writeAttribute } from "./netlink.ts";
import type { Network } from "./networks.ts";

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
