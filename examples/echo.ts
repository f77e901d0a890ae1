/**
 * An echo server, the classic first program with `selectors`: one thread, many connections, and the
 * data of each registration is the function to call when it is ready.
 *
 * It shows how to keep what a connection does not take yet, not to read from a connection until it
 * has taken its answers, to close those that are silent, and to go on when one breaks or when
 * descriptors run out.
 *
 *     deno run --allow-ffi jsr:@readiness/selectors/echo
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
import type { FileDescriptor } from "@readiness/selectors/fd";
import type { Socket } from "@readiness/selectors/socket";
import { formatAddress, peerOf } from "./support/addresses.ts";
import {
  exitWith,
  parseCommandLine,
  parseInteger,
  parsePort,
  run,
} from "./support/command_line.ts";
import { Acceptor, bind } from "./support/listening.ts";
import { log, print } from "./support/output.ts";
import { discard } from "./support/registrations.ts";
import { Sweep } from "./support/sweep.ts";

const USAGE = `Usage: echo.ts [OPTIONS]

Sends back what it receives, until it is interrupted (Ctrl-C).

Options:
  --hostname HOST  the address to listen on (127.0.0.1)
  --port PORT      the port to listen on; 0 lets the system pick one (1234)
  --idle SECONDS   close a connection that has been silent for this long (300)
  --backend NAME   epoll, poll, select, kqueue or devpoll (the best one here)
  --verbose        log each connection
  -h, --help       show this and exit`;

const BACKENDS = new Map([
  ["default", DefaultSelector],
  ["epoll", EpollSelector],
  ["poll", PollSelector],
  ["select", SelectSelector],
  ["kqueue", KqueueSelector],
  ["devpoll", DevpollSelector],
]);

const NOTHING = new Uint8Array();

run(() => {
  const { values: options } = parseCommandLine(USAGE, {
    hostname: { type: "string", default: "127.0.0.1" },
    port: { type: "string", default: "1234" },
    idle: { type: "string", default: "300" },
    backend: { type: "string", default: "default" },
    verbose: { type: "boolean", default: false },
  });
  const Backend = BACKENDS.get(options.backend) ?? exitWith(
    2,
    `The backend must be one of ${[...BACKENDS.keys()].join(", ")}, received ${options.backend}`,
  );
  const idle = parseInteger("idle time", options.idle, 1, 1_000_000);
  const selector = new Backend<(events: number) => void, FileDescriptor>();
  const server = bind({ hostname: options.hostname, port: parsePort(options.port) });
  server.listen();
  const acceptor = new Acceptor(selector, server, serve);
  const sweep = new Sweep(selector);
  const buffer = new Uint8Array(64 * 1024);
  let received = buffer; // The part that is filled: mostly the same, as messages have one size.

  print(`listening on ${formatAddress(server.localAddress)} (${selector.constructor.name})`);
  for (;;) {
    const ready = selector.select(sweep.timeout ?? acceptor.timeout);
    for (const [key, events] of ready) key.data(events);
    sweep.update();
    acceptor.update();
  }

  function serve(socket: Socket): void {
    const peer = options.verbose ? peerOf(socket) : "";
    let unsent = NOTHING;
    let lastActive = sweep.now;
    selector.register(socket, EVENT_READ, receive);
    sweep.add(check);
    if (options.verbose) log(peer, "connected");

    function receive(): void {
      try {
        const size = socket.recv(buffer);
        if (size === null) return;
        if (size === 0) return close("closed");
        lastActive = sweep.now;
        if (received.length !== size) received = buffer.subarray(0, size);
        const sent = socket.send(received) ?? 0;
        if (sent === size) return;
        // While something is unsent, nothing more is read.
        unsent = received.slice(sent);
        selector.modify(socket, EVENT_WRITE, sendRest);
      } catch (error) {
        fail(error);
      }
    }

    function sendRest(): void {
      try {
        unsent = unsent.subarray(socket.send(unsent) ?? 0);
        lastActive = sweep.now;
        if (unsent.length > 0) return;
        unsent = NOTHING; // An empty subarray would keep the whole buffer.
        selector.modify(socket, EVENT_READ, receive);
      } catch (error) {
        fail(error);
      }
    }

    function check(): void {
      if (sweep.now - lastActive > idle) close("idle");
    }

    /** An error of one connection, such as a reset, ends that connection alone. */
    function fail(error: unknown): void {
      if (!(error instanceof OSError)) throw error;
      close(error.message);
    }

    function close(reason: string): void {
      sweep.delete(check);
      discard(selector, socket);
      acceptor.resume();
      if (options.verbose) log(peer, reason);
    }
  }
});
