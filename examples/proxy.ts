/**
 * A TCP forwarder: each connection that it accepts is passed on to another address, both ways.
 *
 * What it shows: back-pressure (the side that sends is not read from while the other side does not
 * take), so that memory stays bounded however much goes through; half-close (the end of one
 * direction is passed on and the other goes on); and a reset passed on as a reset, lest half a
 * transfer be taken for the whole.
 *
 *     deno run --allow-ffi examples/proxy.ts --listen 127.0.0.1:8080 --to 127.0.0.1:8000
 *
 * @module
 */

import { DefaultSelector, EVENT_READ, EVENT_WRITE, OSError } from "@readiness/selectors";
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
import { familyOf, locate, parseAddress, parseRemotePort, resolving } from "./support/addresses.ts";
import { exitWith, format, parseCommandLine, parseInteger, run } from "./support/command_line.ts";
import { Flow, watch } from "./support/flow.ts";
import { bind, hasNoRoom, REST } from "./support/listening.ts";

const USAGE = `Usage: proxy.ts [OPTIONS] --to HOST:PORT

Passes each connection on to another address, until it is interrupted (Ctrl-C).

Options:
  --listen HOST:PORT  the address to listen on; port 0 lets the system pick one (127.0.0.1:8080)
  --to HOST:PORT      the address to connect to, resolved once
  --limit COUNT       how many connections to pass on at once; more wait to be accepted (500)
  --verbose           log each connection
  --help              show this and exit

An IPv6 address is written [::1]:8080.`;

/** What makes `close` reset the connection: a `struct linger`, on, with no time to linger. */
const RESET = new Uint8Array(new Int32Array([1, 0]).buffer);

run(() => {
  const { values: options } = parseCommandLine(USAGE, {
    listen: { type: "string", default: "127.0.0.1:8080" },
    to: { type: "string" },
    limit: { type: "string", default: "500" },
    verbose: { type: "boolean", default: false },
  });
  const limit = parseInteger("limit", options.limit, 1, 100_000);
  const from = parseAddress(options.listen);
  const to = parseAddress(options.to ?? exitWith(2, `Say --to HOST:PORT\n\n${USAGE}`));
  parseRemotePort(`${to.port}`);

  const address: InternetAddress = locate(to);
  const server = resolving(() => bind(from));
  const selector = new DefaultSelector<(events: number) => void, Socket>();
  let count = 0;
  let isResting = false;

  server.listen();
  watch(selector, server, EVENT_READ, accept);
  const { constructor } = selector;
  console.log(
    `listening on ${format(server.localAddress)} (${constructor.name}), to ${format(address)}`,
  );
  for (;;) {
    const ready = selector.select(isResting ? REST : undefined);
    for (const [key, events] of ready) key.data(events);
    if (isResting && ready.length === 0) isResting = false;
    watch(selector, server, count < limit && !isResting ? EVENT_READ : 0, accept);
  }

  function accept(): void {
    try {
      for (let client; count < limit && (client = server.accept()) !== null;) forward(client);
    } catch (error) {
      if (!hasNoRoom(error)) throw error;
      console.error(`${error.message}; resting from accepting`);
      isResting = true;
    }
  }

  function forward(client: Socket): void {
    const name = `fd ${client.fileno()}`;
    let target: Socket;
    try {
      target = new Socket(familyOf(address.hostname), SOCK_STREAM);
    } catch (error) {
      reset(client);
      throw error;
    }
    const there = new Flow(client, target, { end: () => target.shutdown("write") });
    const back = new Flow(target, client, { end: () => client.shutdown("write") });
    let isConnected = false;
    let isOver = false;
    count++;
    log("connected");
    attempt(() => {
      for (const socket of [client, target]) {
        socket.setOption(IPPROTO_TCP, TCP_NODELAY, 1);
        socket.setOption(SOL_SOCKET, SO_KEEPALIVE, 1); // Finds peers that vanished, in time.
      }
      target.connect(address);
    });

    function serveClient(events: number): void {
      attempt(() => {
        if (events & EVENT_WRITE) back.drain();
        if (events & EVENT_READ) there.fill();
      });
    }

    function serveTarget(events: number): void {
      attempt(() => {
        if (!isConnected) return finishConnecting();
        if (events & EVENT_WRITE) there.drain();
        if (events & EVENT_READ) back.fill();
      });
    }

    function finishConnecting(): void {
      const error = target.error();
      if (error !== null) throw error;
      isConnected = true;
    }

    /** Does something, and then watches for what is to be done next. */
    function attempt(step: () => void): void {
      if (isOver) return; // The other side ended it, and this event was fetched before.
      try {
        step();
        if (there.isDone && back.isDone) return close("closed");
        // Nothing is read before there is somewhere to put it.
        watch(
          selector,
          client,
          isConnected ? there.sourceEvents | back.sinkEvents : 0,
          serveClient,
        );
        watch(
          selector,
          target,
          isConnected ? back.sourceEvents | there.sinkEvents : EVENT_WRITE,
          serveTarget,
        );
      } catch (error) {
        if (!(error instanceof OSError)) throw error;
        if (!isConnected) console.error(`No connection to ${format(address)}: ${error.message}`);
        close(error.message, reset);
      }
    }

    function close(reason: string, end = (socket: Socket) => socket.close()): void {
      isOver = true;
      count--;
      for (const socket of [client, target]) {
        watch(selector, socket, 0, serveClient);
        end(socket);
      }
      log(reason);
    }

    function log(text: string): void {
      if (options.verbose) console.log(`${name} ${text}`);
    }
  }
});

/** Closes a socket so that its peer sees a failure, not an end. */
function reset(socket: Socket): void {
  try {
    socket.setOption(SOL_SOCKET, SO_LINGER, RESET);
  } catch (error) {
    if (!(error instanceof OSError)) throw error; // It is broken already.
  }
  socket.close();
}
