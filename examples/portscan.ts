/**
 * A port scanner: finds the ports of hosts that accept a connection.
 *
 * It shows thousands of non-blocking connects in flight at once; the errors that `connect` and
 * `SO_ERROR` return; a time limit for each connect, without a timer for each; how to stay within a
 * limit of descriptors, also when the system's limit is lower; and what makes it fast: addresses
 * that are encoded once, refusals without an error, and sockets that are reused after a refusal.
 *
 *     deno run --allow-ffi jsr:@readiness/selectors/portscan -p ssh,http,8000-8999 192.0.2.0/28
 *
 * Scan only hosts that are yours, or that you have permission to scan.
 *
 * @module
 */

import { DefaultSelector, EVENT_WRITE, OSError } from "@readiness/selectors";
import { type RawAddress, SOCK_STREAM, Socket, tryConnect } from "@readiness/selectors/socket";
import { formatAddress } from "./support/addresses.ts";
import { interruption, parseCommandLine, parseInteger, run } from "./support/command_line.ts";
import { notice, print, warn, write } from "./support/output.ts";
import { parsePortList } from "./support/port_list.ts";
import { isItsOwnPeer, type State, stateOfError } from "./support/port_states.ts";
import { discard } from "./support/registrations.ts";
import { hasNoRoom } from "./support/shortage.ts";
import { findTargets } from "./support/targets.ts";

const USAGE = `Usage: portscan.ts [OPTIONS] [TARGET...]

Connects to ports of hosts and prints the open ones, until it is done or interrupted (Ctrl-C). A
TARGET is a name, an address, or a network such as 192.0.2.0/24; 127.0.0.1 if there is none. Exits
with 0 if a port is open, and with 1 if none is.

Options:
  -p, --ports LIST  ports, ranges and services, such as http,22,8000-8999; - is all (1-1024)
  --limit COUNT     how many ports to try at once (1000)
  --timeout MS      how long to wait for an answer; a port without one is filtered (2000)
  --all             print closed and filtered ports, too
  -h, --help        show this and exit`;

/**
 * Hosts that have refused by the time `connect` returns. On Linux a second call returns the
 * refusal, after which the socket can be used for another port; elsewhere its state is not
 * specified.
 */
const IMMEDIATE = Deno.build.os === "linux" ? /^127\.|^::1$/ : /^$/;

/** How many ports to try before signals have a turn. */
const TURN = 256;

/** How often to write the progress line, in milliseconds. */
const PROGRESS = 100;

const encoder = new TextEncoder();

const CLEAR_LINE = encoder.encode("\r\x1b[K");

/** A connect in flight. */
interface Attempt {
  readonly hostname: string;
  readonly port: number;
  /** When to give it up. */
  readonly deadline: number;
}

