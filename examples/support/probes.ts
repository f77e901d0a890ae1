/**
 * Packets that may make a limited number of hops, over UDP and ICMP, and what they meet.
 *
 * @module
 */

import { OSError } from "@readiness/selectors";
import {
  AF_INET6,
  MSG_ERRQUEUE,
  type QueuedError,
  queuedError,
  receiveMessage,
  SO_EE_ORIGIN_ICMP,
  SO_EE_ORIGIN_ICMP6,
  SOCK_DGRAM,
  Socket,
  type SocketAddress,
} from "@readiness/selectors/socket";
import { familyOf } from "./addresses.ts";
import { ArrivalClock } from "./arrival_clock.ts";
import { IcmpSocket, reportErrors, setHops } from "./icmp.ts";

/** What a probe has met: a router where its hops were used up, or the end of its way. */
export interface Meeting {
  /** The number of the probe. */
  readonly probe: number;
  readonly host: string;
  readonly time: number;
  /** Whether later probes would not get farther. */
  readonly isEnd: boolean;
  /** Why the end is not the destination, such as `"!H"`; empty if there is nothing to say. */
  readonly note: string;
}

/** Sends probes to a host and receives what they meet. */
export interface Prober extends Disposable {
  readonly socket: Socket;
  /** Sends a probe. Returns when it was sent, or `null` if there is no room for it. */
  send(probe: number, hops: number): number | null;
  /** Receives what a probe has met, or something else, or `null` if there is nothing now. */
  receive(): Meeting | "other" | null;
}

/** What unreachable hosts have for a reason, by the codes of ICMP and ICMPv6. */
const NOTES: Readonly<Record<number, string>> = {
  0: "!N",
  1: "!H",
  2: "!P",
  4: "!F",
  5: "!S",
  9: "!X",
  10: "!X",
  13: "!X",
};
const NOTES_V6: Readonly<Record<number, string>> = { 0: "!N", 1: "!X", 2: "!S", 3: "!H", 5: "!X" };

/** The payload of a probe, in bytes. */
export const PAYLOAD = 32;

/**
 * Probes over UDP, to ports where most likely nothing listens. The number of the port is that of
 * the probe.
 */
export class UdpProber implements Prober {
  readonly socket: Socket;
  readonly #hostname: string;
  readonly #isIpv6: boolean;
  readonly #port: number;
  readonly #buffer = new Uint8Array(1 << 16);
  readonly #clock = new ArrivalClock();

  constructor(hostname: string, port: number) {
    const family = familyOf(hostname);
    this.#hostname = hostname;
    this.#isIpv6 = family === AF_INET6;
    this.#port = port;
    this.socket = new Socket(family, SOCK_DGRAM);
    reportErrors(this.socket, this.#isIpv6);
    this.#clock.watch(this.socket);
  }

  send(probe: number, hops: number): number | null {
    setHops(this.socket, this.#isIpv6, hops);
    const address = { hostname: this.#hostname, port: this.#port + probe };
    const time = performance.now(); // First, as the answer can arrive before the call returns.
    return this.socket.sendTo(new Uint8Array(PAYLOAD), address) === null ? null : time;
  }

  receive(): Meeting | "other" | null {
    const message = receiveMessage(this.socket, this.#buffer, { flags: MSG_ERRQUEUE });
    if (message !== null) {
      const time = this.#clock.read(message.control);
      // The address is where the probe was sent.
      return meet(this.#probeOf(message.address), queuedError(message), time);
    }
    const answer = receiveMessage(this.socket, this.#buffer); // Something does listen there.
    if (answer === null) return null;
    const { address, control } = answer;
    const time = this.#clock.read(control);
    return { probe: this.#probeOf(address), host: hostOf(address), time, isEnd: true, note: "" };
  }

  #probeOf(address: SocketAddress): number {
    return "port" in address ? address.port - this.#port : -1;
  }

  [Symbol.dispose](): void {
    this.socket.close();
  }
}

/** Probes that are ICMP echo requests, the sequence numbers of which are those of the probes. */
export class IcmpProber implements Prober {
  readonly #icmp: IcmpSocket;
  readonly #hostname: string;
  readonly #isIpv6: boolean;

  constructor(hostname: string) {
    const family = familyOf(hostname);
    this.#hostname = hostname;
    this.#isIpv6 = family === AF_INET6;
    this.#icmp = new IcmpSocket(family, PAYLOAD);
    this.#icmp.reportErrors();
  }

  get socket(): Socket {
    return this.#icmp.socket;
  }

  send(probe: number, hops: number): number | null {
    setHops(this.socket, this.#isIpv6, hops);
    return this.#icmp.send(this.#hostname, probe);
  }

  receive(): Meeting | "other" | null {
    const report = this.#icmp.receiveError();
    if (report !== null) return meet(report.sequence, report.error, report.time);
    const answer = this.#icmp.receive();
    if (answer === null) return null;
    if (typeof answer === "string") return "other";
    const { sequence, from, time } = answer;
    return { probe: sequence, host: from, time, isEnd: true, note: "" };
  }

  [Symbol.dispose](): void {
    this.socket.close();
  }
}

/**
 * Makes a call again if it fails. An error of an earlier probe fails the next call, whatever that
 * is for, and is in the error queue as well.
 */
export function despiteErrors<T>(call: () => T): T {
  for (let tries = 3;; tries--) {
    try {
      return call();
    } catch (error) {
      if (!(error instanceof OSError) || tries === 0) throw error;
    }
  }
}

/** Reads an error that ICMP reported. */
function meet(probe: number, error: QueuedError | null, time: number): Meeting | "other" {
  if (error === null || error.offender === null) return "other";
  const { origin, type, code } = error;
  const host = hostOf(error.offender);
  const isIpv6 = origin === SO_EE_ORIGIN_ICMP6;
  if (!isIpv6 && origin !== SO_EE_ORIGIN_ICMP) return "other";
  const [exceeded, unreachable, noPort] = isIpv6 ? [3, 1, 4] : [11, 3, 3];
  if (type === exceeded) return { probe, host, time, isEnd: false, note: "" };
  if (type !== unreachable) return { probe, host, time, isEnd: true, note: `!<${type}-${code}>` };
  const note = code === noPort ? "" : (isIpv6 ? NOTES_V6 : NOTES)[code] ?? `!<${code}>`;
  return { probe, host, time, isEnd: true, note };
}

function hostOf(address: SocketAddress): string {
  return "hostname" in address ? address.hostname : "";
}
