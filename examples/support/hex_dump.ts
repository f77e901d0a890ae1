const BYTES_PER_LINE = 16;

/** The width of the bytes of a line: two of them, and a space before them. */
const WIDTH = BYTES_PER_LINE / 2 * 5;

/** Formats bytes in hexadecimal, as tcpdump does for `-x` and, with their characters, for `-X`. */
export function formatHexDump(bytes: Uint8Array, withCharacters: boolean): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += BYTES_PER_LINE) {
    const part = bytes.subarray(at, at + BYTES_PER_LINE);
    const offset = at.toString(16).padStart(4, "0");
    const pairs = part.toHex().replace(/.{1,4}/g, " $&");
    const characters = String.fromCharCode(...part).replace(/[^!-~]/g, ".");
    lines.push(
      `\t0x${offset}: ${withCharacters ? `${pairs.padEnd(WIDTH)}  ${characters}` : pairs}`,
    );
  }
  return lines.join("\n");
}
