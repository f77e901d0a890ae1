/**
 * Reads the headers of packets: IPv4, IPv6, TCP, UDP and ICMP.
 *
 * @module
 */

/** The fields of a packet's headers. */
export interface Packet {
  readonly version: 4 | 6;
  readonly source: string;
  readonly destination: string;
  /** `"TCP"`, `"UDP"`, `"ICMP"`, `"ICMPv6"`, or the protocol's number. */
  readonly protocol: string;
  /** The ports of TCP and UDP; only the first fragment of a packet has them. */
  readonly ports?: readonly [source: number, destination: number];
  /** Other fields, as text. */
  readonly detail: string;
  /** How many bytes follow the headers. */
  readonly length: number;
}

/** A packet that is cut short or contradicts itself. */
export class MalformedPacket extends Error {}

const FLAGS = "FSRP.UEW"; // As tcpdump writes them: "." is ACK.
const ARP = 0x0806;
const HOP_BY_HOP = 0, ROUTING = 43, FRAGMENT = 44, OPTIONS = 60, NOTHING = 59;

/**
 * Reads a packet that starts with its IP header.
 *
 * @param bytes The packet, or its first bytes
 * @param size The size of the whole packet
 * @throws {MalformedPacket} If it is cut short, or its lengths contradict each other
 */
export function readPacket(bytes: Uint8Array, size = bytes.length): Packet {
  const version = at(bytes, 0) >> 4;
  if (version === 4) return readIpv4(bytes, size);
  if (version === 6) return readIpv6(bytes, size);
  throw new MalformedPacket(`IP version ${version}`);
}

// The length fields are 0 in segments that the network interface will split (TSO), and that have no
// room in 16 bits (BIG TCP).
function readIpv4(bytes: Uint8Array, size: number): Packet {
  const header = (at(bytes, 0) & 15) * 4;
  const total = word(bytes, 2) || size;
  if (header < 20) throw new MalformedPacket(`an IP header of ${header} bytes`);
  if (total < header) throw new MalformedPacket(`a total of ${total} bytes, less than the header`);
  if (total > size) throw cut(total, size);
  const fragment = word(bytes, 6) & 0x1fff;
  return readTransport(at(bytes, 19, 9), bytes.subarray(header, total), total - header, {
    version: 4,
    source: bytes.subarray(12, 16).join("."),
    destination: bytes.subarray(16, 20).join("."),
  }, fragment);
}

function readIpv6(bytes: Uint8Array, size: number): Packet {
  if (bytes.length < 40) throw cut(40, bytes.length);
  const payload = word(bytes, 4);
  const total = payload === 0 ? size : 40 + payload;
  if (total > size) throw cut(total, size);
  const addresses = {
    version: 6 as const,
    source: ipv6(bytes.subarray(8, 24)),
    destination: ipv6(bytes.subarray(24, 40)),
  };
  let next = bytes[6];
  let rest = bytes.subarray(40, total);
  let length = total - 40;
  let fragment = 0;
  while (next === HOP_BY_HOP || next === ROUTING || next === FRAGMENT || next === OPTIONS) {
    const header = next === FRAGMENT ? 8 : (at(rest, 1) + 1) * 8;
    if (next === FRAGMENT) fragment = word(rest, 2) >> 3;
    if (header > rest.length) throw cut(header, rest.length);
    next = rest[0];
    rest = rest.subarray(header);
    length -= header;
  }
  return readTransport(next, rest, length, addresses, fragment);
}

function readTransport(
  protocol: number,
  bytes: Uint8Array,
  length: number,
  addresses: Pick<Packet, "version" | "source" | "destination">,
  fragment: number,
): Packet {
  const name = new Map([[1, "ICMP"], [6, "TCP"], [17, "UDP"], [58, "ICMPv6"]]).get(protocol);
  const base = { ...addresses, protocol: name ?? `protocol ${protocol}`, length };
  if (fragment > 0) return { ...base, detail: `fragment at ${fragment * 8}` };
  if (protocol === NOTHING) return { ...base, detail: "nothing" };
  switch (name) {
    case "TCP":
      return { ...base, ...readTcp(bytes, length) };
    case "UDP":
      return { ...base, ...readUdp(bytes, length) };
    case "ICMP":
    case "ICMPv6":
      return {
        ...base,
        length: length - 8,
        detail: `type ${at(bytes, 0)}, code ${at(bytes, 7, 1)}`,
      };
    default:
      return { ...base, detail: "" };
  }
}

function readTcp(bytes: Uint8Array, size: number) {
  const header = (at(bytes, 19, 12) >> 4) * 4;
  if (header < 20 || header > size) {
    throw new MalformedPacket(`a TCP header of ${header} bytes in ${size}`);
  }
  const flags = [...FLAGS].filter((_, bit) => bytes[13] & (1 << bit)).join("");
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return {
    ports: [word(bytes, 0), word(bytes, 2)] as const,
    detail: `[${flags}], seq ${view.getUint32(4)}, ack ${view.getUint32(8)}, win ${
      word(bytes, 14)
    }`,
    length: size - header,
  };
}

function readUdp(bytes: Uint8Array, size: number) {
  const length = word(bytes, 4);
  if (at(bytes, 7) === -1 || length < 8) throw new MalformedPacket(`a UDP length of ${length}`);
  // The first fragment has the length of all fragments.
  return {
    ports: [word(bytes, 0), word(bytes, 2)] as const,
    detail: length > size ? `${length} bytes in fragments` : "",
    length: Math.min(length, size) - 8,
  };
}

/** Formats the fields of a packet, as tcpdump does. */
export function formatPacket(
  { version, source, destination, protocol, ports, detail, length }: Packet,
): string {
  const [from, to] = ports === undefined ? ["", ""] : [`.${ports[0]}`, `.${ports[1]}`];
  const words = [protocol, detail].filter((word) => word !== "").join(" ");
  const ip = version === 6 ? "IP6" : "IP";
  return `${ip} ${source}${from} > ${destination}${to}: ${words}, length ${length}`;
}

/** Formats the protocol of a frame that does not carry IP, by its EtherType. */
export function formatProtocol(protocol: number): string {
  return protocol === ARP ? "ARP" : `protocol 0x${protocol.toString(16).padStart(4, "0")}`;
}

/** A byte of a packet, which must have a byte at `last`, too. */
function at(bytes: Uint8Array, last: number, index = last): number {
  if (last >= bytes.length) throw cut(last + 1, bytes.length);
  return bytes[index];
}

function word(bytes: Uint8Array, index: number): number {
  return (at(bytes, index + 1, index) << 8) | bytes[index + 1];
}

function cut(needed: number, size: number): MalformedPacket {
  return new MalformedPacket(`${size} bytes where ${needed} are needed`);
}

/** Formats the bytes of an IPv4 or IPv6 address. */
export function formatIp(bytes: Uint8Array): string {
  return bytes.length === 4 ? bytes.join(".") : ipv6(bytes);
}

/** Formats an IPv6 address, with its longest run of zeros as `::`. */
function ipv6(bytes: Uint8Array): string {
  const words = Array.from({ length: 8 }, (_, i) => word(bytes, 2 * i).toString(16));
  let [start, length] = [0, 1]; // A single zero stays.
  for (let i = 0; i < words.length; i++) {
    const first = i;
    while (words[i] === "0") i++;
    if (i - first > length) [start, length] = [first, i - first];
  }
  if (length === 1) return words.join(":");
  return `${words.slice(0, start).join(":")}::${words.slice(start + length).join(":")}`;
}
