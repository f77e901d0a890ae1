/**
 * Prints the routers on the way to a host, over IPv4 and IPv6, with UDP or ICMP.
 *
 * It shows the error queue of a socket, from which `queuedError()` reads which host could not
 * deliver a packet and why (`support/probes.ts`); many probes in flight, whose answers come in any
 * order; and timers that are only the timeout of the selector. With UDP it needs no privilege.
 *
 *     deno run --allow-ffi jsr:@readiness/selectors/traceroute 192.0.2.1
 *
 * It needs Linux.
 *
 * @module
 */

import { DefaultSelector, EVENT_READ, EVENT_WRITE } from "@readiness/selectors";
import { MSG_ERRQUEUE } from "@readiness/selectors/socket";
import { familyAsked, lookUp } from "./support/addresses.ts";
import {
  exitWith,
  interruption,
  parseCommandLine,
  parseInteger,
  parseSeconds,
  run,
} from "./support/command_line.ts";
import { HEADER } from "./support/icmp.ts";
import { print, printable } from "./support/output.ts";
import {
  despiteErrors,
  IcmpProber,
  type Meeting,
  PAYLOAD,
  type Prober,
  UdpProber,
} from "./support/probes.ts";

const USAGE = `Usage: traceroute.ts [OPTIONS] HOST

Prints the routers on the way to a host: each line has a router and the times that it took to
answer; * stands for no answer. Exits with 0 if the host was reached, and with 1 if it was not.

Options:
  -I, --icmp          send ICMP echo requests; it needs a group in net.ipv4.ping_group_range, or
                      the privilege for raw sockets
  -f, --first N       the first hop (1)
  -m, --max-hops N    the last hop (30)
  -q, --queries N     how many probes to send for each hop (3)
  -N, --parallel N    how many probes may be in flight (16)
  -w, --wait SECONDS  how long to wait for an answer (3)
  -p, --port PORT     UDP: the port of the first probe; each has the next one (33434)
  -4, -6              use IPv4 or IPv6 only
  -n                  ignored, as it never looks names up
  -h, --help          show this and exit

After a time, !H, !N and !P mean that the host, network or protocol cannot be reached, !X that it is
forbidden, and !F that the packet was too large.

It needs Linux. With UDP, the default, it needs no privilege.`;

/** A probe that was sent. */
interface Probe {
  readonly hops: number;
  readonly sent: number;
  /** What it has met; `null` if nothing in time. */
  meeting?: Meeting | null;
}

interface Settings {
  readonly first: number;
  readonly last: number;
  readonly queries: number;
  readonly parallel: number;
  /** In milliseconds. */
  readonly wait: number;
}

/** How many answers to receive before signals have a turn. */
const TURN = 64;

class Trace {
  isReached = false;
  readonly #prober: Prober;
  readonly #settings: Settings;
  readonly #probes: Probe[] = [];
  /** The probes that wait for an answer, by their numbers, the oldest first. */
  readonly #waiting = new Map<number, Probe>();
  #last: number;
  #printed: number;

  constructor(prober: Prober, settings: Settings) {
    this.#prober = prober;
    this.#settings = settings;
    this.#last = settings.last;
    this.#printed = settings.first - 1;
  }

