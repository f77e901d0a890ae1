/**
 * memory BACKEND REGISTERED: prints the process's memory per registration, with REGISTERED
 * descriptors.
 *
 * @module
 */

import { EVENT_READ } from "../../../mod.ts";
import { type Socket, socketpair } from "../../../ffi/socket/mod.ts";
import { printGrowth, usedMemory } from "../support/memory.ts";
import { BACKENDS } from "./backends.ts";

const [backend, registered] = Deno.args as [string, string];
const sockets: Socket[] = [];
while (sockets.length < Number(registered)) sockets.push(...socketpair());
const fds = sockets.map((socket) => socket.fileno());
fill(fds.slice(0, 100)).close(); // Compiles the code.

const before = usedMemory();
const selector = fill(fds);
const after = usedMemory();
selector.close();
printGrowth(before, after, fds.length);

function fill(fds: number[]) {
  const selector = new BACKENDS[backend]!();
  for (const fd of fds) selector.register(fd, EVENT_READ);
  selector.select(0);
  return selector;
}
