/**
 * memory BACKEND REGISTERED: prints the process's memory per registration, with REGISTERED
 * descriptors. Needs `--v8-flags=--expose-gc`.
 *
 * @module
 */

import { EVENT_READ } from "../../../mod.ts";
import { type Socket, socketpair } from "../../../ffi/socket/mod.ts";
import { BACKENDS } from "./backends.ts";

const [backend, registered] = Deno.args as [string, string];
const sockets: Socket[] = [];
while (sockets.length < Number(registered)) sockets.push(...socketpair());
const fds = sockets.map((socket) => socket.fileno());
fill(fds.slice(0, 100)).close(); // Compiles the code.

const before = used();
const selector = fill(fds);
const after = used();
selector.close();
console.log(JSON.stringify({
  heap: (after.heap - before.heap) / fds.length,
  rss: (after.rss - before.rss) / fds.length,
}));

function fill(fds: number[]) {
  const selector = new BACKENDS[backend]!();
  for (const fd of fds) selector.register(fd, EVENT_READ);
  selector.select(0);
  return selector;
}

/** Returns the memory of JavaScript values, array buffers included, and of the process. */
function used(): { heap: number; rss: number } {
  for (let i = 0; i < 3; i++) (globalThis as unknown as { gc(): void }).gc();
  const { heapUsed, external, rss } = Deno.memoryUsage();
  return { heap: heapUsed + external, rss };
}
