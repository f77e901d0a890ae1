/**
 * Talks with a peer for `nc.ts`: standard input goes to a socket, and what it receives is printed.
 *
 * @module
 */

import { DefaultSelector, EVENT_READ, EVENT_WRITE, OSError } from "@readiness/selectors";
import { FileDescriptor } from "@readiness/selectors/fd";
import type { Socket } from "@readiness/selectors/socket";
import { Flow } from "./flow.ts";
import { watch } from "./registrations.ts";

/** The largest datagram to read from standard input, in bytes; nc has the same. */
const DATAGRAM = 16 * 1024;

/**
 * Room for a received datagram, in bytes: UDP has less, and so has Linux by default for Unix
 * sockets.
 */
const LARGEST_DATAGRAM = 256 * 1024;

/** Options of a conversation. */
export interface ConversationOptions {
  readonly isDatagram: boolean;
  /** Whether to close the sending side at the end of the input. */
  readonly halfClose: boolean;
  /** Whether to end with the peer, whether or not there is more input. */
  readonly endsWithPeer: boolean;
  /** How long to wait for data, in milliseconds. */
  readonly patience: number;
  /** How long to go on after the end of the input, in milliseconds. */
  readonly quit: number;
  readonly signal: AbortSignal;
}

/** Talks with a peer, or with one after the other. */
export class Conversation {
  /** Whether there is more input. */
  isInputOpen = true;
  readonly #options: ConversationOptions;
  readonly #input = new FileDescriptor(0);
  readonly #output = new FileDescriptor(1);

  constructor(options: ConversationOptions) {
    this.#options = options;
  }

  /** Talks to a peer, while standard input and output do not block: restores them at the end. */
  async talk(socket: Socket): Promise<void> {
    const blocking = [this.#input, this.#output].filter((file) => file.isBlocking());
    try {
      blocking.forEach((file) => file.setBlocking(false));
      await this.#exchange(socket);
    } finally {
      blocking.forEach((file) => file.setBlocking(true));
    }
  }

  async #exchange(socket: Socket): Promise<void> {
    const { isDatagram, halfClose, endsWithPeer, patience, quit, signal } = this.#options;
    using selector = new DefaultSelector<(events: number) => void, FileDescriptor>();
    let deadline = this.isInputOpen ? Infinity : performance.now() + quit;
    const end = () => {
      this.isInputOpen = false;
      deadline = performance.now() + quit;
      if (halfClose && !isDatagram) socket.shutdown("write");
    };
    const up = new Flow(this.#input, socket, { end, ...isDatagram ? { room: DATAGRAM } : {} });
    const down = isDatagram
      ? new Flow(socket, this.#output, { room: LARGEST_DATAGRAM, isEndless: true })
      : new Flow(socket, this.#output);
    const files = new Set<FileDescriptor>();
    let failure: OSError | undefined;
    if (!this.isInputOpen) up.abandon();

    while ((!down.isDone || !up.isDone && !endsWithPeer) && performance.now() < deadline) {
      watch(selector, socket, up.sinkEvents | down.sourceEvents, serve);
      const steps = [
        ...observe(this.#input, up.sourceEvents, () => send(() => up.fill())),
        ...observe(this.#output, down.sinkEvents, () => down.drain()),
      ];
      const left = Math.min(patience, Math.max(deadline - performance.now(), 0));
      const ready = await selector.selectAsync(steps.length > 0 ? 0 : left, { signal });
      if (ready.length === 0 && steps.length === 0) break; // Nothing has come or gone.
      for (const step of steps) step();
      for (const [key, events] of ready) key.data(events);
    }
    if (failure !== undefined) throw failure;

    function serve(events: number): void {
      if (events & EVENT_WRITE) send(() => up.drain());
      if (events & EVENT_READ) down.fill();
    }

    /** Sends. If the peer takes no more, what it sent before is still received. */
    function send(step: () => void): void {
      try {
        step();
      } catch (error) {
        if (!(error instanceof OSError) || isDatagram) throw error;
        failure = error;
        up.abandon();
      }
    }

    /** Watches a file, or returns the step to take at once if the file is always ready. */
    function observe(file: FileDescriptor, events: number, step: () => void): (() => void)[] {
      try {
        if (!files.has(file)) watch(selector, file, events, step);
      } catch (error) {
        // epoll refuses regular files and /dev/null.
        if (!(error instanceof OSError) || error.code !== "EPERM") throw error;
        files.add(file);
      }
      return files.has(file) && events !== 0 ? [step] : [];
    }
  }
}
