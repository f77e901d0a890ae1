import { type BaseSelector, EVENT_READ, EVENT_WRITE, OSError } from "@readiness/selectors";
import type { Socket } from "@readiness/selectors/socket";
import { Flow } from "./flow.ts";
import { discard, watch } from "./watching.ts";

/** What a connection that is echoed begins and ends with. */
export interface EchoOptions {
  /** Bytes to send first. */
  greeting?: Uint8Array;
  /** Called with the reason when the connection has been closed. */
  end: (reason: string) => void;
}

/** Sends back what a connection sends, until it ends. */
export function serveEcho(
  selector: BaseSelector<(events: number) => void, Socket>,
  connection: Socket,
  { greeting, end }: EchoOptions,
): void {
  const flow = new Flow(connection, connection);
  if (greeting !== undefined) flow.hold(greeting);
  watch(selector, connection, flow.sourceEvents | flow.sinkEvents, step);

  function step(events: number): void {
    let reason = "closed";
    try {
      if (events & EVENT_WRITE) flow.drain();
      if (events & EVENT_READ) flow.fill();
      if (!flow.isDone) {
        return watch(selector, connection, flow.sourceEvents | flow.sinkEvents, step);
      }
    } catch (error) {
      if (!(error instanceof OSError)) throw error;
      reason = error.message;
    }
    discard(selector, connection);
    end(reason);
  }
}
