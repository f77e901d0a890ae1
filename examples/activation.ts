/**
 * Serves on the sockets that it was started with (systemd's socket activation): systemd opens the
 * port, with the necessary privilege, and starts this program at the first connection.
 *
 * It shows how to take over the descriptors of `LISTEN_FDS`; how to find out whether one is
 * listening, connected, or for datagrams; how to report to systemd that it is ready; and how to end
 * when there is nothing to do, since systemd starts it again when there is.
 *
 *     systemd-socket-activate -l 127.0.0.1:1234 -E HOME deno run --allow-ffi examples/activation.ts
 *
 * @module
 */

import { DefaultSelector, EVENT_READ, OSError } from "@readiness/selectors";
import type { FileDescriptor } from "@readiness/selectors/fd";
import {
  type ListenFd,
  listenFds,
  notify,
  SO_ACCEPTCONN,
  SO_TYPE,
  SOCK_DGRAM,
  Socket,
  SOL_SOCKET,
} from "@readiness/selectors/socket";
import { formatAddress } from "./support/addresses.ts";
import {
  exitWith,
  interruption,
  parseCommandLine,
  parseInteger,
  run,
} from "./support/command_line.ts";
import { serveEcho } from "./support/echoing.ts";
import { Acceptor } from "./support/listening.ts";
import { print, printable, warn } from "./support/output.ts";
import { select } from "./support/shortage.ts";
import { Sweep } from "./support/sweep.ts";

const USAGE = `Usage: activation.ts [OPTIONS]

Sends back what it receives on the sockets that it was started with (LISTEN_FDS), until it is
interrupted (Ctrl-C) or idle. It does not open sockets itself: without one, it exits with 1.

Options:
  --idle SECONDS     end after this long without a connection or a datagram (never)
  --timeout SECONDS  close a connection that has been silent for this long (300)
  -h, --help         show this and exit

To try it, and connect from another terminal with "nc 127.0.0.1 1234":

  systemd-socket-activate -l 127.0.0.1:1234 -E HOME deno run --allow-ffi examples/activation.ts

With systemd, in echo.socket and echo.service:

  [Socket]                          [Service]
  ListenStream=127.0.0.1:1234       Type=notify
  [Install]                         ExecStart=deno run --allow-ffi .../activation.ts --idle 60
  WantedBy=sockets.target`;

/** How many datagrams to answer before connections and signals have a turn. */
const TURN = 64;

run(async () => {
  const { values: options } = parseCommandLine(USAGE, {
    idle: { type: "string" },
    timeout: { type: "string", default: "300" },
  });
  const idle = options.idle === undefined
    ? null
    : parseInteger("idle time", options.idle, 1, 1_000_000) * 1000;
  const silence = parseInteger("timeout", options.timeout, 1, 1_000_000);
  const interrupted = interruption();
  using selector = new DefaultSelector<(events: number) => void, FileDescriptor>();
  const buffer = new Uint8Array(65_536);
  const acceptors: Acceptor[] = [];
  let isOpen = false; // Whether new clients can come.
  const sweep = new Sweep(selector); // Has a check for each connection.

  for (const { name, descriptor } of takeOver()) {
    const label = printable(name);
    if (!(descriptor instanceof Socket)) exitWith(1, `Cannot serve on ${label}: not a socket`);
    const kind = kindOf(descriptor);
    print(`${label}: ${kind} on ${formatAddress(descriptor.localAddress)}`);
    if (kind === "connection") serve(descriptor);
    else if (kind === "listening") accept(descriptor);
    else {
      selector.register(descriptor, EVENT_READ, () => answer(descriptor));
      isOpen = true;
    }
  }
  notify("READY=1");
  try {
    while (isOpen || sweep.size > 0) {
      const rest = Math.min(...acceptors.map(({ timeout = Infinity }) => timeout));
      const isIdle = sweep.size === 0 && rest === Infinity;
      const timeout = isIdle ? idle : sweep.timeout ?? rest;
      const ready = await select(selector, timeout, { signal: interrupted });
      if (ready.length === 0 && isIdle) break;
      for (const [key, events] of ready) key.data(events);
      sweep.update();
      for (const acceptor of acceptors) acceptor.update();
    }
  } catch (error) {
    if (!interrupted.aborted) throw error;
  }
  notify("STOPPING=1");

  function accept(socket: Socket): void {
    const acceptor = new Acceptor(
      selector,
      socket,
      (connection) => serve(connection, () => acceptor.resume()),
    );
    acceptors.push(acceptor);
    isOpen = true;
  }

  function serve(connection: Socket, end = () => {}): void {
    serveEcho(selector, connection, { sweep, idle: silence, end });
  }

  function answer(socket: Socket): void {
    try {
      // Not until there are no more, which may never be the case.
      for (let i = 0; i < TURN; i++) {
        const datagram = socket.recvFrom(buffer);
        if (datagram === null) return;
        socket.sendTo(buffer.subarray(0, datagram.size), datagram.address);
      }
    } catch (error) {
      if (!(error instanceof OSError || error instanceof RangeError)) throw error;
      warn(error.message); // Such as a sender without an address.
    }
  }
});

/** Returns the descriptors that it was started with, of which there must be some. */
function takeOver(): ListenFd[] {
  try {
    const given = listenFds();
    if (given.length > 0) return given;
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof Deno.errors.BadResource)) throw error;
    exitWith(1, error.message);
  }
  exitWith(1, "There is no socket in LISTEN_FDS; --help shows how to start it with one");
}

function kindOf(socket: Socket): "listening" | "connection" | "datagrams" {
  if (socket.getOption(SOL_SOCKET, SO_TYPE) === SOCK_DGRAM) return "datagrams";
  return socket.getOption(SOL_SOCKET, SO_ACCEPTCONN) === 0 ? "connection" : "listening";
}
