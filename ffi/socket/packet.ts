import type { Packets } from "../abi/abi.ts";
import { abi, NOTHING } from "../abi/mod.ts";
import { assertInteger, assertString, readOptions } from "../checks.ts";

const constants = (abi.packets?.constants ?? NOTHING) as Packets["constants"];

/**
 * Protocol of a packet address: all protocols (Linux).
 *
 * @category Packet constants
 */
export const ETH_P_ALL: number = constants.ETH_P_ALL;

/**
 * Protocol of a packet address: ARP (Linux).
 *
 * @category Packet constants
 */
export const ETH_P_ARP: number = constants.ETH_P_ARP;

/**
 * Protocol of a packet address: IPv4 (Linux).
 *
 * @category Packet constants
 */
export const ETH_P_IP: number = constants.ETH_P_IP;

/**
 * Protocol of a packet address: IPv6 (Linux).
 *
 * @category Packet constants
 */
export const ETH_P_IPV6: number = constants.ETH_P_IPV6;

/**
 * Packet type: to this host (Linux).
 *
 * @category Packet constants
 */
export const PACKET_HOST: number = constants.PACKET_HOST;

/**
 * Packet type: broadcast on the link (Linux).
 *
 * @category Packet constants
 */
export const PACKET_BROADCAST: number = constants.PACKET_BROADCAST;

/**
 * Packet type: multicast on the link (Linux).
 *
 * @category Packet constants
 */
export const PACKET_MULTICAST: number = constants.PACKET_MULTICAST;

/**
 * Packet type: to another host, captured in promiscuous mode (Linux).
 *
 * @category Packet constants
 */
export const PACKET_OTHERHOST: number = constants.PACKET_OTHERHOST;

/**
 * Packet type: from this host (Linux).
 *
 * @category Packet constants
 */
export const PACKET_OUTGOING: number = constants.PACKET_OUTGOING;

/**
 * Option level: packet sockets (Linux).
 *
 * @category Packet constants
 */
export const SOL_PACKET: number = constants.SOL_PACKET;

/**
 * Option: the packets that the socket received and dropped since the option was last read, two
 * unsigned `int`s (Linux).
 *
 * @category Packet constants
 */
export const PACKET_STATISTICS: number = constants.PACKET_STATISTICS;

/**
 * The address of a packet socket or of a packet, in a `Socket<PacketAddress>`. Only Linux has
 * packet sockets; elsewhere `AF_PACKET` is `undefined`, and no socket can be created.
 *
 * The packets of a `SOCK_RAW` socket include the header of the link, those of a `SOCK_DGRAM` socket
 * do not. Both need the privilege `CAP_NET_RAW`. Only `ETH_P_ALL` captures outgoing packets; on
 * loopback each packet then comes twice, going out and coming in.
 *
 * @example The next packet of an interface
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
 *
 * @category Addresses
 */
export interface PacketAddress {
  /** The index of the interface. Binding to 0 captures on all interfaces. */
  interface: number;
  /** The protocol of the packets, such as `ETH_P_IP`. Binding to 0 captures nothing. */
  protocol: number;
  /** The destination of a received packet: `PACKET_HOST`, `PACKET_OUTGOING`, … */
  packetType?: number;
  /** The hardware type of the link of a received packet: 1 for Ethernet, 772 for loopback. */
  hardwareType?: number;
  /** The sender or receiver, such as `02:00:5e:10:00:01`; empty if the link has no addresses. */
  hardwareAddress?: string;
}

/**
 * Encodes a packet address as C does.
 *
 * @param address The address
 * @returns A `struct sockaddr_ll`
 * @throws {TypeError} If the hardware address is not a string
 * @throws {RangeError} If a field is out of range
 */
export function encodePacketAddress(address: PacketAddress): Uint8Array<ArrayBuffer> {
  const { fields, size } = abi.packets!.sockaddr_ll;
  const { interface: index, protocol, hardwareAddress = "" } = readOptions(
    "Cannot use an address",
    address,
    ["interface", "protocol", "hardwareAddress"],
  );
  assertInteger("Cannot use an address: its interface", index, 0);
  assertInteger("Cannot use an address: its protocol", protocol, 0, 0xffff);
  const hardware = parseHardwareAddress(hardwareAddress, fields.sll_addr[1]);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint16(fields.sll_family[0], abi.constants.AF_PACKET!, true);
  view.setUint16(fields.sll_protocol[0], protocol); // The only field in network byte order.
  view.setInt32(fields.sll_ifindex[0], index, true);
  view.setUint8(fields.sll_halen[0], hardware.length);
  bytes.set(hardware, fields.sll_addr[0]);
  return bytes;
}

/** Decodes a `struct sockaddr_ll`. */
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

function parseHardwareAddress(address: string, maxLength: number): number[] {
  assertString("Cannot use an address: its hardwareAddress", address);
  const bytes = address === "" ? [] : address.split(":");
  if (bytes.length > maxLength || !bytes.every((byte) => /^[\da-f]{1,2}$/i.test(byte))) {
    throw new RangeError(
      `Cannot use an address: its hardwareAddress must be up to ${maxLength} hexadecimal bytes ` +
        `separated by colons, such as 02:00:5e:10:00:01, received ${address}`,
    );
  }
  return bytes.map((byte) => parseInt(byte, 16));
}