  /** Traces the way, and prints each hop as soon as all of its probes are settled. */
  async run(interrupted: AbortSignal): Promise<void> {
    using selector = new DefaultSelector();
    selector.register(this.#prober.socket, EVENT_READ);
    this.#receive(); // The first call takes longer, which should not count for a hop.
    for (;;) {
      const hasRoom = this.#send();
      this.#giveUp();
      this.#print();
      if (this.#printed >= this.#last) return;
      selector.modify(this.#prober.socket, hasRoom ? EVENT_READ : EVENT_READ | EVENT_WRITE);
      await selector.selectAsync(this.#untilLate(), { signal: interrupted });
      this.#receive();
    }
  }

  /** Sends as many probes as may be in flight. Returns whether there was room for them. */
  #send(): boolean {
    const { first, queries, parallel } = this.#settings;
    while (this.#waiting.size < parallel) {
      const number = this.#probes.length;
      const hops = first + Math.floor(number / queries);
      if (hops > this.#last) break;
      const sent = despiteErrors(() => this.#prober.send(number, hops));
      if (sent === null) return false;
      const probe = { hops, sent };
      this.#probes.push(probe);
      this.#waiting.set(number, probe);
      this.#receive();
    }
    return true;
  }

  #receive(): void {
    // Not until there are no more, which may never be the case.
    for (let i = 0; i < TURN; i++) {
      const meeting = despiteErrors(() => this.#prober.receive());
      if (meeting === null) return;
      if (meeting !== "other") this.#take(meeting);
    }
  }

  #take(meeting: Meeting): void {
    const probe = this.#waiting.get(meeting.probe);
    if (probe === undefined) return; // Late, twice, or not an answer to a probe.
    this.#waiting.delete(meeting.probe);
    probe.meeting = meeting;
    if (!meeting.isEnd) return;
    this.#last = Math.min(this.#last, probe.hops);
    if (meeting.note === "") this.isReached = true;
  }

  #giveUp(): void {
    for (const [number, probe] of this.#waiting) {
      if (performance.now() < probe.sent + this.#settings.wait) return;
      this.#waiting.delete(number);
      probe.meeting = null;
    }
  }

  /** Returns the time until the oldest probe is given up. */
  #untilLate(): number {
    const [oldest] = this.#waiting.values();
    if (oldest === undefined) return Infinity;
    return Math.max(oldest.sent + this.#settings.wait - performance.now(), 0);
  }

  #print(): void {
    const { first, queries } = this.#settings;
    while (this.#printed < this.#last) {
      const start = (this.#printed + 1 - first) * queries;
      const probes = this.#probes.slice(start, start + queries);
      if (probes.length < queries || probes.some(({ meeting }) => meeting === undefined)) return;
      print(`${`${++this.#printed}`.padStart(2)}  ${formatHop(probes)}`);
    }
  }
}

/** Formats the answers to the probes of a hop, each host once if its answers are in a row. */
function formatHop(probes: readonly Probe[]): string {
  let previous = "";
  const words: string[] = [];
  for (const { sent, meeting } of probes) {
    if (meeting === null || meeting === undefined) {
      words.push("*");
      continue;
    }
    const { host, time, note } = meeting;
    if (host !== previous) words.push(printable(host));
    previous = host;
    const took = Math.max(time - sent, 0); // The system's clock can be set back.
    words.push(` ${took.toFixed(3)} ms${note === "" ? "" : ` ${note}`}`);
  }
  return words.join(" ");
}

run(async () => {
  const { values: options, positionals } = parseCommandLine(USAGE, {
    icmp: { type: "boolean", short: "I", default: false },
    first: { type: "string", short: "f", default: "1" },
    "max-hops": { type: "string", short: "m", default: "30" },
    queries: { type: "string", short: "q", default: "3" },
    parallel: { type: "string", short: "N", default: "16" },
    wait: { type: "string", short: "w", default: "3" },
    ipv4: { type: "boolean", short: "4", default: false },
    ipv6: { type: "boolean", short: "6", default: false },
    numeric: { type: "boolean", short: "n" },
    port: { type: "string", short: "p", default: "33434" },
  }, true);
  const last = parseInteger("last hop", options["max-hops"], 1, 255);
  const settings = {
    first: parseInteger("first hop", options.first, 1, last),
    last,
    queries: parseInteger("number of queries", options.queries, 1, 10),
    parallel: parseInteger("number in flight", options.parallel, 1, 1000),
    wait: parseSeconds("wait", options.wait, 0.001, 3600),
  };
  const mostProbes = (last - settings.first + 1) * settings.queries;
  const port = parseInteger("port", options.port, 1, 65_536 - mostProbes);
  const [name = ""] = positionals;
  if (positionals.length !== 1) exitWith(2, "There must be one host", USAGE);
  const family = familyAsked(options);
  if (MSG_ERRQUEUE === undefined) {
    exitWith(1, `${Deno.build.os} does not have error queues: run this program on Linux`);
  }
  const { hostname } = lookUp({ hostname: name, port: 9 }, family);
  const interrupted = interruption();
  using prober = options.icmp ? new IcmpProber(hostname) : new UdpProber(hostname, port);
  const size = hostname.includes(":") ? 40 : 20; // Of the IP header.
  const bytes = size + HEADER + PAYLOAD;
  print(`traceroute to ${printable(name)} (${hostname}), ${last} hops max, ${bytes} byte packets`);
  const trace = new Trace(prober, settings);
  try {
    await trace.run(interrupted);
    if (!trace.isReached) Deno.exitCode = 1;
  } catch (error) {
    if (!interrupted.aborted) throw error;
  }
});
