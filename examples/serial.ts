/**
 * A terminal for a serial line: sends what is typed over the line, and shows what comes in.
 *
 * It shows raw mode, in which each key arrives as it is pressed and each byte as it is, and how to
 * leave it again whatever happens; the speed and the mode of a line; and back-pressure of a slow
 * line, during which no more keys are read. It waits with `poll`, which also takes standard input
 * from a file.
 *
 *     deno run --allow-ffi jsr:@readiness/selectors/serial --speed 9600 /dev/ttyUSB0
 *     echo AT | deno run --allow-ffi jsr:@readiness/selectors/serial /dev/ttyACM0
 *
 * @module
 */

import { EVENT_READ, EVENT_WRITE, OSError, PollSelector } from "@readiness/selectors";
import {
  FileDescriptor,
  isTerminal,
  O_APPEND,
  O_CREAT,
  O_WRONLY,
  openTerminal,
  Terminal,
} from "@readiness/selectors/fd";
import { exitWith, interruption, run } from "./support/command_line.ts";
import { notice, printable } from "./support/output.ts";
import { watch } from "./support/registrations.ts";
import { parseSerialLine } from "./support/serial_command_line.ts";

/** The help for the escape key. */
const commandsFor = (escape: string) =>
  `Ctrl-${escape} ? shows this
Ctrl-${escape} q leaves
Ctrl-${escape} b sends a break
Ctrl-${escape} e shows what is typed, or no longer
Ctrl-${escape} Ctrl-${escape} sends Ctrl-${escape}
`;

/** Errors of calls when the line is gone. */
const GONE = ["EIO", "ENXIO", "ENODEV"];

const encoder = new TextEncoder();

/** What is shown for the keys Enter and Backspace. */
const SHOWN = new Map([[13, encoder.encode("\r\n")], [127, encoder.encode("\b")]]);

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

  /** Sends more, after what has not been sent yet. */
  send(data: Uint8Array = new Uint8Array()): void {
    const all = new Uint8Array([...this.#unsent, ...data]);
    this.#unsent = all.slice(this.file.write(all) ?? 0);
  }
}

run(async () => {
  const { options, path, settings, escape, escapeName } = parseSerialLine();
  const keyboard = new Terminal(0);
  const isInteractive = isTerminal(keyboard);
  const interrupted = interruption();
  if (!await connect(path)) exitWith(1, "The line hung up");

  /** Connects until the escape key is pressed. Returns whether the line was still there then. */
  async function connect(path: string): Promise<boolean> {
    using line = openLine(path);
    using _lineAsItWas = line.raw();
    const { speed } = line.configure(settings);
    notice(
      `connected to ${printable(path)} at ${speed}` +
        (isInteractive
          ? `; leave with Ctrl-${escapeName} q, list keys with Ctrl-${escapeName} ?`
          : ""),
    );
    // Disposed of when this function ends, and so before any message.
    using log = options.log === undefined ? undefined : openLog(options.log);
    using _keyboardAsItWas = isInteractive ? keyboard.raw() : undefined;
    using selector = new PollSelector<() => void, FileDescriptor>();
    const toLine = new Outlet(line);
    const toScreen = new Outlet(new FileDescriptor(1));
    const buffer = new Uint8Array(4096);
    let isInputOpen = true;
    let isEscaped = false;
    let isEchoing = options.echo;
    let isLeft = false;
    let isHungUp = false;

    try {
      while (!isLeft && !isHungUp) {
        const lineEvents = (toScreen.isFull ? 0 : EVENT_READ) | (toLine.isFull ? EVENT_WRITE : 0);
        const isStopped = toLine.isFull || toScreen.isFull;
        const keyboardEvents = isInputOpen && !isStopped ? EVENT_READ : 0;
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
      const typed = buffer.subarray(0, size);
      attempt(() => toLine.send(isInteractive ? typed.filter(obey) : typed));
    }

    /** Obeys the commands among the keys. Returns whether to send the key. */
    function obey(key: number): boolean {
      const isCommand = isEscaped;
      isEscaped = !isCommand && key === escape;
      if (isLeft || isEscaped) return false;
      if (isCommand && key !== escape) {
        command(String.fromCharCode(key));
        return false;
      }
      if (isEchoing) toScreen.send(SHOWN.get(key) ?? new Uint8Array([key]));
      return true;
    }

    function command(key: string): void {
      if (key === "q") isLeft = true;
      else if (key === "b") line.sendBreak().catch(hangUp);
      else if (key === "e") isEchoing = !isEchoing;
      else toScreen.send(encoder.encode(commandsFor(escapeName).replaceAll("\n", "\r\n")));
    }

    function serveLine(): void {
      if (toLine.isFull) toLine.send();
      if (toScreen.isFull) return;
      const size = line.read(buffer);
      if (size === 0) hangUp();
      if (!size) return;
      const received = buffer.subarray(0, size);
      toScreen.send(received);
      log?.write(received);
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

/** Opens the line, or says how to get the permission for it. */
function openLine(path: string): Terminal {
  try {
    return openTerminal(path);
  } catch (error) {
    if (!(error instanceof OSError) || error.code !== "EACCES") throw error;
    const advice = "Join the group of the device, such as dialout or uucp, and log in again";
    exitWith(1, `${error.message}\n${advice}`);
  }
}

/** Opens a file to write to, and waits for its disk. */
function openLog(path: string): FileDescriptor {
  const file = FileDescriptor.open(path, O_WRONLY | O_CREAT | O_APPEND);
  file.setBlocking(true);
  return file;
}
