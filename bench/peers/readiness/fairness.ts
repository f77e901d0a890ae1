/**
 * fairness MILLISECONDS timer|exchange [async]: receives bytes that are always there, each after an
 * awaited `selectAsync`, or within `for await`, and prints how the rest of the event loop fares.
 *
 * @module
 */

import { DefaultSelector, EVENT_READ } from "../../../mod.ts";
import type { Socket } from "../../../ffi/socket/mod.ts";
import { connectedSockets } from "../support/connected_sockets.ts";
import { FairnessRecorder } from "../support/fairness_recorder.ts";

const [ms, work, iteration] = Deno.args;
const selector = new DefaultSelector<unknown, Socket>();
const [near, far] = connectedSockets();
const byte = new Uint8Array(1);
selector.register(near, EVENT_READ);
const recorder = new FairnessRecorder(far, Number(ms), work === "exchange");
if (iteration === "async") {
  for await (const [key] of selector) receive(key.fileobj);
} else {
  for (;;) {
    for (const [key] of await selector.selectAsync()) receive(key.fileobj);
  }
}

function receive(socket: Socket): void {
  socket.recv(byte);
  recorder.received();
}
