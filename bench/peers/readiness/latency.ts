/**
 * latency AT_ONCE ROUNDS: sends to AT_ONCE sockets at once, and prints how long it takes from each
 * `send` until the awakened `selectAsync` has the data, in microseconds.
 *
 * @module
 */

import { DefaultSelector, EVENT_READ } from "../../../mod.ts";
import type { Socket } from "../../../ffi/socket/mod.ts";
import { connectedSockets } from "./connected_sockets.ts";
import { Latencies } from "./latencies.ts";

const [atOnce, rounds] = Deno.args.map(Number);
const latencies = new Latencies(atOnce, rounds);
const selector = new DefaultSelector<number, Socket>();
const buffer = new Uint8Array(64);
for (let i = 0; i < atOnce; i++) {
  const [near, far] = connectedSockets();
  latencies.senders.push(far);
  selector.register(near, EVENT_READ, i);
}
latencies.start();
while (!latencies.done) {
  for (const [key] of await selector.selectAsync()) {
    key.fileobj.recv(buffer);
    latencies.arrived(key.data);
  }
}
latencies.print();
