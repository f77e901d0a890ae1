/**
 * Serves on sockets that it was started with, as systemd does it (socket activation): somebody else
 * opens the port, with the privilege that takes, and starts this at the first connection.
 *
 * What it shows: taking over descriptors by `LISTEN_FDS`; telling what they are, as one may listen,
 * be a connection already, or be for datagrams; and ending when there is nothing to do, as it is
 * started again when there is.
 *
 *     systemd-socket-activate -l 127.0.0.1:1234 -E HOME deno run --allow-ffi examples/activation.ts
 *
 * @module
 */

import { DefaultSelector, EVENT_READ, EVENT_WRITE, OSError } from "@readiness/selectors";
import {
  listenFds,
  SO_ACCEPTCONN,
  SO_TYPE,
  SOCK_DGRAM,
  Socket,
  SOL_SOCKET,
} from "@readiness/selectors/socket";
import {
  exitWith,
  format,
  interruption,
  parseCommandLine,
  parseInteger,
  run,
} from "./support/command_line.ts";
import { hasNoRoom, REST } from "./support/listening.ts";

const USAGE = `Usage: activation.ts [OPTIONS]

Sends back what it receives on the sockets that it was started with (LISTEN_FDS), until it is
interrupted (Ctrl-C) or idle. It opens none itself: started without one it exits with 1.

Options:
  --idle SECONDS  end when there is no connection and nothing has come for so long (never)
  --help          show this and exit

To try it, and connect from another terminal with "nc 127.0.0.1 1234":

  systemd-socket-activate -l 127.0.0.1:1234 -E HOME deno run --allow-ffi examples/activation.ts

With systemd, in echo.socket and echo.service:

  [Socket]                          [Service]
  ListenStream=127.0.0.1:1234       ExecStart=deno run --allow-ffi .../activation.ts --idle 60
  [Install]
  WantedBy=sockets.target`;

run(async () => {
  const { values: options } = parseCommandLine(USAGE, { idle: { type: "string" } });
  const idle = options.idle === undefined
    ? null
    : parseInteger("idle time", options.idle, 1, 1_000_000) * 1000;
  const interrupted = interruption();
  using selector = new DefaultSelector<(events: number) => void, Socket>();
  const buffer = new Uint8Array(65_536);
  const resting: Socket[] = [];
  let connections = 0;

  for (const { name, descriptor } of takeOver()) {
    if (!(descriptor instanceof Socket)) exitWith(1, `Cannot serve on ${name}: it is no socket`);
    const isConnection = descriptor.getOption(SOL_SOCKET, SO_ACCEPTCONN) === 0;
    const kind = descriptor.getOption(SOL_SOCKET, SO_TYPE) === SOCK_DGRAM
      ? "datagrams"
      : isConnection
      ? "connection"
      : "listening";
    console.log(`${name}: ${kind} on ${format(descriptor.localAddress)}`);
    if (kind === "connection") serve(descriptor);
    else if (kind === "listening") attend(descriptor);
    else selector.register(descriptor, EVENT_READ, () => answer(descriptor));
  }
  try {
    while (selector.getMap().size > 0 || resting.length > 0) {
      const timeout = resting.length > 0 ? REST : connections > 0 ? null : idle;
      const ready = await selector.selectAsync(timeout, { signal: interrupted });
      if (ready.length === 0 && resting.length === 0) break;
      if (ready.length === 0) resting.splice(0).forEach(attend);
      for (const [key, events] of ready) key.data(events);
    }
  } catch (error) {
    if (!interrupted.aborted) throw error;
  }

  function takeOver() {
    try {
      const given = listenFds();
      if (given.length > 0) return given;
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof Deno.errors.BadResource)) throw error;
      exitWith(1, error.message);
    }
    exitWith(1, "It was started without a socket; --help tells how it is with one");
  }

  function attend(server: Socket): void {
    selector.register(server, EVENT_READ, () => accept(server));
  }

  function accept(server: Socket): void {
    try {
      for (let connection; (connection = server.accept()) !== null;) serve(connection);
    } catch (error) {
      if (!hasNoRoom(error)) throw error;
      console.error(`${error.message}; resting from accepting`);
      selector.unregister(server);
      resting.push(server);
    }
  }

  function answer(socket: Socket): void {
    try {
      for (let datagram; (datagram = socket.recvFrom(buffer)) !== null;) {
        socket.sendTo(buffer.subarray(0, datagram.size), datagram.address);
      }
    } catch (error) {
      if (!(error instanceof OSError || error instanceof RangeError)) throw error;
      console.error(error.message); // Such as a sender without a name.
    }
  }

  function serve(connection: Socket): void {
    let unsent = new Uint8Array();
    connections++;
    selector.register(connection, EVENT_READ, step);

    function step(events: number): void {
      try {
        if (events & EVENT_READ) {
          const size = connection.recv(buffer);
          if (size === 0) return end();
          if (size !== null) unsent = buffer.slice(0, size);
        }
        unsent = unsent.subarray(connection.send(unsent) ?? 0);
        selector.modify(connection, unsent.length > 0 ? EVENT_WRITE : EVENT_READ, step);
      } catch (error) {
        if (!(error instanceof OSError)) throw error;
        end();
      }
    }

    function end(): void {
      selector.unregister(connection);
      connection.close();
      connections--;
    }
  }
});
