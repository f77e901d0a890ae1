/**
 * Prints the packets of a network interface, as tcpdump does, filtered by port.
 *
 * It shows packet sockets, which receive every packet before the system's network code checks it,
 * so that packets can be malformed; decoding of headers (`support/packets.ts`); and the system's
 * count of packets that arrived too fast.
 *
 *     sudo deno run --allow-ffi jsr:@readiness/selectors/sniff --port 53 eth0
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
import { print, printable } from "./support/output.ts";
import { formatPacket, formatProtocol, MalformedPacket, readPacket } from "./support/packets.ts";

const USAGE = `Usage: sniff.ts [OPTIONS] INTERFACE

Prints the packets of a network interface, such as eth0 or lo, until it is interrupted (Ctrl-C).
Then it prints how many there were, how many were malformed, and how many arrived too fast.

Options:
  -p, --port PORT  only TCP and UDP from or to this port
  -c, --count N    exit after this many packets
  -h, --help       show this and exit

It needs Linux, and the privilege CAP_NET_RAW: run it as root.`;

/** The hardware type of loopback, where each packet is both outgoing and incoming. */
const LOOPBACK = 772;

/** How many packets to read before signals have a turn. */
const TURN = 256;

/** How many bytes to receive of each packet: enough for its headers. */
const CAPTURE = 2048;

/** The receive buffer in bytes; the system may give less (net.core.rmem_max). */
const ROOM = 16 << 20;

run(async () => {
  const { values: options, positionals } = parseCommandLine(USAGE, {
    port: { type: "string", short: "p" },
    count: { type: "string", short: "c" },
  }, true);
  if (positionals.length !== 1) exitWith(2, "There must be one interface", USAGE);
  if (AF_PACKET === undefined) exitWith(1, `${Deno.build.os} does not have packet sockets`);
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
  const buffer = new Uint8Array(CAPTURE);
  let printed = 0;
  let malformed = 0;

  print(`listening on ${printable(positionals[0])}`);
  try {
    while (printed < count) {
      await selector.selectAsync(null, { signal: interrupted });
      // Not until there are no more, which may never be the case.
      for (let i = 0; i < TURN && printed < count; i++) {
        const packet = socket.recvFrom(buffer, MSG_TRUNC); // The size of the whole packet.
        if (packet === null) break;
        const { hardwareType, packetType } = packet.address;
        if (hardwareType === LOOPBACK && packetType === PACKET_OUTGOING) continue;
        show(packet.size, packet.address);
      }
    }
  } catch (error) {
    if (!interrupted.aborted) throw error;
  }
  const statistics = getOptionBytes(socket, SOL_PACKET, PACKET_STATISTICS, 8);
  const dropped = new DataView(statistics.buffer).getUint32(4, true);
  print(`${printed} packets, ${malformed} malformed, ${dropped} arrived too fast`);

  function show(size: number, { protocol }: PacketAddress): void {
    const now = new Date().toISOString().slice(11, 23);
    if (protocol !== ETH_P_IP && protocol !== ETH_P_IPV6) {
      if (port === undefined) printPacket(`${now} ${formatProtocol(protocol)}, length ${size}`);
      return;
    }
    try {
      const packet = readPacket(buffer.subarray(0, size), size);
      if (port === undefined || packet.ports?.includes(port)) {
        printPacket(`${now} ${formatPacket(packet)}`);
      }
    } catch (error) {
      if (!(error instanceof MalformedPacket)) throw error;
      malformed++;
      if (port === undefined) printPacket(`${now} malformed: ${error.message}`);
    }
  }

  function printPacket(line: string): void {
    printed++;
    print(line);
  }
});
