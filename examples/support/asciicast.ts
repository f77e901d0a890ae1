/**
 * Recordings of terminals in the format asciicast v2: a line of JSON for each event.
 *
 * @module
 */

import { OSError } from "@readiness/selectors";
import {
  FileDescriptor,
  ioctl,
  O_CREAT,
  O_RDWR,
  O_TRUNC,
  type WindowSize,
} from "@readiness/selectors/fd";

const encoder = new TextEncoder();

/** The request for how much there is to read (Linux). Devices that keep nothing refuse it. */
const FIONREAD = 0x541b;

/** A recording that is being written. Only its user can read it. */
export class Recording implements Disposable {
  readonly #file: FileDescriptor;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #started = 0;

  private constructor(file: FileDescriptor) {
    this.#file = file;
  }

  /** Opens the file. Returns `null` if it has something in it that is not to be replaced. */
  static open(path: string, overwrite: boolean): Recording | null {
    const file = FileDescriptor.open(path, O_RDWR | O_CREAT | (overwrite ? O_TRUNC : 0), 0o600);
    file.setBlocking(true); // Events are written in order, and whole.
    if (overwrite || isDevice(file) || file.read(new Uint8Array(1)) === 0) {
      return new Recording(file);
    }
    file.close();
    return null;
  }

  /** Starts the recording. */
  start({ rows, columns }: WindowSize, command?: string): void {
    this.#started = performance.now();
    const timestamp = Math.floor(Date.now() / 1000);
    this.#write({ version: 2, width: columns, height: rows, timestamp, command });
  }

  /** Records output. A character can come in pieces, which are recorded together. */
  output(bytes: Uint8Array): void {
    this.#record("o", this.#decoder.decode(bytes, { stream: true }));
  }

  /** Records a new size of the window. */
  resize({ rows, columns }: WindowSize): void {
    this.#record("r", `${columns}x${rows}`);
  }

  [Symbol.dispose](): void {
    using _file = this.#file;
    this.#record("o", this.#decoder.decode()); // A piece of a character.
  }

  #record(kind: "o" | "r", text: string): void {
    const seconds = (performance.now() - this.#started) / 1000;
    if (text !== "") this.#write([Number(seconds.toFixed(6)), kind, text]);
  }

  #write(value: unknown): void {
    let bytes = encoder.encode(`${JSON.stringify(value)}\n`);
    while (bytes.length > 0) bytes = bytes.subarray(this.#file.write(bytes) ?? 0);
  }
}

function isDevice(file: FileDescriptor): boolean {
  try {
    ioctl(file, FIONREAD, new Uint8Array(4));
    return false;
  } catch (error) {
    if (!(error instanceof OSError)) throw error;
    return true;
  }
}
