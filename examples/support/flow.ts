/**
 * What the examples have in common that pass bytes on.
 *
 * @module
 */

import { type BaseSelector, EVENT_READ, EVENT_WRITE } from "@readiness/selectors";
import type { FileDescriptor } from "@readiness/selectors/socket";

/** How a direction differs from a stream of bytes that passes its end on. */
export interface FlowOptions {
  /** How much is held at the most, in bytes (64 KiB). */
  room?: number;
  /** Whether to read nothing is no end: a datagram can be empty. */
  isEndless?: boolean;
  /** What to do once, when everything up to the end has been passed on. */
  end?: () => void;
}

/**
 * One direction between two descriptors that do not block. What is read is written before anything
 * more is read, so that a slow sink slows its source, and never is more held than there is room for.
 */
export class Flow {
  readonly #source: FileDescriptor;
  readonly #sink: FileDescriptor;
  readonly #options: FlowOptions;
  readonly #buffer: Uint8Array<ArrayBuffer>;
  #held = new Uint8Array();
  #isEnded = false;

  constructor(source: FileDescriptor, sink: FileDescriptor, options: FlowOptions = {}) {
    this.#source = source;
    this.#sink = sink;
    this.#options = options;
    this.#buffer = new Uint8Array(options.room ?? 64 * 1024);
  }

  /** What to watch the source for. */
  get sourceEvents(): number {
    return this.#isEnded || this.#held.length > 0 ? 0 : EVENT_READ;
  }

  /** What to watch the sink for. */
  get sinkEvents(): number {
    return this.#held.length > 0 ? EVENT_WRITE : 0;
  }

  /** Whether everything has been passed on and nothing more comes. */
  get isDone(): boolean {
    return this.#isEnded && this.#held.length === 0;
  }

  /** Reads once, from a source that is ready, and passes on what the sink takes. */
  fill(): void {
    const size = this.#source.read(this.#buffer);
    if (size === null) return;
    if (size > 0) {
      this.#held = this.#buffer.subarray(0, size);
      this.drain();
    } else if (!this.#options.isEndless) {
      this.#isEnded = true;
      this.#options.end?.();
    }
  }

  /** Passes on what the sink takes of what is held. */
  drain(): void {
    this.#held = this.#held.subarray(this.#sink.write(this.#held) ?? 0);
  }

  /** Gives up: nothing more is read or written. */
  abandon(): void {
    this.#isEnded = true;
    this.#held = new Uint8Array();
  }
}

/** Watches a file for events from now on, of which none is to watch it not at all. */
export function watch<Data, File extends FileDescriptor>(
  selector: BaseSelector<Data, File>,
  file: File,
  events: number,
  data: Data,
): void {
  const key = selector.getMap().get(file);
  if (key?.events === events) return;
  if (key === undefined) {
    if (events !== 0) selector.register(file, events, data);
  } else if (events === 0) selector.unregister(file);
  else selector.modify(file, events, data);
}
