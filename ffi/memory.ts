import { abi } from "./abi/mod.ts";
import { libcCalls } from "./libc.ts";
import { decodeCString } from "./text.ts";

// Deno.UnsafePointer and its views require an unscoped permission; libc's own calls do not.
const places = abi.winsock?.libraries.memory;
const copyCalls = libcCalls({
  memcpy: { parameters: ["buffer", "usize", "usize"], result: "void" },
}, places);
const addressCalls = libcCalls({
  memcpy: { parameters: ["buffer", "buffer", "usize"], result: "usize" },
}, places);
const lengthCalls = libcCalls({
  strlen: { parameters: ["usize"], result: "usize" },
}, places);

/** Copies `target.byteLength` bytes from an address into a buffer. */
export function copyFrom(address: bigint, target: Uint8Array<ArrayBuffer>): void {
  copyCalls().memcpy(target, address, BigInt(target.byteLength));
}

/**
 * Returns the address of a buffer, for a structure that points to it. The buffer must be a view of
 * an explicit `ArrayBuffer`, as the memory of a small typed array moves, and the caller must keep
 * it alive while something points to it.
 */
export function addressOf(buffer: BufferSource): bigint {
  return addressCalls().memcpy(buffer, buffer, 0n);
}

/** Returns the bytes of the NUL-terminated string at an address, without the NUL. */
export function bytesAt(address: bigint): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(Number(lengthCalls().strlen(address)));
  copyFrom(address, bytes);
  return bytes;
}

/** Returns the NUL-terminated string at an address. */
export function stringAt(address: bigint): string {
  return decodeCString(bytesAt(address));
}

/** Encodes a string with a NUL at its end, for C. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text + "\0");
}

const nativeCalls = libcCalls({
  realloc: { parameters: ["usize", "usize"], result: "usize" },
  memcpy: { parameters: ["usize", "buffer", "usize"], result: "void" },
}, places);

/** Memory that `malloc` owns, not the garbage collector. It is never given back. */
export class NativeMemory {
  #address = 0n;
  #size = 0;

  /**
   * Makes room. What was written before may be lost.
   *
   * @param size The number of bytes
   * @returns The address
   */
  reserve(size: number): bigint {
    if (size > this.#size) {
      const address = nativeCalls().realloc(this.#address, BigInt(size));
      if (address === 0n) throw new RangeError(`Cannot allocate ${size} bytes`);
      this.#address = address;
      this.#size = size;
    }
    return this.#address;
  }

  /**
   * Copies bytes into it.
   *
   * @param offset Where they go, in bytes from the address
   * @param source The bytes, of an `ArrayBuffer` of their own
   * @param length How many bytes
   */
  write(offset: number, source: ArrayBufferView<ArrayBuffer>, length: number): void {
    nativeCalls().memcpy(this.#address + BigInt(offset), source, BigInt(length));
  }
}
