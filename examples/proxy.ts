/**
 * A TCP proxy: forwards each connection to another address, both ways.
 *
 * It shows back-pressure (it does not read from one side while the other does not take more), so
 * that memory stays bounded; half-close (it forwards the end of one direction, and the other goes
 * on); and resets, which it forwards as resets, so that neither side takes half a transfer for a
 * whole one.
 *
 *     deno run --allow-ffi jsr:@readiness/selectors/proxy --listen 127.0.0.1:8080 --to 127.0.0.1:8000
 *
 * @module
 */

import {
  DefaultSelector,
  EVENT_HANGUP,
  EVENT_READ,
  EVENT_WRITE,
  OSError,
} from "@readiness/selectors";
import type { FileDescriptor } from "@readiness/selectors/fd";
import {
  type InternetAddress,
  IPPROTO_TCP,
  SO_KEEPALIVE,
  SO_LINGER,
  SOCK_STREAM,
  Socket,
  SOL_SOCKET,
  TCP_NODELAY,
} from "@readiness/selectors/socket";
import {
  familyOf,
  formatAddress,
  lookUp,
  parseAddress,
  parseRemoteAddress,
  peerOf,
} from "./support/addresses.ts";
import { exitWith, parseCommandLine, parseInteger, run } from "./support/command_line.ts";
import { Flow } from "./support/flow.ts";
import { Acceptor, bind } from "./support/listening.ts";
import { log, print, warn } from "./support/output.ts";
import { discard, watch } from "./support/registrations.ts";
import { Sweep } from "./support/sweep.ts";

const USAGE = `Usage: proxy.ts [OPTIONS] --to HOST:PORT

Forwards each connection to another address, until it is interrupted (Ctrl-C).

Options:
  --listen HOST:PORT  the address to listen on; port 0 lets the system pick one (127.0.0.1:8080)
  --to HOST:PORT      the address to connect to; a name is resolved once
  --limit COUNT       how many connections to forward at once; others wait to be accepted (500)
  --idle SECONDS      reset a connection that has been idle for this long (300)
  -v, --verbose       log each connection: from where, when, how many bytes both ways, how long
  -h, --help          show this and exit

Write an IPv6 address as [::1]:8080.`;

/** A `struct linger`, on with a time of 0, which makes `close` reset the connection. */
const RESET = new Uint8Array(new Int32Array([1, 0]).buffer);

/** How many bytes to hold at most for each direction. More is not worth the memory. */
const ROOM = 128 * 1024;

