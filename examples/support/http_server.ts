/**
 * The HTTP/1.1 server of the examples: it keeps connections, answers their requests in order, and
 * closes those that are idle or slow. What to answer is up to the example.
 *
 * @module
 */

import { type BaseSelector, EVENT_READ, EVENT_WRITE, OSError } from "@readiness/selectors";
import { IPPROTO_TCP, type Socket, TCP_NODELAY } from "@readiness/selectors/socket";
import { CONTINUE, type Request, RequestReader, TIMEOUT, writeHead } from "./http_requests.ts";
import { Acceptor, type AcceptorOptions } from "./listening.ts";
import { discard } from "./watching.ts";

/** An answer, before the fields that depend on the connection. */
export interface Response {
  /** Such as `200 OK`. */
  readonly status: string;
  /** Header fields, such as `Allow: GET`. */
  readonly fields?: readonly string[];
  /** Text in ASCII, or the size of a body of dots. */
  readonly body?: string | number;
  /** Whether to close the connection after the answer. */
  readonly isLast?: boolean;
}

/** How a server answers. */
export interface ServerOptions extends AcceptorOptions {
  /** Answers a request. */
  respond(request: Request, socket: Socket): Response;
  /** Takes note of a request that is refused. */
  refuse?(status: string, socket: Socket): void;
  /** How long a connection may be silent, in milliseconds. */
  idle: number;
  /** How long a request may take to arrive, in milliseconds. */
  timeout: number;
}

/** How often slow and idle connections are looked for, in milliseconds. */
const SWEEP = 1000;

/** How long a client may take to close after its last answer, in milliseconds. */
const LINGER = 5000;

/** A piece of a body; also how many bytes of answers are written at once. */
const BLOCK = new Uint8Array(64 * 1024).fill(0x2e);

const NOTHING = new Uint8Array();

const encoder = new TextEncoder();
const buffer = new Uint8Array(64 * 1024);

/** A server on a listening socket. */
export class HttpServer {
  readonly selector: BaseSelector<(events: number) => void, Socket>;
  readonly options: ServerOptions;
  /** The `Date` field. */
  date = "";
  readonly #acceptor: Acceptor;
  readonly #connections = new Set<Connection>();
  #swept = -Infinity;

