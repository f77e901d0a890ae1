/**
 * A UDP echo server on several addresses, which counts the datagrams that are dropped, and why.
 *
 * It shows how many datagrams are received and sent in one call; how each answer comes from the
 * address that was asked, also on a wildcard address; how to detect datagrams that are larger than
 * the buffer; the system's count of datagrams that it had no room for, which comes as control data;
 * and that a UDP server never waits to send: if there is no room for an answer, it is dropped.
 *
 *     deno run --allow-ffi jsr:@readiness/selectors/udp_echo 127.0.0.1:7007 [::1]:7007
 *
 * @module
 */

import { DefaultSelector, EVENT_READ, OSError } from "@readiness/selectors";
import {
  AF_INET6,
  type InternetAddress,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  type OutgoingMessage,
  receiveMessages,
  sendMessages,
  SO_RCVBUF,
  SO_RXQ_OVFL,
  SOCK_DGRAM,
  Socket,
  SOL_SOCKET,
} from "@readiness/selectors/socket";
import { familyOf, formatAddress, parseAddress } from "./support/addresses.ts";
import { interruption, parseCommandLine, parseInteger, run } from "./support/command_line.ts";
import { log, print } from "./support/output.ts";
import { answerFrom, receivePacketInfo } from "./support/packet_info.ts";
import { select } from "./support/shortage.ts";

const USAGE = `Usage: udp_echo.ts [OPTIONS] [ADDRESS...]

Sends datagrams back, until it is interrupted (Ctrl-C); then it prints how many, and how many were
dropped. An address is HOST:PORT or [IPV6]:PORT; port 0 lets the system pick one (127.0.0.1:7007).

Options:
  --size BYTES    the largest datagram that is sent back (65535)
  --buffer BYTES  the receive buffer of each address (the system's default)
  --verbose       log each datagram
  -h, --help      show this and exit

Echo servers answer each other, too: one datagram with the address of another echo server as its
source keeps both busy for ever. Listen only on addresses that strangers cannot send to.`;

/** How many datagrams to receive in one call, so that no address waits for another. */
const TURN = 64;

/** An address, and the counts of its datagrams. */
interface Place {
  readonly address: string;
  echoed: number;
  tooLarge: number;
  /** Answers that there was no room for, or that the system refused. */
  unsent: number;
  /** Datagrams that the system had no room for (Linux). The count comes with the next datagram. */
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
  const buffers = Array.from({ length: TURN }, () => new Uint8Array(size));

  const places = addresses.map((address) => {
    const socket = open(address);
    const place = {
      address: formatAddress(socket.localAddress),
      echoed: 0,
      tooLarge: 0,
      unsent: 0,
      overflowed: 0,
    };
    selector.register(socket, EVENT_READ, place);
    return place;
  });
  const all = places.map(({ address }) => address).join(" ");
  print(`listening on ${all} (${selector.constructor.name})`);
  try {
    for (;;) {
      for (const [key] of await select(selector, null, { signal: interrupted })) {
        send(key.fileobj, key.data, receive(key.fileobj, key.data));
      }
    }
  } catch (error) {
    if (!interrupted.aborted) throw error;
  }
  for (const { address, echoed, tooLarge, unsent, overflowed } of places) {
    print(
      `${address}: ${echoed} echoed, dropped: ${tooLarge} too large, ${unsent} unsent, ` +
        `${overflowed} by a full buffer`,
    );
  }

  function open(address: InternetAddress): Socket {
    const family = familyOf(address.hostname);
    const socket = new Socket(family, SOCK_DGRAM);
    // So that another socket can serve 0.0.0.0 beside ::.
    if (family === AF_INET6) socket.setOption(IPPROTO_IPV6, IPV6_V6ONLY, 1);
    if (room !== undefined) socket.setOption(SOL_SOCKET, SO_RCVBUF, room);
    countOverflows(socket);
    socket.bind(address);
    const { hostname } = socket.localAddress as InternetAddress;
    if (["0.0.0.0", "::"].includes(hostname)) receivePacketInfo(socket, family);
    return socket;
  }

  /** Asks for the count of dropped datagrams, but does without it: qemu does not have it. */
  function countOverflows(socket: Socket): void {
    try {
      if (SO_RXQ_OVFL !== undefined) socket.setOption(SOL_SOCKET, SO_RXQ_OVFL, 1);
    } catch (error) {
      if (!(error instanceof OSError) || error.code !== "ENOPROTOOPT") throw error;
    }
  }

  /** Receives what has arrived, and returns the answers. */
  function receive(socket: Socket, place: Place): OutgoingMessage[] {
    const answers: OutgoingMessage[] = [];
    try {
      const messages = receiveMessages(socket, buffers) ?? [];
      for (const [i, { size: length, address, control, truncated }] of messages.entries()) {
        for (const { level, type, data } of control) {
          if (level !== SOL_SOCKET || type !== SO_RXQ_OVFL) continue;
          place.overflowed = new DataView(data.buffer).getUint32(0, true);
        }
        if (truncated) {
          place.tooLarge++;
          note({ address }, `sent more than ${size} bytes to ${place.address}`);
        } else {
          const data = buffers[i]!.subarray(0, length);
          answers.push({ data, address, control: answerFrom(control) });
        }
      }
    } catch (error) {
      drop(place, error);
    }
    return answers;
  }

  /** Sends answers. What there is no room for, or what the system refuses, is dropped. */
  function send(socket: Socket, place: Place, answers: OutgoingMessage[]): void {
    for (let i = 0; i < answers.length;) {
      try {
        const sent = sendMessages(socket, i === 0 ? answers : answers.slice(i));
        if (sent === null) {
          place.unsent += answers.length - i;
          return;
        }
        place.echoed += sent;
        for (const end = i + sent; i < end; i++) {
          note(answers[i]!, `sent ${answers[i]!.data.length} bytes to ${place.address}`);
        }
      } catch (error) {
        drop(place, error, answers[i]); // Such as to port 0.
        i++;
      }
    }
  }

  function drop(place: Place, error: unknown, answer: Partial<OutgoingMessage> = {}): void {
    if (!(error instanceof OSError)) throw error;
    place.unsent++;
    note(answer, error.message);
  }

  function note({ address }: Partial<OutgoingMessage>, event: string): void {
    if (options.verbose) log(address === undefined ? "" : formatAddress(address), event);
  }
});
