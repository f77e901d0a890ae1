/**
 * latency AT_ONCE BATCHES: as ../readiness/latency.ts, with `conn.read`.
 *
 * @module
 */

import { connectTo } from "../support/connected_sockets.ts";
import { LatencyRecorder } from "../support/latency_recorder.ts";

const [atOnce, batches] = Deno.args.map(Number) as [number, number];
const recorder = new LatencyRecorder(atOnce, batches);
const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
for (let i = 0; i < atOnce; i++) {
  recorder.senders.push(connectTo(listener.addr));
  receive(await listener.accept(), i);
}
recorder.start();

async function receive(conn: Deno.TcpConn, i: number): Promise<void> {
  const buffer = new Uint8Array(64);
  for (;;) {
    await conn.read(buffer);
    recorder.arrived(i);
    if (recorder.isDone) {
      recorder.print();
      Deno.exit();
    }
  }
}
