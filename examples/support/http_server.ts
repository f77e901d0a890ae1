/**
 * The HTTP/1.1 server of the examples: it keeps connections, answers their requests in order, and
 * closes those that are idle or slow. What to answer is up to the example.
 *
 * @module
 */

import { type BaseSelector, EVENT_READ, EVENT_WRITE, OSError } from "@readiness/selectors";
import type { FileDescriptor } from "@readiness/selectors/fd";
import { IPPROTO_TCP, type Socket, TCP_NODELAY } from "@readiness/selectors/socket";
import { Answer } from "./http_answers.ts";
import type { Request } from "./http_heads.ts";
import { CONTINUE, RequestReader } from "./http_requests.ts";
import { Acceptor, type AcceptorOptions } from "./listening.ts";
import { discard } from "./registrations.ts";
import { Ticker } from "./ticker.ts";

/** How a server answers. */
export interface ServerOptions extends AcceptorOptions {
  /** Answers a request. */
  respond(request: Request, socket: Socket): Answer;
  /** Takes note of a request that is refused. */
  refuse?(status: string, socket: Socket): void;
  /** How long a connection may be silent, in milliseconds. */
  idle: number;
  /** How long a request may take to arrive, in milliseconds. */
  timeout: number;
}

/** How often to look at the clock, and for slow and idle connections, in milliseconds. */
const SWEEP = 1000;

/** How long a client may take to close after its last answer, in milliseconds. */
const LINGER = 5000;

/** The most bytes to receive or send at once. */
const BLOCK = 64 * 1024;

const TIMEOUT = "408 Request Timeout";

const NOTHING = new Uint8Array();
const DOTS = new Uint8Array(BLOCK).fill(0x2e);
const INTERIM = new TextEncoder().encode(`HTTP/1.1 ${CONTINUE}\r\n\r\n`);

/** What all connections receive into. */
const input = new Uint8Array(BLOCK);

/** A server on a listening socket. */
export class HttpServer {
  readonly selector: BaseSelector<(events: number) => void, FileDescriptor>;
  readonly options: ServerOptions;
  /** The time of the last sweep, in whole milliseconds. */
  now = 0;
  /** The `Date` field. */
  date = "";
  readonly #acceptor: Acceptor;
  readonly #ticker: Ticker;
  readonly #connections = new Set<Connection>();

  constructor(
    selector: BaseSelector<(events: number) => void, FileDescriptor>,
    socket: Socket,
    options: ServerOptions,
  ) {
    this.selector = selector;
    this.options = options;
    this.#ticker = new Ticker(selector, SWEEP, () => this.#sweep());
    this.#acceptor = new Acceptor(selector, socket, (connection) => {
      connection.setOption(IPPROTO_TCP, TCP_NODELAY, 1);
      if (!this.#ticker.isRunning) this.#start();
      this.#connections.add(new Connection(this, connection));
    }, options);
  }

  /** Waits once, and serves the connections that are ready. */
  turn(): void {
    const ready = this.selector.select(this.#ticker.timeout ?? this.#acceptor.timeout);
    for (const [key, events] of ready) key.data(events);
    this.#ticker.update();
    this.#acceptor.update();
  }

  #start(): void {
    this.#ticker.start();
    this.#readClock();
  }

  #sweep(): void {
    this.#readClock();
    for (const connection of this.#connections) connection.check(this.now);
    if (this.#connections.size === 0) this.#ticker.stop();
  }

  #readClock(): void {
    this.now = Math.ceil(performance.now());
    this.date = `Date: ${new Date().toUTCString()}`;
  }

  /** Forgets a connection that has ended. */
  forget(connection: Connection): void {
    this.#connections.delete(connection);
    this.#acceptor.resume();
  }
}

class Connection {
  readonly #server: HttpServer;
  readonly #socket: Socket;
  readonly #reader = new RequestReader();
  #unsent = NOTHING;
  #dots = 0; // How many bytes of a body are still to be sent.
  #isSending = false;
  #isLast = false;
  // Times of sweeps: what they stand for happened before the next one.
  #lastActive: number;
  /** When the request that is arriving started to, or 0. */
  #requestedAt = 0;

