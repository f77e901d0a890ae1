/**
 * Turns the echo requests of ping into their replies.
 *
 * @module
 */

const ICMP = 1, ICMPV6 = 58;

/**
 * Turns a packet that is an echo request into its reply, in place: the same data, from the receiver
 * back to the sender.
 *
 * @returns Whether it is a request; other packets and fragments stay as they are
 */
export function makeReply(packet: Uint8Array): boolean {
  const version = packet[0]! >> 4;
  if (version === 4) return replyOverIpv4(packet);
  return version === 6 && replyOverIpv6(packet);
}

function replyOverIpv4(packet: Uint8Array): boolean {
  const header = (packet[0]! & 15) * 4;
  const isFragment = (packet[6]! & 0x3f) !== 0 || packet[7] !== 0;
  if (header < 20 || packet.length < header + 8 || packet[9] !== ICMP || isFragment) return false;
  if (packet[header] !== 8 || packet[header + 1] !== 0) return false;
  packet[header] = 0;
  swap(packet, 12, 4); // The sum of both addresses, and the checksum over it, stay the same.
  addToChecksum(packet, header + 2, 8 << 8);
  return true;
}

function replyOverIpv6(packet: Uint8Array): boolean {
  if (packet.length < 48 || packet[6] !== ICMPV6 || packet[40] !== 128 || packet[41] !== 0) {
    return false;
  }
  packet[40] = 129;
  swap(packet, 8, 16);
  addToChecksum(packet, 42, ~(1 << 8) & 0xffff);
  return true;
}

/** Swaps two neighbours of the same length. */
function swap(bytes: Uint8Array, start: number, length: number): void {
  const first = bytes.slice(start, start + length);
  bytes.copyWithin(start, start + length, start + 2 * length);
  bytes.set(first, start + length);
}

/** Adds to a checksum what has been taken from the words that it is over, in ones' complement. */
function addToChecksum(bytes: Uint8Array, at: number, number: number): void {
  const sum = (bytes[at]! << 8 | bytes[at + 1]!) + number;
  const folded = (sum & 0xffff) + (sum >> 16);
  bytes.set([folded >> 8, folded & 0xff], at);
}
