/**
 * An echo server, the program that `selectors` is taught with: one thread, many connections, and the
 * data of each registration is the function to call when it is ready.
 *
 * What it shows: accepting, keeping what a connection does not take yet, not reading from one that
 * does not take its answers, and going on when one breaks or when descriptors run out.
 *
 *     deno run --allow-ffi examples/echo.ts
 *
 * @module
 */

import {
  DefaultSelector,
  DevpollSelector,
  EpollSelector,
  EVENT_READ,
  EVENT_WRITE,
  KqueueSelector,
  OSError,
  PollSelector,
  SelectSelector,
} from "@readiness/selectors";
import type { Socket } from "@readiness/selectors/socket";
import { exitWith, format, parseCommandLine, parsePort, run } from "./support/command_line.ts";
import { bind, hasNoRoom, REST } from "./support/listening.ts";

const USAGE = `Usage: echo.ts [OPTIONS]

Sends back what it receives, until it is interrupted (Ctrl-C).

Options:
  --hostname HOST  the address to listen on (127.0.0.1)
  --port PORT      the port to listen on; 0 lets the system pick one (1234)
  --backend NAME   epoll, poll, select, kqueue or devpoll (the best one here)
  --verbose        log each connection
  --help           show this and exit`;

const BACKENDS = new Map([
  ["default", DefaultSelector],
  ["epoll", EpollSelector],
  ["poll", PollSelector],
  ["select", SelectSelector],
  ["kqueue", KqueueSelector],
  ["devpoll", DevpollSelector],
]);

run(() => {
  const { values: options } = parseCommandLine(USAGE, {
    hostname: { type: "string", default: "127.0.0.1" },
    port: { type: "string", default: "1234" },
    backend: { type: "string", default: "default" },
    verbose: { type: "boolean", default: false },
  });
  const Backend = BACKENDS.get(options.backend) ??
    exitWith(
      2,
      `There is no backend ${options.backend}: say one of ${[...BACKENDS.keys()].join(", ")}`,
    );
  const selector = new Backend<() => void, Socket>();
  const server = bind({ hostname: options.hostname, port: parsePort(options.port) });
  const buffer = new Uint8Array(64 * 1024);
  let isResting = false;

  server.listen();
  startAccepting();
  console.log(`listening on ${format(server.localAddress)} (${selector.constructor.name})`);
  for (;;) {
    const ready = selector.select(isResting ? REST : undefined);
    for (const [key] of ready) key.data();
    if (isResting && ready.length === 0) startAccepting();
  }

  function startAccepting(): void {
    selector.register(server, EVENT_READ, accept);
    isResting = false;
  }

  function accept(): void {
    try {
      for (let socket; (socket = server.accept()) !== null;) serve(socket);
    } catch (error) {
      if (!hasNoRoom(error)) throw error;
      console.error(`${error.message}; resting from accepting`);
      selector.unregister(server);
      isResting = true;
    }
  }

  function serve(socket: Socket): void {
    const peer = `fd ${socket.fileno()}`;
    let unsent = new Uint8Array();
    selector.register(socket, EVENT_READ, receive);
    log("connected");

    function receive(): void {
      attempt(() => {
        const size = socket.recv(buffer);
        if (size === 0) close("closed");
        else if (size !== null) send(buffer.subarray(0, size));
      });
    }

    function sendRest(): void {
      attempt(() => send(unsent));
    }

    /** Sends what goes out. While some does not, the peer is not read from. */
    function send(data: Uint8Array): void {
      const sent = socket.send(data) ?? 0;
      const isHeld = unsent.length > 0;
      unsent = data.slice(sent);
      if (unsent.length > 0 && !isHeld) selector.modify(socket, EVENT_WRITE, sendRest);
      if (unsent.length === 0 && isHeld) selector.modify(socket, EVENT_READ, receive);
    }

    /** A connection that breaks, such as by a reset, ends alone. */
    function attempt(step: () => void): void {
      try {
        step();
      } catch (error) {
        if (!(error instanceof OSError)) throw error;
        close(error.message);
      }
    }

    function close(reason: string): void {
      selector.unregister(socket);
      socket.close();
      log(reason);
      if (isResting) startAccepting();
    }

    function log(text: string): void {
      if (options.verbose) console.log(`${peer} ${text}`);
    }
  }
});
