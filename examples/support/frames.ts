/**
 * Reads link-layer headers, which stand before the packets that `packets.ts` reads.
 *
 * @module
 */

import { MalformedPacket } from "./packets.ts";

const IPV4 = 0x0800;
const IPV6 = 0x86dd;

/** The EtherTypes of VLAN tags, which hold another one. */
const TAGS = [0x8100, 0x88a8, 0x9100];

/** How the link-layer headers of libpcap's numbers are laid out. */
const LAYOUTS: ReadonlyMap<number, Layout> = new Map([
  [0, { size: 4 }], // BSD loopback
  [1, { size: 14, type: 12 }], // Ethernet
  [12, { size: 0 }], // IP alone
  [14, { size: 0 }], // IP alone, on OpenBSD
  [101, { size: 0 }], // IP alone, in files
  [108, { size: 4 }], // OpenBSD loopback
  [113, { size: 16, type: 14 }], // Linux, any interface
  [276, { size: 20, type: 0 }], // Linux, any interface, second version
]);

interface Layout {
  /** The size in bytes. */
  readonly size: number;
  /** Where the EtherType is, if there is one. */
  readonly type?: number;
}

/** A frame without its link-layer header. */
export interface FrameContent {
  /** Its EtherType. */
  readonly protocol: number;
  readonly payload: Uint8Array;
}

/** Whether the payload is an IP packet. */
export function isIp({ protocol }: FrameContent): boolean {
  return protocol === IPV4 || protocol === IPV6;
}

/**
 * Reads the link-layer header of a frame.
 *
 * @param linkType The kind of header, as a number of libpcap
 * @param bytes The frame
 * @returns The content, or `null` if the kind of header is not known
 * @throws {MalformedPacket} If the frame is cut short
 */
export function readFrame(linkType: number, bytes: Uint8Array): FrameContent | null {
  const layout = LAYOUTS.get(linkType);
  if (layout === undefined) return null;
  let { size } = layout;
  if (layout.type === undefined) {
    return { protocol: word(bytes, size) >> 12 === 6 ? IPV6 : IPV4, payload: bytes.subarray(size) };
  }
  let protocol = word(bytes, layout.type);
  for (; TAGS.includes(protocol); size += 4) protocol = word(bytes, size + 2);
  if (bytes.length < size) throw new MalformedPacket(`a frame of ${bytes.length} bytes`);
  return { protocol, payload: bytes.subarray(size) };
}

function word(bytes: Uint8Array, offset: number): number {
  if (offset + 2 > bytes.length) throw new MalformedPacket(`a frame of ${bytes.length} bytes`);
  return bytes[offset]! << 8 | bytes[offset + 1]!;
}
