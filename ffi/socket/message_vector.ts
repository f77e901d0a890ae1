import { abi } from "../abi/mod.ts";
import { addressOf } from "../memory.ts";
import { setField } from "./fields.ts";
import { ADDRESS_SIZE, clearFamily } from "./sockaddr.ts";

/** The size of the smallest parts, and what sizes are multiples of, so that all is aligned. */
const ALIGNMENT = 64;

/**
 * C's array of `struct mmsghdr` with everything it points to: for each message room for its bytes,
 * an address and control data. It is all in one piece of memory, which is used again for each call
 * and which nothing else can take away: bytes are copied in and out.
 */
export class MessageVector {
  /** How many messages it has room for. */
  readonly count: number;
  /** The room for the bytes of a message. */
  readonly size: number;
  /** The room for the control data of a message. */
  readonly controlSize: number;
  /** The address of each message. */
  readonly names: readonly Uint8Array<ArrayBuffer>[];
  readonly #memory: ArrayBuffer;
  readonly #words: Uint32Array<ArrayBuffer>;
  readonly #layout = layout();
  readonly #namePointers: readonly bigint[];
  readonly #controlPointers: readonly bigint[];
  readonly #pointers: BigUint64Array<ArrayBuffer>;
  readonly #controlAt: number;
  readonly #dataAt: number;

  /**
   * Makes room.
   *
   * @param count For how many messages
   * @param size For how many bytes of each
   * @param controlSize For how many bytes of control data of each
   */
  constructor(count: number, size: number, controlSize: number) {
    const { iovec, msghdr, mmsghdr } = abi.messages!;
    this.count = count;
    this.size = roundUp(size);
    this.controlSize = roundUp(controlSize);
    const vectorsAt = count * mmsghdr!.size;
    const namesAt = roundUp(vectorsAt + count * iovec.size);
    this.#controlAt = namesAt + count * ADDRESS_SIZE;
    this.#dataAt = this.#controlAt + count * this.controlSize;
    this.#memory = new ArrayBuffer(this.#dataAt + count * this.size);
    this.#words = new Uint32Array(this.#memory, 0, namesAt / 4);
    this.#pointers = new BigUint64Array(this.#memory, 0, namesAt / 8);
    const indexes = Array.from({ length: count }, (_, i) => i);
    const start = addressOf(this.#words);
    const pointersTo = (at: number, stride: number) =>
      indexes.map((i) => start + BigInt(at + i * stride));
    this.names = indexes.map((i) =>
      new Uint8Array(this.#memory, namesAt + i * ADDRESS_SIZE, ADDRESS_SIZE)
    );
    this.#namePointers = pointersTo(namesAt, ADDRESS_SIZE);
    this.#controlPointers = pointersTo(this.#controlAt, this.controlSize);
    const view = new DataView(this.#memory);
    for (const i of indexes) {
      const at = i * mmsghdr!.size + mmsghdr!.fields.msg_hdr[0];
      const vectorAt = vectorsAt + i * iovec.size;
      setField(view, at, msghdr.fields.msg_iov, start + BigInt(vectorAt));
      setField(view, at, msghdr.fields.msg_iovlen, 1);
      setField(
        view,
        vectorAt,
        iovec.fields.iov_base,
        start + BigInt(this.#dataAt + i * this.size),
      );
    }
  }

  /** The array, for the call. */
  get headers(): Uint32Array<ArrayBuffer> {
    return this.#words;
  }

  /**
   * Prepares to receive a message.
   *
   * @param i Which one
   * @param length How many bytes of it to receive
   * @param controlSize How many bytes of control data to receive
   */
  expect(i: number, length: number, controlSize: number): void {
    clearFamily(this.names[i]!); // Of what was received before: streams have no sender.
    this.#set(i, length, ADDRESS_SIZE, controlSize);
  }

  /**
   * Prepares to send a message.
   *
   * @param i Which one
   * @param data Its bytes
   * @param name Its address in C's form, empty for none
   * @param control Its control data
   */
  put(
    i: number,
    data: Uint8Array,
    name: Uint8Array<ArrayBuffer>,
    control: Uint8Array<ArrayBuffer>,
  ): void {
    const { length } = data;
    this.#set(i, length, name.length, control.length);
    if (length > 0) this.data(i, length).set(data);
    if (name.length > 0) this.names[i]!.set(name);
    if (control.length > 0) this.#control(i, control.length).set(control);
  }

  /** Returns the first bytes of a message. */
  data(i: number, length: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#memory, this.#dataAt + i * this.size, length);
  }

  /** Returns the size of a received message. */
  sizeOf(i: number): number {
    return this.#words[i * this.#layout.stride + this.#layout.length]!;
  }

  /** Returns the size of the address that came with a message. */
  nameSizeOf(i: number): number {
    return this.#words[i * this.#layout.stride + this.#layout.nameSize]!;
  }

  /** Returns the flags that the system returned with a message. */
  flagsOf(i: number): number {
    return this.#words[i * this.#layout.stride + this.#layout.flags]!;
  }

  /** Returns the control data that came with a message. */
  controlOf(i: number): Uint8Array<ArrayBuffer> {
    return this.#control(i, this.#words[i * this.#layout.stride + this.#layout.controlSize]!);
  }

  #control(i: number, length: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#memory, this.#controlAt + i * this.controlSize, length);
  }

  #set(i: number, length: number, nameSize: number, controlSize: number): void {
    const at = this.#layout;
    const word = i * at.stride;
    // The upper half of a size with eight bytes is always 0.
    this.#words[this.count * at.stride + i * at.vectorStride + at.vectors] = length;
    this.#words[word + at.nameSize] = nameSize;
    this.#words[word + at.controlSize] = controlSize;
    this.#words[word + at.flags] = 0;
    // The BSDs refuse a pointer to nothing.
    this.#pointers[(word + at.name) / 2] = nameSize > 0 ? this.#namePointers[i]! : 0n;
    this.#pointers[(word + at.control) / 2] = controlSize > 0 ? this.#controlPointers[i]! : 0n;
  }
}

/** Returns the places of the fields, in 32-bit words. */
function layout() {
  const { iovec, msghdr: { fields }, mmsghdr } = abi.messages!;
  const header = mmsghdr!.fields.msg_hdr[0];
  const word = ([at]: readonly [number, number]) => (header + at) / 4;
  return {
    stride: mmsghdr!.size / 4,
    length: mmsghdr!.fields.msg_len[0] / 4,
    name: word(fields.msg_name),
    nameSize: word(fields.msg_namelen),
    control: word(fields.msg_control),
    controlSize: word(fields.msg_controllen),
    flags: word(fields.msg_flags),
    vectorStride: iovec.size / 4,
    vectors: iovec.fields.iov_len[0] / 4,
  };
}

function roundUp(size: number): number {
  return Math.ceil(size / ALIGNMENT) * ALIGNMENT;
}
