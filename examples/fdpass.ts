/**
 * One process accepts connections, and others serve them: it passes the connections on as
 * descriptors over a Unix socket. A serving process can be restricted, restarted or crash without a
 * connection being refused.
 *
 * It shows how to send and receive descriptors, which leaves a copy in each process, so that each
 * has to close its own; how to identify the process at the other end of a Unix socket (Linux); and
 * how to accept only while there is a process to serve.
 *
 *     deno run --allow-ffi examples/fdpass.ts accept
 *     deno run --allow-ffi examples/fdpass.ts serve      (in another terminal, or in several)
 *
 * @module
 */

import { DefaultSelector, EVENT_READ, OSError } from "@readiness/selectors";
import {
  AF_UNIX,
  peerCredentials,
  receiveMessage,
  sendMessage,
  SOCK_STREAM,
  Socket,
} from "@readiness/selectors/socket";
import { formatAddress, peerOf } from "./support/addresses.ts";
import {
  exitOnWindows,
  exitWith,
  interruption,
  parseCommandLine,
  parsePort,
  run,
} from "./support/command_line.ts";
import { serveEcho } from "./support/echoing.ts";
import { Acceptor, bind } from "./support/listening.ts";
import { log, print, printable, warn } from "./support/output.ts";

const USAGE = `Usage: fdpass.ts [OPTIONS] accept
       fdpass.ts [OPTIONS] serve

"accept" accepts connections and passes them on, in turn, to the processes that run "serve", which
greet, and send back what they receive. Both run until they are interrupted (Ctrl-C); "serve" also
ends when "accept" does.

Options:
  --hostname HOST  the address to accept at (127.0.0.1)
  --port PORT      the port to accept at; 0 lets the system pick one (1234)
  --socket PATH    where the processes meet; on Linux, @NAME is not a file (@readiness-fdpass)
  -h, --help       show this and exit`;

const BYTE = new Uint8Array(1);

run(async () => {
  const { values: options, positionals: [role, ...others] } = parseCommandLine(USAGE, {
    hostname: { type: "string", default: "127.0.0.1" },
    port: { type: "string", default: "1234" },
    socket: { type: "string", default: "@readiness-fdpass" },
  }, true);
  if (role !== "accept" && role !== "serve" || others.length > 0) {
    exitWith(2, "The role must be accept or serve", USAGE);
  }
  const meeting = { path: options.socket.replace(/^@/, "\0") };
  const address = { hostname: options.hostname, port: parsePort(options.port) };
  exitOnWindows("Unix sockets that pass descriptors");
  const interrupted = interruption();
  using selector = new DefaultSelector<(events: number) => void, Socket>();
  let hasEnded = false;

  try {
    if (role === "accept") await accept();
    else await serve();
  } catch (error) {
    if (error instanceof RangeError) exitWith(2, error.message); // Such as a path that is too long.
    if (!interrupted.aborted) throw error;
  }

  async function accept(): Promise<void> {
    const door = new Socket(AF_UNIX, SOCK_STREAM);
    const server = bind(address);
    const workers: Socket[] = [];
    let held: Socket | undefined;
    door.bind(meeting);
    door.listen();
    server.listen();
    const joining = new Acceptor(selector, door, welcome);
    const arriving = new Acceptor(selector, server, passOn, {
      hasRoom: () => workers.length > 0 && held === undefined,
    });
    print(`accepting on ${formatAddress(server.localAddress)} (${selector.constructor.name})`);
    for (;;) {
      const timeout = Math.min(joining.timeout ?? Infinity, arriving.timeout ?? Infinity);
      const ready = await selector.selectAsync(timeout, { signal: interrupted });
      for (const [key, events] of ready) key.data(events);
      joining.update();
      arriving.update();
      if (held !== undefined && !arriving.isResting) passOn(held);
    }

    /** Lets a process join that serves. */
    function welcome(worker: Socket): void {
      const name = Deno.build.os === "linux"
        ? `process ${peerCredentials(worker).pid}`
        : "a process";
      // It never sends anything: when it is readable, it has ended.
      selector.register(worker, EVENT_READ, () => {
        selector.unregister(worker);
        worker.close();
        workers.splice(workers.indexOf(worker), 1);
        joining.resume();
        print(`${name} has ended`);
      });
      workers.push(worker);
      arriving.resume();
      print(`${name} serves`);
    }

    /** Passes a connection on, or holds it for a while if no process takes it. */
    function passOn(connection: Socket): void {
      held = undefined;
      const i = workers.findIndex((worker) => send(worker, connection));
      if (i >= 0) {
        connection.close(); // The other process has a copy.
        workers.push(...workers.splice(i, 1)); // The next connection goes to another process.
      } else {
        held = connection;
        arriving.rest();
      }
    }

    function send(worker: Socket, connection: Socket): boolean {
      try {
        return sendMessage(worker, BYTE, { descriptors: [connection] }) !== null;
      } catch (error) {
        if (!(error instanceof OSError) || error.code !== "EPIPE") throw error;
        return false; // The process has just ended.
      }
    }
  }

  async function serve(): Promise<void> {
    const boss = new Socket(AF_UNIX, SOCK_STREAM);
    const greeting = new TextEncoder().encode(`served by process ${Deno.pid}\n`);
    boss.connect(meeting);
    selector.register(boss, EVENT_READ, receive);
    print(`serving what ${printable(options.socket)} passes on (process ${Deno.pid})`);
    while (!hasEnded) {
      const ready = await selector.selectAsync(null, { signal: interrupted });
      for (const [key, events] of ready) key.data(events);
    }

    function receive(): void {
      for (let message; (message = receiveMessage(boss, BYTE, { descriptors: 1 })) !== null;) {
        using received = message; // Closes what is not detached.
        const [descriptor] = received.descriptors;
        if (descriptor !== undefined) begin(Socket.fromFd(descriptor.detach()));
        else if (received.size > 0) warn("A connection was lost on its way");
        else {
          hasEnded = true;
          return;
        }
      }
    }

    function begin(connection: Socket): void {
      const peer = peerOf(connection);
      serveEcho(selector, connection, { greeting, end: (reason) => log(peer, reason) });
    }
  }
});
