/**
 * Files of packets in libpcap's format, which tcpdump and Wireshark read.
 *
 * @module
 */

import { FileDescriptor, O_CREAT, O_TRUNC, O_WRONLY } from "@readiness/selectors/fd";
import type { PacketAddress } from "@readiness/selectors/socket";
import { write } from "./output.ts";

const MAGIC = 0xa1b2c3d4; // Times in microseconds
const VERSION = [2, 4] as const;
const RECORD_SIZE = 16, LINK_SIZE = 16;

/** "Linux cooked": a link-layer header that any interface's packets can have. */
const LINK_TYPE = 113;

/** The room for packets that are not in the file yet, in bytes. */
const ROOM = 1 << 20;

/** Writes packets of packet sockets to a file. */
export class PcapFile implements Disposable {
  readonly #file: FileDescriptor | null;
  readonly #bytes = new Uint8Array(ROOM);
  readonly #view = new DataView(this.#bytes.buffer);
  #size = 0;

  /**
   * Creates or replaces a file.
   *
   * @param path The file; `-` is standard output
   * @param longest How many bytes of a packet to write at most
   */
  constructor(path: string, longest: number) {
    this.#file = path === "-" ? null : FileDescriptor.open(path, O_WRONLY | O_CREAT | O_TRUNC);
    this.#put32(MAGIC);
    for (const number of VERSION) this.#put16(number);
    this.#size += 8; // The time zone and the precision
    this.#put32(longest + LINK_SIZE);
    this.#put32(LINK_TYPE);
    this.flush();
  }

  /**
   * Writes a packet.
   *
   * @param time When it arrived, in milliseconds since 1970
   * @param address How it arrived
   * @param bytes The packet, or its first bytes
   * @param size The size of the whole packet
   */
  write(time: number, address: PacketAddress, bytes: Uint8Array, size: number): void {
    if (this.#size + RECORD_SIZE + LINK_SIZE + bytes.length > ROOM) this.flush();
    const microseconds = Math.floor(time * 1000);
    this.#put32(Math.floor(microseconds / 1e6));
    this.#put32(microseconds % 1e6);
    this.#put32(LINK_SIZE + bytes.length);
    this.#put32(LINK_SIZE + size);
    const { packetType = 0, hardwareType = 0, hardwareAddress = "", protocol } = address;
    const hardware = Uint8Array.fromHex(hardwareAddress.replaceAll(":", ""));
    this.#put16(packetType);
    this.#put16(hardwareType);
    this.#put16(hardware.length);
    this.#bytes.fill(0, this.#size, this.#size + 8);
    this.#bytes.set(hardware.subarray(0, 8), this.#size);
    this.#size += 8;
    this.#put16(protocol);
    this.#bytes.set(bytes, this.#size);
    this.#size += bytes.length;
  }

  /** Writes what is still in memory. A file may be read while it grows. */
  flush(): void {
    const bytes = this.#bytes.subarray(0, this.#size);
    if (this.#file === null) write(Deno.stdout, bytes);
    else for (let at = 0; at < bytes.length;) at += this.#file.write(bytes.subarray(at)) ?? 0;
    this.#size = 0;
  }

  [Symbol.dispose](): void {
    this.flush();
    this.#file?.close();
  }

  #put16(number: number): void {
    this.#view.setUint16(this.#size, number);
    this.#size += 2;
  }

  #put32(number: number): void {
    this.#view.setUint32(this.#size, number);
    this.#size += 4;
  }
}
