/**
 * Domain names, as text and in messages.
 *
 * As text, the root is empty and no other name ends in a dot. Bytes that are not printable are
 * escaped as in zone files, and so are dots and backslashes in a label: `\007`, `\.`, `\\`.
 *
 * @module
 */

/** The most bytes of a name in a message, and of one of its labels. */
const LONGEST_NAME = 255;
const LONGEST_LABEL = 63;

/** The first two bits of a byte that points to the rest of a name; 0 begins a label. */
const POINTER = 0b11;

/** The offsets in a message that a pointer can hold. */
const REACH = 0x4000;

/** A name that breaks the rules. The message says how. */
export class InvalidName extends Error {}

/** Where names begin in a message, by their text in lower case. */
export type NameOffsets = Map<string, number>;

/**
 * Parses a name, with or without a dot at its end.
 *
 * @throws {InvalidName} If it is not ASCII, too long, or has a label that is empty or too long
 */
export function parseName(text: string): string {
  if (text === ".") return "";
  if (/[^!-~]/.test(text)) throw new InvalidName(`"${text}" is not ASCII`);
  const labels = readLabels(text);
  if (labels.length > 1 && labels.at(-1)!.length === 0) labels.pop();
  let size = 1;
  for (const label of labels) {
    if (label.some((byte) => byte > 255)) throw new InvalidName(`"${text}" has a wrong escape`);
    if (label.length === 0) throw new InvalidName(`"${text}" has an empty label`);
    if (label.length > LONGEST_LABEL) {
      throw new InvalidName(`"${text}" has a label that is too long`);
    }
    size += 1 + label.length;
  }
  if (size > LONGEST_NAME) throw new InvalidName(`"${text}" is too long`);
  return labels.map(formatLabel).join(".");
}

/** Returns what two names have in common if they differ only in the case of letters. */
export function nameKey(name: string): string {
  return name.toLowerCase();
}

/** Returns a name and the names above it, except for the root. */
export function withParents(name: string): string[] {
  const labels = readLabels(name).map(formatLabel);
  return name === "" ? [] : labels.map((_, i) => labels.slice(i).join("."));
}

/**
 * Encodes a name.
 *
 * @param name The name
 * @param offset Where it begins in the message
 * @param known The names before it; the parts of this one are added. If it is left out, the name is
 * not compressed
 */
export function encodeName(name: string, offset: number, known?: NameOffsets): Uint8Array {
  const bytes: number[] = [];
  for (const rest of withParents(name)) {
    const key = nameKey(rest);
    const pointer = known?.get(key);
    if (pointer !== undefined) return Uint8Array.of(...bytes, 0xc0 | pointer >> 8, pointer & 0xff);
    if (offset + bytes.length < REACH) known?.set(key, offset + bytes.length);
    const label = readLabels(rest)[0]!;
    bytes.push(label.length, ...label);
  }
  return Uint8Array.of(...bytes, 0);
}

/**
 * Decodes a name.
 *
 * @param message The message
 * @param offset Where the name begins
 * @returns The name, and where it ends
 * @throws {InvalidName} If it is cut off, too long, or points elsewhere than to an earlier name
 */
export function decodeName(message: Uint8Array, offset: number): { name: string; end: number } {
  const labels: string[] = [];
  let size = 1;
  let end: number | undefined;
  let earliest = offset;
  for (let at = offset;;) {
    const length = byteAt(message, at);
    if (length === 0) return { name: labels.join("."), end: end ?? at + 1 };
    if (length >> 6 === POINTER) {
      end ??= at + 2;
      at = (length & 0x3f) << 8 | byteAt(message, at + 1);
      if (at >= earliest) throw new InvalidName("A name points to itself or forwards");
      earliest = at;
    } else if (length > LONGEST_LABEL) {
      throw new InvalidName("A name has a label of an unknown kind");
    } else {
      byteAt(message, at + length);
      size += 1 + length;
      if (size > LONGEST_NAME) throw new InvalidName("A name is too long");
      labels.push(formatLabel(message.subarray(at + 1, at += 1 + length)));
    }
  }
}

function byteAt(message: Uint8Array, offset: number): number {
  const byte = message[offset];
  if (byte === undefined) throw new InvalidName("A name is cut off");
  return byte;
}

function readLabels(text: string): number[][] {
  const labels: number[][] = [[]];
  for (const [token, decimal] of text.matchAll(/\\(\d{3})|\\?./gs)) {
    if (token === ".") labels.push([]);
    else labels.at(-1)!.push(decimal === undefined ? token.charCodeAt(token.length - 1) : +decimal);
  }
  return labels;
}

function formatLabel(bytes: Iterable<number>): string {
  return Array.from(bytes, (byte) => {
    if (byte <= 0x20 || byte >= 0x7f) return `\\${String(byte).padStart(3, "0")}`;
    const character = String.fromCharCode(byte);
    return character === "." || character === "\\" ? `\\${character}` : character;
  }).join("");
}
