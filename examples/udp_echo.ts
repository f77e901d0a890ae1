/**
 * A UDP echo server on several addresses at once, which counts what is dropped, and why.
 *
 * What it shows: one socket an address, so that each answer comes from the address that was asked;
 * datagrams that are larger than the buffer, which are told and not cut; the system's own count of
 * datagrams that there was no room for, as control data; and never waiting to send: a datagram that
 * there is no room for is dropped, as UDP has it.
 *
 *     deno run --allow-ffi examples/udp_echo.ts 127.0.0.1:7007 [::1]:7007
 *
 * @module
 */

import { DefaultSelector, EVENT_READ, OSError } from "@readiness/selectors";
import {
  AF_INET6,
  type InternetAddress,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  receiveMessage,
  SO_RCVBUF,
  SO_RXQ_OVFL,
  SOCK_DGRAM,
  Socket,
  SOL_SOCKET,
} from "@readiness/selectors/socket";
import { familyOf, parseAddress, resolving } from "./support/addresses.ts";
import {
  format,
  interruption,
  parseCommandLine,
  parseInteger,
  run,
} from "./support/command_line.ts";

const USAGE = `Usage: udp_echo.ts [OPTIONS] [ADDRESS...]

Sends datagrams back, until it is interrupted (Ctrl-C); then it prints how many, and how many were
dropped. An address is HOST:PORT or [IPV6]:PORT, port 0 lets the system pick one (127.0.0.1:7007).

Options:
  --size BYTES    the largest datagram that is sent back (65535)
  --buffer BYTES  the room for datagrams that wait, of each address (the system's)
  --verbose       log each datagram
  --help          show this and exit`;

/** How many datagrams an address is allowed in a row, so that no address waits for another. */
const TURN = 64;

/** An address, and what became of what it was sent. */
interface Place {
  readonly address: string;
  echoed: number;
  tooLarge: number;
  /** Answers that there was no room for, or that were refused. */
  unsent: number;
  /** Datagrams that the system had no room for (Linux): it tells with the next that it has. */
  overflowed: number;
}

run(async () => {
  const { values: options, positionals } = parseCommandLine(USAGE, {
    size: { type: "string", default: "65535" },
    buffer: { type: "string" },
    verbose: { type: "boolean", default: false },
  }, true);
  const size = parseInteger("size", options.size, 0, 65_535);
  const room = options.buffer === undefined
    ? undefined
    : parseInteger("buffer", options.buffer, 1, 1 << 30);
  const addresses = (positionals.length > 0 ? positionals : ["127.0.0.1:7007"]).map(parseAddress);
  const interrupted = interruption();
  using selector = new DefaultSelector<Place, Socket>();
  const buffer = new Uint8Array(size);

  const places = addresses.map((address) => {
    const socket = open(address);
    const place = {
      address: format(socket.localAddress),
      echoed: 0,
      tooLarge: 0,
      unsent: 0,
      overflowed: 0,
    };
    selector.register(socket, EVENT_READ, place);
    return place;
  });
  const all = places.map(({ address }) => address).join(" ");
  console.log(`listening on ${all} (${selector.constructor.name})`);
  try {
    for (;;) {
      for (const [key] of await selector.selectAsync(null, { signal: interrupted })) {
        for (let i = 0; i < TURN && echo(key.fileobj, key.data); i++);
      }
    }
  } catch (error) {
    if (!interrupted.aborted) throw error;
  }
  for (const { address, echoed, tooLarge, unsent, overflowed } of places) {
    console.log(
      `${address}: ${echoed} echoed, dropped: ${tooLarge} too large, ${unsent} unsent, ` +
        `${overflowed} for want of room`,
    );
  }

  function open(address: InternetAddress): Socket {
    const family = familyOf(address.hostname);
    const socket = new Socket(family, SOCK_DGRAM);
    // So that 0.0.0.0 and :: can be served side by side.
    if (family === AF_INET6) socket.setOption(IPPROTO_IPV6, IPV6_V6ONLY, 1);
    if (room !== undefined) socket.setOption(SOL_SOCKET, SO_RCVBUF, room);
    countOverflows(socket);
    resolving(() => socket.bind(address));
    return socket;
  }

  /** Asks for the count of what there is no room for, but serves without it: qemu refuses. */
  function countOverflows(socket: Socket): void {
    try {
      if (SO_RXQ_OVFL !== -1) socket.setOption(SOL_SOCKET, SO_RXQ_OVFL, 1);
    } catch (error) {
      if (!(error instanceof OSError) || error.code !== "ENOPROTOOPT") throw error;
    }
  }

  /** Sends one datagram back; tells whether there was one. */
  function echo(socket: Socket, place: Place): boolean {
    try {
      const message = receiveMessage(socket, buffer);
      if (message === null) return false;
      const drops = message.control.find(({ type }) => type === SO_RXQ_OVFL)?.data;
      if (drops !== undefined) place.overflowed = new DataView(drops.buffer).getUint32(0, true);
      const peer = format(message.address);
      if (message.truncated) {
        place.tooLarge++;
        log(`${peer} sent more than ${size} bytes to ${place.address}`);
      } else if (socket.sendTo(buffer.subarray(0, message.size), message.address) === null) {
        place.unsent++;
      } else {
        place.echoed++;
        log(`${peer} sent ${message.size} bytes to ${place.address}`);
      }
    } catch (error) {
      if (!(error instanceof OSError)) throw error;
      place.unsent++; // Such as port 0, to which nothing can be sent.
      log(error.message);
    }
    return true;
  }

  function log(line: string): void {
    if (options.verbose) console.log(line);
  }
});
