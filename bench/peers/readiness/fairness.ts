/**
 * fairness MILLISECONDS: prints how many bytes per second can be received one by one, each after an
 * awaited `selectAsync`, when there always is one.
 *
 * @module
 */

import { DefaultSelector, EVENT_READ } from "../../../mod.ts";
import type { Socket } from "../../../ffi/socket/mod.ts";
import { connectedSockets } from "../support/connected_sockets.ts";
import { countAwaits } from "../support/count_awaits.ts";

const selector = new DefaultSelector<unknown, Socket>();
const [near, far] = connectedSockets();
const byte = new Uint8Array(1);
selector.register(near, EVENT_READ);
await countAwaits(far, Number(Deno.args[0]), async () => {
  for (const [key] of await selector.selectAsync()) key.fileobj.recv(byte);
});
