import { assertInteger, describeValue, readOptions } from "../checks.ts";
import { type Attributes, attributesLayout } from "./terminal_attributes.ts";

/**
 * How bytes travel over a serial line.
 *
 * @category Terminals
 */
export interface LineSettings {
  /** The speed, in bits per second. */
  readonly speed: number;
  /** The number of bits of a byte. */
  readonly dataBits: 5 | 6 | 7 | 8;
  /** The parity bit that is added to each byte. */
  readonly parity: "none" | "even" | "odd";
  /** The number of bits that end a byte. */
  readonly stopBits: 1 | 2;
  /** How one side makes the other pause: not at all, with RTS and CTS, or with XON and XOFF. */
  readonly flowControl: "none" | "hardware" | "software";
}

/** Returns the settings that are in a terminal's attributes. */
export function readSettings(attributes: Attributes): LineSettings {
  const { constants, fields } = attributesLayout();
  const { CRTSCTS, CS5, CS6, CS7, CSIZE, CSTOPB, IXOFF, IXON, PARENB, PARODD } = constants;
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
 * Changes settings in a terminal's attributes. The line also receives, and ignores a modem's
 * carrier.
 *
 * @throws {RangeError} If a setting is not one of those listed, or the speed is out of range
 */
export function changeSettings(attributes: Attributes, settings: Partial<LineSettings>): void {
  const { constants: c, fields } = attributesLayout();
  const change = (field: "c_iflag" | "c_cflag", clear: number, set: number) => {
    const at = fields[field][0];
    attributes.setUint32(at, attributes.getUint32(at, true) & ~clear | set, true);
  };
  const { speed, dataBits, parity, stopBits, flowControl } = readOptions(
    "Cannot configure a line",
    settings,
    ["speed", "dataBits", "parity", "stopBits", "flowControl"],
  );
  change("c_cflag", 0, c.CREAD | c.CLOCAL);
  if (speed !== undefined) {
    assertInteger("Cannot configure a line: the speed", speed, 1);
    if (c.BOTHER !== undefined) {
      // Linux has codes for the usual speeds, the only ones that old programs know, and one code
      // for all others.
      const codes: { readonly [name: string]: number | undefined } = c;
      change("c_cflag", c.CBAUD! | c.CIBAUD!, codes[`B${speed}`] ?? c.BOTHER);
    }
    attributes.setUint32(fields.c_ispeed[0], speed, true);
    attributes.setUint32(fields.c_ospeed[0], speed, true);
  }
  if (dataBits !== undefined) {
    const sizes = { 5: c.CS5, 6: c.CS6, 7: c.CS7, 8: c.CS8 };
    change("c_cflag", c.CSIZE, choose("number of data bits", sizes, dataBits));
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
    const flows = {
      none: { control: 0, input: 0 },
      hardware: { control: c.CRTSCTS, input: 0 },
      software: { control: 0, input: c.IXON | c.IXOFF },
    };
    const { control, input } = choose("flow control", flows, flowControl);
    change("c_cflag", c.CRTSCTS, control);
    change("c_iflag", c.IXON | c.IXOFF, input);
  }
}

/** Returns what a setting stands for. */
function choose<T>(what: string, choices: Record<string, T>, choice: string | number): T {
  const isName = typeof choice === "string" || typeof choice === "number";
  if (!isName || !Object.hasOwn(choices, choice)) {
    throw new RangeError(
      `Cannot configure a line: the ${what} must be one of ${Object.keys(choices).join(", ")}, ` +
        `received ${describeValue(choice)}`,
    );
  }
  return choices[choice]!;
}
