/**
 * When datagrams arrived, as the system notes it (Linux), and not when the program got to read
 * them.
 *
 * @module
 */

import { OSError } from "@readiness/selectors";
import {
  AF_INET,
  type ControlMessage,
  receiveMessage,
  SCM_TIMESTAMPNS,
  SO_TIMESTAMPNS,
  SOCK_DGRAM,
  Socket,
  SOL_SOCKET,
} from "@readiness/selectors/socket";

/** How long an offset is used, in milliseconds: clocks are adjusted. */
const LIFETIME = 1000;

/** How often to measure the offset, of which the best result counts. */
const TRIES = 3;

/** Converts the system's times of arrival to those of `performance.now()`. */
export class ArrivalClock {
  /** What to add to the system's time, in milliseconds: nothing helps until it is known. */
  #offset = Infinity;
  #measured = -Infinity;

  /** Requests the times of a socket, where the system has them: qemu does not. */
  watch(socket: Socket): void {
    try {
      if (SO_TIMESTAMPNS !== undefined) socket.setOption(SOL_SOCKET, SO_TIMESTAMPNS, 1);
    } catch (error) {
      if (!(error instanceof OSError) || error.code !== "ENOPROTOOPT") throw error;
    }
  }

  /** Returns when the datagram with this control data arrived: now, if the system does not say. */
  read(control: readonly ControlMessage[]): number {
    const now = performance.now();
    const time = systemTime(control);
    if (time === undefined) return now;
    if (now - this.#measured >= LIFETIME) this.measure();
    return Math.min(time + this.#offset, now);
  }

  /**
   * Measures the offset with datagrams to a socket of its own, which arrive as they are sent. The
   * first call is slow: it should not come between a request and its answer.
   */
  measure(): void {
    this.#measured = performance.now();
    try {
      this.#offset = this.#offsetOnLoopback();
    } catch (error) {
      if (!(error instanceof OSError)) throw error;
      this.#offset = Infinity; // Such as without an IPv4 loopback address.
    }
  }

  #offsetOnLoopback(): number {
    using socket = new Socket(AF_INET, SOCK_DGRAM);
    socket.bind({ hostname: "127.0.0.1", port: 0 });
    this.watch(socket);
    const address = socket.localAddress;
    let shortest = Infinity;
    let offset = Infinity;
    for (let i = 0; i < TRIES; i++) {
      const before = performance.now();
      socket.sendTo(new Uint8Array(1), address);
      const after = performance.now();
      const message = receiveMessage(socket, new Uint8Array(1));
      const time = message === null ? undefined : systemTime(message.control);
      if (time === undefined || after - before >= shortest) continue;
      shortest = after - before;
      offset = after - time;
    }
    return offset;
  }
}

/** Returns the time in control data: a `struct timespec`, in milliseconds. */
function systemTime(control: readonly ControlMessage[]): number | undefined {
  const message = control.find(({ level, type }) =>
    level === SOL_SOCKET && type === SCM_TIMESTAMPNS
  );
  if (message === undefined) return undefined;
  const { data } = message;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return Number(view.getBigInt64(0, true)) * 1000 + Number(view.getBigInt64(8, true)) / 1e6;
}
