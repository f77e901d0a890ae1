/**
 * Pings many hosts at once, over IPv4 and IPv6, and tells round-trip times and loss.
 *
 * What it shows: ICMP without a privilege where the system lets this group have it, else raw sockets,
 * else which privilege is missing; one socket a family for all hosts, an answer being told apart by
 * its sequence number; control data that comes with a datagram (how many hops are left); timers that
 * are nothing but the timeout of the selector.
 *
 *     deno run --allow-ffi examples/ping.ts 127.0.0.1 ::1 localhost
 *
 * @module
 */

import { DefaultSelector, EVENT_READ, EVENT_WRITE, OSError } from "@readiness/selectors";
import {
  AF_INET6,
  IP_RECVTTL,
  IP_TTL,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_HOPLIMIT,
  IPV6_RECVHOPLIMIT,
  receiveMessage,
  SOCK_DGRAM,
  SOCK_RAW,
  Socket,
} from "@readiness/selectors/socket";
import { familyOf, locate } from "./support/addresses.ts";
import {
  exitWith,
  interruption,
  parseCommandLine,
  parseInteger,
  run,
} from "./support/command_line.ts";

const USAGE = `Usage: ping.ts [OPTIONS] HOST...

Sends ICMP echo requests to all of the hosts at once and prints the answers, then the loss and the
round-trip times of each host. Exits with 0 if every host has answered, with 1 if one has not.

Options:
  -c, --count N      how many requests to send to each host; 0: until interrupted, by Ctrl-C (4)
  -i, --interval MS  the time between them (1000)
  -W, --timeout MS   how long to wait for an answer (2000)
  -s, --size BYTES   how many bytes to send, beside the 8 of the header (56)
  -q, --quiet        print only what it comes to in the end
  --help             show this and exit

It takes a group in net.ipv4.ping_group_range, or the privilege for raw sockets.`;

const HEADER = 8;

/** How many requests are sent before answers are received. */
const BURST = 32;

/** What the requests of this run begin with. */
const TOKEN = crypto.getRandomValues(new Uint8Array(8));

/** What a host is sent and has answered. */
interface Host {
  readonly name: string;
  readonly address: { hostname: string; port: number };
  sent: number;
  readonly times: number[];
}

/** A request that waits for its answer. */
interface Request {
  readonly host: Host;
  readonly number: number;
  readonly time: number;
}

/** An answer to a request. */
interface Answer {
  readonly sequence: number;
  readonly size: number;
  readonly from: string;
  readonly hops: number | undefined;
  readonly time: number;
}

/** The socket for the hosts of one family, and the hosts that are to be sent a request. */
class Family {
  readonly socket: Socket;
  readonly due: Host[] = [];
  readonly #isIpv6: boolean;
  readonly #isRaw: boolean;
  readonly #id = crypto.getRandomValues(new Uint16Array(1))[0];
  readonly #buffer = new Uint8Array(65_536);

