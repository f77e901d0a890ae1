/**
 * memory WAITING: prints the process's memory per connection that `conn.read` waits for.
 *
 * @module
 */

import { printGrowth, usedMemory } from "../support/memory.ts";

const waiting = Number(Deno.args[0]);
const listener = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 4096 });
const { hostname, port } = listener.addr;
const reads: (() => Promise<number | null>)[] = [];
while (reads.length < waiting + 2) {
  const [near, far] = await Promise.all([listener.accept(), Deno.connect({ hostname, port })]);
  const [nearBuffer, farBuffer] = [new Uint8Array(1), new Uint8Array(1)];
  reads.push(() => near.read(nearBuffer), () => far.read(farBuffer));
}
for (const read of reads.splice(0, 2)) read(); // Compiles the code.

const before = usedMemory();
for (const read of reads) read();
await new Promise((resolve) => setTimeout(resolve, 100));
printGrowth(before, usedMemory(), waiting);
Deno.exit();
