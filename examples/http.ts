/**
 * An HTTP/1.1 server on one thread.
 *
 * It shows requests that come in pieces or several at once (pipelining) and are answered in order,
 * persistent connections, bodies of any length that are never held in memory, back-pressure (a
 * client that does not take answers is not read from), and limits on idle connections and slow
 * requests. How it serves a connection is in `support/http_server.ts`.
 *
 *     deno run --allow-ffi jsr:@readiness/selectors/http
 *     curl http://127.0.0.1:8000/
 *
 * @module
 */

import { DefaultSelector } from "@readiness/selectors";
import type { FileDescriptor } from "@readiness/selectors/fd";
import type { Socket } from "@readiness/selectors/socket";
import { formatAddress, peerOf } from "./support/addresses.ts";
import { parseCommandLine, parseInteger, parsePort, run } from "./support/command_line.ts";
import { Answer } from "./support/http_answers.ts";
import type { Request } from "./support/http_heads.ts";
import { HttpServer } from "./support/http_server.ts";
import { bind } from "./support/listening.ts";
import { log, print } from "./support/output.ts";

const USAGE = `Usage: http.ts [OPTIONS]

Answers HTTP requests, until it is interrupted (Ctrl-C): / with a greeting, /bytes/COUNT with that
many bytes, and anything else with 404.

Options:
  --hostname HOST    the address to listen on (127.0.0.1)
  --port PORT        the port to listen on; 0 lets the system pick one (8000)
  --idle SECONDS     close a connection that has been silent for this long (60)
  --timeout SECONDS  refuse a request that takes longer than this to arrive (30)
  --verbose          log each request
  -h, --help         show this and exit`;

const TEXT = ["Content-Type: text/plain"];
const GREETING = new Answer("200 OK", { fields: TEXT, body: "Hello, world!\n" });
const NOT_FOUND = new Answer("404 Not Found", { fields: TEXT, body: "Not found\n" });
const NOT_ALLOWED = new Answer("405 Method Not Allowed", { fields: ["Allow: GET, HEAD"] });
const BYTES = /^\/bytes\/(\d{1,15})$/;

run(() => {
  const { values: options } = parseCommandLine(USAGE, {
    hostname: { type: "string", default: "127.0.0.1" },
    port: { type: "string", default: "8000" },
    idle: { type: "string", default: "60" },
    timeout: { type: "string", default: "30" },
    verbose: { type: "boolean", default: false },
  });
  const idle = parseInteger("idle time", options.idle, 1, 1_000_000) * 1000;
  const timeout = parseInteger("timeout", options.timeout, 1, 1_000_000) * 1000;
  const socket = bind({ hostname: options.hostname, port: parsePort(options.port) });
  const selector = new DefaultSelector<(events: number) => void, FileDescriptor>();
  socket.listen();
  const server = new HttpServer(selector, socket, { respond, refuse: note, idle, timeout });

  print(`listening on ${formatAddress(socket.localAddress)} (${selector.constructor.name})`);
  for (;;) server.turn();

  function respond(request: Request, client: Socket): Answer {
    const response = answer(request);
    if (options.verbose) note(`${request.method} ${request.target} ${response.status}`, client);
    return response;
  }

  function note(event: string, client: Socket): void {
    if (options.verbose) log(peerOf(client), event);
  }
});

function answer({ method, target }: Request): Answer {
  if (method !== "GET" && method !== "HEAD") return NOT_ALLOWED;
  if (target === "/") return GREETING;
  const path = target.replace(/^https?:\/\/[^/?]*/i, "").replace(/\?.*/, "") || "/";
  const bytes = BYTES.exec(path);
  if (bytes !== null) return new Answer("200 OK", { fields: TEXT, body: Number(bytes[1]) });
  return path === "/" ? GREETING : NOT_FOUND;
}
