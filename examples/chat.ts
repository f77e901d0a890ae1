/**
 * A chat server inside Deno's event loop: `for await` over a selector, next to timers, a signal
 * listener and an AbortSignal, none of which could run while a blocking `select` waits.
 *
 * What it shows: lines from a stream of bytes, a bounded outgoing buffer for each reader, dropping
 * who is idle, and saying goodbye to everyone before ending.
 *
 *     deno run --allow-ffi examples/chat.ts
 *     nc 127.0.0.1 1235
 *
 * @module
 */

import { DefaultSelector, EVENT_READ, EVENT_WRITE, OSError } from "@readiness/selectors";
import type { Socket } from "@readiness/selectors/socket";
import {
  format,
  interruption,
  parseCommandLine,
  parseInteger,
  parsePort,
  run,
} from "./support/command_line.ts";
import { bind, hasNoRoom, REST } from "./support/listening.ts";

const USAGE = `Usage: chat.ts [OPTIONS]

Passes on what each guest says to all others, until it is interrupted (Ctrl-C). Join with nc: the
first line is your name.

Options:
  --hostname HOST  the address to listen on (127.0.0.1)
  --port PORT      the port to listen on; 0 lets the system pick one (1235)
  --idle SECONDS   drop who has said nothing for so long (300)
  --verbose        log who comes and goes
  --help           show this and exit`;

/** The longest line that a guest may say, in bytes. */
const LONGEST_LINE = 4096;

/** What is kept for a guest who does not read, in bytes. One who has more unread is dropped. */
const MOST_UNSENT = 256 * 1024;

/** How long a goodbye may take, in milliseconds. */
const GOODBYE = 1000;

const NEWLINE = 10;

/** One to 32 characters, none of which makes the name look like a notice or a message. */
const NAME = /^(?!\*)[^:]{1,32}$/u;

/** Where bytes are received. */
const buffer = new Uint8Array(64 * 1024);

interface Settings {
  /** After how many milliseconds of silence a guest is dropped. */
  idle: number;
  /** Whether to log who comes and goes. */
  verbose: boolean;
}

/** The room that all guests are in, and its door. */
class Chat {
  readonly selector = new DefaultSelector<Guest | undefined, Socket>();
  readonly settings: Settings;
  readonly #server: Socket;
  readonly #guests = new Set<Guest>();
  #rest: ReturnType<typeof setTimeout> | undefined;
  #isEnding = false;

  constructor(server: Socket, settings: Settings) {
    this.#server = server;
    this.settings = settings;
  }

