/**
 * fairness MILLISECONDS timer|exchange: as ../readiness/fairness.ts, with `conn.read`.
 *
 * @module
 */

import { connectTo } from "../support/connected_sockets.ts";
import { FairnessRecorder } from "../support/fairness_recorder.ts";

const [ms, work] = Deno.args;
const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
const far = connectTo(listener.addr);
const near = await listener.accept();
const byte = new Uint8Array(1);
const recorder = new FairnessRecorder(far, Number(ms), work === "exchange");
for (;;) {
  await near.read(byte);
  recorder.received();
}
