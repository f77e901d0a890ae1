import { Buffer } from "node:buffer";
import { assert } from "@std/assert";
import { DefaultSelector, EVENT_READ, EVENT_WRITE } from "../../mod.ts";
import { AF_INET, SOCK_STREAM, Socket } from "../../ffi/socket/mod.ts";
import { DEADLINE } from "../support/deadline.ts";
import { noise, reset } from "../support/sockets.ts";

const LARGEST = 2 << 20;

/** How a connection ends: after a half-close, at once, or with a reset in the middle. */
type Ending = "half-close" | "close" | "reset";

const block = noise(2 * LARGEST);
const buffer = new Uint8Array(1 << 18);

/**
 * Talks to an echo server over many connections at a time, and asserts that the same bytes come
 * back, and nothing else.
 *
 * @returns The number of bytes that came back
 */
export function driveEcho(port: number, connections: number): number {
  using selector = new DefaultSelector<Client, Socket>();
  let total = 0;
  for (let i = 0; i < connections; i++) {
    const ending = (["half-close", "close", "half-close", "reset", "close"] as const)[i % 5];
    const at = i * 7919 % LARGEST;
    new Client(selector, port, block.subarray(at, at + raggedSize(i, connections)), ending);
  }
  while (selector.getMap().size > 0) {
    const ready = selector.select(DEADLINE);
    if (ready.length === 0) throw new Error(`${selector.getMap().size} connections are stuck`);
    for (const [{ data: client }, events] of ready) total += client.step(events);
  }
  return total;
}

/** The sizes that are likely to reveal mistakes, then many small ones and some large ones. */
function raggedSize(i: number, connections: number): number {
  const edges = [0, 1, 2, 65_535, 65_536, 65_537, LARGEST - 1, LARGEST];
  return edges[i] ?? Math.floor(LARGEST * (i * 37 % connections / connections) ** 9);
}

class Client {
  readonly #selector: DefaultSelector<Client, Socket>;
  readonly #socket = new Socket(AF_INET, SOCK_STREAM);
  readonly #data: Uint8Array;
  readonly #ending: Ending;
  #sent = 0;
  #received = 0;

  constructor(
    selector: DefaultSelector<Client, Socket>,
    port: number,
    data: Uint8Array,
    ending: Ending,
  ) {
    this.#selector = selector;
    this.#data = data;
    this.#ending = ending;
    this.#socket.connect({ hostname: "127.0.0.1", port });
    selector.register(this.#socket, EVENT_READ | EVENT_WRITE, this);
  }

  /** Sends and receives as far as the connection is ready. Returns how many bytes came back. */
  step(events: number): number {
    if (events & EVENT_WRITE) this.#send();
    return events & EVENT_READ && this.#socket.fileno() >= 0 ? this.#receive() : 0;
  }

  #send(): void {
    this.#sent += this.#socket.send(this.#data.subarray(this.#sent)) ?? 0;
    if (this.#sent < this.#data.length) return;
    this.#selector.modify(this.#socket, EVENT_READ, this);
    if (this.#ending === "half-close") this.#socket.shutdown("write");
    else if (this.#received === this.#data.length) this.#end();
  }

  #receive(): number {
    const size = this.#socket.recv(buffer);
    if (size === null) return 0;
    const expected = this.#data.subarray(this.#received, this.#received + size);
    const isSame = Buffer.compare(buffer.subarray(0, size), expected) === 0;
    assert(isSame, `What came back after ${this.#received} bytes is not what was sent`);
    this.#received += size;
    if (this.#isDone(size)) this.#end();
    return size;
  }

  #isDone(size: number): boolean {
    const isWhole = this.#received === this.#data.length && this.#sent === this.#data.length;
    switch (this.#ending) {
      case "half-close":
        // The server closes after it has sent everything.
        if (size === 0) assert(isWhole, `The server closed after ${this.#received} bytes`);
        return size === 0;
      case "close":
        return isWhole;
      case "reset":
        return isWhole || this.#received > this.#data.length / 2;
    }
  }

  #end(): void {
    this.#selector.unregister(this.#socket);
    if (this.#ending === "reset") reset(this.#socket);
    else this.#socket.close();
  }
}
