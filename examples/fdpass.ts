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
import type { FileDescriptor } from "@readiness/selectors/fd";
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
  parseInteger,
  parsePort,
  run,
} from "./support/command_line.ts";
import { serveEcho } from "./support/echoing.ts";
import { Acceptor, bind } from "./support/listening.ts";
import { log, print, printable, warn, warnSeldom } from "./support/output.ts";
import { discard } from "./support/registrations.ts";
import { hasNoRoom, select } from "./support/shortage.ts";
import { Sweep } from "./support/sweep.ts";
import { ownUser } from "./support/users.ts";

const USAGE = `Usage: fdpass.ts [OPTIONS] accept
       fdpass.ts [OPTIONS] serve

"accept" accepts connections and passes them on, in turn, to the processes that run "serve", which
greet, and send back what they receive. Both run until they are interrupted (Ctrl-C); "serve" also
ends when "accept" does.

Options:
  --hostname HOST  the address to listen on (127.0.0.1)
  --port PORT      the port to listen on; 0 lets the system pick one (1234)
  --socket PATH    where the processes meet (on Linux, @readiness-fdpass- and the user's number)
  --idle SECONDS   with "serve", close a connection that has been silent for this long (300)
  -h, --help       show this and exit

On Linux, a PATH that starts with @ is not a file, and both refuse processes of other users. On
other systems, PATH should be in a folder that only you can enter.`;

const BYTE = new Uint8Array(1);

const IS_LINUX = Deno.build.os === "linux";

run(async () => {
  const { values: options, positionals: [role, ...others] } = parseCommandLine(USAGE, {
    hostname: { type: "string", default: "127.0.0.1" },
    port: { type: "string", default: "1234" },
    socket: { type: "string" },
    idle: { type: "string", default: "300" },
  }, true);
  if (role !== "accept" && role !== "serve" || others.length > 0) {
    exitWith(2, "The role must be accept or serve", USAGE);
  }
  const address = { hostname: options.hostname, port: parsePort(options.port) };
  const idle = parseInteger("idle time", options.idle, 1, 1_000_000);
  exitOnWindows("Unix sockets that pass descriptors");
  if (options.socket === undefined && !IS_LINUX) {
    exitWith(2, "The option --socket is missing", USAGE);
  }
  const me = IS_LINUX ? ownUser() : undefined;
  const name = options.socket ?? `@readiness-fdpass-${me}`;
  const meeting = { path: name.replace(/^@/, "\0") };
  const interrupted = interruption();
  using selector = new DefaultSelector<(events: number) => void, FileDescriptor>();
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
      const ready = await select(selector, timeout, { signal: interrupted });
      for (const [key, events] of ready) key.data(events);
      joining.update();
      arriving.update();
      if (held !== undefined && !arriving.isResting) {
        passOn(held);
        arriving.update();
      }
    }

    /** Lets a process join that serves. */
    function welcome(worker: Socket): void {
      const { pid, uid } = IS_LINUX ? peerCredentials(worker) : {};
      const name = pid === undefined ? "a process" : `process ${pid}`;
      if (uid !== me) {
        warn(`Refused ${name} of user ${uid}`);
        discard(selector, worker);
        return;
      }
      // It never sends anything: when it is readable, it has ended.
      selector.register(worker, EVENT_READ, () => {
        discard(selector, worker);
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
        discard(selector, connection); // The other process has a copy.
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
        if (!(error instanceof OSError)) throw error;
        // EPIPE: the process has just ended.
        if (error.code !== "EPIPE") warn(`${error.message}; resting`);
        return false;
      }
    }
  }

  async function serve(): Promise<void> {
    const boss = new Socket(AF_UNIX, SOCK_STREAM);
    const sweep = new Sweep(selector);
    const greeting = new TextEncoder().encode(`served by process ${Deno.pid}\n`);
    boss.connect(meeting);
    const { uid } = IS_LINUX ? peerCredentials(boss) : {};
    if (uid !== me) exitWith(1, `The process that accepts belongs to user ${uid}, not to ${me}`);
    selector.register(boss, EVENT_READ, receive);
    print(`serving what ${printable(name)} passes on (process ${Deno.pid})`);
    while (!hasEnded) {
      const ready = await select(selector, sweep.timeout ?? null, { signal: interrupted });
      for (const [key, events] of ready) key.data(events);
      sweep.update();
    }

    function receive(): void {
      try {
        using message = receiveMessage(boss, BYTE, { descriptors: 1 });
        if (message === null) return;
        const [descriptor] = message.descriptors;
        if (descriptor !== undefined) begin(descriptor);
        else if (message.size > 0) warn("A connection was lost on its way");
        else hasEnded = true;
      } catch (error) {
        if (!hasNoRoom(error)) throw error;
        warnSeldom(error.message);
      }
    }

    function begin(descriptor: FileDescriptor): void {
      const connection = adopt(descriptor);
      if (connection === null) return;
      try {
        connection.setBlocking(false);
        const peer = peerOf(connection);
        const end = (reason: string) => log(peer, reason);
        serveEcho(selector, connection, { greeting, sweep, idle, end });
      } catch (error) {
        discard(selector, connection);
        throw error;
      }
    }

    function adopt(descriptor: FileDescriptor): Socket | null {
      try {
        const connection = Socket.fromFd(descriptor.fileno());
        descriptor.detach();
        return connection;
      } catch (error) {
        if (!(error instanceof OSError)) throw error;
        warn(`A descriptor is not a socket: ${error.message}`);
        return null; // The message closes it.
      }
    }
  }
});
