/**
 * The command line of `serial.ts`.
 *
 * @module
 */

import type { LineSettings } from "@readiness/selectors/fd";
import { exitWith, parseCommandLine, parseInteger } from "./command_line.ts";

const USAGE = `Usage: serial.ts [OPTIONS] PATH

Connects this terminal to a serial line, such as /dev/ttyUSB0, until Ctrl-] q is pressed; Ctrl-] ?
lists the other commands. Input that is not a terminal is sent as it is; after its end, it shows
what comes in until the line hangs up or Ctrl-C is pressed.

Options:
  -b, --speed N   the speed in bits per second (115200)
  --mode MODE     data bits, parity (N, E or O) and stop bits (8N1)
  --flow NAME     flow control: none, hardware or software (none)
  -e, --echo      show what is typed, for a device that does not send it back
  -l, --log FILE  append what comes in to a file
  --escape KEY    the key that, with Ctrl, begins a command: A to Z or one of [ \\ ] ^ _ (])
  -h, --help      show this and exit

Exits with 0 when you leave it, and with 1 when the line hangs up.`;

const PARITIES = { N: "none", E: "even", O: "odd" } as const;
const FLOWS: readonly string[] = ["none", "hardware", "software"];

/** What the command line of `serial.ts` asks for. */
export interface SerialLine {
  readonly options: { readonly echo: boolean; readonly log?: string };
  /** The path of the line. */
  readonly path: string;
  readonly settings: LineSettings;
  /** The byte of the key that begins a command. */
  readonly escape: number;
  /** The key that it is, beside Ctrl. */
  readonly escapeName: string;
}

/** Parses the command line, or exits. */
export function parseSerialLine(): SerialLine {
  const { values: options, positionals } = parseCommandLine(USAGE, {
    speed: { type: "string", short: "b", default: "115200" },
    mode: { type: "string", default: "8N1" },
    flow: { type: "string", default: "none" },
    echo: { type: "boolean", short: "e", default: false },
    log: { type: "string", short: "l" },
    escape: { type: "string", default: "]" },
  }, true);
  if (positionals.length !== 1) exitWith(2, "There must be one path", USAGE);
  return {
    options,
    path: positionals[0],
    settings: parseSettings(options),
    escape: parseEscape(options.escape),
    escapeName: options.escape.toUpperCase(),
  };
}

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
