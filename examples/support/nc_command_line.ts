/**
 * The command line of `nc.ts`.
 *
 * @module
 */

import { familyAsked, isNumeric, parseRemotePort } from "./addresses.ts";
import { exitWith, parseCommandLine, parsePort, parseSeconds } from "./command_line.ts";
import { lookUpService } from "./services.ts";

const USAGE = `Usage: nc.ts [OPTIONS] [HOST] PORT
       nc.ts [OPTIONS] -l [HOST] PORT
       nc.ts [OPTIONS] -U PATH

Connects, or with -l waits for a connection, sends standard input over it, and prints what it
receives, until the peer ends. HOST is 127.0.0.1 by default; to listen on all addresses, use
-l 0.0.0.0 PORT. PORT is a number, a name in /etc/services, or a range such as 20-80.

Options:
  -l            wait for a connection, or a datagram; port 0 lets the system pick one
  -k            with -l, wait for another connection when one ends; with -lu, take datagrams from
                all senders
  -u            use UDP: a datagram for each read from standard input. UDP has no end: see -q
  -U            use a Unix socket; on Linux, @NAME is one without a file
  -z            only try to connect; with -u, send one byte, which a closed port refuses
  -N            close the sending side at the end of the input, and end when the peer has, too
  -q SECONDS    end this long after the end of the input, at the latest; implies -N
  -n            do not look up names of hosts or services
  -p PORT       connect from this port; with -l, the port to listen on
  -s HOST       connect from this address; with -l, the address to listen on
  -w SECONDS    give up connecting after this long, and end after this long without data
  -v            print addresses, on standard error; with -z, also the ports that failed
  -4, -6        use IPv4 or IPv6 only
  -h, --help    show this and exit

Exits with 0 if there was a connection, and otherwise with 1.

Of Deno's permissions, it needs --allow-ffi, and --allow-write=PATH to remove the file of a Unix
socket that it listened on.`;

/** What the command line of `nc.ts` asks for. */
export interface NetcatLine {
  readonly options: {
    readonly listen: boolean;
    readonly "keep-listening": boolean;
    readonly udp: boolean;
    readonly unix: boolean;
    readonly zero: boolean;
    readonly "half-close": boolean;
    readonly numeric: boolean;
    readonly wait?: string;
    readonly verbose: boolean;
  };
  /** How long to wait, in milliseconds. */
  readonly patience: number;
  /** How long to go on after the end of the input, in milliseconds. */
  readonly quit: number;
  /** The path of a Unix socket. */
  readonly path?: string;
  /** The address family to use alone. */
  readonly family?: number;
  /** The host to connect to. */
  readonly host: string;
  /** The ports to connect to. */
  readonly ports: readonly number[];
  /** The address to listen on or to connect from, as far as it was given. */
  readonly local?: { readonly hostname?: string; readonly port: number };
}

/** Parses the command line, or exits. */
export function parseNetcatLine(): NetcatLine {
  const { values: options, positionals } = parseCommandLine(USAGE, {
    listen: { type: "boolean", short: "l", default: false },
    "keep-listening": { type: "boolean", short: "k", default: false },
    udp: { type: "boolean", short: "u", default: false },
    unix: { type: "boolean", short: "U", default: false },
    zero: { type: "boolean", short: "z", default: false },
    "half-close": { type: "boolean", short: "N", default: false },
    quit: { type: "string", short: "q", default: "-1" },
    numeric: { type: "boolean", short: "n", default: false },
    port: { type: "string", short: "p" },
    source: { type: "string", short: "s" },
    wait: { type: "string", short: "w" },
    verbose: { type: "boolean", short: "v", default: false },
    ipv4: { type: "boolean", short: "4", default: false },
    ipv6: { type: "boolean", short: "6", default: false },
  }, true);
  const { listen, unix, udp, numeric, source, wait } = options;
  const protocol = udp ? "udp" : "tcp";
  if (options["keep-listening"] && !listen) exitWith(2, "Cannot use -k without -l", USAGE);
  if (options.zero && listen) exitWith(2, "Cannot use both -z and -l", USAGE);
  const family = familyAsked(options);
  const patience = wait === undefined ? Infinity : parseSeconds("wait", wait, 0.001, 1_000_000);
  const quit = options.quit === "-1" ? Infinity : parseSeconds("delay", options.quit, 0, 1_000_000);
  const from = options.port === undefined ? undefined : findPort(options.port);
  const common = { options, patience, quit, family, host: "", ports: [] };

  if (unix) {
    if (positionals.length !== 1) exitWith(2, "There must be one path", USAGE);
    if (from !== undefined || source !== undefined) exitWith(2, "Cannot use -U with -p or -s");
    return { ...common, path: positionals[0].replace(/^@/, "\0") };
  }
  const isAlone = listen && from !== undefined;
  const most = isAlone ? 0 : listen && source !== undefined ? 1 : 2;
  if (positionals.length > most || positionals.length < Math.min(most, 1)) {
    exitWith(2, listen ? "There must be one port" : "There must be a host and a port", USAGE);
  }
  const last = positionals.at(-1) ?? "";
  const host = positionals.length === 2 ? positionals[0] : undefined;
  for (const name of [host, source]) {
    if (numeric && name !== undefined && !isNumeric(name)) {
      exitWith(2, `With -n, a host must be an address, received ${name}`);
    }
  }
  if (listen) {
    const loopback = options.ipv6 ? "::1" : "127.0.0.1";
    const local = { hostname: host ?? source ?? loopback, port: from ?? findPort(last) };
    return { ...common, local };
  }
  const isLocal = source !== undefined || from !== undefined;
  const local = isLocal ? { hostname: source, port: from ?? 0 } : undefined;
  const ports = findPorts(last);
  return { ...common, host: host ?? "127.0.0.1", ports, local };

  /** Parses a range of ports to connect to. */
  function findPorts(text: string): number[] {
    const [, first, second] = /^(\d+)-(\d+)$/.exec(text) ?? ["", text, text];
    const ends = [first, second].map((end) => parseRemotePort(`${findPort(end)}`));
    const [low, high] = ends.sort((a, b) => a - b);
    return Array.from({ length: high - low + 1 }, (_, i) => low + i);
  }

  /** Parses a port, or the name of a service. */
  function findPort(text: string): number {
    const service = numeric || /^\d/.test(text) ? undefined : lookUpService(text, protocol);
    return service ?? parsePort(text);
  }
}
