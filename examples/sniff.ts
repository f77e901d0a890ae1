/**
 * Prints or saves the packets of network interfaces, as tcpdump does, filtered by port.
 *
 * It shows packet sockets, which receive every packet before the system's network code checks it,
 * so that packets can be malformed; decoding of headers (`support/packets.ts`); and the system's
 * count of packets that the kernel dropped. `pcap.ts` has filters and needs libpcap.
 *
 *     sudo deno run --allow-ffi jsr:@readiness/selectors/sniff -i any --port 53
 *
 * It needs Linux and the privilege CAP_NET_RAW.
 *
 * @module
 */

import { DefaultSelector, EVENT_READ } from "@readiness/selectors";
import {
  AF_PACKET,
  ETH_P_ALL,
  ETH_P_IP,
  ETH_P_IPV6,
  getOptionBytes,
  interfaceIndex,
  interfaceName,
  MSG_TRUNC,
  PACKET_OUTGOING,
  PACKET_STATISTICS,
  type PacketAddress,
  SO_RCVBUF,
  SOCK_DGRAM,
  Socket,
  SOL_PACKET,
  SOL_SOCKET,
} from "@readiness/selectors/socket";
import {
  exitWith,
  interruption,
  parseCommandLine,
  parseCount,
  parseInteger,
  run,
} from "./support/command_line.ts";
import { formatHexDump } from "./support/hex_dump.ts";
import { notice, print, printable } from "./support/output.ts";
import { formatPacket, formatProtocol, MalformedPacket, readPacket } from "./support/packets.ts";
import { PcapFile } from "./support/pcap_file.ts";

const USAGE = `Usage: sniff.ts [OPTIONS] INTERFACE

Prints the packets of a network interface, such as eth0 or lo, or of any of them, until it is
interrupted (Ctrl-C). Then it prints how many there were, how many were malformed, and how many
the kernel dropped because they came too fast.

Options:
  -i, --interface NAME  the interface, if it is not the argument; any means all
  -p, --port PORT       only TCP and UDP from or to this port; see pcap.ts for other filters
  -c, --count N         exit after this many packets
  -w, --write FILE      write the packets to a file that tcpdump reads; - is standard output
  -x, --hex             also print their bytes in hexadecimal
  -X, --hex-and-text    also print their bytes in hexadecimal and as characters
  -n                    ignored, as it never looks names up
  -h, --help            show this and exit

It needs Linux, and the privilege CAP_NET_RAW: run it as root.`;

/** The hardware type of loopback, where each packet is both outgoing and incoming. */
const LOOPBACK = 772;

/** How many packets to read before signals have a turn. */
const TURN = 256;

/** How many bytes to receive of each packet at most, as tcpdump does. */
const CAPTURE = 1 << 18;

/** How tcpdump writes which way a packet goes: to here, to all, to a group, past, or from here. */
const DIRECTIONS = ["In", "B", "M", "P", "Out"];

/** The receive buffer in bytes; the system may give less (net.core.rmem_max). */
const ROOM = 16 << 20;

run(async () => {
  const { values: options, positionals } = parseCommandLine(USAGE, {
    interface: { type: "string", short: "i" },
    port: { type: "string", short: "p" },
    count: { type: "string", short: "c" },
    write: { type: "string", short: "w" },
    hex: { type: "boolean", short: "x", default: false },
    "hex-and-text": { type: "boolean", short: "X", default: false },
    numeric: { type: "boolean", short: "n" },
  }, true);
  const { interface: name = positionals.shift(), write: path, hex, "hex-and-text": text } = options;
  if (name === undefined || positionals.length > 0) {
    exitWith(2, "There must be one interface", USAGE);
  }
  if (AF_PACKET === undefined) exitWith(1, `${Deno.build.os} does not have packet sockets`);
  const port = options.port === undefined
    ? undefined
    : parseInteger("port", options.port, 1, 65_535);
  const count = parseCount(options.count);
  const interrupted = interruption();

  // Without a protocol it receives nothing before it is bound to the interface.
  using socket = new Socket<PacketAddress>(AF_PACKET, SOCK_DGRAM);
  socket.setOption(SOL_SOCKET, SO_RCVBUF, ROOM);
  const isAny = name === "any";
  socket.bind({ interface: isAny ? 0 : interfaceIndex(name), protocol: ETH_P_ALL });
  using file = path === undefined ? null : new PcapFile(path, CAPTURE);
  using selector = new DefaultSelector();
  selector.register(socket, EVENT_READ);
  const buffer = new Uint8Array(CAPTURE);
  let total = 0;
  let malformed = 0;

  const say = path === "-" ? notice : print;
  say(`listening on ${printable(name)}`);
  try {
    while (total < count) {
      await selector.selectAsync(null, { signal: interrupted });
      // Not until there are no more, which may never be the case.
      for (let i = 0; i < TURN && total < count; i++) {
        const packet = socket.recvFrom(buffer, MSG_TRUNC); // The size of the whole packet.
        if (packet === null) break;
        const { hardwareType, packetType } = packet.address;
        if (hardwareType === LOOPBACK && packetType === PACKET_OUTGOING) continue;
        take(packet.size, packet.address);
      }
      file?.flush();
    }
  } catch (error) {
    if (!interrupted.aborted) throw error;
  }
  const statistics = getOptionBytes(socket, SOL_PACKET, PACKET_STATISTICS, 8);
  const dropped = new DataView(statistics.buffer).getUint32(4, true);
  say(`${total} packets, ${malformed} malformed, ${dropped} dropped by the kernel`);

  /** Prints or writes a packet, if it is from or to the port. */
  function take(size: number, address: PacketAddress): void {
    const time = performance.timeOrigin + performance.now();
    const bytes = buffer.subarray(0, size);
    const description = describe(bytes, size, address);
    if (description === null) return;
    total++;
    if (file !== null) return file.write(time, address, bytes, size);
    const via = isAny ? `${describeWay(address)} ` : "";
    print(`${new Date(time).toISOString().slice(11, 23)} ${via}${description}`);
    if (hex || text) print(formatHexDump(bytes, text));
  }

  /** Describes a packet, or returns `null` if it is not from or to the port. */
  function describe(bytes: Uint8Array, size: number, { protocol }: PacketAddress): string | null {
    try {
      if (protocol === ETH_P_IP || protocol === ETH_P_IPV6) {
        const packet = readPacket(bytes, size);
        return port === undefined || packet.ports?.includes(port) ? formatPacket(packet) : null;
      }
      return port === undefined ? `${formatProtocol(protocol)}, length ${size}` : null;
    } catch (error) {
      if (!(error instanceof MalformedPacket)) throw error;
      malformed++;
      return port === undefined ? `malformed: ${error.message}` : null;
    }
  }
});

/** Formats the interface of a packet and which way it goes, as tcpdump does. */
function describeWay({ interface: index, packetType = 0 }: PacketAddress): string {
  const name = printable(interfaceName(index) ?? `#${index}`);
  return `${name.padEnd(5)} ${(DIRECTIONS[packetType] ?? "?").padEnd(3)}`;
}
