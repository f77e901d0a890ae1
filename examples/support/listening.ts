/**
 * Listening sockets of the examples: making one, and accepting its connections.
 *
 * @module
 */

import { type BaseSelector, EVENT_READ, OSError } from "@readiness/selectors";
import type { FileDescriptor } from "@readiness/selectors/fd";
import {
  type InternetAddress,
  SO_REUSEADDR,
  SOCK_STREAM,
  Socket,
  SOL_SOCKET,
} from "@readiness/selectors/socket";
import { familyOf } from "./addresses.ts";
import { warnSeldom } from "./output.ts";
import { discard, watch } from "./registrations.ts";
import { hasNoRoom } from "./shortage.ts";

/** How long to rest if no connection ends, in milliseconds. */
const REST = 1000;

/** How many connections to accept before those that are open have their turn. */
const TURN = 64;

/** On Windows SO_REUSEADDR would share the port, and a port is free again at once without it. */
const REUSE = Deno.build.os === "windows" ? [] : [SO_REUSEADDR];

/** Makes and binds a stream socket, with these options beside `SO_REUSEADDR`. */
export function bind(address: InternetAddress, ...options: number[]): Socket {
  const socket = new Socket(familyOf(address.hostname), SOCK_STREAM);
  for (const option of [...REUSE, ...options]) socket.setOption(SOL_SOCKET, option, 1);
  socket.bind(address);
  return socket;
}

/** Errors of `accept` that will not pass. */
const PERMANENT = ["EBADF", "EFAULT", "EINVAL", "ENOTSOCK", "EOPNOTSUPP"];

/** Options of an acceptor. */
export interface AcceptorOptions {
  /**
   * Whether there is room for a connection; others wait in the backlog (there always is). It may
   * throw when descriptors run out.
   */
  hasRoom?: () => boolean;
  /** What to watch the socket for, with modes (`EVENT_READ`). */
  events?: number;
}

/**
 * Accepts the connections of a listening socket.
 *
 * When it cannot accept one, mostly because descriptors or memory run out, it rests for a second,
 * or until a connection ends. Watching the socket meanwhile would spin: the connection that waits
 * keeps it readable.
 */
export class Acceptor {
  readonly #selector: BaseSelector<(events: number) => void, FileDescriptor>;
  readonly #socket: Socket;
  readonly #serve: (connection: Socket) => void;
  readonly #hasRoom: () => boolean;
  readonly #events: number;
  /** What the socket is watched for. */
  #watched = 0;
  #restsUntil = 0;
  #isClosed = false;

  /**
   * Starts to accept.
   *
   * @param selector Calls the functions that are its data
   * @param socket A listening socket
   * @param serve Takes each connection, and calls `resume` when it has ended
   */
  constructor(
    selector: BaseSelector<(events: number) => void, FileDescriptor>,
    socket: Socket,
    serve: (connection: Socket) => void,
    { hasRoom = () => true, events = EVENT_READ }: AcceptorOptions = {},
  ) {
    this.#selector = selector;
    this.#socket = socket;
    this.#serve = serve;
    this.#hasRoom = hasRoom;
    this.#events = events;
    this.update();
  }

  /** Whether it rests. */
  get isResting(): boolean {
    return this.#restsUntil !== 0;
  }

  /** How long a wait may last, in milliseconds: while it rests, until the rest is over. */
  get timeout(): number | undefined {
    return this.isResting ? Math.max(this.#restsUntil - performance.now(), 1) : undefined;
  }

  /** Watches the socket when there is room for a connection. To be called after each wait. */
  update(): void {
    if (this.#isClosed) return;
    if (this.isResting && this.#restsUntil <= performance.now()) this.#restsUntil = 0;
    this.#orRest(this.#watch);
  }

  /** Rests from now on. */
  rest(): void {
    if (this.#isClosed) return;
    this.#restsUntil = performance.now() + REST;
  }

  /** Ends a rest: a connection has ended, which leaves room for another. */
  resume(): void {
    this.#restsUntil = 0;
  }

  /** Closes the socket. */
  close(): void {
    this.#isClosed = true;
    this.#restsUntil = 0;
    discard(this.#selector, this.#socket);
  }

  readonly #watch = (): void => {
    const events = !this.isResting && this.#hasRoom() ? this.#events : 0;
    if (events === this.#watched) return;
    watch(this.#selector, this.#socket, events, this.#accept);
    this.#watched = events;
  };

  readonly #accept = (): void =>
    this.#orRest(() => {
      for (let i = 0; i < TURN && this.#hasRoom(); i++) {
        const connection = this.#socket.accept();
        if (connection === null) return;
        this.#take(connection);
      }
    });

  #take(connection: Socket): void {
    try {
      this.#serve(connection);
    } catch (error) {
      if (!(error instanceof OSError)) throw error;
      discard(this.#selector, connection);
      if (hasNoRoom(error)) throw error;
    }
  }

  #orRest(step: () => void): void {
    try {
      step();
    } catch (error) {
      if (!(error instanceof OSError) || PERMANENT.includes(error.code)) throw error;
      warnSeldom(`${error.message}; resting from accepting`);
      this.rest();
      watch(this.#selector, this.#socket, 0, this.#accept);
      this.#watched = 0;
    }
  }
}
