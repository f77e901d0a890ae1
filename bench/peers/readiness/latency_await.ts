/**
 * latency_await AT_ONCE BATCHES: as latency.ts, with `ready` for each socket.
 *
 * @module
 */

import { EVENT_READ, ready } from "../../../mod.ts";
import type { Socket } from "../../../ffi/socket/mod.ts";
import { connectedSockets } from "../support/connected_sockets.ts";
import { LatencyRecorder } from "../support/latency_recorder.ts";

const [atOnce, batches] = Deno.args.map(Number) as [number, number];
const recorder = new LatencyRecorder(atOnce, batches);
for (let i = 0; i < atOnce; i++) {
  const [near, far] = connectedSockets();
  recorder.senders.push(far);
  receive(near, i);
}
recorder.start();

async function receive(socket: Socket, i: number): Promise<void> {
  const buffer = new Uint8Array(64);
  for (;;) {
    await ready(socket, EVENT_READ);
    socket.recv(buffer);
    recorder.arrived(i);
    if (recorder.isDone) {
      recorder.print();
      Deno.exit();
    }
  }
}
