/**
 * latency AT_ONCE BATCHES: sends to AT_ONCE sockets at once, and prints the time from each `send`
 * until the awaiting `selectAsync` has the data, in microseconds.
 *
 * @module
 */

import { DefaultSelector, EVENT_READ } from "../../../mod.ts";
import type { Socket } from "../../../ffi/socket/mod.ts";
import { connectedSockets } from "../support/connected_sockets.ts";
import { LatencyRecorder } from "../support/latency_recorder.ts";

const [atOnce, batches] = Deno.args.map(Number) as [number, number];
const recorder = new LatencyRecorder(atOnce, batches);
const selector = new DefaultSelector<number, Socket>();
const buffer = new Uint8Array(64);
for (let i = 0; i < atOnce; i++) {
  const [near, far] = connectedSockets();
  recorder.senders.push(far);
  selector.register(near, EVENT_READ, i);
}
recorder.start();
while (!recorder.isDone) {
  for (const [key] of await selector.selectAsync()) {
    key.fileobj.recv(buffer);
    recorder.arrived(key.data);
  }
}
recorder.print();
