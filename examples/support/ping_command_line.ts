/**
 * The command line of `ping.ts`.
 *
 * @module
 */

import { familyAsked, familyOf, isNumeric } from "./addresses.ts";
import {
  exitWith,
  parseCommandLine,
  parseCount,
  parseInteger,
  parseSeconds,
} from "./command_line.ts";

const USAGE = `Usage: ping.ts [OPTIONS] HOST...

Sends ICMP echo requests to all hosts at once and prints the answers, until it is interrupted
(Ctrl-C), and then the loss and the round-trip times of each host.

Options:
  -c N          stop after N requests to each host
  -i SECONDS    the time between two requests, from 0.001 (1)
  -W SECONDS    how long to wait for an answer (10)
  -w SECONDS    exit after this long; -c then counts answers, and an error ends the pings of a host
  -s BYTES      how many bytes to send after the header of 8 bytes (56)
  -I SOURCE     send from this address, or through the network interface of this name
  -t HOPS       how many hops a request may make (the system's default)
  -q            print only the first lines and the summary
  -n            ignored, as it never looks names up
  -4, -6        use IPv4 or IPv6 only
  -h, --help    show this and exit

Exits with 0 if every host has answered, with 1 if one has not (with -w, N times), and with 2 if one
has no address or cannot be sent to, or if the command line is wrong.

It needs a group in net.ipv4.ping_group_range, or the privilege for raw sockets.`;

/** The largest payload of an IPv4 packet, without its header and that of ICMP, in bytes. */
const MOST_BYTES = 65_507;

/** What the command line of `ping.ts` asks for. Times are in milliseconds. */
export interface PingLine {
  /** The names or addresses of the hosts. */
  readonly names: readonly string[];
  /** How many requests to send to each host. */
  readonly count: number;
  readonly interval: number;
  readonly timeout: number;
  /** How long to ping. */
  readonly deadline: number;
  /** The size of the payload, in bytes. */
  readonly size: number;
  readonly ttl?: number;
  /** The address or the name of the interface to send from. */
  readonly source?: string;
  readonly quiet: boolean;
  /** The address family to use alone. */
  readonly family?: number;
}

/** Parses the command line, or exits. */
export function parsePingLine(): PingLine {
  const { values: options, positionals } = parseCommandLine(USAGE, {
    count: { type: "string", short: "c" },
    interval: { type: "string", short: "i", default: "1" },
    timeout: { type: "string", short: "W", default: "10" },
    deadline: { type: "string", short: "w" },
    source: { type: "string", short: "I" },
    size: { type: "string", short: "s", default: "56" },
    ttl: { type: "string", short: "t" },
    quiet: { type: "boolean", short: "q", default: false },
    numeric: { type: "boolean", short: "n" },
    ipv4: { type: "boolean", short: "4", default: false },
    ipv6: { type: "boolean", short: "6", default: false },
  }, true);
  const count = parseCount(options.count);
  const interval = parseSeconds("interval", options.interval, 0.001, 3600);
  const timeout = parseSeconds("timeout", options.timeout, 0.001, 3600);
  const deadline = options.deadline === undefined
    ? Infinity
    : parseSeconds("deadline", options.deadline, 0.001, 1_000_000);
  const size = parseInteger("size", options.size, 0, MOST_BYTES);
  const ttl = options.ttl === undefined ? undefined : parseInteger("ttl", options.ttl, 1, 255);
  const { source, quiet } = options;
  const only = familyAsked(options);
  const family = source !== undefined && isNumeric(source) ? familyOf(source) : only;
  if (only !== undefined && family !== only) {
    exitWith(2, `The source must be an address of the other family, received ${source}`);
  }
  if (positionals.length === 0) exitWith(2, "There must be a host", USAGE);
  return {
    names: positionals,
    count,
    interval,
    timeout,
    deadline,
    size,
    ttl,
    source,
    quiet,
    family,
  };
}
