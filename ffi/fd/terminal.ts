import { abi } from "../abi/host.ts";
import { type HasFileno, makeNonBlockingAndCloseOnExec, nameOf } from "../descriptor.ts";
import { lastErrno, OSError } from "../errno.ts";
import { libcCalls } from "../libc.ts";
import { cString, stringAt } from "../memory.ts";
import { FileDescriptor } from "./file_descriptor.ts";
import { need } from "../checks.ts";

const { EINTR, EIO, ENODEV, ENOTTY, ENXIO } = abi.errno;

/** What a terminal's calls fail with when it has hung up. */
const HUNG_UP = [EIO, ENODEV, ENXIO];

const calls = libcCalls({
  open: { parameters: ["buffer", "i32"], result: "i32" },
  isatty: { parameters: ["i32"], result: "i32" },
  ioctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },
  // Fillers take up the registers, so that the value lands on the stack.
  ioctlOnStack: {
    name: "ioctl",
    parameters: ["i32", "u64", "i32", "i32", "i32", "i32", "i32", "i32", "buffer"],
    result: "i32",
  },
  tcgetattr: { parameters: ["i32", "buffer"], result: "i32" },
  tcsetattr: { parameters: ["i32", "i32", "buffer"], result: "i32" },
  posix_openpt: { parameters: ["i32"], result: "i32" },
  grantpt: { parameters: ["i32"], result: "i32" },
  unlockpt: { parameters: ["i32"], result: "i32" },
  ptsname: { parameters: ["i32"], result: "usize" },
  // Not of every system. The other one keeps the name where every thread writes its own.
  ptsname_r: { parameters: ["i32", "buffer", "usize"], result: "i32", optional: true },
});

/** How bytes go over a serial line. */
export interface LineSettings {
  /** How fast, in bits a second. */
  readonly speed: number;
  /** How many bits a byte has. */
  readonly dataBits: 5 | 6 | 7 | 8;
  /** What is added to a byte to tell whether it was damaged. */
  readonly parity: "none" | "even" | "odd";
  /** How many bits end a byte. */
  readonly stopBits: 1 | 2;
  /** How one side tells the other to wait: by nothing, by RTS and CTS, or by XON and XOFF. */
  readonly flowControl: "none" | "hardware" | "software";
}

/** How large a terminal's window is, in characters. */
export interface WindowSize {
  /** How many lines it has. */
  readonly rows: number;
  /** How many characters a line has. */
  readonly columns: number;
}

/** A pseudo-terminal: what one side writes, the other reads. */
export interface PseudoTerminal extends Disposable {
  /** The side of who plays the keyboard and the screen. */
  readonly manager: Terminal;
  /** The side that programs take for a terminal. */
  readonly subsidiary: Terminal;
  /** Where the subsidiary side can be opened, such as `/dev/pts/3`. */
  readonly path: string;
}

/**
 * A terminal, or a serial line, which is one to the system. Linux, Android, macOS, FreeBSD, NetBSD
 * and OpenBSD have what this class needs.
 *
 * A terminal that hung up is readable: a read finds the end of the stream or, such as at a
 * pseudo-terminal's manager whose other side is closed, throws `EIO`.
 *
 * @example Keys as they are pressed
 * ```ts
 * import { isTerminal, Terminal } from "@readiness/selectors/fd";
 *
 * const keyboard = new Terminal(0);
 * if (isTerminal(keyboard)) {
 *   using _raw = keyboard.raw();
 *   console.log(keyboard.windowSize());
 * } // And here the terminal is as it was.
 * ```
 *
 * @example A serial line
 * ```ts
 * import { openTerminal, pseudoTerminal } from "@readiness/selectors/fd";
 * import { assertEquals } from "@std/assert";
 *
 * using pair = pseudoTerminal(); // Instead of one with a device, whose path is /dev/ttyUSB0.
 * using line = openTerminal(pair.path);
 * line.raw();
 * assertEquals(line.configure({ speed: 250_000 }).speed, 250_000);
 * ```
 */
export class Terminal extends FileDescriptor {
  /**
   * Adopts an open terminal, as it is: blocking or not. Standard input is `new Terminal(0)`.
   *
   * @param fd Its descriptor, an integer from 0 to 2³¹ − 1
   * @throws {TypeError} If it is not a number
   * @throws {RangeError} If it is negative, fractional or too large
   */
  constructor(fd: number) {
    super(fd);
  }