run(() => {
  const { values: options } = parseCommandLine(USAGE, {
    listen: { type: "string", default: "127.0.0.1:8080" },
    to: { type: "string" },
    limit: { type: "string", default: "500" },
    idle: { type: "string", default: "300" },
    verbose: { type: "boolean", short: "v", default: false },
  });
  const limit = parseInteger("limit", options.limit, 1, 100_000);
  const idle = parseInteger("idle time", options.idle, 1, 1_000_000);
  const from = parseAddress(options.listen);
  const target = parseRemoteAddress(options.to ?? exitWith(2, "The option --to is missing", USAGE));

  const address: InternetAddress = lookUp(target);
  const to = formatAddress(address);
  const server = bind(from);
  const selector = new DefaultSelector<(events: number) => void, FileDescriptor>();
  const sweep = new Sweep(selector); // Has a check for each pair of sockets.
  let spare: Socket | undefined;
  const GONE = DefaultSelector.supports(EVENT_HANGUP) ? EVENT_HANGUP : 0;

  server.listen();
  const acceptor = new Acceptor(selector, server, forward, { hasRoom });
  const { constructor } = selector;
  const where = formatAddress(server.localAddress);
  print(`listening on ${where} (${constructor.name}), to ${to}`);
  for (;;) {
    const ready = selector.select(sweep.timeout ?? acceptor.timeout);
    for (const [key, events] of ready) key.data(events);
    sweep.update();
    acceptor.update();
  }

  /** Makes the socket for the target first: a client without one could only be reset. */
  function hasRoom(): boolean {
    if (sweep.size >= limit) return false;
    spare ??= new Socket(familyOf(address.hostname), SOCK_STREAM);
    return true;
  }

  function forward(client: Socket): void {
    const peer = options.verbose ? peerOf(client) : "";
    const target = spare!;
    spare = undefined;
    const there = new Flow(client, target, { room: ROOM, end: () => target.shutdown("write") });
    const back = new Flow(target, client, { room: ROOM, end: () => client.shutdown("write") });
    const halfClosed = new Set<Socket>();
    let isConnected = false;
    const started = performance.now();
    let lastActive = sweep.now;
    sweep.add(check);
    note("connected");
    attempt(() => {
      for (const socket of [client, target]) {
        socket.setOption(IPPROTO_TCP, TCP_NODELAY, 1);
        socket.setOption(SOL_SOCKET, SO_KEEPALIVE, 1); // Detects peers that are gone.
      }
      target.connect(address);
    });

    /** Watches a socket that is not read for the end of its connection, until a half-close. */
    function goneEvents(socket: Socket, events: number): number {
      return events & EVENT_READ || halfClosed.has(socket) ? 0 : GONE;
    }

    function notice(socket: Socket, events: number): void {
      if ((events & GONE) === 0) return;
      const error = socket.error();
      if (error !== null) throw error;
      halfClosed.add(socket); // Its end is read when there is room for what comes before.
    }

    function serveClient(events: number): void {
      attempt(() => {
        notice(client, events);
        if (events & EVENT_WRITE) back.drain();
        if (events & EVENT_READ) there.fill();
      });
    }

    function serveTarget(events: number): void {
      attempt(() => {
        if (!isConnected) return finishConnecting();
        notice(target, events);
        if (events & EVENT_WRITE) there.drain();
        if (events & EVENT_READ) back.fill();
      });
    }

    function finishConnecting(): void {
      const error = target.error();
      if (error !== null) throw error;
      isConnected = true;
    }

    /** Takes a step, and watches for the next event. */
    function attempt(step: () => void): void {
      if (client.fileno() < 0) return; // The other side ended it just before this event.
      lastActive = sweep.now;
      try {
        step();
        if (there.isDone && back.isDone) {
          return close("closed", (socket) => discard(selector, socket));
        }
        // Reads from the client only when the target is connected.
        const clientEvents = isConnected ? there.sourceEvents | back.sinkEvents : 0;
        const targetEvents = isConnected ? back.sourceEvents | there.sinkEvents : EVENT_WRITE;
        watch(selector, client, clientEvents | goneEvents(client, clientEvents), serveClient);
        watch(selector, target, targetEvents | goneEvents(target, targetEvents), serveTarget);
      } catch (error) {
        if (!(error instanceof OSError)) throw error;
        if (!isConnected) warn(`Cannot connect to ${to}: ${error.message}`);
        close(error.message, reset);
      }
    }

    /** Resets an idle pair, and one with a broken side that is not watched for anything now. */
    function check(): void {
      if (sweep.now - lastActive > idle) return close("idle", reset);
      try {
        for (const socket of isConnected ? [client, target] : [client]) {
          const error = socket.error();
          if (error !== null) throw error;
        }
      } catch (error) {
        if (!(error instanceof OSError)) throw error;
        close(error.message, reset);
      }
    }

    function close(reason: string, end: (socket: Socket) => void): void {
      sweep.delete(check);
      end(client);
      end(target);
      acceptor.resume();
      const seconds = ((performance.now() - started) / 1000).toFixed(2);
      note(`${reason}; ${there.passed} bytes to ${to}, ${back.passed} bytes back, ${seconds} s`);
    }

    function note(event: string): void {
      if (options.verbose) log(peer, event);
    }
  }

  /** Closes a socket so that its peer sees a reset, not an end. */
  function reset(socket: Socket): void {
    try {
      socket.setOption(SOL_SOCKET, SO_LINGER, RESET);
    } catch (error) {
      if (!(error instanceof OSError)) throw error; // The connection is broken already.
    }
    discard(selector, socket);
  }
});
