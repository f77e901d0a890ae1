/**
 * Passes bytes on from one descriptor to another, in the examples that do.
 *
 * @module
 */

import { EVENT_READ, EVENT_WRITE } from "@readiness/selectors";
import type { FileDescriptor } from "@readiness/selectors/fd";

/** How a direction differs from a stream of bytes. */
export interface FlowOptions {
  /** How many bytes to hold at most (64 KiB). */
  room?: number;
  /** Whether reading 0 bytes is not the end: a datagram can be empty. */
  isEndless?: boolean;
  /** Called once, when everything up to the end has been passed on. */
  end?: () => void;
}

/**
 * One direction between two non-blocking descriptors. It reads when everything that it read before
 * has been written, so that a slow sink slows its source down and memory stays bounded.
 */
export class Flow {
  readonly #source: FileDescriptor;
  readonly #sink: FileDescriptor;
  readonly #options: FlowOptions;
  readonly #buffer: Uint8Array<ArrayBuffer>;
  /** The beginning of the buffer that was written last. Mostly the next one is as long. */
  #beginning: Uint8Array<ArrayBuffer>;
  /** The bytes that are held: from here to there in the buffer. */
  #from = 0;
  #to = 0;
  #isEnded = false;
  #passed = 0;

  constructor(source: FileDescriptor, sink: FileDescriptor, options: FlowOptions = {}) {
    this.#source = source;
    this.#sink = sink;
    this.#options = options;
    this.#beginning = this.#buffer = new Uint8Array(options.room ?? 64 * 1024);
  }

  /** The events to watch the source for. */
  get sourceEvents(): number {
    return this.#isEnded || this.#from < this.#to ? 0 : EVENT_READ;
  }

  /** The events to watch the sink for. */
  get sinkEvents(): number {
    return this.#from < this.#to ? EVENT_WRITE : 0;
  }

  /** Whether everything up to the end has been passed on. */
  get isDone(): boolean {
    return this.#isEnded && this.#from === this.#to;
  }

  /** How many bytes have been passed on. */
  get passed(): number {
    return this.#passed;
  }

  /** Holds bytes to write before the first ones that are read. */
  hold(bytes: Uint8Array): void {
    this.#buffer.set(bytes);
    this.#to = bytes.length;
  }

  /** Reads once from a source that is ready, and writes what the sink takes. */
  fill(): void {
    const size = this.#source.read(this.#buffer);
    if (size === null) return;
    if (size > 0 || this.#options.isEndless) {
      this.#from = 0;
      this.#to = size;
      this.drain();
    } else {
      this.#isEnded = true;
      this.#options.end?.();
    }
  }

  /** Writes what the sink takes of the bytes that are held. */
  drain(): void {
    if (this.#from === this.#to) return;
    const size = this.#sink.write(this.#held()) ?? 0;
    this.#from += size;
    this.#passed += size;
  }

  /** Returns the bytes that are held. */
  #held(): Uint8Array {
    if (this.#from > 0) return this.#buffer.subarray(this.#from, this.#to);
    if (this.#beginning.length !== this.#to) this.#beginning = this.#buffer.subarray(0, this.#to);
    return this.#beginning;
  }

  /** Drops what is held, and reads and writes nothing any more. */
  abandon(): void {
    this.#isEnded = true;
    this.#from = this.#to;
  }
}
