/**
 * turns MILLISECONDS: as ../readiness/turns.ts, with `Deno.listen` and `conn.read`.
 *
 * @module
 */

import { connectTo } from "../readiness/connected_sockets.ts";
import { countTurns } from "../readiness/count_turns.ts";

const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
const far = connectTo(listener.addr);
const near = await listener.accept();
const byte = new Uint8Array(1);
await countTurns(far, Number(Deno.args[0]), async () => {
  await near.read(byte);
});
