import { abi } from "../abi/mod.ts";
import { assertInteger, readOptions } from "../checks.ts";
import { filenoOf, type HasFileno, nameOf } from "../descriptor.ts";
import { lastErrno, OSError } from "../errno.ts";
import { libcCalls } from "../libc.ts";
import { FileDescriptor } from "./file_descriptor.ts";
import { callIoctl } from "./ioctl.ts";
import { changeSettings, type LineSettings, readSettings } from "./line_settings.ts";
import { openFile } from "./open_file.ts";
import {
  getAttributes,
  rawAttributes,
  setAttributes,
  termiosTable,
} from "./terminal_attributes.ts";

const { EIO, ENODEV, ENOTTY, ENXIO } = abi.errno;

/** The errors of a terminal that has hung up. */
const HUNG_UP = [EIO, ENODEV, ENXIO];

const calls = libcCalls({
  isatty: { parameters: ["i32"], result: "i32" },
});

/**
 * The size of a terminal's window, in characters.
 *
 * @category Terminals
 */
export interface WindowSize {
  /** The number of lines. */
  readonly rows: number;
  /** The number of characters of a line. */
  readonly columns: number;
}

/**
 * A terminal or a serial line, which the system treats as a terminal. Linux, Android, macOS,
 * FreeBSD, NetBSD and OpenBSD support this class.
 *
 * A terminal that has hung up is readable. A read returns 0 or throws, such as with `EIO` on the
 * manager of a pseudo-terminal whose other side is closed.
 *
 * @example Read single keys
 * ```ts
 * import { isTerminal, Terminal } from "@readiness/selectors/fd";
 *
 * const keyboard = new Terminal(0);
 * if (isTerminal(keyboard)) {
 *   using _raw = keyboard.raw();
 *   console.log(keyboard.windowSize());
 * } // Here the terminal has its old settings again.
 * ```
 *
 * @example Open a serial line
 * ```ts
 * import { openTerminal, pseudoTerminal } from "@readiness/selectors/fd";
 * import { assertEquals } from "@std/assert";
 *
 * using pair = pseudoTerminal(); // In place of a device such as /dev/ttyUSB0.
 * using line = openTerminal(pair.path);
 * line.raw();
 * assertEquals(line.configure({ speed: 250_000 }).speed, 250_000);
 * ```
 *
 * @category Terminals
 */
export class Terminal extends FileDescriptor {
  /**
   * Adopts an open terminal. Whether it blocks does not change. Standard input is
   * `new Terminal(0)`.
   *
   * @param fd Its descriptor, an integer from 0 to 2³¹ − 1
   * @throws {TypeError} If `fd` is not a number
   * @throws {RangeError} If `fd` is negative, fractional or too large
   */
  constructor(fd: number) {
    super(fd);
  }

  /**
   * Switches to raw mode: bytes pass unchanged in both directions, without line editing, echo, or
   * keys that end the program or stop the output. The speed and the bits of a serial line stay.
   *
   * @returns An object that restores the current settings when it is disposed of. It does nothing
   * if the terminal is closed, detached or hung up by then
   * @throws {OSError} If `tcgetattr`, `tcsetattr` or `ioctl` fails, such as with `ENOTTY`, or
   * `EBADF` once closed
   * @throws {Deno.errors.NotSupported} On a system that the class does not list
   *
   * @example Usage
   * ```ts
   * import { openTerminal, pseudoTerminal } from "@readiness/selectors/fd";
   *
   * using pair = pseudoTerminal();
   * using terminal = openTerminal(pair.path);
   * {
   *   using _raw = terminal.raw();
   * } // Here the terminal has its old settings again.
   * ```
   */
  raw(): Disposable {
    const attributes = getAttributes(this);
    setAttributes(this, rawAttributes(attributes));
    return {
      [Symbol.dispose]: () => {
        if (this.fileno() < 0) return;
        try {
          setAttributes(this, attributes);
        } catch (error) {
          if (!(error instanceof OSError) || !HUNG_UP.includes(error.errno)) throw error;
        }
      },
    };
  }

