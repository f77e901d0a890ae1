import { abi } from "../abi/host.ts";
import type { Field } from "../abi/abi.ts";
import { addressOf } from "../memory.ts";

/**
 * C's `struct msghdr`, with all that it points to: buffers, control data and an address. It keeps
 * these alive, and where they are, as long as it is in use.
 */
export class MessageHeader {
  readonly #bytes = new DataView(new ArrayBuffer(abi.messages!.msghdr.size));
  readonly #control: Uint8Array<ArrayBuffer>;
  readonly #name: Uint8Array<ArrayBuffer> | undefined;
  /** Referred to from here, so that nothing moves or goes before the call returns. */
  readonly #kept: unknown[];

  /**
   * Makes one.
   *
   * @param buffers The bytes of the message, or where they go
   * @param control The control data, or where it goes, in an `ArrayBuffer` of its own
   * @param name The address, or where it goes, in an `ArrayBuffer` of its own
   */
  constructor(
    buffers: readonly Uint8Array[],
    control: Uint8Array<ArrayBuffer>,
    name: Uint8Array<ArrayBuffer> | undefined,
  ) {
    const { iovec, msghdr: { fields } } = abi.messages!;
    const vector = new DataView(new ArrayBuffer(Math.max(iovec.size * buffers.length, 1)));
    buffers.forEach((buffer, i) => {
      // A small array's memory moves until somebody has asked for its ArrayBuffer.
      const pinned = new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
      const { iov_base, iov_len } = iovec.fields;
      const base = buffer.byteLength === 0 ? 0n : addressOf(pinned as Uint8Array<ArrayBuffer>);
      setField(vector, i * iovec.size, iov_base, base);
      setField(vector, i * iovec.size, iov_len, buffer.byteLength);
    });
    this.#control = control;
    this.#name = name;
    this.#kept = [buffers, vector, control, name];
    setField(this.#bytes, 0, fields.msg_iov, addressOf(vector));
    setField(this.#bytes, 0, fields.msg_iovlen, buffers.length);
    if (control.length > 0) setField(this.#bytes, 0, fields.msg_control, addressOf(control));
    if (name !== undefined) setField(this.#bytes, 0, fields.msg_name, addressOf(name));
    this.reset();
  }

  /** Sets what the system has written over. */
  reset(): void {
    const { fields } = abi.messages!.msghdr;
    setField(this.#bytes, 0, fields.msg_namelen, this.#name?.length ?? 0);
    setField(this.#bytes, 0, fields.msg_controllen, this.#control.length);
    setField(this.#bytes, 0, fields.msg_flags, 0);
  }

  /** Makes a call with the structure. */
  keepFor(call: (bytes: DataView<ArrayBuffer>) => number): number {
    inUse = this.#kept;
    const result = call(this.#bytes);
    inUse = undefined;
    return result;
  }

  /** How long the address is that the system wrote. */
  get nameSize(): number {
    return getField(this.#bytes, 0, abi.messages!.msghdr.fields.msg_namelen);
  }

  /** How much control data the system wrote. */
  get controlSize(): number {
    return getField(this.#bytes, 0, abi.messages!.msghdr.fields.msg_controllen);
  }

  /** The flags that the system told. */
  get flags(): number {
    return getField(this.#bytes, 0, abi.messages!.msghdr.fields.msg_flags);
  }
}

/** What a call uses: a variable of the module, which no compiler can take for unused. */
export let inUse: unknown;

/** Writes a field of two, four or eight bytes. */
export function setField(
  view: DataView,
  at: number,
  [offset, width]: Field,
  value: number | bigint,
): void {
  if (width === 8) view.setBigUint64(at + offset, BigInt(value), true);
  else if (width === 4) view.setUint32(at + offset, Number(value), true);
  else view.setUint16(at + offset, Number(value), true);
}

/** Reads a field of four or eight bytes. */
export function getField(view: DataView, at: number, [offset, width]: Field): number {
  return width === 8
    ? Number(view.getBigUint64(at + offset, true))
    : view.getUint32(at + offset, true);
}
