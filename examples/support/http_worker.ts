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

import { DefaultSelector, EVENT_READ, EVENT_WRITE, OSError } from "@readiness/selectors";
import { type InternetAddress, SO_REUSEPORT, type Socket } from "@readiness/selectors/socket";
import { BAD_REQUEST, CONTINUE, type Request, RequestReader, writeHead } from "./http_requests.ts";
import { Acceptor, bind } from "./listening.ts";

/** The message from the main thread that starts the Worker. */
export interface Task {
  /** The address to listen on. */
  address: InternetAddress;
  /** Shared memory, which is not 0 when the Worker should end. */
  isStopped: Int32Array;
}

/** What the Worker sends: its waker when it starts, its number of requests when it ends. */
export type Report = { waker: number } | { count: number };

const HELLO = hello();
const HELLO_KEPT = hello("Connection: keep-alive");
const HELLO_LAST = hello("Connection: close");
const NOT_ALLOWED = refuse("405 Method Not Allowed", "Allow: GET");

const NOTHING = new Uint8Array();
const encoder = new TextEncoder();
const buffer = new Uint8Array(64 * 1024);

self.onmessage = ({ data: { address, isStopped } }: MessageEvent<Task>) => {
  // Not closed at the end: the main thread may be about to wake it.
  const selector = new DefaultSelector<(events: number) => void, Socket>();
  const server = bind(address, SO_REUSEPORT);
  server.listen();
  const acceptor = new Acceptor(selector, server, serve);
  let count = 0;

  report({ waker: selector.waker().fd });
  while (Atomics.load(isStopped, 0) === 0) {
    for (const [key, events] of selector.select(acceptor.timeout)) key.data(events);
    acceptor.update();
  }
  report({ count });
  self.close();

  function serve(socket: Socket): void {
    const reader = new RequestReader();
    let unsent = NOTHING;
    let isLast = false;
    selector.register(socket, EVENT_READ, receive);

    function receive(): void {
      attempt(() => {
        const size = socket.recv(buffer);
        if (size === 0) return close();
        if (size === null || isLast) return;
        reader.push(buffer.subarray(0, size));
        const answers = [...takeAnswers()];
        if (answers.length > 0) send(encoder.encode(answers.join("")));
      });
    }

    function sendRest(): void {
      attempt(() => send(unsent));
    }

    /** Answers the complete requests, in order. */
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

    /** Sends, and keeps what is not taken. While something is kept, nothing more is read. */
    function send(data: Uint8Array): void {
      const sent = socket.send(data) ?? 0;
      const wasKept = unsent.length > 0;
      unsent = sent < data.length ? data.slice(sent) : NOTHING;
      const isKept = unsent.length > 0;
      if (isKept && !wasKept) selector.modify(socket, EVENT_WRITE, sendRest);
      if (!isKept && wasKept) selector.modify(socket, EVENT_READ, receive);
      // The client closes first: closing with something unread would reset the connection, and the
      // client would lose the answer.
      if (!isKept && isLast) socket.shutdown("write");
    }

    /** An error of one connection, such as a reset, ends that connection alone. */
    function attempt(step: () => void): void {
      try {
        step();
      } catch (error) {
        if (!(error instanceof OSError)) throw error;
        close();
      }
    }

    function close(): void {
      if (selector.getMap().has(socket)) selector.unregister(socket);
      socket.close();
      acceptor.resume();
    }
  }
};

function respond({ method, minor, bodySize, isKept }: Request): string {
  if (method !== "GET") return NOT_ALLOWED;
  if (bodySize > 0) return refuse(BAD_REQUEST); // The body of a GET has no meaning.
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
