/**
 * Text of the system, such as names and paths, which the system treats as bytes. A byte order mark
 * is a part of them.
 *
 * @module
 */

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const strictDecoder = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

/** Decodes bytes up to the first NUL, if there is one. What is not UTF-8 becomes U+FFFD. */
export function decodeCString(bytes: Uint8Array): string {
  return decoder.decode(untilNul(bytes));
}

/** Decodes bytes, or returns `null` if they are not UTF-8. */
export function decodeExactly(bytes: Uint8Array): string | null {
  try {
    return strictDecoder.decode(bytes);
  } catch {
    return null;
  }
}

/** Returns the bytes before the first NUL, or all if there is none. */
export function untilNul(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}
