/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
// Wakes selectors of other threads: each message is a waker's descriptor.
import { wake } from "../../mod.ts";

const nap = new Int32Array(new SharedArrayBuffer(4));

self.onmessage = ({ data }: MessageEvent<number>) => {
  Atomics.wait(nap, 0, 0, 5); // The sender is blocked by then, as a rule.
  wake(data);
};
self.postMessage("ready");
