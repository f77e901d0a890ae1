/**
 * Prints the packets of one network interface, as tcpdump does, filtered by port.
 *
 * What it shows: packet sockets, which have every packet before the system's own network code has
 * judged it, so that what arrives can be malformed, and is counted; decoding headers (packets.ts); and
 * the system's own count of packets that came too fast.
 *
 *     sudo deno run --allow-ffi examples/sniff.ts --port 53 eth0
 *
 * It needs Linux and the privilege CAP_NET_RAW.
 *
 * @module
 */

import { DefaultSelector, EVENT_READ } from "@readiness/selectors";
import {
  AF_PACKET,
  ETH_P_ALL,
  ETH_P_ARP,
  ETH_P_IP,
  ETH_P_IPV6,
  getOptionBytes,
  interfaceIndex,
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
  parseInteger,
  run,
} from "./support/command_line.ts";
import { MalformedPacket, type Packet, readPacket } from "./support/packets.ts";

const USAGE = `Usage: sniff.ts [OPTIONS] INTERFACE

Prints the packets of a network interface, such as eth0 or lo, until it is interrupted (Ctrl-C); then
it prints how many there were, how many malformed, and how many came too fast.

Options:
  -p, --port PORT  only TCP and UDP from or to this port
  -c, --count N    exit when so many packets have been printed
  --help           show this and exit

It needs Linux, and the privilege CAP_NET_RAW: run it as root.`;

/** The hardware type of loopback, on which each packet goes out and comes in. */
const LOOPBACK = 772;

/** How many packets are read before signals are heard again. */
const TURN = 256;

/** The room for packets that wait, in bytes; the system may give less (net.core.rmem_max). */
const ROOM = 16 << 20;

run(async () => {
  const { values: options, positionals } = parseCommandLine(USAGE, {
    port: { type: "string", short: "p" },
    count: { type: "string", short: "c" },
  }, true);
  if (positionals.length !== 1) exitWith(2, `Say which interface: one\n\n${USAGE}`);
  if (AF_PACKET === -1) exitWith(1, `${Deno.build.os} has no packet sockets`);
  const port = options.port === undefined
    ? undefined
    : parseInteger("port", options.port, 1, 65_535);
  const count = options.count === undefined
    ? Infinity
    : parseInteger("count", options.count, 1, 1_000_000_000);
  const interrupted = interruption();

  // Without a protocol it receives nothing before it is bound to the interface.
  using socket = new Socket<PacketAddress>(AF_PACKET, SOCK_DGRAM);
  socket.setOption(SOL_SOCKET, SO_RCVBUF, ROOM);
  socket.bind({ interface: interfaceIndex(positionals[0]), protocol: ETH_P_ALL });
  using selector = new DefaultSelector();
  selector.register(socket, EVENT_READ);
  const buffer = new Uint8Array(1 << 17);
  let printed = 0;
  let malformed = 0;

  console.log(`listening on ${positionals[0]}`);
  try {
    while (printed < count) {
      await selector.selectAsync(null, { signal: interrupted });
      // A few at a time: where there are always more, an interruption has to be heard, too.
      for (let i = 0; i < TURN && printed < count; i++) {
        const packet = socket.recvFrom(buffer, MSG_TRUNC); // Its size is told also if it is cut.
        if (packet === null) break;
        const { hardwareType, packetType } = packet.address;
        if (hardwareType === LOOPBACK && packetType === PACKET_OUTGOING) continue;
        tell(packet.size, packet.address);
      }
    }
  } catch (error) {
    if (!interrupted.aborted) throw error;
  }
  const statistics = getOptionBytes(socket, SOL_PACKET, PACKET_STATISTICS, 8);
  const dropped = new DataView(statistics.buffer).getUint32(4, true);
  console.log(`${printed} packets, ${malformed} malformed, ${dropped} came too fast`);

  function tell(size: number, { protocol }: PacketAddress): void {
    const now = new Date().toISOString().slice(11, 23);
    if (protocol !== ETH_P_IP && protocol !== ETH_P_IPV6) {
      if (port === undefined) print(`${now} ${linkName(protocol)}, length ${size}`);
      return;
    }
    try {
      if (size > buffer.length) throw new MalformedPacket(`more than ${buffer.length} bytes`);
      const packet = readPacket(buffer.subarray(0, size));
      if (port === undefined || packet.ports?.includes(port)) print(`${now} ${describe(packet)}`);
    } catch (error) {
      if (!(error instanceof MalformedPacket)) throw error;
      malformed++;
      if (port === undefined) print(`${now} malformed: ${error.message}`);
    }
  }

  function print(line: string): void {
    printed++;
    console.log(line);
  }
});

function describe(
  { version, source, destination, protocol, ports, detail, length }: Packet,
): string {
  const [from, to] = ports === undefined ? ["", ""] : [`.${ports[0]}`, `.${ports[1]}`];
  const words = [protocol, detail].filter((word) => word !== "").join(" ");
  return `IP${
    version === 6 ? "6" : ""
  } ${source}${from} > ${destination}${to}: ${words}, length ${length}`;
}

function linkName(protocol: number): string {
  return protocol === ETH_P_ARP ? "ARP" : `protocol 0x${protocol.toString(16).padStart(4, "0")}`;
}
