/**
 * Records what a program prints to its terminal, with timing, as an asciicast.
 *
 * It shows a program with a controlling terminal of its own, so that job control, `/dev/tty`
 * and passwords work; how to pass the size of the window on; how to restore the outer terminal
 * whatever happens; and an async function for each direction, which waits for one descriptor at a
 * time.
 *
 *     deno run --allow-ffi jsr:@readiness/selectors/script demo.cast -- vim README.md
 *
 * It needs Linux.
 *
 * @module
 */

import { setTimeout } from "node:timers/promises";
import {
  EVENT_READ,
  EVENT_WRITE,
  OSError,
  PollSelector,
  ready,
  sendAll,
  whenReadable,
} from "@readiness/selectors";
import {
  FileDescriptor,
  isTerminal,
  ProcessDescriptor,
  pseudoTerminal,
  Terminal,
  type WindowSize,
} from "@readiness/selectors/fd";
import { Recording } from "./support/asciicast.ts";
import {
  exitWith,
  interruption,
  parseCommandLine,
  parseInteger,
  run,
} from "./support/command_line.ts";
import { notice, printable } from "./support/output.ts";

const USAGE = `Usage: script.ts [OPTIONS] [FILE] [-- COMMAND [ARGUMENT...]]

Runs a command (your shell) on a terminal of its own, and records what it prints in FILE
(script.cast): in the format asciicast v2, which "asciinema play" plays. What the terminal does not
echo, such as a password, is not recorded. Input that is not a terminal is typed for the command,
followed by Ctrl-D.

Options:
  --overwrite          replace a recording
  --size COLUMNSxROWS  the size of the window where there is no terminal (80x24)
  -h, --help           show this and exit

Exits with the exit code of the command, or with 128 and the number of the signal that ended it. A
signal to this program hangs up the terminal of the command, as closing a window does.`;

/** The user's shell. `Deno.env` would need another permission. */
const SHELL = ["sh", "-c", 'exec "${SHELL:-sh}"'];

/** Ctrl-D. */
const END_OF_INPUT = new Uint8Array([4]);

/** How often to look whether the command has taken the end of its input, in milliseconds. */
const LOOK = 200;

/** A pipe that is ready takes this many bytes without blocking. */
const PAGE = 4096;

run(async () => {
  const separator = Deno.args.indexOf("--");
  const given = separator < 0 ? [] : Deno.args.slice(separator + 1);
  const { values: options, positionals } = parseCommandLine(USAGE, {
    overwrite: { type: "boolean", default: false },
    size: { type: "string", default: "80x24" },
  }, true);
  const paths = positionals.slice(0, positionals.length - given.length);
  if (paths.length > 1) exitWith(2, "There must be one file; a command follows --", USAGE);
  if (separator >= 0 && given.length === 0) {
    exitWith(2, "There must be a command after --", USAGE);
  }
  const [path = "script.cast"] = paths;
  const [command = "", ...args] = given.length > 0 ? given : SHELL;
  const defaultSize = parseSize(options.size);

  const keyboard = new Terminal(0);
  const screen = new FileDescriptor(1);
  const outer = [0, 1].filter(isTerminal).map((fd) => new Terminal(fd))[0];
  const interrupted = interruption("SIGHUP", "SIGQUIT");
  const status = await record();
  if (status !== null) Deno.exitCode = status.code;

  /** Records the command. Returns how it ended, or `null` if a signal interrupted the recording. */
  async function record(): Promise<Deno.CommandStatus | null> {
    using recording = Recording.open(path, options.overwrite);
    if (recording === null) {
      exitWith(1, `The file ${path} is not empty; --overwrite replaces it`);
    }
    using inner = pseudoTerminal();
    const { manager, subsidiary } = inner;
    manager.setWindowSize(windowSize());
    using child = ProcessDescriptor.spawn(command, args, { terminal: subsidiary });
    recording.start(windowSize(), given.length > 0 ? given.join(" ") : undefined);
    notice(`recording to ${printable(path)}`);

    const over = new AbortController();
    const waitOptions = { signal: AbortSignal.any([interrupted, over.signal]) };
    const restored = isTerminal(keyboard) ? keyboard.raw() : undefined;
    const restore = () => restored?.[Symbol.dispose]();
    interrupted.addEventListener("abort", restore); // Before a second signal ends the program.
    Deno.addSignalListener("SIGWINCH", resize);
    try {
      const [status] = await Promise.all([untilExit(), passOutput(), passInput()]);
      return status;
    } catch (error) {
      if (!interrupted.aborted) throw error;
      return null;
    } finally {
      over.abort();
      restore();
      Deno.removeSignalListener("SIGWINCH", resize);
      inner[Symbol.dispose](); // Hangs up.
      await child.exited();
    }

    async function untilExit(): Promise<Deno.CommandStatus> {
      const status = await child.exited(waitOptions);
      subsidiary.close(); // The output ends when no other process has the terminal either.
      return status;
    }

    async function passOutput(): Promise<void> {
      const buffer = new Uint8Array(PAGE);
      for (;;) {
        const size = await whenReadable(manager, () => readOutput(buffer), waitOptions);
        if (size === 0) break;
        recording!.output(buffer.subarray(0, size));
        for (let sent = 0; sent < size;) {
          await ready(screen, EVENT_WRITE, waitOptions);
          sent += screen.write(buffer.subarray(sent, size)) ?? 0;
        }
      }
      over.abort();
    }

    async function passInput(): Promise<void> {
      const buffer = new Uint8Array(PAGE);
      using unread = new PollSelector();
      unread.register(subsidiary, EVENT_READ);
      try {
        for (;;) {
          await ready(keyboard, EVENT_READ, waitOptions);
          const size = keyboard.read(buffer);
          if (size === 0) break;
          if (size !== null) await type(buffer.subarray(0, size));
        }
        // The end of a file lasts, but Ctrl-D ends one read, or means nothing in raw mode.
        while (subsidiary.fileno() >= 0) {
          if (unread.select(0).length === 0) await type(END_OF_INPUT);
          await setTimeout(LOOK, undefined, waitOptions);
        }
      } catch (error) {
        if (!over.signal.aborted) throw error;
      }
    }

    function readOutput(buffer: Uint8Array): number | null {
      try {
        return manager.read(buffer);
      } catch (error) {
        if (!isHangUp(error)) throw error;
        return 0;
      }
    }

    async function type(bytes: Uint8Array): Promise<void> {
      try {
        await sendAll(manager, bytes, waitOptions);
      } catch (error) {
        if (!isHangUp(error)) throw error;
      }
    }

    function resize(): void {
      try {
        manager.setWindowSize(windowSize());
        recording!.resize(windowSize());
      } catch (error) {
        over.abort(error);
      }
    }
  }

  function windowSize(): WindowSize {
    const size = outer?.windowSize();
    return size !== undefined && size.rows > 0 && size.columns > 0 ? size : defaultSize;
  }
});

/** Returns whether a call failed because nobody has the terminal of the command any more. */
function isHangUp(error: unknown): boolean {
  return error instanceof OSError && error.code === "EIO";
}

function parseSize(text: string): WindowSize {
  const [, columns, rows] = /^(\d+)x(\d+)$/.exec(text) ??
    exitWith(2, `The size must be like 80x24, received ${text}`);
  return {
    columns: parseInteger("number of columns", columns!, 1, 65535),
    rows: parseInteger("number of rows", rows!, 1, 65535),
  };
}
