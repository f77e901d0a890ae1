/**
 * A chat server in Deno's event loop: `for await` over a selector, beside timers, a signal listener
 * and an AbortSignal, none of which could run while a blocking `select` waits.
 *
 * It shows lines in a stream of bytes, a bounded outgoing buffer for each guest, a limit on idle
 * guests, and how to say goodbye to everyone before the end.
 *
 *     deno run --allow-ffi jsr:@readiness/selectors/chat
 *     nc 127.0.0.1 1235
 *
 * @module
 */

import { DefaultSelector, EVENT_READ, EVENT_WRITE, OSError } from "@readiness/selectors";
import type { Socket } from "@readiness/selectors/socket";
import { formatAddress, peerOf } from "./support/addresses.ts";
import {
  interruption,
  parseCommandLine,
  parseInteger,
  parsePort,
  run,
} from "./support/command_line.ts";
import { Lines } from "./support/lines.ts";
import { Acceptor, bind } from "./support/listening.ts";
import { log, print, warn } from "./support/output.ts";
import { discard, watch } from "./support/registrations.ts";
import { hasNoRoom, rest } from "./support/shortage.ts";

const USAGE = `Usage: chat.ts [OPTIONS]

Sends what each guest says to all others, until it is interrupted (Ctrl-C). Join with nc: your first
line is your name.

Options:
  --hostname HOST  the address to listen on (127.0.0.1)
  --port PORT      the port to listen on; 0 lets the system pick one (1235)
  --idle SECONDS   drop a guest who says nothing for this long (300)
  --verbose        log who joins and leaves
  -h, --help       show this and exit`;

/** The longest line of a guest, in bytes. */
const LONGEST_LINE = 4096;

/**
 * How much to keep for a guest who does not read, in bytes. A guest with more unread is dropped.
 */
const MOST_UNSENT = 256 * 1024;

/** How long a goodbye may take, in milliseconds. */
const GOODBYE = 1000;

/** One to 32 characters that do not make the name look like a notice or a message. */
const NAME = /^(?!\*)[^:]{1,32}$/u;

/**
 * How much to read from a guest in a row, in bytes. A short line becomes a long one for everybody
 * else, so more would take too long, and too much room.
 */
const TURN = 2048;

const encoder = new TextEncoder();
const buffer = new Uint8Array(TURN);

interface Settings {
  /** After how many milliseconds of silence to drop a guest. */
  idle: number;
  /** Whether to log who joins and leaves. */
  verbose: boolean;
}

/** The room with all guests. */
class Chat {
  readonly selector: DefaultSelector<(events: number) => void, Socket>;
  readonly settings: Settings;
  readonly #server: Socket;
  readonly #acceptor: Acceptor;
  readonly #guests = new Set<Guest>();
  #rest: ReturnType<typeof setTimeout> | undefined;
  #isEnding = false;

  constructor(
    selector: DefaultSelector<(events: number) => void, Socket>,
    server: Socket,
    settings: Settings,
  ) {
    this.selector = selector;
    this.#server = server;
    this.settings = settings;
    this.#acceptor = new Acceptor(this.selector, server, (socket) => this.#welcome(socket));
  }

  /** Serves until the signal is aborted and everyone has left. */
  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener("abort", () => this.#end());
    const { constructor } = this.selector;
    print(`listening on ${formatAddress(this.#server.localAddress)} (${constructor.name})`);
    while (!this.#isOver) {
      try {
        for await (const [{ data: serve }, events] of this.selector) {
          serve(events);
          this.#update();
        }
      } catch (error) {
        if (!hasNoRoom(error)) throw error;
        await rest(error);
      }
    }
  }

