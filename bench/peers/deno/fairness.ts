/**
 * fairness MILLISECONDS: as ../readiness/fairness.ts, with `conn.read`.
 *
 * @module
 */

import { connectTo } from "../support/connected_sockets.ts";
import { countAwaits } from "../support/count_awaits.ts";

const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
const far = connectTo(listener.addr);
const near = await listener.accept();
const byte = new Uint8Array(1);
await countAwaits(far, Number(Deno.args[0]), async () => {
  await near.read(byte);
});
