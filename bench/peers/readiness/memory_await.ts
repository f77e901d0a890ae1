/**
 * memory_await WAITING: prints the process's memory per descriptor that `ready` waits for.
 *
 * @module
 */

import { EVENT_READ, ready } from "../../../mod.ts";
import { type Socket, socketpair } from "../../../ffi/socket/mod.ts";
import { printGrowth, usedMemory } from "../support/memory.ts";

const waiting = Number(Deno.args[0]);
const sockets: Socket[] = [];
while (sockets.length < waiting + 2) sockets.push(...socketpair());
const [first, second, ...others] = sockets;
second!.send(new Uint8Array(1));
await ready(first!, EVENT_READ); // Compiles the code.

const before = usedMemory();
for (const socket of others) ready(socket, EVENT_READ);
await new Promise((resolve) => setTimeout(resolve, 100));
printGrowth(before, usedMemory(), waiting);
Deno.exit();