  constructor(family: number) {
    this.#isIpv6 = family === AF_INET6;
    const protocol = this.#isIpv6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
    [this.socket, this.#isRaw] = open(family, protocol);
    if (this.#isIpv6) this.socket.setOption(IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
    else this.socket.setOption(IPPROTO_IP, IP_RECVTTL, 1);
    this.receive(); // So that what is done the first time only is in no host's time.
  }

  /** Writes an echo request. Of a socket for datagrams the system writes the identifier itself. */
  write(packet: Uint8Array<ArrayBuffer>, sequence: number): void {
    const view = new DataView(packet.buffer);
    packet[0] = this.#isIpv6 ? 128 : 8;
    view.setUint16(4, this.#id);
    view.setUint16(6, sequence);
    packet.set(TOKEN, HEADER);
    if (!this.#isIpv6) view.setUint16(2, checksum(packet)); // ICMPv6's is the system's to write.
  }

  /** Receives an answer to this program; `null` if there is none. */
  receive(): Answer | "malformed" | "foreign" | null {
    const time = performance.now();
    const message = receiveMessage(this.socket, this.#buffer);
    if (message === null) return null;
    let packet = this.#buffer.subarray(0, message.size);
    // A raw socket of IPv4 has the IP header, too.
    if (this.#isRaw && !this.#isIpv6) packet = packet.subarray((packet[0] & 15) * 4);
    if (message.truncated || packet.length < HEADER) return "malformed";
    const view = new DataView(packet.buffer, packet.byteOffset);
    const isEcho = packet[0] === (this.#isIpv6 ? 129 : 0);
    const isForeign = this.#isRaw && view.getUint16(4) !== this.#id;
    if (!isEcho || isForeign) return "foreign"; // A raw socket sees all that arrives.
    if (!TOKEN.every((byte, i) => packet[HEADER + i] === byte)) return "malformed";
    const hops = message.control.find(({ level, type }) =>
      level === IPPROTO_IP ? type === IP_TTL || type === IP_RECVTTL : type === IPV6_HOPLIMIT
    );
    return {
      sequence: view.getUint16(6),
      size: packet.length,
      from: "hostname" in message.address ? message.address.hostname : "",
      hops: hops?.data[0],
      time,
    };
  }
}

run(async () => {
  const { values: options, positionals } = parseCommandLine(USAGE, {
    count: { type: "string", short: "c", default: "4" },
    interval: { type: "string", short: "i", default: "1000" },
    timeout: { type: "string", short: "W", default: "2000" },
    size: { type: "string", short: "s", default: "56" },
    quiet: { type: "boolean", short: "q", default: false },
  }, true);
  const count = parseInteger("count", options.count, 0, 1_000_000) || Infinity;
  const interval = parseInteger("interval", options.interval, 1, 3_600_000);
  const timeout = parseInteger("timeout", options.timeout, 1, 3_600_000);
  const size = parseInteger("size", options.size, TOKEN.length, 65_000);
  if (positionals.length === 0) exitWith(2, `There is no host to ping\n\n${USAGE}`);

  const hosts = positionals.map((name): Host => ({
    name,
    address: addressOf(name),
    sent: 0,
    times: [],
  }));
  const interrupted = interruption();
  using selector = new DefaultSelector<Family>();
  const requests = new Map<number, Request>();
  const families = new Map<number, Family>();
  let sequence = 0;
  let strays = 0;
  let malformed = 0;

  for (const host of hosts) {
    const family = familyOf(host.address.hostname);
    if (!families.has(family)) families.set(family, new Family(family));
  }
  for (const family of families.values()) selector.register(family.socket, EVENT_READ, family);

  const start = performance.now();
  let round = 0;
  try {
    while (!isDone()) {
      if (round < count && performance.now() >= start + round * interval) {
        for (const host of hosts) families.get(familyOf(host.address.hostname))!.due.push(host);
        round++;
        for (const family of families.values()) send(family);
      }
      const ready = await selector.selectAsync(patience(), { signal: interrupted });
      for (const [{ data: family }, events] of ready) {
        if (events & EVENT_READ) receive(family);
        if (events & EVENT_WRITE) send(family);
      }
      forgetLate();
    }
  } catch (error) {
    if (!interrupted.aborted) throw error;
  }
  for (const host of hosts) console.log(summary(host));
  if (malformed > 0) console.log(`${malformed} malformed packets`);
  if (strays > 0) console.log(`${strays} answers came late or twice`);
  if (hosts.some(({ times }) => times.length === 0)) Deno.exit(1);

  function isDone(): boolean {
    const isSending = round < count || families.values().some(({ due }) => due.length > 0);
    return !isSending && requests.size === 0;
  }

  /** How long there is nothing to do unless something arrives. */
  function patience(): number {
    const [oldest] = requests.values();
    const next = round < count ? start + round * interval : Infinity;
    const late = oldest === undefined ? Infinity : oldest.time + timeout;
    return Math.max(Math.min(next, late) - performance.now(), 0);
  }

  /** Sends what is due, as far as there is room, some at a time: there is to be room for answers. */
  function send(family: Family): void {
    for (let i = 0; i < BURST && family.due.length > 0; i++) {
      const [host] = family.due;
      const packet = new Uint8Array(HEADER + size);
      sequence = (sequence + 1) & 0xffff;
      family.write(packet, sequence);
      // The answer to what was sent just now can be there before the call returns.
      const request = { host, number: host.sent + 1, time: performance.now() };
      try {
        if (family.socket.sendTo(packet, host.address) === null) break;
        requests.set(sequence, request);
      } catch (error) {
        if (!(error instanceof OSError)) throw error;
        log(`${host.name}: seq=${request.number} ${error.message}`);
      }
      host.sent++;
      family.due.shift();
    }
    const events = family.due.length > 0 ? EVENT_READ | EVENT_WRITE : EVENT_READ;
    selector.modify(family.socket, events, family);
  }

  function receive(family: Family): void {
    for (let answer; (answer = family.receive()) !== null;) {
      if (answer === "malformed") malformed++;
      if (typeof answer === "string") continue;
      const request = requests.get(answer.sequence);
      if (request === undefined) {
        strays++;
        continue;
      }
      requests.delete(answer.sequence);
      const { host, number, time } = request;
      const took = answer.time - time;
      host.times.push(took);
      const hops = answer.hops === undefined ? "" : ` ttl=${answer.hops}`;
      log(
        `${answer.size} bytes from ${answer.from}: seq=${number}${hops} time=${took.toFixed(3)} ms`,
      );
    }
  }

  function forgetLate(): void {
    for (const [sequence, { host, number, time }] of requests) {
      if (performance.now() < time + timeout) return;
      requests.delete(sequence);
      log(`${host.name}: seq=${number} no answer`);
    }
  }

  function log(line: string): void {
    if (!options.quiet) console.log(line);
  }
});

/** Opens a socket without a privilege, or else a raw one; or says what it takes. */
function open(family: number, protocol: number): [socket: Socket, isRaw: boolean] {
  try {
    return [new Socket(family, SOCK_DGRAM, protocol), false];
  } catch (error) {
    if (!(error instanceof OSError)) throw error;
    try {
      return [new Socket(family, SOCK_RAW, protocol), true];
    } catch (rawError) {
      if (!(rawError instanceof OSError)) throw rawError;
      exitWith(
        1,
        `Cannot ping without a privilege, one of two:\n${error.message}\n${rawError.message}`,
      );
    }
  }
}

/** Resolves a name once, IPv4 first. What has no route keeps its name, and is told as it is sent to. */
function addressOf(name: string): { hostname: string; port: number } {
  try {
    return { hostname: locate({ hostname: name, port: 9 }).hostname, port: 0 };
  } catch (error) {
    if (!(error instanceof OSError) || error.syscall !== "connect") throw error;
    return { hostname: name, port: 0 };
  }
}

function checksum(packet: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < packet.length; i += 2) sum += (packet[i] << 8) | (packet[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function summary({ name, sent, times }: Host): string {
  const lost = sent === 0 ? 0 : (sent - times.length) / sent * 100;
  const line = `${name}: ${sent} sent, ${times.length} received, ${+lost.toFixed(1)}% lost`;
  if (times.length === 0) return line;
  const average = times.reduce((sum, time) => sum + time, 0) / times.length;
  const [least, mean, most] = [Math.min(...times), average, Math.max(...times)];
  return `${line}, round trip ${least.toFixed(3)}/${mean.toFixed(3)}/${most.toFixed(3)} ms`;
}
