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

/** The longest head of a request, in bytes. */
const LONGEST_HEAD = 8192;

const REQUEST_LINE = /^([A-Z]+) \S+ HTTP\/1\.(\d)$/;
const EMPTY_LINE = /\r?\n\r?\n/;
const FIELD = /^[\w!#$%&'*+.^`|~-]+:/;

const HELLO = hello();
const HELLO_KEPT = hello("Connection: keep-alive");
const HELLO_LAST = hello("Connection: close");
const BAD_REQUEST = refusal("400 Bad Request");
const NOT_ALLOWED = refusal("405 Method Not Allowed", "Allow: GET");
const TOO_LONG = refusal("431 Request Header Fields Too Large");

const decoder = new TextDecoder("latin1");
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
    let requests = "";
    let unsent = new Uint8Array();
    let isLast = false;
    selector.register(socket, EVENT_READ, receive);

    function receive(): void {
      attempt(() => {
        const size = socket.recv(buffer);
        if (size === 0) close();
        if (size <= 0 || isLast) return;
        requests += decoder.decode(buffer.subarray(0, size));
        const answers = [...takeAnswers()];
        if (answers.length > 0) send(encoder.encode(answers.join("")));
      });
    }

    function sendRest(): void {
      attempt(() => send(unsent));
    }

    /** Answers the requests that are whole, in their order. */
    function* takeAnswers(): Generator<string> {
      while (!isLast) {
        requests = requests.replace(/^[\r\n]+/, ""); // Empty lines may come before a request.
        const next = takeRequest(requests);
        if (next === null) return;
        requests = next.rest;
        isLast = next.answer.includes("Connection: close");
        count++;
        yield next.answer;
      }
    }

    /** Sends what goes out. While some does not, the client is not read from. */
    function send(data: Uint8Array): void {
      const sent = Math.max(socket.send(data), 0);
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

/** Answers the first request of a text, and gives what follows it; null if it is not whole yet. */
function takeRequest(text: string): { answer: string; rest: string } | null {
  const newline = text.indexOf("\n");
  if (newline >= 0 && !REQUEST_LINE.test(text.slice(0, newline).trimEnd())) {
    return { answer: BAD_REQUEST, rest: "" };
  }
  const end = EMPTY_LINE.exec(text);
  if ((end?.index ?? text.length) > LONGEST_HEAD) return { answer: TOO_LONG, rest: "" };
  if (end === null) return null;
  const head = text.slice(0, end.index);
  return { answer: respond(head), rest: text.slice(end.index + end[0].length) };
}

/** Answers a request by its head, whose first line is known to be right. */
function respond(head: string): string {
  const [line, ...fields] = head.split(/\r?\n/);
  const [, method, version] = REQUEST_LINE.exec(line)!;
  const values = (name: string) =>
    fields.filter((field) => field.toLowerCase().startsWith(`${name}:`))
      .map((field) => field.slice(name.length + 1).trim().toLowerCase());
  const hosts = values("host").length;
  if (!fields.every((field) => FIELD.test(field)) || hosts > 1) return BAD_REQUEST;
  if (hosts === 0 && version !== "0") return BAD_REQUEST;
  if (method !== "GET") return NOT_ALLOWED;
  // A body would be taken for the next request.
  if (
    [...values("content-length"), ...values("transfer-encoding")].some((value) => value !== "0")
  ) {
    return BAD_REQUEST;
  }
  const wishes = values("connection").join().split(/\s*,\s*/);
  if (wishes.includes("close")) return HELLO_LAST;
  if (version !== "0") return HELLO;
  return wishes.includes("keep-alive") ? HELLO_KEPT : HELLO_LAST;
}

function hello(...fields: string[]): string {
  return answer("200 OK", "Hello, world!\n", "Content-Type: text/plain", ...fields);
}

function refusal(status: string, ...fields: string[]): string {
  return answer(status, "", ...fields, "Connection: close");
}

function answer(status: string, body: string, ...fields: string[]): string {
  const head = [`HTTP/1.1 ${status}`, `Content-Length: ${body.length}`, ...fields];
  return `${head.join("\r\n")}\r\n\r\n${body}`;
}

function report(message: Report): void {
  self.postMessage(message);
}
