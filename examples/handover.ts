/**
 * An HTTP server that restarts without dropping a request: started again, it takes the listening
 * socket over from the running process, which answers what it has accepted, and ends.
 *
 * It shows a socket of this package that `node:http` serves; descriptors that one process passes to
 * another of the same user; and how a server ends without closing a connection while a request is
 * on its way.
 *
 *     deno run --allow-ffi examples/handover.ts      (again and again)
 *     wrk http://127.0.0.1:8000/                     (meanwhile)
 *
 * It needs Linux.
 *
 * @module
 */

import { once } from "node:events";
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { Server as NetServer } from "node:net";
import { setTimeout } from "node:timers/promises";
import { OSError, sendAll, whenReadable } from "@readiness/selectors";
import {
  createConnection,
  createServer,
  notify,
  peerCredentials,
  receiveMessage,
  sendMessage,
  Socket,
} from "@readiness/selectors/socket";
import { formatAddress } from "./support/addresses.ts";
import {
  exitWith,
  interruption,
  parseCommandLine,
  parseInteger,
  parsePort,
  run,
} from "./support/command_line.ts";
import { print, warn } from "./support/output.ts";
import { ownUser } from "./support/users.ts";

const USAGE = `Usage: handover.ts [OPTIONS]

Answers HTTP requests with its process ID, until it is interrupted (Ctrl-C), or until it is started
again: the new process takes the port over, and the old one answers the requests that it has
accepted, and ends. If the new process fails, the old one goes on. /wait/MS answers after that many
milliseconds.

Options:
  --hostname HOST  the address to listen on (127.0.0.1)
  --port PORT      the port to listen on; 0 lets the system pick one (8000)
  --name NAME      where the processes meet (readiness-handover-, the user's number and the port)
  --drain SECONDS  close connections still open this long after it stops accepting (30)
  -h, --help       show this and exit

Under systemd (Type=notify, NotifyAccess=all), each process reports when it takes over.`;

const BYTE = new Uint8Array(1);

/** How long to wait for room for a connection, in milliseconds. */
const REST = 1000;

/** Errors of calls when the process at the other end has ended. */
const GONE = ["EPIPE", "ECONNRESET"];

const WAIT = /^\/wait\/(\d{1,6})$/;

/** The sockets that go from process to process. */
interface Sockets {
  /** Where HTTP clients connect. */
  readonly server: Socket;
  /** Where the next process connects. */
  readonly door: Socket;
}

