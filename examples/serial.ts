/**
 * A terminal for a serial line: sends what is typed over the line, and shows what comes in.
 *
 * It shows raw mode, in which each key arrives as it is pressed and each byte as it is, and how to
 * leave it again whatever happens; the speed and the mode of a line; and back-pressure of a slow
 * line, while which no more keys are read. It waits with `poll`, which also takes standard input
 * from a file.
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
import { printable, warn } from "./support/output.ts";
import { watch } from "./support/watching.ts";

const USAGE = `Usage: serial.ts [OPTIONS] PATH

Connects this terminal to a serial line, such as /dev/ttyUSB0, until Ctrl-] is pressed. Ctrl-\\
sends a break. Input that is not a terminal is sent as it is; after its end, it shows what comes in
until the line hangs up or Ctrl-C is pressed.

Options:
  --speed N     the speed in bits per second (115200)
  --mode MODE   data bits, parity (N, E or O) and stop bits (8N1)
  --flow NAME   flow control: none, hardware or software (none)
  --escape KEY  leave with Ctrl and this key, of A to Z and [ \\ ] ^ _ (])
  -h, --help    show this and exit

Exits with 0 when the escape key is pressed, and with 1 when the line hangs up.`;

const PARITIES = { N: "none", E: "even", O: "odd" } as const;
const FLOWS: readonly string[] = ["none", "hardware", "software"];

/** Errors of calls when the line is gone. */
const GONE = ["EIO", "ENXIO", "ENODEV"];

/** Ctrl-\, which sends a break. */
const BREAK = 0x1c;

/** A file, and the bytes that it has not taken yet. */
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
  if (positionals.length !== 1) exitWith(2, "There must be one path", USAGE);
  const settings = parseSettings(options);
  const escape = parseEscape(options.escape);

  const keyboard = new Terminal(0);
  const isInteractive = isTerminal(keyboard);
  const interrupted = interruption();
  if (!await connect(positionals[0])) exitWith(1, "The line hung up");

  /** Connects until the escape key is pressed. Returns whether the line was still there then. */
  async function connect(path: string): Promise<boolean> {
    using line = openTerminal(path);
    using _lineAsItWas = line.raw();
    const { speed } = line.configure(settings);
    warn(
      `connected to ${printable(path)} at ${speed}` +
        (isInteractive ? `; leave with Ctrl-${options.escape.toUpperCase()}` : ""),
    );
    // Disposed of when this function ends, and so before any message.
    using _keyboardAsItWas = isInteractive ? keyboard.raw() : undefined;
    using selector = new PollSelector<() => void, FileDescriptor>();
    const toLine = new Outlet(line);
    const toScreen = new Outlet(new FileDescriptor(1));
    const buffer = new Uint8Array(4096);
    let isInputOpen = true;
    let isLeft = false;
    let isHungUp = false;

    try {
      while (!isLeft && !isHungUp) {
        const lineEvents = (toScreen.isFull ? 0 : EVENT_READ) | (toLine.isFull ? EVENT_WRITE : 0);
        const keyboardEvents = isInputOpen && !toLine.isFull ? EVENT_READ : 0;
        watch(selector, keyboard, keyboardEvents, readKeyboard);
        watch(selector, line, lineEvents, () => attempt(serveLine));
        watch(selector, toScreen.file, toScreen.isFull ? EVENT_WRITE : 0, () => toScreen.send());
        const ready = await selector.selectAsync(null, { signal: interrupted });
        for (const [key] of ready) key.data();
      }
    } catch (error) {
      if (!interrupted.aborted) throw error;
    }
    return !isHungUp;

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

    /** Takes a step that fails if the line hangs up, such as when it is unplugged. */
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
    exitWith(2, `The mode must be like 8N1, received ${mode}`);
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

/** Parses a key. Returns the byte that it sends together with Ctrl. */
function parseEscape(key: string): number {
  if (!/^[a-z[\\\]^_]$/i.test(key)) {
    exitWith(2, `The escape key must be one of A to Z and [ \\ ] ^ _, received ${key}`);
  }
  return key.toUpperCase().charCodeAt(0) & 0x1f;
}
