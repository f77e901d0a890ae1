/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
/**
 * The Worker of `workers.ts`: HTTP/1.1 on a blocking selector. A GET is answered with a greeting,
 * anything else with an error, after which the connection ends.
 *
 * What it shows: requests that come in pieces or several at once (pipelining), connections that are
 * kept or not, and a thread that blocks and can still be stopped.
 *
 * @module
 */

import { DefaultSelector, EVENT_READ, EVENT_WRITE, OSError } from "@readiness/selectors";
import { type InternetAddress, SO_REUSEPORT, type Socket } from "@readiness/selectors/socket";
import { BAD_REQUEST, CONTINUE, type Request, RequestReader, writeHead } from "./http_requests.ts";
import { bind, hasNoRoom, REST } from "./listening.ts";

/** What the main thread sends as the Worker begins. */
export interface Task {
  /** Where to listen. */
  address: InternetAddress;
  /** Shared memory: not 0 once the Worker is to end. */
  isStopped: Int32Array;
}

/** What the Worker sends: how to wake it as it begins, how many requests it had as it ends. */
export type Report = { waker: number } | { count: number };

const HELLO = hello();
const HELLO_KEPT = hello("Connection: keep-alive");
const HELLO_LAST = hello("Connection: close");
const NOT_ALLOWED = refuse("405 Method Not Allowed", "Allow: GET");

const encoder = new TextEncoder();
const buffer = new Uint8Array(64 * 1024);

self.onmessage = ({ data: { address, isStopped } }: MessageEvent<Task>) => {
  // Not closed at the end: the main thread may be about to wake it.
  const selector = new DefaultSelector<() => void, Socket>();
  const server = bind(address, SO_REUSEPORT);
  let isResting = false;
  let count = 0;

  server.listen();
  startAccepting();
  report({ waker: selector.waker().fd });
  while (Atomics.load(isStopped, 0) === 0) {
    const ready = selector.select(isResting ? REST : undefined);
    for (const [key] of ready) key.data();
    if (isResting && ready.length === 0) startAccepting();
  }
  report({ count });
  self.close();

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
    const reader = new RequestReader();
    let unsent = new Uint8Array();
    let isLast = false;
    selector.register(socket, EVENT_READ, receive);

    function receive(): void {
      attempt(() => {
        const size = socket.recv(buffer);
        if (size === 0) close();
        if (size === 0 || size === null || isLast) return;
        reader.push(buffer.subarray(0, size));
        const answers = [...takeAnswers()];
        if (answers.length > 0) send(encoder.encode(answers.join("")));
      });
    }

    function sendRest(): void {
      attempt(() => send(unsent));
    }

    /** Answers the requests that are whole, in their order. */
    function* takeAnswers(): Generator<string> {
      for (let next; !isLast && (next = reader.next()) !== null;) {
        if (next === CONTINUE) {
          yield `HTTP/1.1 ${CONTINUE}\r\n\r\n`;
          continue;
        }
        const answer = typeof next === "string" ? refuse(next) : respond(next);
        isLast = answer.includes("Connection: close");
        count++;
        yield answer;
      }
    }

    /** Sends what goes out. While some does not, the client is not read from. */
    function send(data: Uint8Array): void {
      const sent = socket.send(data) ?? 0;
      const isHeld = unsent.length > 0;
      unsent = data.slice(sent);
      if (unsent.length > 0 && !isHeld) selector.modify(socket, EVENT_WRITE, sendRest);
      if (unsent.length === 0 && isHeld) selector.modify(socket, EVENT_READ, receive);
      // Closed once the client does: to close with something unread resets what was just sent.
      if (unsent.length === 0 && isLast) socket.shutdown("write");
    }

    /** A connection that breaks, such as by a reset, ends alone. */
    function attempt(step: () => void): void {
      try {
        step();
      } catch (error) {
        if (!(error instanceof OSError)) throw error;
        close();
      }
    }

    function close(): void {
      selector.unregister(socket);
      socket.close();
      if (isResting) startAccepting();
    }
  }
};

function respond({ method, minor, bodySize, isKept }: Request): string {
  if (method !== "GET") return NOT_ALLOWED;
  if (bodySize > 0) return refuse(BAD_REQUEST); // It would mean nothing.
  if (!isKept) return HELLO_LAST;
  return minor > 0 ? HELLO : HELLO_KEPT;
}

function hello(...fields: string[]): string {
  const body = "Hello, world!\n";
  return writeHead("200 OK", body.length, "Content-Type: text/plain", ...fields) + body;
}

function refuse(status: string, ...fields: string[]): string {
  return writeHead(status, 0, ...fields, "Connection: close");
}

function report(message: Report): void {
  self.postMessage(message);
}
