import { type BaseSelector, EVENT_READ, EVENT_WRITE, OSError } from "@readiness/selectors";
import type { FileDescriptor } from "@readiness/selectors/fd";
import type { Socket } from "@readiness/selectors/socket";
import { Flow } from "./flow.ts";
import { discard, watch } from "./registrations.ts";
import type { Sweep } from "./sweep.ts";

/** How a connection that is echoed begins and ends. */
export interface EchoOptions {
  /** Bytes to send first. */
  greeting?: Uint8Array;
  /** Checks whether the connection is idle. */
  sweep: Sweep;
  /** After how many sweeps without activity to close the connection. */
  idle: number;
  /** Called with the reason when the connection has been closed. */
  end: (reason: string) => void;
}

/** Sends back what a connection sends, until it ends. */
export function serveEcho(
  selector: BaseSelector<(events: number) => void, FileDescriptor>,
  connection: Socket,
  { greeting, sweep, idle, end }: EchoOptions,
): void {
  const flow = new Flow(connection, connection);
  let lastActive = sweep.now;
  if (greeting !== undefined) flow.hold(greeting);
  watch(selector, connection, flow.sourceEvents | flow.sinkEvents, step);
  sweep.add(check);

  function step(events: number): void {
    lastActive = sweep.now;
    try {
      if (events & EVENT_WRITE) flow.drain();
      if (events & EVENT_READ) flow.fill();
      if (flow.isDone) close("closed");
      else watch(selector, connection, flow.sourceEvents | flow.sinkEvents, step);
    } catch (error) {
      if (!(error instanceof OSError)) throw error;
      close(error.message);
    }
  }

  function check(): void {
    if (sweep.now - lastActive > idle) close("idle");
  }

  function close(reason: string): void {
    sweep.delete(check);
    discard(selector, connection);
    end(reason);
  }
}