  constructor(
    selector: BaseSelector<(events: number) => void, Socket>,
    socket: Socket,
    options: ServerOptions,
  ) {
    this.selector = selector;
    this.options = options;
    this.#acceptor = new Acceptor(selector, socket, (connection) => {
      connection.setOption(IPPROTO_TCP, TCP_NODELAY, 1);
      this.#connections.add(new Connection(this, connection));
    }, options);
    this.update();
  }

  /** How long a wait may last, in milliseconds. */
  get timeout(): number | undefined {
    return this.#connections.size > 0 ? SWEEP : this.#acceptor.timeout;
  }

  /**
   * Accepts again if there is room, and closes slow and idle connections. Call it after each wait.
   */
  update(): void {
    const now = performance.now();
    if (now - this.#swept >= SWEEP) {
      this.#swept = now;
      this.date = `Date: ${new Date().toUTCString()}`;
      for (const connection of this.#connections) connection.check(now);
    }
    this.#acceptor.update();
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
  #filler = 0; // How many bytes of a body are still to be produced.
  #isLast = false;
  #lastActive = performance.now();
  /** When the request that is arriving started to, or 0. */
  #requestedAt = 0;

  constructor(server: HttpServer, socket: Socket) {
    this.#server = server;
    this.#socket = socket;
    server.selector.register(socket, EVENT_READ, this.#receive);
  }

  /** Closes the connection if it is idle, and refuses a request that takes too long. */
  check(now: number): void {
    const { idle, timeout } = this.#server.options;
    const isSending = this.#unsent.length > 0;
    if (now - this.#lastActive >= (this.#isLast && !isSending ? LINGER : idle)) {
      return this.#close();
    }
    if (this.#isLast || isSending || this.#requestedAt === 0) return;
    if (now - this.#requestedAt >= timeout) {
      this.#attempt(() => {
        this.#unsent = encoder.encode(this.#refuse(TIMEOUT));
        this.#send();
      });
    }
  }

  readonly #receive = (): void =>
    this.#attempt(() => {
      const size = this.#socket.recv(buffer);
      if (size === 0) return this.#close();
      // What follows the last request is read and dropped: closing with something unread would
      // reset the connection, and the client would lose the answer.
      if (size === null || this.#isLast) return;
      this.#lastActive = performance.now();
      this.#requestedAt ||= this.#lastActive;
      this.#reader.push(buffer.subarray(0, size));
      this.#send();
    });

  readonly #sendMore = (): void => this.#attempt(() => this.#send());

  /** Sends once, so that every connection has its turn, and watches for the next event. */
  #send(): void {
    if (this.#unsent.length === 0) this.#unsent = this.#produce();
    if (this.#unsent.length > 0) {
      const sent = this.#socket.send(this.#unsent);
      if (sent !== null) {
        this.#lastActive = performance.now();
        this.#unsent = this.#unsent.subarray(sent);
        if (this.#unsent.length === 0) this.#unsent = this.#produce();
      }
    }
    const { selector } = this.#server;
    const isSending = this.#unsent.length > 0;
    const wasSending = selector.getKey(this.#socket).events === EVENT_WRITE;
    if (isSending && !wasSending) selector.modify(this.#socket, EVENT_WRITE, this.#sendMore);
    if (!isSending && wasSending) {
      // While it did not read, the client could not go on with its request.
      if (this.#requestedAt !== 0) this.#requestedAt = this.#lastActive;
      selector.modify(this.#socket, EVENT_READ, this.#receive);
    }
    if (!isSending && this.#isLast) this.#socket.shutdown("write");
  }

  /** Returns the bytes to send next: the rest of a body, or answers to the requests so far. */
  #produce(): Uint8Array<ArrayBuffer> {
    if (this.#filler > 0) {
      const block = BLOCK.subarray(0, Math.min(this.#filler, BLOCK.length));
      this.#filler -= block.length;
      return block;
    }
    let answers = "";
    while (!this.#isLast && this.#filler === 0 && answers.length < BLOCK.length) {
      const next = this.#reader.next();
      if (next === null) break;
      answers += next === CONTINUE
        ? `HTTP/1.1 ${CONTINUE}\r\n\r\n`
        : typeof next === "string"
        ? this.#refuse(next)
        : this.#respond(next);
    }
    return answers === "" ? NOTHING : encoder.encode(answers);
  }

  #refuse(status: string): string {
    this.#isLast = true;
    this.#server.options.refuse?.(status, this.#socket);
    return writeHead(status, 0, this.#server.date, "Connection: close");
  }

  #respond(request: Request): string {
    const response = this.#server.options.respond(request, this.#socket);
    const { status, fields = [], body = "", isLast = !request.isKept } = response;
    const size = typeof body === "number" ? body : body.length;
    const head = [this.#server.date];
    if (isLast) head.push("Connection: close");
    else if (request.minor === 0) head.push("Connection: keep-alive");
    this.#isLast = isLast;
    this.#requestedAt = this.#reader.isEmpty ? 0 : performance.now();
    const text = writeHead(status, size, ...head, ...fields);
    if (request.method === "HEAD") return text;
    if (typeof body === "string") return text + body;
    this.#filler = body;
    return text;
  }

  /** An error of one connection, such as a reset, ends that connection alone. */
  #attempt(step: () => void): void {
    if (this.#socket.fileno() < 0) return; // It was closed as idle, just before this event.
    try {
      step();
    } catch (error) {
      if (!(error instanceof OSError)) throw error;
      this.#close();
    }
  }

  #close(): void {
    discard(this.#server.selector, this.#socket);
    this.#server.forget(this);
  }
}
