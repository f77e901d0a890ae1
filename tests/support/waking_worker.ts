/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
// Wakes selectors of other threads: each message is the descriptor of a waker.
import { wake } from "../../mod.ts";

const nap = new Int32Array(new SharedArrayBuffer(4));

self.onmessage = ({ data }: MessageEvent<number>) => {
  Atomics.wait(nap, 0, 0, 5); // By then the sender usually blocks.
  wake(data);
};
self.postMessage("ready");
