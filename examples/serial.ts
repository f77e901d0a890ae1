/**
 * A terminal for a serial line: what is typed goes out over the line, what comes in is shown.
 *
 * What it shows: raw mode, for keys to arrive as they are pressed and bytes as they are, and how to
 * get the own terminal back out of it whatever happens; a line's speed and bits; bytes that wait for
 * a slow line, for which no more are read. It waits with `poll`, which takes standard input that is
 * a file as well.
 *
 *     deno run --allow-ffi examples/serial.ts --speed 9600 /dev/ttyUSB0
 *     echo AT | deno run --allow-ffi examples/serial.ts /dev/ttyACM0
 *
 * @module
 */

import { EVENT_READ, EVENT_WRITE, OSError, PollSelector } from "@readiness/selectors";
import {
  FileDescriptor,
  isTerminal,
  type LineSettings,
  openTerminal,
  Terminal,
} from "@readiness/selectors/fd";
import {
  exitWith,
  interruption,
  parseCommandLine,
  parseInteger,
  run,
} from "./support/command_line.ts";

const USAGE = `Usage: serial.ts [OPTIONS] PATH

Connects this terminal with a serial line, such as /dev/ttyUSB0, until Ctrl-] is pressed. Ctrl-\\
sends a break. Input that is no terminal is sent as it is; after its end, what comes in is shown
until the line hangs up or Ctrl-C is pressed.

Options:
  --speed N      how fast, in bits a second (115200)
  --mode MODE    data bits, parity (N, E or O) and stop bits (8N1)
  --flow NAME    who tells whom to wait: none, hardware or software (none)
  --escape KEY   leave with Ctrl and this key, of A to Z and [ \\ ] ^ _ (])
  --help         show this and exit

Ends with 0 when it is left, and with 1 when the line hangs up.`;

const PARITIES = { N: "none", E: "even", O: "odd" } as const;
const FLOWS: readonly string[] = ["none", "hardware", "software"];

/** What a call fails with when the line is gone. */
const GONE = ["EIO", "ENXIO", "ENODEV"];

/** Ctrl-\, which sends a break. */
const BREAK = 0x1c;

/** Bytes on their way out. While some wait, none are to be read for it. */
class Outlet {
  readonly file: FileDescriptor;
  #unsent = new Uint8Array();

  constructor(file: FileDescriptor) {
    this.file = file;
  }

  get isFull(): boolean {
    return this.#unsent.length > 0;
  }

  send(data: Uint8Array = this.#unsent): void {
    this.#unsent = data.slice(this.file.write(data) ?? 0);
  }
}

run(async () => {
  const { values: options, positionals } = parseCommandLine(USAGE, {
    speed: { type: "string", default: "115200" },
    mode: { type: "string", default: "8N1" },
    flow: { type: "string", default: "none" },
    escape: { type: "string", default: "]" },
  }, true);
  if (positionals.length !== 1) exitWith(2, `There must be one path\n\n${USAGE}`);
  const settings = parseSettings(options);
  const escape = parseEscape(options.escape);

  const keyboard = new Terminal(0);
  const isInteractive = isTerminal(keyboard);
  const interrupted = interruption();
  if (!await connect(positionals[0])) exitWith(1, "The line hung up");

  /** Connects until it is left; tells whether the line was still there then. */
  async function connect(path: string): Promise<boolean> {
    using line = openTerminal(path);
    using _lineAsItWas = line.raw();
    const { speed } = line.configure(settings);
    console.error(
      `connected to ${path} at ${speed}` +
        (isInteractive ? `; leave with Ctrl-${options.escape.toUpperCase()}` : ""),
    );
    // Disposed of as soon as this function ends, however it does, and so before any message.
    using _keyboardAsItWas = isInteractive ? keyboard.raw() : undefined;
    using selector = new PollSelector<() => void>();
    const toLine = new Outlet(line);
    const toScreen = new Outlet(new FileDescriptor(1));
    const buffer = new Uint8Array(4096);
    let isInputOpen = true;
    let isLeft = false;
    let isHungUp = false;

    try {
      while (!isLeft && !isHungUp) {
        const lineEvents = (toScreen.isFull ? 0 : EVENT_READ) | (toLine.isFull ? EVENT_WRITE : 0);
        listen(keyboard, isInputOpen && !toLine.isFull ? EVENT_READ : 0, readKeyboard);
        listen(line, lineEvents, () => attempt(serveLine));
        listen(toScreen.file, toScreen.isFull ? EVENT_WRITE : 0, () => toScreen.send());
        const ready = await selector.selectAsync(null, { signal: interrupted });
        for (const [key] of ready) key.data();
      }
    } catch (error) {
      if (!interrupted.aborted) throw error;
    }
    return !isHungUp;

    /** Waits for these events of a descriptor from now on, or for none. */
    function listen(file: FileDescriptor, events: number, serve: () => void): void {
      const isRegistered = selector.getMap().has(file);
      if (events === 0 && isRegistered) selector.unregister(file);
      if (events !== 0 && isRegistered) selector.modify(file, events, serve);
      if (events !== 0 && !isRegistered) selector.register(file, events, serve);
    }

    function readKeyboard(): void {
      const size = keyboard.read(buffer);
      if (size === 0) {
        isInputOpen = false;
        isLeft = isInteractive;
      }
      if (!size) return;
      let typed: Uint8Array = buffer.subarray(0, size);
      if (isInteractive) {
        const end = typed.indexOf(escape);
        isLeft = end >= 0;
        if (isLeft) typed = typed.subarray(0, end);
        if (typed.includes(BREAK)) line.sendBreak().catch(hangUp);
        typed = typed.filter((byte) => byte !== BREAK);
      }
      attempt(() => toLine.send(typed));
    }

    function serveLine(): void {
      if (toLine.isFull) toLine.send();
      if (toScreen.isFull) return;
      const size = line.read(buffer);
      if (size === 0) hangUp();
      else if (size !== null) toScreen.send(buffer.subarray(0, size));
    }

    /** A line that hangs up, as when its plug is pulled, is one that fails. */
    function attempt(step: () => void): void {
      try {
        step();
      } catch (error) {
        if (!(error instanceof OSError) || !GONE.includes(error.code)) throw error;
        hangUp();
      }
    }

    function hangUp(): void {
      isHungUp = true;
      selector.wakeup();
    }
  }
});

function parseSettings(
  { speed, mode, flow }: { speed: string; mode: string; flow: string },
): LineSettings {
  const [, dataBits, parity, stopBits] = /^([5-8])([NEO])([12])$/i.exec(mode) ??
    exitWith(2, `The mode must be such as 8N1, received ${mode}`);
  if (!FLOWS.includes(flow)) {
    exitWith(2, `The flow control must be one of ${FLOWS.join(", ")}, received ${flow}`);
  }
  return {
    speed: parseInteger("speed", speed, 1, 2 ** 31 - 1),
    dataBits: Number(dataBits) as LineSettings["dataBits"],
    parity: PARITIES[parity.toUpperCase() as keyof typeof PARITIES],
    stopBits: Number(stopBits) as LineSettings["stopBits"],
    flowControl: flow as LineSettings["flowControl"],
  };
}

/** Finds the byte that Ctrl and a key make. */
function parseEscape(key: string): number {
  if (!/^[a-z[\\\]^_]$/i.test(key)) {
    exitWith(2, `The escape key must be one of A to Z and [ \\ ] ^ _, received ${key}`);
  }
  return key.toUpperCase().charCodeAt(0) & 0x1f;
}
