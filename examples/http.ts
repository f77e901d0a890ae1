/**
 * An HTTP/1.1 server on one thread.
 *
 * It shows requests that come in pieces or several at once (pipelining) and are answered in order,
 * persistent connections, bodies of any length that are never held in memory, back-pressure (a
 * client that does not take answers is not read from), and a limit on idle connections.
 *
 *     deno run --allow-ffi examples/http.ts
 *     curl http://127.0.0.1:8000/
 *
 * @module
 */

import { DefaultSelector, EVENT_READ, EVENT_WRITE, OSError } from "@readiness/selectors";
import { IPPROTO_TCP, type Socket, TCP_NODELAY } from "@readiness/selectors/socket";
import { formatAddress, peerOf } from "./support/addresses.ts";
import { parseCommandLine, parseInteger, parsePort, run } from "./support/command_line.ts";
import { CONTINUE, type Request, RequestReader, writeHead } from "./support/http_requests.ts";
import { Acceptor, bind } from "./support/listening.ts";
import { log, print } from "./support/output.ts";

const USAGE = `Usage: http.ts [OPTIONS]

Answers HTTP requests, until it is interrupted (Ctrl-C): / with a greeting, /bytes/COUNT with that
many bytes, and anything else with 404.

Options:
  --hostname HOST  the address to listen on (127.0.0.1)
  --port PORT      the port to listen on; 0 lets the system pick one (8000)
  --idle SECONDS   close a connection that has been silent for this long (60)
  --verbose        log each request
  -h, --help       show this and exit`;

const GREETING = "Hello, world!\n";
const BYTES = /^\/bytes\/(\d{1,15})$/;

/** How often idle connections are looked for, in milliseconds. */
const SWEEP = 1000;

/** A piece of a body; also how many bytes of answers are written at once. */
const BLOCK = new Uint8Array(64 * 1024).fill(0x2e);

const encoder = new TextEncoder();
const buffer = new Uint8Array(64 * 1024);

run(() => {
  const { values: options } = parseCommandLine(USAGE, {
    hostname: { type: "string", default: "127.0.0.1" },
    port: { type: "string", default: "8000" },
    idle: { type: "string", default: "60" },
    verbose: { type: "boolean", default: false },
  });
  const idle = parseInteger("idle time", options.idle, 1, 1_000_000) * 1000;
  const server = bind({ hostname: options.hostname, port: parsePort(options.port) });
  const selector = new DefaultSelector<(events: number) => void, Socket>();
  server.listen();
  const acceptor = new Acceptor(selector, server, serve);
  const connections = new Set<() => void>();
  let now = 0;
  let swept = -Infinity;
  let date = "";

  print(`listening on ${formatAddress(server.localAddress)} (${selector.constructor.name})`);
  for (;;) {
    const ready = selector.select(connections.size > 0 ? SWEEP : acceptor.timeout);
    now = performance.now();
    if (now - swept >= SWEEP) sweep();
    for (const [key, events] of ready) key.data(events);
    acceptor.update();
  }

  /** Runs once a second. */
  function sweep(): void {
    swept = now;
    date = `Date: ${new Date().toUTCString()}`;
    for (const check of connections) check();
  }

  function serve(socket: Socket): void {
    const peer = options.verbose ? peerOf(socket) : "";
    const reader = new RequestReader();
    let unsent = new Uint8Array();
    let filler = 0; // How many bytes of a body are still to be produced.
    let isLast = false;
    let lastActive = now;
    socket.setOption(IPPROTO_TCP, TCP_NODELAY, 1);
    selector.register(socket, EVENT_READ, receive);
    connections.add(check);

    function receive(): void {
      attempt(() => {
        const size = socket.recv(buffer);
        if (size === 0) return close();
        // What follows the last request is read and dropped: closing with something unread would
        // reset the connection, and the client would lose the answer.
        if (size === null || isLast) return;
        lastActive = now;
        reader.push(buffer.subarray(0, size));
        send();
      });
    }

    function sendMore(): void {
      attempt(send);
    }

    /** Sends once, so that every connection has its turn, and watches for the next event. */
    function send(): void {
      if (unsent.length === 0) unsent = produce();
      if (unsent.length > 0) {
        const sent = socket.send(unsent);
        if (sent !== null) {
          lastActive = now;
          unsent = unsent.subarray(sent);
          if (unsent.length === 0) unsent = produce();
        }
      }
      const events = unsent.length > 0 ? EVENT_WRITE : EVENT_READ;
      const isWriting = selector.getKey(socket).events === EVENT_WRITE;
      if ((events === EVENT_WRITE) !== isWriting) {
        selector.modify(socket, events, events === EVENT_WRITE ? sendMore : receive);
      }
      if (unsent.length === 0 && isLast) socket.shutdown("write");
    }

    /** Returns the bytes to send next: the rest of a body, or answers to the requests so far. */
    function produce(): Uint8Array<ArrayBuffer> {
      if (filler > 0) {
        const block = BLOCK.subarray(0, Math.min(filler, BLOCK.length));
        filler -= block.length;
        return block;
      }
      let answers = "";
      while (!isLast && filler === 0 && answers.length < BLOCK.length) {
        const next = reader.next();
        if (next === null) break;
        answers += next === CONTINUE
          ? `HTTP/1.1 ${CONTINUE}\r\n\r\n`
          : typeof next === "string"
          ? refuse(next)
          : respond(next);
      }
      return encoder.encode(answers);
    }

    function refuse(status: string): string {
      isLast = true;
      note(status);
      return writeHead(status, 0, date, "Connection: close");
    }

    function respond(request: Request): string {
      const { method, target, minor } = request;
      const fields = [date];
      isLast = !request.isKept;
      if (isLast) fields.push("Connection: close");
      else if (minor === 0) fields.push("Connection: keep-alive");
      const path = target.replace(/^https?:\/\/[^/?]*/i, "").replace(/\?.*/, "") || "/";
      const isHead = method === "HEAD";
      if (!isHead && method !== "GET") {
        note(`${method} ${target} 405`);
        return writeHead("405 Method Not Allowed", 0, ...fields, "Allow: GET, HEAD");
      }
      const bytes = BYTES.exec(path);
      if (bytes !== null) {
        if (!isHead) filler = Number(bytes[1]);
        note(`${method} ${target} 200`);
        return writeHead("200 OK", Number(bytes[1]), ...fields, "Content-Type: text/plain");
      }
      const [status, body] = path === "/" ? ["200 OK", GREETING] : ["404 Not Found", "Not found\n"];
      note(`${method} ${target} ${status}`);
      const head = writeHead(status, body.length, ...fields, "Content-Type: text/plain");
      return isHead ? head : head + body;
    }

    function check(): void {
      if (now - lastActive >= idle) close();
    }

    /** An error of one connection, such as a reset, ends that connection alone. */
    function attempt(step: () => void): void {
      if (socket.fileno() < 0) return; // It was closed as idle, just before this event.
      try {
        step();
      } catch (error) {
        if (!(error instanceof OSError)) throw error;
        close();
      }
    }

    function close(): void {
      connections.delete(check);
      if (selector.getMap().has(socket)) selector.unregister(socket);
      socket.close();
      acceptor.resume();
    }

    function note(text: string): void {
      if (options.verbose) log(peer, text);
    }
  }
});
