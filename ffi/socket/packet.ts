import { abi } from "../abi/host.ts";

const { packets } = abi;

/** Protocol of a packet address: every one (Linux). */
export const ETH_P_ALL: number = packets?.constants.ETH_P_ALL ?? -1;

/** Protocol of a packet address: ARP (Linux). */
export const ETH_P_ARP: number = packets?.constants.ETH_P_ARP ?? -1;

/** Protocol of a packet address: IPv4 (Linux). */
export const ETH_P_IP: number = packets?.constants.ETH_P_IP ?? -1;

/** Protocol of a packet address: IPv6 (Linux). */
export const ETH_P_IPV6: number = packets?.constants.ETH_P_IPV6 ?? -1;

/** Packet type: to this host (Linux). */
export const PACKET_HOST: number = packets?.constants.PACKET_HOST ?? -1;

/** Packet type: to every host of the link (Linux). */
export const PACKET_BROADCAST: number = packets?.constants.PACKET_BROADCAST ?? -1;

/** Packet type: to a group of the link (Linux). */
export const PACKET_MULTICAST: number = packets?.constants.PACKET_MULTICAST ?? -1;

/** Packet type: to another host, seen by an interface that takes everything in (Linux). */
export const PACKET_OTHERHOST: number = packets?.constants.PACKET_OTHERHOST ?? -1;

/** Packet type: from this host (Linux). */
export const PACKET_OUTGOING: number = packets?.constants.PACKET_OUTGOING ?? -1;

/** Option level: packet sockets (Linux). */
export const SOL_PACKET: number = packets?.constants.SOL_PACKET ?? -1;

/** What a packet socket took in and dropped since it was asked last: two unsigned `int`s (Linux). */
export const PACKET_STATISTICS: number = packets?.constants.PACKET_STATISTICS ?? -1;

/**
 * Where a packet socket is, or a packet came from: the address of a `Socket<PacketAddress>`. Linux
 * alone has these; elsewhere `AF_PACKET` is -1, which no socket is made of.
 *
 * A socket of type `SOCK_RAW` has packets with the link's own header, one of `SOCK_DGRAM` without
 * it. Both take the privilege `CAP_NET_RAW`. What goes out is seen with `ETH_P_ALL` alone; loopback
 * has each packet twice then, going out and coming in.
 *
 * @example The next packet that an interface takes in
 * ```ts ignore
 * import { DefaultSelector, EVENT_READ } from "@readiness/selectors";
 * import {
 *   AF_PACKET,
 *   ETH_P_ALL,
 *   interfaceIndex,
 *   type PacketAddress,
 *   SOCK_DGRAM,
 *   Socket,
 * } from "@readiness/selectors/socket";
 *
 * using socket = new Socket<PacketAddress>(AF_PACKET, SOCK_DGRAM);
 * socket.bind({ interface: interfaceIndex("eth0"), protocol: ETH_P_ALL });
 * using selector = new DefaultSelector();
 * selector.register(socket, EVENT_READ);
 * selector.select();
 * console.log(socket.recvFrom(new Uint8Array(65536))?.address);
 * ```
 */
export interface PacketAddress {
  /** The interface's index; 0 binds to all of them. */
  interface: number;
  /** What the packet holds, such as `ETH_P_IP`; 0 binds to nothing. */
  protocol: number;
  /** Whom a received packet was for: `PACKET_HOST`, `PACKET_OUTGOING`, … */
  packetType?: number;
  /** The kind of link of a received packet: 1 of Ethernet, 772 of loopback. */
  hardwareType?: number;
  /** The sender, or whom to send to, such as `02:00:5e:10:00:01`; empty if the link has none. */
  hardwareAddress?: string;
}

/**
 * Turns a packet address into C's form.
 *
 * @param address The address
 * @throws {TypeError} If a field is of another type
 * @throws {RangeError} If a field is out of range
 */
export function encodePacketAddress(address: PacketAddress): Uint8Array<ArrayBuffer> {
  const { fields, size } = abi.packets!.sockaddr_ll;
  const { interface: index, protocol, hardwareAddress = "" } = address;
  assertUnsigned("interface", index, 0x7fff_ffff);
  assertUnsigned("protocol", protocol, 0xffff);
  if (typeof hardwareAddress !== "string") {
    throw new TypeError(
      `Cannot use an address: its hardwareAddress must be a string, received ${hardwareAddress}`,
    );
  }
  const hardware = hardwareAddress === "" ? [] : hardwareAddress.split(":");
  if (
    hardware.length > fields.sll_addr[1] || !hardware.every((byte) => /^[\da-f]{1,2}$/i.test(byte))
  ) {
    throw new RangeError(
      "Cannot use an address: its hardwareAddress must be up to 8 hexadecimal bytes with colons, " +
        `such as 02:00:5e:10:00:01, received ${hardwareAddress}`,
    );
  }
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint16(fields.sll_family[0], abi.constants.AF_PACKET!, true);
  view.setUint16(fields.sll_protocol[0], protocol); // In network order, of all fields.
  view.setInt32(fields.sll_ifindex[0], index, true);
  view.setUint8(fields.sll_halen[0], hardware.length);
  bytes.set(hardware.map((byte) => parseInt(byte, 16)), fields.sll_addr[0]);
  return bytes;
}

/** Reads a packet address in C's form. */
export function decodePacketAddress(bytes: Uint8Array<ArrayBuffer>): Required<PacketAddress> {
  const { fields } = abi.packets!.sockaddr_ll;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const [at, room] = fields.sll_addr;
  const length = Math.min(view.getUint8(fields.sll_halen[0]), room);
  return {
    interface: view.getInt32(fields.sll_ifindex[0], true),
    protocol: view.getUint16(fields.sll_protocol[0]),
    packetType: view.getUint8(fields.sll_pkttype[0]),
    hardwareType: view.getUint16(fields.sll_hatype[0], true),
    hardwareAddress: Array.from(
      bytes.subarray(at, at + length),
      (byte) => byte.toString(16).padStart(2, "0"),
    ).join(":"),
  };
}

function assertUnsigned(what: string, value: number, maximum: number): void {
  if (!Number.isInteger(value) || value < 0 || value > maximum) {
    throw new RangeError(
      `Cannot use an address: its ${what} must be an integer from 0 to ${maximum}, ` +
        `received ${String(value)}`,
    );
  }
}
