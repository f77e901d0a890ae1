/**
 * turns MILLISECONDS: how often a second one byte is received after an awaited `selectAsync`, when
 * there always is one.
 *
 * @module
 */

import { DefaultSelector, EVENT_READ } from "../../../mod.ts";
import type { Socket } from "../../../ffi/socket/mod.ts";
import { connectedSockets } from "./connected_sockets.ts";
import { countTurns } from "./count_turns.ts";

const selector = new DefaultSelector<unknown, Socket>();
const [near, far] = connectedSockets();
const byte = new Uint8Array(1);
selector.register(near, EVENT_READ);
await countTurns(far, Number(Deno.args[0]), async () => {
  for (const [key] of await selector.selectAsync()) key.fileobj.recv(byte);
});
