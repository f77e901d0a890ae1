/**
 * dispatch BACKEND REGISTERED READY MILLISECONDS: see ../c/dispatch.c.
 *
 * @module
 */

import { EVENT_READ } from "../../../mod.ts";
import { type Socket, socketpair } from "../../../ffi/socket/mod.ts";
import { measure } from "../support/measure.ts";
import { BACKENDS } from "./backends.ts";

const [backend, ...numbers] = Deno.args as [string, ...string[]];
const [registered, ready, ms] = numbers.map(Number) as [number, number, number];
const selector = new BACKENDS[backend]!<unknown, Socket>();
const sockets: Socket[] = [];
while (sockets.length < registered) sockets.push(...socketpair());
for (const socket of sockets.slice(0, registered)) selector.register(socket, EVENT_READ);
// The other end of each pair makes it ready.
for (let i = registered - ready; i < registered; i++) sockets[i ^ 1]!.send(new Uint8Array(1));

measure((n) => {
  for (let i = 0; i < n; i++) {
    const found = selector.select(0).length;
    if (found !== ready) throw new Error(`${found} ready instead of ${ready}`);
  }
}, ms);