run(async () => {
  const { values: options } = parseCommandLine(USAGE, {
    hostname: { type: "string", default: "127.0.0.1" },
    port: { type: "string", default: "8000" },
    name: { type: "string" },
    drain: { type: "string", default: "30" },
  });
  const address = { hostname: options.hostname, port: parsePort(options.port) };
  const patience = parseInteger("time to drain", options.drain, 0, 1_000_000) * 1000;
  const me = ownUser();
  const name = options.name ?? `readiness-handover-${me}-${address.port}`;
  const meeting = { path: `\0${name}` };
  const interrupted = interruption();

  const responses = new Set<ServerResponse>(); // Until their last byte is out.
  let isDraining = false;
  try {
    await serve();
  } catch (error) {
    if (!interrupted.aborted) throw error;
  }

  async function serve(): Promise<void> {
    const predecessor = await findPredecessor();
    const sockets = predecessor === null ? open() : await takeOver(predecessor);
    const http = createHttpServer(answer);
    http.listen({ fd: sockets.server.dup().detach() }); // It closes the duplicate itself.
    await once(http, "listening");
    print(`listening on ${formatAddress(sockets.server.localAddress)} (process ${Deno.pid})`);
    notify(`READY=1\nMAINPID=${Deno.pid}`);
    if (predecessor !== null) await release(predecessor); // When nothing can fail any more.

    const successor = await untilReplaced(sockets);
    const drained = drain(http, sockets);
    if (successor === null) notify("STOPPING=1");
    else print(`process ${successor} has taken over`);
    await drained;
  }

  /** Connects to the process that serves, if there is one. */
  async function findPredecessor(): Promise<Socket | null> {
    try {
      const socket = await createConnection(meeting, { signal: interrupted });
      const { pid, uid } = peerCredentials(socket);
      if (uid === me) return socket;
      exitWith(1, `The process that serves, ${pid}, belongs to user ${uid}, not to ${me}`);
    } catch (error) {
      if (!(error instanceof OSError) || error.code !== "ECONNREFUSED") throw error;
      return null;
    }
  }

  function open(): Sockets {
    const door = createServer(meeting); // First: only one of several processes gets the name.
    return { door, server: createServer(address) };
  }

  async function takeOver(predecessor: Socket): Promise<Sockets> {
    const receive = () => receiveMessage(predecessor, BYTE, { descriptors: 2 });
    using message = await whenReadable(predecessor, receive, { signal: interrupted });
    const [server, door] = message.descriptors.map((file) => Socket.fromFd(file.detach()));
    if (server === undefined || door === undefined) {
      exitWith(1, "The process that serves has ended, or is of another kind");
    }
    return { server, door };
  }

  /** Lets the predecessor end. */
  async function release(predecessor: Socket): Promise<void> {
    using socket = predecessor;
    try {
      await sendAll(socket, BYTE);
    } catch (error) {
      if (!(error instanceof OSError)) throw error; // EPIPE: It has ended already.
    }
  }

  /** Returns the number of the process that has taken over, or `null` after a signal. */
  async function untilReplaced(sockets: Sockets): Promise<number | null> {
    while (!interrupted.aborted) {
      try {
        using candidate = await whenReadable(
          sockets.door,
          () => sockets.door.accept(),
          { signal: interrupted },
        );
        const { pid, uid } = peerCredentials(candidate);
        if (uid !== me) warn(`Refused process ${pid} of user ${uid}`);
        else if (await handOver(sockets, candidate)) return pid;
        else warn(`Process ${pid} has failed to take over; going on`);
      } catch (error) {
        if (interrupted.aborted) break;
        if (!(error instanceof OSError)) throw error;
        warn(`${error.message}; resting`); // Such as EMFILE.
        await setTimeout(REST);
      }
    }
    return null;
  }

  /** Passes the sockets on. Returns whether the other process serves. */
  async function handOver({ server, door }: Sockets, candidate: Socket): Promise<boolean> {
    try {
      if (sendMessage(candidate, BYTE, { descriptors: [server, door] }) === null) return false;
      const receive = () => candidate.recv(BYTE);
      return await whenReadable(candidate, receive, { signal: interrupted }) > 0;
    } catch (error) {
      if (error instanceof OSError && GONE.includes(error.code)) return false;
      throw error;
    }
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    responses.add(response);
    response.on("close", () => responses.delete(response));
    const [, delay] = WAIT.exec(request.url ?? "") ?? [];
    if (delay !== undefined) await setTimeout(Number(delay));
    if (isDraining) response.setHeader("Connection", "close");
    response.end(`Served by process ${Deno.pid}\n`);
  }

  /** Stops accepting, and waits until all connections have ended. */
  async function drain(http: Server, { server, door }: Sockets): Promise<void> {
    isDraining = true;
    setTimeout(patience, undefined, { ref: false }).then(() => http.closeAllConnections());
    // When a response is out, a closed server closes the connection, also if the response announces
    // that it is kept. The next request may be on its way then.
    const ended = [...responses].filter((response) => response.writableEnded);
    await Promise.all(ended.map((response) => once(response, "close")));
    const closed = once(http, "close");
    for (const socket of [server, door]) socket.close();
    // The method of HTTP's server closes idle connections, on which a request may be on its way.
    NetServer.prototype.close.call(http);
    await closed;
  }
});
