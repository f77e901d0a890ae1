import { abi } from "../abi/mod.ts";
import { addressOf } from "../memory.ts";
import { getField, setField } from "./fields.ts";

/**
 * C's `struct msghdr` with everything it points to: buffers, control data and an address. They stay
 * alive and do not move while the structure is in use.
 */
export class MessageHeader {
  readonly #bytes = new DataView(new ArrayBuffer(abi.messages!.msghdr.size));
  readonly #control: Uint8Array<ArrayBuffer>;
  readonly #name: Uint8Array<ArrayBuffer> | undefined;
  /** What the structure points to. */
  readonly #kept: unknown[];

  /**
   * Fills in the structure for a message to send, or for room to receive one.
   *
   * @param buffers The buffers
   * @param control The control data, in an `ArrayBuffer` of its own
   * @param name The address, in an `ArrayBuffer` of its own
   */
  constructor(
    buffers: readonly Uint8Array[],
    control: Uint8Array<ArrayBuffer>,
    name: Uint8Array<ArrayBuffer> | undefined,
  ) {
    const { iovec, msghdr: { fields } } = abi.messages!;
    const vector = new DataView(new ArrayBuffer(Math.max(iovec.size * buffers.length, 1)));
    buffers.forEach((buffer, i) => {
      // The memory of a small array moves until its ArrayBuffer is asked for.
      const pinned = new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
      const { iov_base, iov_len } = iovec.fields;
      const base = pinned.byteLength === 0 ? 0n : addressOf(pinned as Uint8Array<ArrayBuffer>);
      setField(vector, i * iovec.size, iov_base, base);
      setField(vector, i * iovec.size, iov_len, pinned.byteLength);
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

  /** Restores what the system has overwritten. */
  reset(): void {
    const { fields } = abi.messages!.msghdr;
    setField(this.#bytes, 0, fields.msg_namelen, this.#name?.length ?? 0);
    setField(this.#bytes, 0, fields.msg_controllen, this.#control.length);
    setField(this.#bytes, 0, fields.msg_flags, 0);
  }

  /** Makes a call with the structure, and keeps everything alive until it returns. */
  keepFor(call: (bytes: DataView<ArrayBuffer>) => number): number {
    inUse = this.#kept;
    const result = call(this.#bytes);
    inUse = undefined;
    return result;
  }

  /** The size of the address that the system wrote, in bytes. */
  get nameSize(): number {
    return getField(this.#bytes, 0, abi.messages!.msghdr.fields.msg_namelen);
  }

  /** The size of the control data that the system wrote, in bytes. */
  get controlSize(): number {
    return getField(this.#bytes, 0, abi.messages!.msghdr.fields.msg_controllen);
  }

  /** The flags that the system returned. */
  get flags(): number {
    return getField(this.#bytes, 0, abi.messages!.msghdr.fields.msg_flags);
  }
}

/** What the current call uses. It is exported so that no compiler can drop it as unused. */
export let inUse: unknown;
