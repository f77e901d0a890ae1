/**
 * fairness_await MILLISECONDS timer|exchange: as fairness.ts, with `whenReadable`.
 *
 * @module
 */

import { whenReadable } from "../../../mod.ts";
import { connectedSockets } from "../support/connected_sockets.ts";
import { FairnessRecorder } from "../support/fairness_recorder.ts";

const [ms, work] = Deno.args;
const [near, far] = connectedSockets();
const byte = new Uint8Array(1);
const recorder = new FairnessRecorder(far, Number(ms), work === "exchange");
for (;;) {
  await whenReadable(near, () => near.recv(byte));
  recorder.received();
}
