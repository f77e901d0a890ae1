import { abi } from "../abi/mod.ts";
import {
  duplicate,
  filenoOf,
  type HasFileno,
  isBlocking,
  isOpen,
  nameOf,
  setBlocking,
} from "../descriptor.ts";
import { OSError } from "../errno.ts";
import { FileDescriptor } from "./file_descriptor.ts";
import { pipe } from "./pipe.ts";
import { isManager } from "./pseudo_terminal.ts";
import { isTerminal } from "./terminal.ts";

/**
 * A standard stream of a new process: a descriptor, or one end of a new pipe.
 *
 * @category Processes
 */
export type SpawnStream = number | HasFileno | "pipe";

/**
 * The standard streams of a new process.
 *
 * @category Processes
 */
export interface SpawnStreams {
  /**
   * Its standard input. `"pipe"` makes a pipe, whose other end is the process's `stdin` here. By
   * default the terminal, or, without one, the standard input of this process.
   */
  readonly stdin?: SpawnStream;
  /** Its standard output, likewise. */
  readonly stdout?: SpawnStream;
  /** Its standard error, likewise. */
  readonly stderr?: SpawnStream;
  /**
   * The subsidiary side of a pseudo-terminal, or another terminal, that becomes the controlling
   * terminal of the process, in a session of its own. A terminal controls only one session at a
   * time.
   */
  readonly terminal?: HasFileno;
}

const NAMES = ["stdin", "stdout", "stderr"] as const;

/** The name of a standard stream. */
export type StreamName = (typeof NAMES)[number];

/** This process's ends of the pipes to a child. */
export type Pipes = { [name in StreamName]?: FileDescriptor };

/** The descriptors for the streams of a new process, from before its start until after it. */
export class ChildStreams implements Disposable {
  /** The child's stdin, stdout and stderr, if it does not inherit them. */
  readonly sources: readonly (number | undefined)[];
  /** The child's controlling terminal. */
  readonly terminal: number | undefined;
  readonly #pipes: Pipes = Object.create(null);
  readonly #always = new DisposableStack();
  readonly #onFailure = new DisposableStack();

  /**
   * Opens what the child needs, and makes its streams blocking.
   *
   * @param streams The streams
   * @param attempt The beginning of error messages
   */
  constructor(streams: SpawnStreams, attempt: string) {
    try {
      this.terminal = streams.terminal === undefined
        ? undefined
        : this.#aboveStreams(terminalFd(streams.terminal, attempt));
      this.sources = NAMES.map((name) => {
        const stream = streams[name];
        if (stream === undefined) return undefined;
        return this.#aboveStreams(
          stream === "pipe" ? this.#makePipe(name) : this.#makeBlocking(stream, name, attempt),
        );
      });
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** Keeps this process's ends of the pipes open, and returns them. */
  keep(): Pipes {
    this.#onFailure.move();
    return this.#pipes;
  }

  [Symbol.dispose](): void {
    this.#onFailure.dispose();
    this.#always.dispose();
  }

  /**
   * Returns the descriptor, or a duplicate of one that is itself a standard stream: while one
   * stream of the child after the other is set, a source must not be overwritten.
   */
  #aboveStreams(fd: number): number {
    if (fd > 2) return fd;
    return this.#always.use(new FileDescriptor(duplicate(fd, 3))).fileno();
  }

  #makePipe(name: StreamName): number {
    const { reader, writer } = pipe();
    const [own, child] = name === "stdin" ? [writer, reader] : [reader, writer];
    this.#pipes[name] = this.#onFailure.use(own);
    this.#always.use(child).setBlocking(true);
    return child.fileno();
  }

  #makeBlocking(stream: number | HasFileno, name: string, attempt: string): number {
    const fd = filenoOf(stream, `${attempt} with this ${name}`);
    if (!isOpen(fd)) {
      throw new OSError(
        `${attempt} with ${nameOf(fd)} as its ${name}`,
        "posix_spawnp",
        abi.errno.EBADF,
      );
    }
    if (!isBlocking(fd)) {
      setBlocking(fd, true);
      this.#onFailure.defer(() => setBlocking(fd, false));
    }
    return fd;
  }
}

function terminalFd(terminal: HasFileno, attempt: string): number {
  const fd = filenoOf(terminal, `${attempt} on this terminal`);
  if (!isTerminal(fd)) {
    const { EBADF, ENOTTY } = abi.errno;
    throw new OSError(`${attempt} on ${nameOf(fd)}`, "isatty", isOpen(fd) ? ENOTTY! : EBADF);
  }
  if (isManager(fd)) {
    throw new TypeError(
      `${attempt} on ${
        nameOf(fd)
      }: the terminal must be the subsidiary side of a pseudo-terminal, ` +
        "received the manager",
    );
  }
  return fd;
}