  /**
   * Returns the settings of the line.
   *
   * @returns The settings. If the system has a speed for each direction, it is that of the output
   * @throws {OSError} If `tcgetattr` or `ioctl` fails, such as with `ENOTTY`
   * @throws {Deno.errors.NotSupported} On a system that the class does not list
   *
   * @example Usage
   * ```ts
   * import { pseudoTerminal } from "@readiness/selectors/fd";
   *
   * using pair = pseudoTerminal();
   * console.log(pair.subsidiary.settings().parity); // none
   * ```
   */
  settings(): LineSettings {
    return readSettings(getAttributes(this));
  }

  /**
   * Changes settings of the line, and makes it receive whether or not a modem has a carrier.
   *
   * @param settings The settings to change
   * @returns The new settings. A device may ignore a setting or use another value without an error:
   * a pseudo-terminal has 8 bits and no parity, and a speed is the nearest one that the device has
   * @throws {RangeError} If a setting is not one of those listed, or `speed` is not an integer from
   * 1 to 2³¹ − 1
   * @throws {OSError} If `tcgetattr`, `tcsetattr` or `ioctl` fails, such as with `EINVAL` or
   * `ENOTTY`
   * @throws {Deno.errors.NotSupported} On a system that the class does not list
   *
   * @example Usage
   * ```ts
   * import { pseudoTerminal } from "@readiness/selectors/fd";
   * import { assertEquals } from "@std/assert";
   *
   * using pair = pseudoTerminal(); // In place of a serial line.
   * const { speed } = pair.subsidiary.configure({ speed: 115_200, flowControl: "hardware" });
   * assertEquals(speed, 115_200);
   * ```
   */
  configure(settings: Partial<LineSettings>): LineSettings {
    const attributes = getAttributes(this);
    changeSettings(attributes, settings);
    setAttributes(this, attributes);
    return this.settings();
  }

  /**
   * Returns the size of the window.
   *
   * @returns The size; zeros if it is unknown, such as that of a serial line
   * @throws {OSError} If `ioctl` fails, such as with `ENOTTY`
   * @throws {Deno.errors.NotSupported} On a system that the class does not list
   *
   * @example Usage
   * ```ts
   * import { isTerminal, Terminal } from "@readiness/selectors/fd";
   *
   * const terminal = new Terminal(1);
   * if (isTerminal(terminal)) console.log(terminal.windowSize()); // { rows: 24, columns: 80 }
   * ```
   */
  windowSize(): WindowSize {
    const { constants, winsize: { fields, size } } = termiosTable();
    const bytes = new DataView(new ArrayBuffer(size));
    if (callIoctl(this.fileno(), constants.TIOCGWINSZ, bytes) < 0) {
      throw failure("get the window size of", this);
    }
    return {
      rows: bytes.getUint16(fields.ws_row[0], true),
      columns: bytes.getUint16(fields.ws_col[0], true),
    };
  }

  /**
   * Sets the size of the window, usually on the manager of a pseudo-terminal. The programs that the
   * terminal controls receive `SIGWINCH`.
   *
   * @param size The size
   * @throws {RangeError} If a number is not an integer from 0 to 65535
   * @throws {OSError} If `ioctl` fails, such as with `ENOTTY`
   * @throws {Deno.errors.NotSupported} On a system that the class does not list
   *
   * @example Usage
   * ```ts
   * import { pseudoTerminal } from "@readiness/selectors/fd";
   * import { assertEquals } from "@std/assert";
   *
   * using pair = pseudoTerminal();
   * pair.manager.setWindowSize({ rows: 24, columns: 80 });
   * assertEquals(pair.subsidiary.windowSize(), { rows: 24, columns: 80 });
   * ```
   */
  setWindowSize(size: WindowSize): void {
    const { constants, winsize } = termiosTable();
    const { rows, columns } = readOptions("Cannot set a window size", size, ["rows", "columns"]);
    assertInteger("Cannot set a window size: the number of rows", rows, 0, 65535);
    assertInteger("Cannot set a window size: the number of columns", columns, 0, 65535);
    const bytes = new DataView(new ArrayBuffer(winsize.size));
    bytes.setUint16(winsize.fields.ws_row[0], rows, true);
    bytes.setUint16(winsize.fields.ws_col[0], columns, true);
    if (callIoctl(this.fileno(), constants.TIOCSWINSZ, bytes) < 0) {
      throw failure("set the window size of", this);
    }
  }