  /**
   * Hands bytes over as they are, in both directions: no lines, no echo, no keys that end the
   * program or hold the output. A serial line's speed and bits stay as they are.
   *
   * @returns What restores all settings of now when it is disposed of; if the terminal is closed,
   * detached or hung up by then, it does nothing
   * @throws {OSError} If the system refuses (`tcgetattr`, `tcsetattr` or `ioctl`), such as with
   * `ENOTTY`, or `EBADF` once closed
   * @throws {Deno.errors.NotSupported} On a system that is not listed above
   */
  raw(): Disposable {
    const attributes = getAttributes(this);
    setAttributes(this, makeRaw(attributes));
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
   * Tells how bytes go over the line.
   *
   * @returns The settings; where the system has a speed for each direction, it is that of output
   * @throws {OSError} If the system refuses (`tcgetattr` or `ioctl`), such as with `ENOTTY`
   * @throws {Deno.errors.NotSupported} On a system that is not listed above
   */
  settings(): LineSettings {
    const { constants, fields } = layout();
    const { CRTSCTS, CS5, CS6, CS7, CSIZE, CSTOPB, IXOFF, IXON, PARENB, PARODD } = constants;
    const attributes = getAttributes(this);
    const control = attributes.getUint32(fields.c_cflag[0], true);
    const input = attributes.getUint32(fields.c_iflag[0], true);
    const size = (control & CSIZE) >>> 0;
    return {
      speed: attributes.getUint32(fields.c_ospeed[0], true),
      dataBits: size === CS5 ? 5 : size === CS6 ? 6 : size === CS7 ? 7 : 8,
      parity: (control & PARENB) === 0 ? "none" : (control & PARODD) === 0 ? "even" : "odd",
      stopBits: (control & CSTOPB) === 0 ? 1 : 2,
      flowControl: (control & CRTSCTS) !== 0
        ? "hardware"
        : (input & (IXON | IXOFF)) !== 0
        ? "software"
        : "none",
    };
  }

  /**
   * Changes how bytes go over the line, and has it receive whether or not a modem tells of a
   * carrier.
   *
   * @param settings What to change; the rest stays
   * @returns What the line has now, as a device may take no or another value without a word: a
   * pseudo-terminal has 8 bits and no parity, and a speed is the nearest that there is
   * @throws {RangeError} If a setting is none of those listed, or the speed no integer from 1 to
   * 2³¹ − 1
   * @throws {OSError} If the system refuses (`tcgetattr`, `tcsetattr` or `ioctl`), such as with
   * `EINVAL` or `ENOTTY`
   * @throws {Deno.errors.NotSupported} On a system that is not listed above
   */
  configure(settings: Partial<LineSettings>): LineSettings {
    const { constants, fields } = layout();
    const attributes = getAttributes(this);
    const change = (name: "c_iflag" | "c_cflag", off: number, on: number) => {
      const at = fields[name][0];
      attributes.setUint32(at, attributes.getUint32(at, true) & ~off | on, true);
    };
    const c = constants;
    const { speed, dataBits, parity, stopBits, flowControl } = settings;
    change("c_cflag", 0, c.CREAD | c.CLOCAL);
    if (speed !== undefined) {
      if (!Number.isInteger(speed) || speed < 1 || speed > 0x7fff_ffff) {
        throw new RangeError(
          `Cannot configure a line: the speed must be an integer from 1 to ${0x7fff_ffff}, ` +
            `received ${String(speed)}`,
        );
      }
      if (c.BOTHER !== undefined) {
        // Linux has codes for the usual speeds, which old programs know alone, and one for all else.
        const codes: { readonly [name: string]: number | undefined } = c;
        change("c_cflag", c.CBAUD! | c.CIBAUD!, codes[`B${speed}`] ?? c.BOTHER);
      }
      attributes.setUint32(fields.c_ispeed[0], speed, true);
      attributes.setUint32(fields.c_ospeed[0], speed, true);
    }
    if (dataBits !== undefined) {
      const sizes = { 5: c.CS5, 6: c.CS6, 7: c.CS7, 8: c.CS8 };
      change("c_cflag", c.CSIZE, choose("number of bits", sizes, dataBits));
    }
    if (parity !== undefined) {
      const parities = { none: 0, even: c.PARENB, odd: c.PARENB | c.PARODD };
      change("c_cflag", c.PARENB | c.PARODD, choose("parity", parities, parity));
      change("c_iflag", c.INPCK, parity === "none" ? 0 : c.INPCK);
    }
    if (stopBits !== undefined) {
      const stops = { 1: 0, 2: c.CSTOPB };
      change("c_cflag", c.CSTOPB, choose("number of stop bits", stops, stopBits));
    }
    if (flowControl !== undefined) {
      const flows = { none: [0, 0], hardware: [c.CRTSCTS, 0], software: [0, c.IXON | c.IXOFF] };
      const [control, input] = choose("flow control", flows, flowControl);
      change("c_cflag", c.CRTSCTS, control);
      change("c_iflag", c.IXON | c.IXOFF, input);
    }
    setAttributes(this, attributes);
    return this.settings();
  }

  /**
   * Tells how large the window is.
   *
   * @returns The size, with zeros if nobody knows, as of a serial line
   * @throws {OSError} If the system refuses (`ioctl`), such as with `ENOTTY`
   * @throws {Deno.errors.NotSupported} On a system that is not listed above
   */
  windowSize(): WindowSize {
    const { constants, winsize: { fields, size } } = group();
    const bytes = new DataView(new ArrayBuffer(size));
    if (ioctl(this, constants.TIOCGWINSZ, bytes) < 0) {
      throw failure("tell the window size of", this, "ioctl");
    }
    return {
      rows: bytes.getUint16(fields.ws_row[0], true),
      columns: bytes.getUint16(fields.ws_col[0], true),
    };
  }

  /**
   * Tells the system how large the window is, of a pseudo-terminal by its manager as a rule. Programs
   * that it controls get `SIGWINCH`.
   *
   * @param size The size
   * @throws {RangeError} If a number is no integer from 0 to 65535
   * @throws {OSError} If the system refuses (`ioctl`), such as with `ENOTTY`
   * @throws {Deno.errors.NotSupported} On a system that is not listed above
   *
   * @example
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
    const { constants, winsize } = group();
    for (const count of [size.rows, size.columns]) {
      if (!Number.isInteger(count) || count < 0 || count > 65535) {
        throw new RangeError(
          `Cannot set a window size: it must be integers from 0 to 65535, received ${
            String(count)
          }`,
        );
      }
    }
    const bytes = new DataView(new ArrayBuffer(winsize.size));
    bytes.setUint16(winsize.fields.ws_row[0], size.rows, true);
    bytes.setUint16(winsize.fields.ws_col[0], size.columns, true);
    if (ioctl(this, constants.TIOCSWINSZ, bytes) < 0) {
      throw failure("set the window size of", this, "ioctl");
    }
  }

  /**
   * Sends a break over the serial line: holds it at zero for longer than any byte does. A
   * pseudo-terminal takes that and does nothing.
   *
   * @param duration How long, in milliseconds
   * @returns When the break is over; it ends early if the terminal is closed
   * @throws {OSError} If the system refuses (`ioctl`), such as with `ENOTTY`
   * @throws {Deno.errors.NotSupported} On a system that is not listed above
   *
   * @example
   * ```ts
   * import { pseudoTerminal } from "@readiness/selectors/fd";
   *
   * using line = pseudoTerminal();
   * await line.subsidiary.sendBreak(5);
   * ```
   */
  async sendBreak(duration: number = 250): Promise<void> {
    const { TIOCCBRK, TIOCSBRK } = group().constants;
    if (ioctl(this, TIOCSBRK, null) < 0) throw failure("send a break over", this, "ioctl");
    await new Promise((resolve) => setTimeout(resolve, duration));
    if (this.fileno() >= 0 && ioctl(this, TIOCCBRK, null) < 0) {
      throw failure("end the break on", this, "ioctl");
    }
  }
}

/**
 * Opens a terminal or serial line, non-blocking and close-on-exec. It does not become the terminal
 * that controls this process, and is not waited for: a line without a carrier is opened too.
 *
 * @param path Its path, such as `/dev/ttyUSB0`
 * @returns The terminal
 * @throws {TypeError} If the path is no string
 * @throws {RangeError} If the path holds a NUL
 * @throws {OSError} If the system refuses (`open`), such as with `ENOENT`, `EACCES` or `EBUSY`, or
 * it is no terminal (`isatty`, `ENOTTY`)
 * @throws {Deno.errors.NotSupported} On a system that {@linkcode Terminal} does not list
 * @throws {Deno.errors.NotCapable} Without FFI permission
 *
 * @example
 * ```ts
 * import { openTerminal, pseudoTerminal } from "@readiness/selectors/fd";
 *
 * using pair = pseudoTerminal();
 * using line = openTerminal(pair.path);
 * line.write(new TextEncoder().encode("hello"));
 * ```
 */
export function openTerminal(path: string): Terminal {
  group();
  const { O_CLOEXEC, O_NOCTTY, O_NONBLOCK, O_RDWR } = abi.constants;
  if (typeof path !== "string") {
    throw new TypeError(`Cannot open a terminal: its path must be a string, received ${path}`);
  }
  if (path.includes("\0")) {
    throw new RangeError("Cannot open a terminal: its path must not hold a NUL");
  }
  const flags = O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC;
  let fd: number;
  do fd = calls().open(cString(path), flags); while (fd < 0 && lastErrno() === EINTR);
  if (fd < 0) throw new OSError(`Cannot open the terminal ${path}`, "open", lastErrno());
  const terminal = new Terminal(fd);
  if (!isTerminal(terminal)) {
    terminal.close();
    throw new OSError(`Cannot open the terminal ${path}`, "isatty", ENOTTY);
  }
  return terminal;
}

/**
 * Makes a pseudo-terminal, both sides non-blocking and close-on-exec. It is as terminals are at
 * first: in lines, with echo.
 *
 * @returns Both sides, which are closed at the end of a `using` block
 * @throws {OSError} If the system refuses (`posix_openpt`, `grantpt`, `unlockpt`, `ptsname` or
 * `open`), such as with `EMFILE`, or `ENOSPC` if there are too many
 * @throws {Deno.errors.NotSupported} On a system that {@linkcode Terminal} does not list
 * @throws {Deno.errors.NotCapable} Without FFI permission
 *
 * @example
 * ```ts
 * import { pseudoTerminal } from "@readiness/selectors/fd";
 *
 * using pair = pseudoTerminal();
 * pair.subsidiary.write(new TextEncoder().encode("login: "));
 * const buffer = new Uint8Array(100);
 * const size = pair.manager.read(buffer)!;
 * console.log(new TextDecoder().decode(buffer.subarray(0, size))); // login:
 * ```
 */
export function pseudoTerminal(): PseudoTerminal {
  const { termios2 } = group();
  const { O_CLOEXEC, O_NOCTTY, O_NONBLOCK, O_RDWR } = abi.constants;
  const { grantpt, posix_openpt, unlockpt } = calls();
  // Only Linux takes more flags than two here.
  const atOnce = termios2 === undefined ? 0 : O_NONBLOCK | O_CLOEXEC;
  const fd = posix_openpt(O_RDWR | O_NOCTTY | atOnce);
  if (fd < 0) throw new OSError("Cannot make a pseudo-terminal", "posix_openpt", lastErrno());
  const manager = new Terminal(fd);
  let subsidiary: Terminal | undefined;
  try {
    if (grantpt(fd) < 0) throw failure("make a pseudo-terminal of", manager, "grantpt");
    if (unlockpt(fd) < 0) throw failure("make a pseudo-terminal of", manager, "unlockpt");
    const path = nameOfSubsidiary(manager);
    const opened = subsidiary = openTerminal(path);
    // macOS does not take this before the other side is open.
    if (atOnce === 0) makeNonBlockingAndCloseOnExec(manager.detach());
    const managing = atOnce === 0 ? new Terminal(fd) : manager;
    return {
      manager: managing,
      subsidiary: opened,
      path,
      [Symbol.dispose]() {
        opened.close();
        managing.close();
      },
    };
  } catch (error) {
    subsidiary?.close();
    manager.close();
    throw error;
  }
}

/**
 * Tells whether a descriptor is a terminal's.
 *
 * @param file The descriptor, or what has it; a closed one is no terminal's
 * @returns Whether it is
 * @throws {Deno.errors.NotSupported} On a system that {@linkcode Terminal} does not list
 * @throws {Deno.errors.NotCapable} Without FFI permission
 *
 * @example
 * ```ts
 * import { isTerminal, pipe } from "@readiness/selectors/fd";
 * import { assertEquals } from "@std/assert";
 *
 * const { reader, writer } = pipe();
 * assertEquals(isTerminal(reader), false);
 * reader.close();
 * writer.close();
 * ```
 */
export function isTerminal(file: number | HasFileno): boolean {
  group();
  return calls().isatty(typeof file === "number" ? file : file.fileno()) === 1;
}

function group(): NonNullable<typeof abi.termios> {
  return need(abi.termios, "Cannot use a terminal", "termios that this package knows");
}

/** The structure of the attributes. */
function layout() {
  const { constants, termios, termios2 } = group();
  return { constants, ...(termios2 ?? termios!) };
}

function getAttributes(terminal: Terminal): DataView<ArrayBuffer> {
  const { constants, size } = layout();
  const attributes = new DataView(new ArrayBuffer(size));
  const byIoctl = constants.TCGETS2 !== undefined;
  const result = byIoctl
    ? ioctl(terminal, constants.TCGETS2, attributes)
    : calls().tcgetattr(terminal.fileno(), attributes);
  if (result < 0) {
    throw failure("tell the attributes of", terminal, byIoctl ? "ioctl" : "tcgetattr");
  }
  return attributes;
}

function setAttributes(terminal: Terminal, attributes: DataView<ArrayBuffer>): void {
  const { constants } = layout();
  const byIoctl = constants.TCSETS2 !== undefined;
  for (;;) {
    const result = byIoctl
      ? ioctl(terminal, constants.TCSETS2, attributes)
      : calls().tcsetattr(terminal.fileno(), constants.TCSANOW, attributes);
    if (result === 0) return;
    if (lastErrno() !== EINTR) {
      throw failure("set the attributes of", terminal, byIoctl ? "ioctl" : "tcsetattr");
    }
  }
}

/** What `cfmakeraw` does, but for the number of bits and the parity. */
function makeRaw(from: DataView<ArrayBuffer>): DataView<ArrayBuffer> {
  const { constants: c, fields } = layout();
  const attributes = new DataView(from.buffer.slice(0));
  const clear = (name: "c_iflag" | "c_oflag" | "c_lflag", bits: number) => {
    const at = fields[name][0];
    attributes.setUint32(at, attributes.getUint32(at, true) & ~bits, true);
  };
  clear("c_iflag", c.IGNBRK | c.BRKINT | c.PARMRK | c.ISTRIP);
  clear("c_iflag", c.INLCR | c.IGNCR | c.ICRNL | c.IXON);
  clear("c_oflag", c.OPOST);
  clear("c_lflag", c.ECHO | c.ECHONL | c.ICANON | c.ISIG | c.IEXTEN);
  attributes.setUint8(fields.c_cc[0] + c.VMIN, 1);
  attributes.setUint8(fields.c_cc[0] + c.VTIME, 0);
  return attributes;
}

/** Finds what a setting stands for. */
function choose<T>(what: string, choices: Record<string, T>, choice: string | number): T {
  if (!Object.hasOwn(choices, choice)) {
    throw new RangeError(
      `Cannot configure a line: the ${what} must be ${Object.keys(choices).join(", ")}, ` +
        `received ${String(choice)}`,
    );
  }
  return choices[choice];
}

function ioctl(terminal: Terminal, request: number, argument: DataView<ArrayBuffer> | null) {
  return abi.variadicOnStack
    ? calls().ioctlOnStack(terminal.fileno(), BigInt(request), 0, 0, 0, 0, 0, 0, argument)
    : calls().ioctl(terminal.fileno(), BigInt(request), argument);
}

function nameOfSubsidiary(manager: Terminal): string {
  const { ptsname, ptsname_r } = calls();
  if (ptsname_r === null) {
    const address = ptsname(manager.fileno());
    if (address === 0n) throw failure("name the other side of", manager, "ptsname");
    return stringAt(address);
  }
  const name = new Uint8Array(128);
  if (ptsname_r(manager.fileno(), name, BigInt(name.length)) !== 0) {
    throw failure("name the other side of", manager, "ptsname_r");
  }
  return new TextDecoder().decode(name.subarray(0, name.indexOf(0)));
}

function failure(attempt: string, terminal: Terminal, syscall: string): OSError {
  return new OSError(`Cannot ${attempt} ${nameOf(terminal.fileno())}`, syscall, lastErrno());
}
