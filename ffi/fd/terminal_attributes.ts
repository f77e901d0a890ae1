/**
 * The attributes of a terminal, C's `struct termios`.
 *
 * Linux has two structures. The one of `tcgetattr` holds speeds as codes; `struct termios2` of
 * `ioctl` holds them as plain numbers, as the structure of every other system does.
 *
 * @module
 */

import { abi } from "../abi/mod.ts";
import { need } from "../checks.ts";
import { type HasFileno, nameOf } from "../descriptor.ts";
import { lastErrno, OSError } from "../errno.ts";
import { libcCalls } from "../libc.ts";
import { callIoctl } from "./ioctl.ts";

const { EINTR } = abi.errno;

const calls = libcCalls({
  tcgetattr: { parameters: ["i32", "buffer"], result: "i32" },
  tcsetattr: { parameters: ["i32", "i32", "buffer"], result: "i32" },
});

/** The bytes of the structure. */
export type Attributes = DataView<ArrayBuffer>;

/** Returns this system's numbers for terminals. */
export function termiosTable(): NonNullable<typeof abi.termios> {
  return need(abi.termios, "Cannot use a terminal", "termios that this package knows");
}

/** Returns the layout of the structure, and the constants of its fields. */
export function attributesLayout() {
  const { constants, termios, termios2 } = termiosTable();
  return { constants, ...(termios2 ?? termios!) };
}

/** Reads the attributes of a terminal. */
export function getAttributes(terminal: HasFileno): Attributes {
  const { constants: { TCGETS2 }, size } = attributesLayout();
  const attributes = new DataView(new ArrayBuffer(size));
  const result = TCGETS2 === undefined
    ? calls().tcgetattr(terminal.fileno(), attributes)
    : callIoctl(terminal.fileno(), TCGETS2, attributes);
  if (result < 0) throw failure("get", terminal, TCGETS2 === undefined ? "tcgetattr" : "ioctl");
  return attributes;
}

/** Sets the attributes of a terminal, at once. */
export function setAttributes(terminal: HasFileno, attributes: Attributes): void {
  const { TCSANOW, TCSETS2 } = attributesLayout().constants;
  for (;;) {
    const result = TCSETS2 === undefined
      ? calls().tcsetattr(terminal.fileno(), TCSANOW, attributes)
      : callIoctl(terminal.fileno(), TCSETS2, attributes);
    if (result === 0) return;
    if (lastErrno() !== EINTR) {
      throw failure("set", terminal, TCSETS2 === undefined ? "tcsetattr" : "ioctl");
    }
  }
}

/** Returns raw attributes, like `cfmakeraw`, but with the same number of bits and parity. */
export function rawAttributes(attributes: Attributes): Attributes {
  const { constants: c, fields } = attributesLayout();
  const raw = new DataView(attributes.buffer.slice(0));
  const clear = (field: "c_iflag" | "c_oflag" | "c_lflag", bits: number) => {
    const at = fields[field][0];
    raw.setUint32(at, raw.getUint32(at, true) & ~bits, true);
  };
  clear("c_iflag", c.IGNBRK | c.BRKINT | c.PARMRK | c.ISTRIP);
  clear("c_iflag", c.INLCR | c.IGNCR | c.ICRNL | c.IXON);
  clear("c_oflag", c.OPOST);
  clear("c_lflag", c.ECHO | c.ECHONL | c.ICANON | c.ISIG | c.IEXTEN);
  raw.setUint8(fields.c_cc[0] + c.VMIN, 1);
  raw.setUint8(fields.c_cc[0] + c.VTIME, 0);
  return raw;
}

function failure(verb: "get" | "set", terminal: HasFileno, syscall: string): OSError {
  const errno = lastErrno(); // Before a fileno() of the caller's can change it.
  return new OSError(
    `Cannot ${verb} the attributes of ${nameOf(terminal.fileno())}`,
    syscall,
    errno,
  );
}