  /**
   * Sends a break over a serial line: holds it at zero for longer than any byte does. A
   * pseudo-terminal ignores it.
   *
   * @param duration The duration in milliseconds, an integer from 0 to 2³¹ − 1;
   * 250 by default
   * @returns A promise that resolves at the end of the break, or once the terminal is closed
   * @throws {RangeError} If the duration is not an integer in that range
   * @throws {OSError} If `ioctl` fails, such as with `ENOTTY`
   * @throws {Deno.errors.NotSupported} On a system that the class does not list
   *
   * @example Usage
   * ```ts
   * import { pseudoTerminal } from "@readiness/selectors/fd";
   *
   * using line = pseudoTerminal();
   * await line.subsidiary.sendBreak(5);
   * ```
   */
  async sendBreak(duration?: number): Promise<void> {
    if (duration === undefined) duration = 250;
    const { TIOCCBRK, TIOCSBRK } = termiosTable().constants;
    assertInteger("Cannot send a break: the duration", duration, 0);
    if (callIoctl(this.fileno(), TIOCSBRK, null) < 0) throw failure("send a break over", this);
    await new Promise((resolve) => setTimeout(resolve, duration));
    if (this.fileno() >= 0 && callIoctl(this.fileno(), TIOCCBRK, null) < 0) {
      throw failure("end the break on", this);
    }
  }
}

/**
 * Opens a terminal or serial line, non-blocking and close-on-exec. It does not become the
 * controlling terminal of this process, and a line without a carrier opens at once.
 *
 * @param path The path, such as `/dev/ttyUSB0`
 * @returns The terminal
 * @throws {TypeError} If `path` is not a string
 * @throws {RangeError} If `path` contains a NUL
 * @throws {OSError} If `open` fails, such as with `ENOENT`, `EACCES` or `EBUSY`, or the file is not
 * a terminal (`isatty`, `ENOTTY`)
 * @throws {Deno.errors.NotSupported} On a system that {@linkcode Terminal} does not list
 * @throws {Deno.errors.NotCapable} Without FFI permission
 *
 * @example Usage
 * ```ts
 * import { openTerminal, pseudoTerminal } from "@readiness/selectors/fd";
 *
 * using pair = pseudoTerminal();
 * using line = openTerminal(pair.path);
 * line.write(new TextEncoder().encode("hello"));
 * ```
 *
 * @category Terminals
 */
export function openTerminal(path: string): Terminal {
  termiosTable(); // Throws where it is missing.
  const { O_NOCTTY, O_RDWR } = abi.constants;
  const terminal = new Terminal(openFile(path, O_RDWR | O_NOCTTY, 0, "the terminal "));
  if (!isTerminal(terminal)) {
    terminal.close();
    throw new OSError(`Cannot open the terminal ${path}`, "isatty", ENOTTY!);
  }
  return terminal;
}

/**
 * Returns whether a descriptor refers to a terminal.
 *
 * @param file The descriptor, or an object that has it
 * @returns Whether it does; `false` if it is closed
 * @throws {TypeError} If `file` is neither a number nor an object with `fileno()`
 * @throws {RangeError} If the descriptor is fractional or above 2³¹ − 1
 * @throws {Deno.errors.NotSupported} On a system that {@linkcode Terminal} does not list
 * @throws {Deno.errors.NotCapable} Without FFI permission
 *
 * @example Usage
 * ```ts
 * import { isTerminal, pipe } from "@readiness/selectors/fd";
 * import { assertEquals } from "@std/assert";
 *
 * const { reader, writer } = pipe();
 * assertEquals(isTerminal(reader), false);
 * reader.close();
 * writer.close();
 * ```
 *
 * @category Terminals
 */
export function isTerminal(file: number | HasFileno): boolean {
  termiosTable();
  const fd = typeof file === "number" && file < 0
    ? -1
    : filenoOf(file, "Cannot check for a terminal");
  return calls().isatty(fd) === 1;
}

function failure(attempt: string, terminal: Terminal): OSError {
  const errno = lastErrno(); // Before a fileno() of the caller's can change it.
  return new OSError(`Cannot ${attempt} ${nameOf(terminal.fileno())}`, "ioctl", errno);
}
