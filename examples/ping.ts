/**
 * Pings many hosts at once, over IPv4 and IPv6, and prints round-trip times and loss.
 *
 * It shows ICMP without a privilege where the system allows it, else raw sockets, else a message
 * about the missing privilege; one socket per address family for all hosts, with sequence numbers
 * that match answers to requests; control data that comes with a datagram (how many hops it may
 * still make); and timers that are only the timeout of the selector. What a packet holds is in
 * `support/icmp.ts`.
 *
 *     deno run --allow-ffi examples/ping.ts 127.0.0.1 ::1 localhost
 *
 * @module
 */

import { DefaultSelector, EVENT_READ, EVENT_WRITE, OSError } from "@readiness/selectors";
import { familyOf, lookUp } from "./support/addresses.ts";
import {
  exitWith,
  interruption,
  parseCommandLine,
  parseInteger,
  run,
} from "./support/command_line.ts";
import { IcmpSocket, TOKEN } from "./support/icmp.ts";
import { print, printable } from "./support/output.ts";

const USAGE = `Usage: ping.ts [OPTIONS] HOST...

Sends ICMP echo requests to all hosts at once and prints the answers, then the loss and the
round-trip times of each host. Exits with 0 if every host has answered, and with 1 if one has not.

Options:
  -c, --count N      how many requests to send to each host; 0: until interrupted (Ctrl-C) (4)
  -i, --interval MS  the time between two requests (1000)
  -W, --timeout MS   how long to wait for an answer (2000)
  -s, --size BYTES   how many bytes to send, beside the 8 of the header (56)
  -q, --quiet        print only the summary
  -h, --help         show this and exit

It needs a group in net.ipv4.ping_group_range, or the privilege for raw sockets.`;

/** How many requests to send before answers have a turn. */
const BURST = 32;

/** How many packets to receive before signals and requests have a turn. */
const TURN = 256;

/** A host, and what it has been sent and has answered. */
interface Host {
  readonly name: string;
  readonly hostname: string;
  sent: number;
  readonly times: number[];
}

/** A request that waits for its answer. */
interface Request {
  readonly host: Host;
  readonly number: number;
  readonly time: number;
}

/** The socket of an address family, and the hosts to send the next request to. */
interface Family {
  readonly icmp: IcmpSocket;
  readonly due: Host[];
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
  if (positionals.length === 0) exitWith(2, "There must be a host", USAGE);

  const hosts = positionals.map((name): Host => ({
    name: printable(name),
    hostname: resolve(name),
    sent: 0,
    times: [],
  }));
  const interrupted = interruption();
  using selector = new DefaultSelector<Family>();
  const requests = new Map<number, Request>(); // In the order in which they were sent.
  const families = new Map<number, Family>();
  let sequence = 0;
  let strays = 0;
  let malformed = 0;

  for (const { hostname } of hosts) {
    const family = familyOf(hostname);
    if (!families.has(family)) {
      families.set(family, { icmp: new IcmpSocket(family, size), due: [] });
    }
  }
  for (const family of families.values()) {
    selector.register(family.icmp.socket, EVENT_READ, family);
  }

  const start = performance.now();
  let round = 0;
  try {
    while (!isDone()) {
      if (round < count && performance.now() >= start + round * interval) {
        for (const host of hosts) families.get(familyOf(host.hostname))!.due.push(host);
        round++;
        for (const family of families.values()) send(family);
      }
      const ready = await selector.selectAsync(untilNext(), { signal: interrupted });
      for (const [{ data: family }, events] of ready) {
        if (events & EVENT_READ) receive(family);
        if (events & EVENT_WRITE) send(family);
      }
      giveUp();
    }
  } catch (error) {
    if (!interrupted.aborted) throw error;
  }
  for (const host of hosts) print(summary(host));
  if (malformed > 0) print(`${malformed} malformed packets`);
  if (strays > 0) print(`${strays} late or duplicate answers`);
  if (Deno.exitCode === 0 && hosts.some(({ times }) => times.length === 0)) Deno.exitCode = 1;

  function isDone(): boolean {
    const isSending = round < count || families.values().some(({ due }) => due.length > 0);
    return !isSending && requests.size === 0;
  }

  /** The time until the next request is due or the oldest one is given up. */
  function untilNext(): number {
    const [oldest] = requests.values();
    const next = round < count ? start + round * interval : Infinity;
    const late = oldest === undefined ? Infinity : oldest.time + timeout;
    return Math.max(Math.min(next, late) - performance.now(), 0);
  }

  /** Sends a few of the requests that are due, as far as there is room. */
  function send(family: Family): void {
    const { icmp, due } = family;
    for (let i = 0; i < BURST && due.length > 0; i++) {
      const [host] = due;
      const number = host.sent + 1;
      sequence = (sequence + 1) & 0xffff;
      try {
        const time = icmp.send(host.hostname, sequence);
        if (time === null) break;
        requests.set(sequence, { host, number, time });
      } catch (error) {
        if (!(error instanceof OSError)) throw error;
        note(`${host.name}: seq=${number} ${error.message}`);
      }
      host.sent++;
      due.shift();
    }
    const events = due.length > 0 ? EVENT_READ | EVENT_WRITE : EVENT_READ;
    selector.modify(icmp.socket, events, family);
  }

  function receive({ icmp }: Family): void {
    // Not until there are no more, which may never be the case.
    for (let i = 0; i < TURN; i++) {
      const answer = icmp.receive();
      if (answer === null) return;
      if (answer === "malformed") malformed++;
      if (typeof answer === "string") continue;
      const request = requests.get(answer.sequence);
      if (request === undefined) {
        strays++;
        continue;
      }
      requests.delete(answer.sequence);
      const { host, number, time } = request;
      const took = Math.max(answer.time - time, 0); // The system's clock can be set back.
      host.times.push(took);
      const hops = answer.hops === undefined ? "" : ` ttl=${answer.hops}`;
      note(
        `${answer.size} bytes from ${answer.from}: seq=${number}${hops} time=${took.toFixed(3)} ms`,
      );
    }
  }

  /** Gives the requests up whose answers are late. */
  function giveUp(): void {
    for (const [sequence, { host, number, time }] of requests) {
      if (performance.now() < time + timeout) return;
      requests.delete(sequence);
      note(`${host.name}: seq=${number} no answer`);
    }
  }

  function note(line: string): void {
    if (!options.quiet) print(line);
  }
});

/** Resolves a name once. A host without a route stays in the list, and sending to it fails. */
function resolve(name: string): string {
  try {
    return lookUp({ hostname: name, port: 9 }).hostname;
  } catch (error) {
    if (!(error instanceof OSError) || error.syscall !== "connect") throw error;
    return name;
  }
}

function summary({ name, sent, times }: Host): string {
  const lost = sent === 0 ? 0 : (sent - times.length) / sent * 100;
  const line = `${name}: ${sent} sent, ${times.length} received, ${+lost.toFixed(1)}% lost`;
  if (times.length === 0) return line;
  const average = times.reduce((sum, time) => sum + time, 0) / times.length;
  const [least, mean, most] = [Math.min(...times), average, Math.max(...times)];
  return `${line}, round trip ${least.toFixed(3)}/${mean.toFixed(3)}/${most.toFixed(3)} ms`;
}