  get #isOver(): boolean {
    return this.#isEnding && this.#guests.size === 0;
  }

  /** Lets a guest join, unless another one has that name. */
  join(guest: Guest, name: string): boolean {
    const others = [...this.#guests].map((other) => other.name).filter((other) => other !== "");
    if (others.includes(name)) return false;
    guest.name = name;
    guest.hear(`* Welcome, ${name}. Here are: ${others.join(", ") || "only you"}`);
    this.tell(`* ${name} joined`, guest);
    return true;
  }

  /** Sends a line to everyone who has joined, except the guest who says it. */
  tell(text: string, from?: Guest): void {
    const line = encoder.encode(`${text}\n`);
    for (const guest of this.#guests) {
      if (guest !== from && guest.name !== "") guest.hear(line);
    }
  }

  /** Forgets a guest who has left. */
  forget(guest: Guest): void {
    this.#guests.delete(guest);
    this.#acceptor.resume();
    if (this.#isEnding) {
      if (this.#isOver) this.selector.close();
      return;
    }
    // A guest can be dropped while everyone is sent a line, which goes first.
    if (guest.name !== "") queueMicrotask(() => this.tell(`* ${guest.name} left`));
    this.#update();
  }

  /** Accepts while there is room. The iterator has no timeout, so a timer ends a rest. */
  #update(): void {
    this.#acceptor.update();
    clearTimeout(this.#rest);
    const { timeout } = this.#acceptor;
    if (timeout !== undefined) this.#rest = setTimeout(() => this.#update(), timeout);
  }

  #welcome(socket: Socket): void {
    const guest = new Guest(this, socket);
    this.#guests.add(guest);
    guest.greet();
  }

  /** Stops accepting and says goodbye. The last guest who leaves ends the program. */
  #end(): void {
    this.#isEnding = true;
    this.#acceptor.close();
    clearTimeout(this.#rest);
    if (this.#isOver) this.selector.close();
    for (const guest of this.#guests) guest.dismiss("* The chat ends here. Goodbye!");
  }
}

/** A connection. */
class Guest {
  /** The name, which is empty before the guest has joined. */
  name = "";
  readonly #chat: Chat;
  readonly #socket: Socket;
  readonly #peer: string;
  readonly #lines = new Lines(LONGEST_LINE);
  readonly #unsent: Uint8Array[] = [];
  #unsentSize = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isDismissed = false;

  constructor(chat: Chat, socket: Socket) {
    this.#chat = chat;
    this.#socket = socket;
    this.#peer = peerOf(socket);
    chat.selector.register(socket, EVENT_READ, this.#serve);
  }

  /** Asks for the name. */
  greet(): void {
    this.#log("connected");
    this.#restartTimer();
    this.hear("* Who are you? Your first line is your name");
  }

  readonly #serve = (events: number): void =>
    this.#attempt(() => {
      if (events & EVENT_WRITE) this.#send();
      if (events & EVENT_READ && !this.#isGone) this.#receive();
    });

  /** Sends a line, and keeps what the guest does not take yet. */
  hear(line: string | Uint8Array): void {
    if (this.#isGone) return;
    const bytes = typeof line === "string" ? encoder.encode(`${line}\n`) : line;
    this.#unsent.push(bytes);
    this.#unsentSize += bytes.length;
    if (this.#unsent.length === 1) this.#attempt(() => this.#send());
    if (this.#unsentSize <= MOST_UNSENT || this.#isGone) return;
    warn(`${this} does not read and is dropped, with ${this.#unsentSize} bytes unsent`);
    this.#leave("dropped");
  }

  /** Sends a last line, and closes when the guest has taken everything or the time for it is up. */
  dismiss(line: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#leave("dropped"), GOODBYE);
    this.#isDismissed = true;
    this.hear(line);
  }

  toString(): string {
    return this.name === "" ? this.#peer : `${this.#peer} ${this.name}`;
  }

  get #isGone(): boolean {
    return this.#socket.fileno() < 0;
  }

  #receive(): void {
    const size = this.#socket.recv(buffer);
    if (size === null) return;
    const said: string[] = [];
    let hasSpoken = false;
    for (const line of this.#lines.cut(buffer.subarray(0, size))) {
      if (this.#isDismissed || this.#isGone) break;
      hasSpoken = true;
      this.#say(line, said);
    }
    if (hasSpoken && !this.#isDismissed && !this.#isGone) this.#restartTimer();
    // All at once: a call for each line and each guest would take too long.
    if (said.length > 0) this.#chat.tell(said.join("\n"), this);
    if (size === 0 && !this.#isGone) this.#leave("left");
  }

  #say(line: string | null, said: string[]): void {
    if (line === null) {
      this.hear(`* That line is dropped: it has more than ${LONGEST_LINE} bytes`);
    } else if (this.name === "") {
      this.#introduce(line.trim());
    } else if (line !== "") {
      said.push(`${this.name}: ${line}`);
    }
  }

  #introduce(name: string): void {
    if (!NAME.test(name)) {
      this.hear("* A name has 1 to 32 characters, no colon and no leading asterisk. Another?");
    } else if (!this.#chat.join(this, name)) {
      this.hear(`* There is a ${name} here already. Another name?`);
    } else this.#log("joined");
  }

  #send(): void {
    const unsent = this.#unsent;
    for (let sent; unsent.length > 0 && (sent = this.#socket.send(unsent[0])) !== null;) {
      this.#unsentSize -= sent;
      if (sent < unsent[0].length) unsent[0] = unsent[0].subarray(sent);
      else unsent.shift();
    }
    if (unsent.length === 0 && this.#isDismissed) {
      // Closing with something unread would reset the connection, and the guest would lose the
      // line.
      for (let i = 0; i < 32 && (this.#socket.recv(buffer) ?? 0) > 0; i++);
      return this.#leave("dismissed");
    }
    const events = unsent.length > 0 ? EVENT_READ | EVENT_WRITE : EVENT_READ;
    watch(this.#chat.selector, this.#socket, events, this.#serve);
  }

  #restartTimer(): void {
    clearTimeout(this.#timer);
    const { idle } = this.#chat.settings;
    this.#timer = setTimeout(
      () => this.dismiss(`* You have said nothing for ${idle / 1000} s. Goodbye!`),
      idle,
    );
  }

  /** An error of one connection, such as a reset, ends that connection alone. */
  #attempt(step: () => void): void {
    try {
      step();
    } catch (error) {
      if (!(error instanceof OSError)) throw error;
      this.#leave(error.message);
    }
  }

  #leave(reason: string): void {
    this.#log(reason);
    clearTimeout(this.#timer);
    discard(this.#chat.selector, this.#socket);
    this.#chat.forget(this);
  }

  #log(text: string): void {
    if (this.#chat.settings.verbose) log(`${this}`, text);
  }
}

run(async () => {
  const { values: options } = parseCommandLine(USAGE, {
    hostname: { type: "string", default: "127.0.0.1" },
    port: { type: "string", default: "1235" },
    idle: { type: "string", default: "300" },
    verbose: { type: "boolean", default: false },
  });
  const address = { hostname: options.hostname, port: parsePort(options.port) };
  const idle = parseInteger("idle time", options.idle, 1, 1_000_000) * 1000;
  using server = bind(address);
  server.listen();
  const selector = new DefaultSelector<(events: number) => void, Socket>();
  const chat = new Chat(selector, server, { idle, verbose: options.verbose });
  await chat.run(interruption());
});
