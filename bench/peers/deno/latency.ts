/**
 * latency AT_ONCE ROUNDS: as ../readiness/latency.ts, with `Deno.listen` and `conn.read`.
 *
 * @module
 */

import { connectTo } from "../readiness/connected_sockets.ts";
import { Latencies } from "../readiness/latencies.ts";

const [atOnce, rounds] = Deno.args.map(Number);
const latencies = new Latencies(atOnce, rounds);
const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
for (let i = 0; i < atOnce; i++) {
  latencies.senders.push(connectTo(listener.addr));
  receive(await listener.accept(), i);
}
latencies.start();

async function receive(conn: Deno.TcpConn, i: number): Promise<void> {
  const buffer = new Uint8Array(64);
  for (;;) {
    await conn.read(buffer);
    latencies.arrived(i);
    if (latencies.done) {
      latencies.print();
      Deno.exit();
    }
  }
}
