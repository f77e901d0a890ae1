import { addressOf } from "../memory.ts";

/** An array of C strings, such as `argv` or `envp`. */
export interface CStrings {
  /** The pointers to the strings, with a null pointer at the end. */
  readonly pointers: BigUint64Array<ArrayBuffer>;
  /** The strings, which must stay alive while the pointers are in use. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Makes an array of C strings. */
export function cStrings(strings: readonly (string | Uint8Array)[]): CStrings {
  const encoder = new TextEncoder();
  const encoded = strings.map((text) => typeof text === "string" ? encoder.encode(text) : text);
  const size = encoded.reduce((sum, { length }) => sum + length + 1, 0);
  const bytes = new Uint8Array(new ArrayBuffer(size));
  const pointers = new BigUint64Array(new ArrayBuffer(8 * (encoded.length + 1)));
  const address = addressOf(bytes);
  let at = 0;
  encoded.forEach((text, i) => {
    bytes.set(text, at);
    pointers[i] = address + BigInt(at);
    at += text.length + 1;
  });
  return { pointers, bytes };
}
