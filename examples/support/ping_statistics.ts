/**
 * The lines that `ping.ts` prints, which are those of ping from iputils.
 *
 * @module
 */

import { isNumeric } from "./addresses.ts";
import { HEADER } from "./icmp.ts";
import { printable } from "./output.ts";

/** The size of an IPv4 header without options, in bytes. */
const IPV4_HEADER = 20;

/** A host, the requests that it was sent, and its answers. */
export class Host {
  readonly name: string;
  readonly address: string;
  /** The number of requests, those included that could not be sent. */
  sent = 0;
  /** The number of requests that could not be sent, or for which another host reported an error. */
  errors = 0;
  received = 0;
  /** Of the round-trip times, in milliseconds. */
  #least = Infinity;
  #most = 0;
  #sum = 0;
  #squares = 0;
  #first = 0;
  #last = 0;

  /**
   * @param name As on the command line
   * @param address A numeric address
   */
  constructor(name: string, address: string) {
    this.name = printable(name);
    this.address = address;
  }

  /** Counts a request. */
  count(time: number): void {
    if (this.sent++ === 0) this.#first = time;
    this.#last = time;
  }

  /** Counts an answer, given its round-trip time. */
  take(time: number): void {
    this.received++;
    this.#least = Math.min(this.#least, time);
    this.#most = Math.max(this.#most, time);
    this.#sum += time;
    this.#squares += time ** 2;
  }

  /** The first line, given the size of the payload, and where the requests come from. */
  header(size: number, source?: string): string {
    const from = source === undefined ? "" : ` from ${source}:`;
    const isIpv6 = this.address.includes(":");
    if (isIpv6) return `PING ${this.name}(${this.label})${from} ${size} data bytes`;
    const all = size + HEADER + IPV4_HEADER;
    return `PING ${this.name} (${this.address})${from} ${size}(${all}) bytes of data.`;
  }

  /** The name and the address, or the address alone if that is what the command line has. */
  get label(): string {
    return isNumeric(this.name) ? this.address : `${this.name} (${this.address})`;
  }

  /** The statistics. */
  summary(): string {
    const { name, sent, received, errors } = this;
    const loss = sent === 0 ? 0 : (sent - received) / sent * 100;
    const counts = [
      `${sent} packets transmitted`,
      `${received} received`,
      ...errors > 0 ? [`+${errors} errors`] : [],
      `${+loss.toPrecision(6)}% packet loss`,
      `time ${Math.round(this.#last - this.#first)}ms`,
    ].join(", ");
    return `\n--- ${name} ping statistics ---\n${counts}\n${this.#formatTimes()}`;
  }

  #formatTimes(): string {
    if (this.received === 0) return "";
    const average = this.#sum / this.received;
    const variance = Math.max(this.#squares / this.received - average ** 2, 0);
    const numbers = [this.#least, average, this.#most, Math.sqrt(variance)];
    return `rtt min/avg/max/mdev = ${numbers.map((time) => time.toFixed(3)).join("/")} ms`;
  }
}

/** Formats a round-trip time, with three digits if it is not longer than 100 ms. */
export function formatTime(time: number): string {
  return time.toFixed(time < 1 ? 3 : time < 10 ? 2 : time < 100 ? 1 : 0);
}

/** Reasons by the type and code of an ICMP message. */
const REASONS: Readonly<Record<string, string>> = {
  "3-0": "Destination Net Unreachable",
  "3-1": "Destination Host Unreachable",
  "3-2": "Destination Protocol Unreachable",
  "3-3": "Destination Port Unreachable",
  "3-5": "Source Route Failed",
  "3-13": "Packet filtered",
  "11-0": "Time to live exceeded",
};

/** Reasons by the type and code of an ICMPv6 message. */
const REASONS_V6: Readonly<Record<string, string>> = {
  "1-0": "Destination unreachable: No route",
  "1-1": "Destination unreachable: Administratively prohibited",
  "1-2": "Destination unreachable: Beyond scope of source address",
  "1-3": "Destination unreachable: Address unreachable",
  "1-4": "Destination unreachable: Port unreachable",
  "3-0": "Time exceeded: Hop limit",
};

/** Formats the reason in an ICMP message. */
export function formatReason(isIpv6: boolean, type: number, code: number): string {
  const reason = (isIpv6 ? REASONS_V6 : REASONS)[`${type}-${code}`];
  return reason ?? `ICMP message of type ${type}, code ${code}`;
}
