/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
/**
 * The Worker of `workers.ts`: HTTP/1.1 on a blocking selector. It answers a GET with a greeting,
 * and anything else with an error, after which it closes the connection.
 *
 * It shows a thread that blocks and can still be stopped.
 *
 * @module
 */

import { DefaultSelector, EVENT_READ, EXCLUSIVE } from "@readiness/selectors";
import type { FileDescriptor } from "@readiness/selectors/fd";
import { type InternetAddress, SO_REUSEPORT, Socket } from "@readiness/selectors/socket";
import { Answer } from "./http_answers.ts";
import type { Request } from "./http_heads.ts";
import { BAD_REQUEST } from "./http_scanner.ts";
import { HttpServer } from "./http_server.ts";
import { bind } from "./listening.ts";

/** The message from the main thread that starts the Worker. */
export interface Task {
  /** The address to listen on. */
  address: InternetAddress;
  /**
   * The descriptor of a listening socket that all Workers share; without it, each makes its own.
   */
  shared?: number;
  /** Shared memory, which is not 0 when the Worker should end. */
  isStopped: Int32Array;
}

/** What the Worker sends: its waker when it starts, its number of requests when it ends. */
export type Report = { waker: number } | { count: number };

/** How long a connection may be silent, and how long a request may take, in milliseconds. */
const LIMITS = { idle: 60_000, timeout: 30_000 };

const GREETING = new Answer("200 OK", {
  fields: ["Content-Type: text/plain"],
  body: "Hello, world!\n",
});
const NOT_ALLOWED = new Answer("405 Method Not Allowed", { fields: ["Allow: GET"], isLast: true });
const REFUSAL = new Answer(BAD_REQUEST, { isLast: true });

self.onmessage = ({ data: { address, shared, isStopped } }: MessageEvent<Task>) => {
  // Not closed at the end: the main thread may be about to wake it.
  const selector = new DefaultSelector<(events: number) => void, FileDescriptor>();
  let socket: Socket;
  if (shared === undefined) {
    socket = bind(address, SO_REUSEPORT);
    socket.listen();
  } else {
    socket = Socket.fromFd(shared);
  }
  // A connection to a shared socket wakes one Worker, where the system can do that.
  const exclusive = EVENT_READ | EXCLUSIVE;
  const events = shared !== undefined && DefaultSelector.supports(exclusive)
    ? exclusive
    : EVENT_READ;
  let count = 0;
  const refuse = () => count++;
  const server = new HttpServer(selector, socket, { respond, refuse, events, ...LIMITS });

  report({ waker: selector.waker().fd });
  while (Atomics.load(isStopped, 0) === 0) server.turn();
  report({ count });
  self.close();

  function respond({ method, bodySize }: Request): Answer {
    count++;
    if (method !== "GET") return NOT_ALLOWED;
    return bodySize > 0 ? REFUSAL : GREETING; // A body has no meaning in a GET.
  }
};

function report(message: Report): void {
  self.postMessage(message);
}
