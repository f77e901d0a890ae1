/**
 * One process accepts connections, others serve them: the connections are passed on as descriptors
 * over a Unix socket. The server's process can be restricted, restarted or crash without one refused.
 *
 * What it shows: sending a descriptor and receiving it, which leaves copies in both processes, so that
 * both have to close theirs; who is at the other end of a Unix socket (Linux); and accepting only
 * while somebody is there to serve.
 *
 *     deno run --allow-ffi examples/fdpass.ts accept
 *     deno run --allow-ffi examples/fdpass.ts serve      (in another terminal, or in several)
 *
 * @module
 */

import { DefaultSelector, EVENT_READ, EVENT_WRITE, OSError } from "@readiness/selectors";
import {
  AF_UNIX,
  peerCredentials,
  receiveMessage,
  sendMessage,
  SOCK_STREAM,
  Socket,
} from "@readiness/selectors/socket";
import {
  exitWith,
  format,
  interruption,
  needsMoreThanWindows,
  parseCommandLine,
  parsePort,
  run,
} from "./support/command_line.ts";
import { bind, hasNoRoom, REST } from "./support/listening.ts";

const USAGE = `Usage: fdpass.ts [OPTIONS] accept
       fdpass.ts [OPTIONS] serve

The one accepts connections and passes them on, in turn, to those that serve: they greet, and send
back what they receive. Both go on until they are interrupted (Ctrl-C), the latter until the one that
accepts has ended, too.

Options:
  --hostname HOST  the address to accept at (127.0.0.1)
  --port PORT      the port to accept at; 0 lets the system pick one (1234)
  --socket PATH    where the processes meet; on Linux @NAME names no file (@readiness-fdpass)
  --help           show this and exit`;

const BYTE = new Uint8Array(1);

run(async () => {
  const { values: options, positionals: [role, ...others] } = parseCommandLine(USAGE, {
    hostname: { type: "string", default: "127.0.0.1" },
    port: { type: "string", default: "1234" },
    socket: { type: "string", default: "@readiness-fdpass" },
  }, true);
  if (role !== "accept" && role !== "serve" || others.length > 0) {
    exitWith(2, `Say either accept or serve\n\n${USAGE}`);
  }
  const meeting = { path: options.socket.replace(/^@/, "\0") };
  const address = { hostname: options.hostname, port: parsePort(options.port) };
  needsMoreThanWindows("Unix sockets that pass descriptors on");
  const interrupted = interruption();
  using selector = new DefaultSelector<(events: number) => void, Socket>();
  let hasEnded = false;
  let isResting = false;
  let attend = () => {};

  try {
    if (role === "accept") accept();
    else serve();
  } catch (error) {
    if (error instanceof RangeError) exitWith(2, error.message); // Such as a path that is too long.
    throw error;
  }
  try {
    while (!hasEnded) {
      const timeout = isResting ? REST : null;
      const ready = await selector.selectAsync(timeout, { signal: interrupted });
      for (const [key, events] of ready) key.data(events);
      if (ready.length > 0) continue;
      isResting = false;
      attend();
    }
  } catch (error) {
    if (!interrupted.aborted) throw error;
  }

  function accept(): void {
    const server = bind(address);
    const door = new Socket(AF_UNIX, SOCK_STREAM);
    const workers: Socket[] = [];
    let held: Socket | undefined;
    door.bind(meeting);
    door.listen();
    server.listen();
    attend = () => {
      attendTo(door, !isResting, welcome);
      attendTo(server, !isResting && workers.length > 0, passOn);
      if (!isResting && held !== undefined) attempt(passOn);
    };
    attend();
    console.log(`accepting on ${format(server.localAddress)} (${selector.constructor.name})`);

    function attendTo(socket: Socket, isWanted: boolean, accept: () => void): void {
      const isAttended = selector.getMap().has(socket);
      if (isWanted && !isAttended) selector.register(socket, EVENT_READ, () => attempt(accept));
      if (!isWanted && isAttended) selector.unregister(socket);
    }

    /** Accepts, or rests from it when there is no room for one connection more. */
    function attempt(accept: () => void): void {
      try {
        accept();
      } catch (error) {
        if (!hasNoRoom(error)) throw error;
        console.error(`${error.message}; resting from accepting`);
        isResting = true;
        attend();
      }
    }

    /** Lets a process in that serves. */
    function welcome(): void {
      for (let worker: Socket | null; (worker = door.accept()) !== null;) {
        const joined = worker;
        const name = Deno.build.os === "linux" ? `process ${peerCredentials(joined).pid}` : "one";
        console.log(`${name} serves`);
        selector.register(joined, EVENT_READ, () => dismiss(joined, name));
        workers.push(joined);
        attend();
      }
    }

    /** It never says anything: readable, it has ended. */
    function dismiss(worker: Socket, name: string): void {
      selector.unregister(worker);
      worker.close();
      workers.splice(workers.indexOf(worker), 1);
      console.log(`${name} has ended`);
      attend();
    }

    function passOn(): void {
      while (workers.length > 0) {
        held ??= server.accept() ?? undefined;
        if (held === undefined) return;
        const connection = held;
        if (!workers.some((worker, i) => give(worker, i, connection))) {
          isResting = true; // They are busy, or end just now: it waits.
          attend();
          return;
        }
        connection.close(); // The other copy stays open.
        held = undefined;
      }
    }

    function give(worker: Socket, i: number, connection: Socket): boolean {
      try {
        if (sendMessage(worker, BYTE, { descriptors: [connection] }) === null) return false;
      } catch (error) {
        if (!(error instanceof OSError) || error.code !== "EPIPE") throw error;
        return false; // It ends just now.
      }
      workers.push(...workers.splice(i, 1)); // The next one is another's.
      return true;
    }
  }

  function serve(): void {
    const boss = new Socket(AF_UNIX, SOCK_STREAM);
    const buffer = new Uint8Array(64 * 1024);
    boss.connect(meeting);
    selector.register(boss, EVENT_READ, take);
    console.log(`serving what ${options.socket} passes on (process ${Deno.pid})`);

    function take(): void {
      for (let message; (message = receiveMessage(boss, BYTE, { descriptors: 1 })) !== null;) {
        using received = message; // What is not detached below is closed.
        const [descriptor] = received.descriptors;
        if (descriptor !== undefined) begin(Socket.fromFd(descriptor.detach()));
        else if (received.size > 0) console.error("a connection was lost on its way");
        else {
          hasEnded = true;
          return;
        }
      }
    }

    function begin(connection: Socket): void {
      let unsent: Uint8Array = new TextEncoder().encode(`served by process ${Deno.pid}\n`);
      selector.register(connection, EVENT_WRITE, step);

      /** Sends what is unsent, and reads when nothing is. */
      function step(events: number): void {
        try {
          if (events & EVENT_READ) {
            const size = connection.recv(buffer);
            if (size === 0) return end("has ended");
            if (size !== null) unsent = buffer.slice(0, size);
          }
          unsent = unsent.subarray(connection.send(unsent) ?? 0);
          selector.modify(connection, unsent.length > 0 ? EVENT_WRITE : EVENT_READ, step);
        } catch (error) {
          if (!(error instanceof OSError)) throw error;
          end(error.message);
        }
      }

      function end(reason: string): void {
        selector.unregister(connection);
        connection.close();
        console.log(`a connection ${reason}`);
      }
    }
  }
});
