/**
 * A port scanner: finds the ports of a host that accept a connection.
 *
 * It shows thousands of non-blocking connects in flight at once; the errors that `connect` and
 * `SO_ERROR` return; a time limit for each connect, without a timer for each; and how to stay
 * within a limit of descriptors, also when the system's limit is lower.
 *
 *     deno run --allow-ffi examples/portscan.ts --ports 1-65535 127.0.0.1
 *
 * Scan only hosts that are yours, or that you have permission to scan.
 *
 * @module
 */

import { DefaultSelector, EVENT_WRITE, OSError } from "@readiness/selectors";
import { SOCK_STREAM, Socket } from "@readiness/selectors/socket";
import { familyOf, formatAddress, lookUp, parseRemotePort } from "./support/addresses.ts";
import { exitWith, parseCommandLine, parseInteger, run } from "./support/command_line.ts";
import { hasNoRoom } from "./support/listening.ts";
import { print, warn, write } from "./support/output.ts";
import { discard } from "./support/watching.ts";

const USAGE = `Usage: portscan.ts [OPTIONS] [HOST]

Connects to ports of a host (127.0.0.1 if left out) and prints the open ones. Exits with 0 if there
is one, and with 1 if there is none.

Options:
  --ports LIST   ports and ranges, such as 22,80,8000-8999 (1-1024)
  --limit COUNT  how many ports to try at once (1000)
  --timeout MS   how long to wait for an answer; a port without one is filtered (2000)
  --all          print closed and filtered ports, too
  -h, --help     show this and exit`;

/** The result for a port. */
type State = "open" | "closed" | "filtered";

/** Errors of `connect` when something on the way keeps it from the port, mostly ICMP messages. */
const FILTERED = [
  "EACCES",
  "EHOSTDOWN",
  "EHOSTUNREACH",
  "EMSGSIZE",
  "ENETDOWN",
  "ENETUNREACH",
  "ENONET",
  "ENOPROTOOPT",
  "EOPNOTSUPP",
  "EPERM",
  "EPROTO",
  "ETIMEDOUT",
];

/** How often to write the progress line, in milliseconds. */
const PROGRESS = 100;

const encoder = new TextEncoder();

const CLEAR_LINE = encoder.encode("\r\x1b[K");

/** A connect in flight. */
interface Attempt {
  readonly port: number;
  /** When to give it up. */
  readonly deadline: number;
}

run(() => {
  const { values: options, positionals } = parseCommandLine(USAGE, {
    ports: { type: "string", default: "1-1024" },
    limit: { type: "string", default: "1000" },
    timeout: { type: "string", default: "2000" },
    all: { type: "boolean", default: false },
  }, true);
  if (positionals.length > 1) exitWith(2, "There must be one host", USAGE);
  const ports = parsePorts(options.ports);
  const timeout = parseInteger("timeout", options.timeout, 1, 3_600_000);
  let limit = parseInteger("limit", options.limit, 1, 65535);
  const { hostname } = lookUp({ hostname: positionals[0] ?? "127.0.0.1", port: ports[0] });

  const counts = { open: 0, closed: 0, filtered: 0 };
  const showsProgress = Deno.stderr.isTerminal();
  const started = performance.now();
  using selector = new DefaultSelector<Attempt, Socket>();
  const inFlight = new Map<Socket, Attempt>(); // In the order of their deadlines.
  let next = 0;
  let shown = started;

  while (next < ports.length || inFlight.size > 0) {
    while (next < ports.length && inFlight.size < limit && attempt(ports[next])) {
      next++;
      showProgress();
    }
    const [oldest] = inFlight.values();
    if (oldest === undefined) continue;
    const left = oldest.deadline - performance.now();
    const ready = selector.select(showsProgress ? Math.min(left, PROGRESS) : left);
    for (const [{ fileobj, data }] of ready) finish(fileobj, data.port, stateOf(fileobj));
    const now = performance.now();
    for (const [socket, { port, deadline }] of inFlight) {
      if (deadline > now) break;
      finish(socket, port, "filtered");
    }
    showProgress();
  }
  if (showsProgress) write(Deno.stderr, CLEAR_LINE);
  warn(`${summary()} in ${((performance.now() - started) / 1000).toFixed(2)} s`);
  Deno.exit(counts.open > 0 ? 0 : 1);

  /** Starts to connect to a port. Returns whether there was room for it. */
  function attempt(port: number): boolean {
    let socket: Socket | undefined;
    try {
      socket = new Socket(familyOf(hostname), SOCK_STREAM);
      if (socket.connect({ hostname, port })) finish(socket, port, stateOf(socket));
      else {
        const data = { port, deadline: performance.now() + timeout };
        selector.register(socket, EVENT_WRITE, data);
        inFlight.set(socket, data);
      }
      return true;
    } catch (error) {
      if (!(error instanceof OSError)) throw error;
      socket?.close();
      // Too few descriptors or local ports: wait for some of the connects in flight.
      if ((error.code === "EADDRNOTAVAIL" || hasNoRoom(error)) && inFlight.size > 0) {
        limit = inFlight.size;
        return false;
      }
      report(port, stateAfter(error));
      return true;
    }
  }

  function stateOf(socket: Socket): State {
    const error = socket.error();
    if (error !== null) return stateAfter(error);
    return isItsOwnPeer(socket) ? "closed" : "open";
  }

  function finish(socket: Socket, port: number, state: State): void {
    inFlight.delete(socket);
    discard(selector, socket);
    report(port, state);
  }

  function report(port: number, state: State): void {
    counts[state]++;
    if (state !== "open" && !options.all) return;
    if (showsProgress) write(Deno.stderr, CLEAR_LINE);
    print(`${formatAddress({ hostname, port })} ${state}`);
  }

  function showProgress(): void {
    if (!showsProgress || performance.now() - shown < PROGRESS) return;
    shown = performance.now();
    write(Deno.stderr, encoder.encode(`\r${summary()}, ${inFlight.size} in flight\x1b[K`));
  }

  function summary(): string {
    const done = counts.open + counts.closed + counts.filtered;
    return `${done} of ${ports.length} ports of ${hostname}: ${counts.open} open, ` +
      `${counts.closed} closed, ${counts.filtered} filtered`;
  }
});

/**
 * Whether a socket has connected to itself: on loopback the system can pick the port that it
 * connects to as its local port. Then no other socket listens there.
 */
function isItsOwnPeer(socket: Socket): boolean {
  try {
    return formatAddress(socket.localAddress) === formatAddress(socket.remoteAddress);
  } catch (error) {
    if (!(error instanceof OSError)) throw error;
    return false; // The peer has already reset the connection.
  }
}

function stateAfter(error: OSError): State {
  if (error.code === "ECONNREFUSED") return "closed";
  if (error.code === "ECONNRESET" || error.code === "EPIPE") return "open"; // It was accepted.
  if (FILTERED.includes(error.code)) return "filtered";
  throw error;
}

/** Parses ports and ranges. Returns each port once. */
function parsePorts(list: string): number[] {
  const ports = new Set<number>();
  for (const range of list.split(",")) {
    const [first, last = first, ...rest] = range.split("-").map(parseRemotePort);
    if (rest.length > 0 || last < first) {
      exitWith(2, `A range of ports must be FIRST-LAST, received ${range}`);
    }
    for (let port = first; port <= last; port++) ports.add(port);
  }
  return [...ports];
}