  constructor(server: HttpServer, socket: Socket) {
    this.#server = server;
    this.#socket = socket;
    this.#lastActive = server.now;
    server.selector.register(socket, EVENT_READ, this.#serve);
  }

  /** Closes the connection if it is idle, and refuses a request that takes too long. */
  check(now: number): void {
    const { idle, timeout } = this.#server.options;
    const limit = this.#isLast && !this.#isSending ? LINGER : idle;
    if (now - this.#lastActive >= limit + SWEEP) return this.#close();
    if (this.#isLast || this.#isSending || this.#requestedAt === 0) return;
    if (now - this.#requestedAt >= timeout + SWEEP) {
      this.#unsent = this.#refuse(TIMEOUT);
      this.#serve(EVENT_WRITE);
    }
  }

  /** Serves the connection when it is ready, and when its request has taken too long. */
  readonly #serve = (events: number): void => {
    if (this.#socket.fileno() < 0) return; // It was closed, just before this event.
    try {
      if (events === EVENT_READ) this.#receive();
      else this.#send();
    } catch (error) {
      // An error of one connection, such as a reset, ends only that connection.
      if (!(error instanceof OSError)) throw error;
      this.#close();
    }
  };

  #receive(): void {
    const size = this.#socket.recv(input);
    if (size === 0) return this.#close();
    // What follows the last request is read and dropped: closing with something unread would
    // reset the connection, and the client would lose the answer.
    if (size === null || this.#isLast) return;
    this.#lastActive = this.#server.now;
    this.#requestedAt ||= this.#lastActive;
    this.#reader.push(input, size);
    this.#send();
    this.#reader.keep();
  }

  /** Sends once, so that every connection has its turn, and watches for the next event. */
  #send(): void {
    const data = this.#unsent.length > 0 ? this.#unsent : this.#produce();
    if (data.length > 0) {
      const sent = this.#socket.send(data) ?? 0;
      if (sent > 0) this.#lastActive = this.#server.now;
      this.#unsent = sent === data.length ? this.#produce() : data.subarray(sent);
    }
    const isSending = this.#unsent.length > 0;
    if (isSending !== this.#isSending) {
      this.#isSending = isSending;
      // While it did not read, the client could not go on with its request.
      if (!isSending && this.#requestedAt !== 0) this.#requestedAt = this.#lastActive;
      const events = isSending ? EVENT_WRITE : EVENT_READ;
      this.#server.selector.modify(this.#socket, events, this.#serve);
    }
    if (!isSending && this.#isLast) this.#socket.shutdown("write");
  }

  /** Returns the bytes to send next: the rest of a body, or answers to the requests so far. */
  #produce(): Uint8Array<ArrayBuffer> {
    if (this.#dots > 0) {
      const block = this.#dots < BLOCK ? DOTS.subarray(0, this.#dots) : DOTS;
      this.#dots -= block.length;
      return block;
    }
    const first = this.#answer();
    if (first === null) return NOTHING;
    const second = this.#answer();
    if (second === null) return first;
    const answers = [first, second];
    let size = first.length + second.length;
    for (let next; size < BLOCK && (next = this.#answer()) !== null; size += next.length) {
      answers.push(next);
    }
    return join(answers, size);
  }

  /** Answers the next request, if it has come and may be answered. */
  #answer(): Uint8Array<ArrayBuffer> | null {
    if (this.#isLast || this.#dots > 0) return null;
    const next = this.#reader.next();
    if (next === null) return null;
    if (next === CONTINUE) return INTERIM;
    return typeof next === "string" ? this.#refuse(next) : this.#respond(next);
  }

  #refuse(status: string): Uint8Array<ArrayBuffer> {
    this.#isLast = true;
    this.#server.options.refuse?.(status, this.#socket);
    return new Answer(status).bytes(this.#server.date, "close", false);
  }

  #respond(request: Request): Uint8Array<ArrayBuffer> {
    const { options, date, now } = this.#server;
    const answer = options.respond(request, this.#socket);
    const hasBody = request.method !== "HEAD";
    this.#isLast = answer.isLast || !request.isKept;
    this.#requestedAt = this.#reader.isEmpty ? 0 : now;
    if (hasBody && typeof answer.body === "number") this.#dots = answer.body;
    const connection = this.#isLast ? "close" : request.minor === 0 ? "keep-alive" : "";
    return answer.bytes(date, connection, hasBody);
  }

  #close(): void {
    discard(this.#server.selector, this.#socket);
    this.#server.forget(this);
  }
}

function join(parts: readonly Uint8Array[], size: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