run(async () => {
  const { values: options, positionals: targets } = parseCommandLine(USAGE, {
    ports: { type: "string", short: "p", default: "1-1024" },
    limit: { type: "string", default: "1000" },
    timeout: { type: "string", default: "2000" },
    all: { type: "boolean", default: false },
  }, true);
  const ports = parsePortList(options.ports);
  const timeout = parseInteger("timeout", options.timeout, 1, 3_600_000);
  let limit = parseInteger("limit", options.limit, 1, 65535);
  const hosts = findTargets(targets.length === 0 ? ["127.0.0.1"] : targets);
  const total = hosts.length * ports.length;

  const counts = { open: 0, closed: 0, filtered: 0 };
  const warned = new Set<string>();
  const showsProgress = Deno.stderr.isTerminal();
  const started = performance.now();
  const interrupted = interruption();
  using selector = new DefaultSelector<Attempt, Socket>();
  const inFlight = new Map<Socket, Attempt>(); // In the order of their deadlines.
  const refused = new Map<number, Socket>(); // A socket of each family to use again.
  let next = 0;
  let shown = started;

  try {
    await selector.selectAsync(0); // Waits need descriptors, and sockets may take all the others.
    while (next < total || inFlight.size > 0) await step();
  } catch (error) {
    if (!interrupted.aborted) throw error;
  }
  if (showsProgress) write(Deno.stderr, CLEAR_LINE);
  notice(`${summary()} in ${((performance.now() - started) / 1000).toFixed(2)} s`);
  Deno.exit(Deno.exitCode || (counts.open > 0 ? 0 : 1));

  /** Starts to connect to some ports, and finishes those that are ready or late. */
  async function step(): Promise<void> {
    const hasRoom = () => next < total && inFlight.size < limit;
    for (const end = next + TURN; next < end && hasRoom() && attempt(next); next++);
    const [oldest] = inFlight.values();
    const left = oldest === undefined || hasRoom() ? 0 : oldest.deadline - performance.now();
    const wait = showsProgress ? Math.min(left, PROGRESS) : left;
    const ready = await selector.selectAsync(wait, { signal: interrupted });
    for (const [{ fileobj, data }] of ready) finish(fileobj, data);
    const now = performance.now();
    for (const [socket, attempt] of inFlight) {
      if (attempt.deadline > now) break;
      finish(socket, attempt, "filtered");
    }
    showProgress();
  }

  /** Starts to connect to a port of a host. Returns whether there was room for it. */
  function attempt(i: number): boolean {
    const { hostname, address } = hosts[Math.floor(i / ports.length)]!;
    const port = ports[i % ports.length]!;
    const isImmediate = IMMEDIATE.test(hostname);
    let socket = refused.get(address.family);
    try {
      socket ??= new Socket(address.family, SOCK_STREAM);
      address.bytes[0] = port >> 8;
      address.bytes[1] = port;
      const code = isImmediate ? connectHere(socket, address) : undefined;
      if (code === "ECONNREFUSED") {
        refused.set(address.family, socket);
        report(hostname, port, "closed");
        return true;
      }
      // After any other refusal, another attempt throws the error.
      const isConnected = code === null || code !== "EINPROGRESS" && socket.connect(address);
      refused.delete(address.family);
      const data = { hostname, port, deadline: performance.now() + timeout };
      if (isConnected) finish(socket, data);
      else {
        selector.register(socket, EVENT_WRITE, data);
        inFlight.set(socket, data);
      }
      return true;
    } catch (error) {
      if (!(error instanceof OSError)) throw error;
      refused.delete(address.family);
      socket?.close();
      // Too few descriptors or local ports: wait for some of the connects in flight.
      if ((error.code === "EADDRNOTAVAIL" || hasNoRoom(error)) && inFlight.size > 0) {
        limit = inFlight.size;
        return false;
      }
      report(hostname, port, stateAfter(error, hostname));
      return true;
    }
  }

  /** Closes a socket and reports the state of its port, by default what the socket says. */
  function finish(socket: Socket, { hostname, port }: Attempt, state = stateOf(socket, hostname)) {
    inFlight.delete(socket);
    discard(selector, socket);
    report(hostname, port, state);
  }

  function stateOf(socket: Socket, hostname: string): State {
    const error = socket.error();
    if (error !== null) return stateAfter(error, hostname);
    return isItsOwnPeer(socket) ? "closed" : "open";
  }

  function stateAfter(error: OSError, hostname: string): State {
    const state = stateOfError(error);
    if (state === undefined && !warned.has(hostname)) {
      // Such as an IPv6 address where there is no IPv6. The scan of other hosts goes on.
      warned.add(hostname);
      warn(`Cannot scan ${hostname}: ${error.message}`);
    }
    return state ?? "filtered";
  }

  function report(hostname: string, port: number, state: State): void {
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
    const where = hosts.length === 1 ? hosts[0]!.hostname : `${hosts.length} hosts`;
    return `${done} of ${total} ports of ${where}: ${counts.open} open, ` +
      `${counts.closed} closed, ${counts.filtered} filtered`;
  }
});

/** Connects to a port of this machine: the second call returns how the attempt ended. */
function connectHere(socket: Socket, address: RawAddress): string | null {
  const code = tryConnect(socket, address);
  return code === "EINPROGRESS" ? tryConnect(socket, address) : code;
}