  /** Serves until the signal is aborted and everyone has left. */
  async run(signal: AbortSignal): Promise<void> {
    this.#server.listen();
    this.#startAccepting();
    signal.addEventListener("abort", () => this.#end());
    const { constructor } = this.selector;
    console.log(`listening on ${format(this.#server.localAddress)} (${constructor.name})`);
    for await (const [{ data: guest }, events] of this.selector) {
      if (guest === undefined) this.#accept();
      else guest.serve(events);
    }
  }

  /** Lets a guest join, unless another has that name. */
  join(guest: Guest, name: string): boolean {
    const others = [...this.#guests].map((other) => other.name).filter((other) => other !== "");
    if (others.includes(name)) return false;
    guest.name = name;
    guest.hear(`* Welcome, ${name}. Here are: ${others.join(", ") || "only you"}`);
    this.tell(`* ${name} joined`, guest);
    return true;
  }

  /** Tells everyone who has a name, but not the one who says it. */
  tell(text: string, from?: Guest): void {
    const line = encode(text);
    for (const guest of this.#guests) {
      if (guest !== from && guest.name !== "") guest.hear(line);
    }
  }

  /** Takes note that a guest is gone. */
  forget(guest: Guest): void {
    this.#guests.delete(guest);
    if (this.#isEnding) {
      if (this.#guests.size === 0) this.selector.close();
      return;
    }
    if (this.#rest !== undefined) this.#startAccepting();
    // A guest can be lost while all are being told something: that goes first.
    if (guest.name !== "") queueMicrotask(() => this.tell(`* ${guest.name} left`));
  }

  #startAccepting(): void {
    clearTimeout(this.#rest);
    this.#rest = undefined;
    this.selector.register(this.#server, EVENT_READ);
  }

  #accept(): void {
    try {
      for (let socket; (socket = this.#server.accept()) !== null;) {
        const guest = new Guest(this, socket);
        this.#guests.add(guest);
        guest.greet();
      }
    } catch (error) {
      if (!hasNoRoom(error)) throw error;
      console.error(`${error.message}; resting from accepting`);
      this.selector.unregister(this.#server);
      this.#rest = setTimeout(() => this.#startAccepting(), REST);
    }
  }

  /** Closes the door and says goodbye. The last guest to leave ends the program. */
  #end(): void {
    this.#isEnding = true;
    if (this.#rest === undefined) this.selector.unregister(this.#server);
    clearTimeout(this.#rest);
    this.#server.close();
    if (this.#guests.size === 0) this.selector.close();
    for (const guest of this.#guests) guest.dismiss("* The chat ends here. Goodbye!");
  }
}

/** One connection. */
class Guest {
  /** What the others call this guest; empty before the first line. */
  name = "";
  readonly #chat: Chat;
  readonly #socket: Socket;
  readonly #lines = new Lines();
  readonly #unsent: Uint8Array[] = [];
  #unsentSize = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isDismissed = false;

  constructor(chat: Chat, socket: Socket) {
    this.#chat = chat;
    this.#socket = socket;
    chat.selector.register(socket, EVENT_READ, this);
  }

  /** Asks for the name. */
  greet(): void {
    this.#log("connected");
    this.#restartTimer();
    this.hear("* Who are you? Your first line is your name");
  }

  /** Does what the connection is ready for. */
  serve(events: number): void {
    this.#attempt(() => {
      if (events & EVENT_WRITE) this.#send();
      if (events & EVENT_READ && !this.#isGone) this.#receive();
    });
  }

  /** Sends a line, or keeps what the guest does not take yet. */
  hear(line: string | Uint8Array): void {
    if (this.#isGone) return;
    const bytes = typeof line === "string" ? encode(line) : line;
    this.#unsent.push(bytes);
    this.#unsentSize += bytes.length;
    if (this.#unsent.length === 1) this.#attempt(() => this.#send());
    if (this.#unsentSize <= MOST_UNSENT || this.#isGone) return;
    console.error(`${this} does not read and is dropped, with ${this.#unsentSize} bytes unsent`);
    this.#leave("dropped");
  }

  /** Sends a last line and closes, once everything is taken or the time for it is up. */
  dismiss(line: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#leave("dropped"), GOODBYE);
    this.#isDismissed = true;
    this.hear(line);
  }

  toString(): string {
    return this.name === "" ? `fd ${this.#socket.fileno()}` : this.name;
  }

  get #isGone(): boolean {
    return this.#socket.fileno() < 0;
  }

  #receive(): void {
    const size = this.#socket.recv(buffer);
    if (size === null) return;
    for (const line of this.#lines.cut(buffer.subarray(0, size))) {
      if (!this.#isDismissed && !this.#isGone) this.#say(line);
    }
    if (size === 0 && !this.#isGone) this.#leave("left");
  }

  #say(line: string | null): void {
    this.#restartTimer();
    if (line === null) {
      this.hear(`* That line is left out: it has more than ${LONGEST_LINE} bytes`);
    } else if (this.name === "") {
      this.#introduce(line.trim());
    } else if (line !== "") {
      this.#chat.tell(`${this.name}: ${line}`, this);
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
      // To close with something unread is to reset the connection, and what was sent with it.
      this.#socket.recv(buffer);
      return this.#leave("dismissed");
    }
    const events = unsent.length > 0 ? EVENT_READ | EVENT_WRITE : EVENT_READ;
    const { selector } = this.#chat;
    if (selector.getKey(this.#socket).events !== events) {
      selector.modify(this.#socket, events, this);
    }
  }

  #restartTimer(): void {
    clearTimeout(this.#timer);
    const { idle } = this.#chat.settings;
    this.#timer = setTimeout(
      () => this.dismiss(`* You have said nothing for ${idle / 1000} s. Goodbye!`),
      idle,
    );
  }

  /** A connection that breaks, such as by a reset, ends alone. */
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
    this.#chat.selector.unregister(this.#socket);
    this.#socket.close();
    this.#chat.forget(this);
  }

  #log(text: string): void {
    if (this.#chat.settings.verbose) console.log(`${this} ${text}`);
  }
}

/** Cuts what arrives into lines, of which the first and the last piece are often a part. */
class Lines {
  #half = new Uint8Array();
  #isTooLong = false;

  /** Gives the lines that are whole; no bytes are the end, and make half a line whole. */
  *cut(bytes: Uint8Array): Generator<string | null> {
    let start = 0;
    for (let end; (end = bytes.indexOf(NEWLINE, start)) >= 0; start = end + 1) {
      this.#keep(bytes.subarray(start, end));
      yield this.#finish();
    }
    this.#keep(bytes.subarray(start));
    if (bytes.length === 0 && this.#half.length > 0) yield this.#finish();
  }

  #keep(piece: Uint8Array): void {
    const { length } = this.#half;
    this.#isTooLong ||= length + piece.length > LONGEST_LINE;
    if (this.#isTooLong || piece.length === 0) return;
    const half = new Uint8Array(length + piece.length);
    half.set(this.#half);
    half.set(piece, length);
    this.#half = half;
  }

  /** Gives the line, or null if it is too long. It is decoded whole: pieces may split a letter. */
  #finish(): string | null {
    const line = this.#isTooLong ? null : decode(this.#half);
    this.#half = new Uint8Array();
    this.#isTooLong = false;
    return line;
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function encode(line: string): Uint8Array {
  return encoder.encode(`${line}\n`);
}

/** Decodes a line. What is no UTF-8, or would command a terminal, becomes U+FFFD. */
function decode(line: Uint8Array): string {
  return decoder.decode(line).replace(/\r$/, "").replace(/(?!\t)\p{Cc}/gu, "\ufffd");
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
  const chat = new Chat(server, { idle, verbose: options.verbose });
  await chat.run(interruption());
});
