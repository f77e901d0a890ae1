/**
 * A port scanner: which ports of a host accept a connection.
 *
 * What it shows: thousands of connects that do not block, all in flight at once; what `connect` and
 * `SO_ERROR` tell of each; a time limit for each by the order in which they began; and staying
 * within a limit of descriptors, also when the system's is lower.
 *
 *     deno run --allow-ffi examples/portscan.ts --ports 1-65535 127.0.0.1
 *
 * Scan only what is yours, or what you may.
 *
 * @module
 */

import { DefaultSelector, EVENT_WRITE, OSError } from "@readiness/selectors";
import { type InternetAddress, SOCK_STREAM, Socket } from "@readiness/selectors/socket";
import { familyOf, locate, parseRemotePort } from "./support/addresses.ts";
import { exitWith, format, parseCommandLine, parseInteger, run } from "./support/command_line.ts";
import { hasNoRoom } from "./support/listening.ts";

const USAGE = `Usage: portscan.ts [OPTIONS] [HOST]

Tries to connect to ports of a host, 127.0.0.1 unless told, and prints those that are open. Exits
with 0 when there is one.

Options:
  --ports LIST    ports and ranges of them, such as 22,80,8000-8999 (1-1024)
  --limit COUNT   how many to try at once (1000)
  --timeout MS    how long to wait for an answer; a port that gives none is filtered (2000)
  --all           print the closed and the filtered ports, too
  --help          show this and exit`;

/** What is known of a port. */
type State = "open" | "closed" | "filtered";

/** What `connect` fails with when something on the way keeps it from the port. */
const FILTERED = ["ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH", "EHOSTDOWN", "EACCES", "EPERM"];

/** How often the progress line is written, in milliseconds. */
const PROGRESS = 100;

const encoder = new TextEncoder();

/** A connect that is in flight. */
interface Attempt {
  readonly port: number;
  /** When it is given up. */
  readonly deadline: number;
}

run(() => {
  const { values: options, positionals } = parseCommandLine(USAGE, {
    ports: { type: "string", default: "1-1024" },
    limit: { type: "string", default: "1000" },
    timeout: { type: "string", default: "2000" },
    all: { type: "boolean", default: false },
  }, true);
  if (positionals.length > 1) exitWith(2, `Say one host\n\n${USAGE}`);
  const ports = parsePorts(options.ports);
  const timeout = parseInteger("timeout", options.timeout, 1, 3_600_000);
  let limit = parseInteger("limit", options.limit, 1, 65535);
  const { hostname } = locate({ hostname: positionals[0] ?? "127.0.0.1", port: ports[0] });

  const counts = { open: 0, closed: 0, filtered: 0 };
  const isWatched = Deno.stderr.isTerminal();
  const started = performance.now();
  using selector = new DefaultSelector<Attempt, Socket>();
  const inFlight = new Map<Socket, Attempt>(); // In the order in which they began, and so will end.
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
    for (
      const [{ fileobj, data }] of selector.select(isWatched ? Math.min(left, PROGRESS) : left)
    ) {
      finish(fileobj, data.port, stateOf(fileobj));
    }
    const now = performance.now();
    for (const [socket, { port, deadline }] of inFlight) {
      if (deadline > now) break;
      finish(socket, port, "filtered");
    }
    showProgress();
  }
  if (isWatched) Deno.stderr.writeSync(encoder.encode("\r\x1b[K"));
  console.error(`${summary()} in ${((performance.now() - started) / 1000).toFixed(2)} s`);
  Deno.exit(counts.open > 0 ? 0 : 1);

  /** Begins to connect to a port, and tells whether there was room to. */
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
      // Too few descriptors, or too few local ports: those in flight give theirs back.
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
    // On loopback a connect can meet itself, when the local port that it was given is the very one
    // that it asks for: nobody listens there.
    const local = socket.localAddress as InternetAddress;
    const remote = socket.remoteAddress as InternetAddress;
    return local.port === remote.port && local.hostname === remote.hostname ? "closed" : "open";
  }

  function finish(socket: Socket, port: number, state: State): void {
    if (inFlight.delete(socket)) selector.unregister(socket);
    socket.close();
    report(port, state);
  }

  function report(port: number, state: State): void {
    counts[state]++;
    if (state !== "open" && !options.all) return;
    if (isWatched) Deno.stderr.writeSync(encoder.encode("\r\x1b[K"));
    console.log(`${format({ hostname, port })} ${state}`);
  }

  function showProgress(): void {
    if (!isWatched || performance.now() - shown < PROGRESS) return;
    shown = performance.now();
    Deno.stderr.writeSync(encoder.encode(`\r${summary()}, ${inFlight.size} in flight\x1b[K`));
  }

  function summary(): string {
    const done = counts.open + counts.closed + counts.filtered;
    return `${done} of ${ports.length} ports of ${hostname}: ${counts.open} open, ` +
      `${counts.closed} closed, ${counts.filtered} filtered`;
  }
});

function stateAfter(error: OSError): State {
  if (error.code === "ECONNREFUSED" || error.code === "ECONNRESET") return "closed";
  if (FILTERED.includes(error.code)) return "filtered";
  throw error;
}

/** Reads ports and ranges of them, each port once. */
function parsePorts(list: string): number[] {
  const ports = new Set<number>();
  for (const range of list.split(",")) {
    const [first, last = first, ...rest] = range.split("-").map(parseRemotePort);
    if (rest.length > 0 || last < first) {
      exitWith(2, `A range of ports is written 1-1024, received ${range}`);
    }
    for (let port = first; port <= last; port++) ports.add(port);
  }
  return [...ports];
}
