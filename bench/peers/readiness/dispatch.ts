/**
 * dispatch BACKEND REGISTERED READY MILLISECONDS: see ../c/dispatch.c.
 *
 * @module
 */

import { EVENT_READ } from "../../../mod.ts";
import { type Socket, socketpair } from "../../../ffi/socket/mod.ts";
import { BACKENDS } from "./backends.ts";
import { measure } from "./measure.ts";

const [backend, ...numbers] = Deno.args;
const [registered, ready, ms] = numbers.map(Number);
const selector = new BACKENDS[backend]<unknown, Socket>();
const ends: Socket[] = [];
while (ends.length < registered) ends.push(...socketpair());
for (const end of ends.slice(0, registered)) selector.register(end, EVENT_READ);
// The other end of each pair makes it ready.
for (let i = registered - ready; i < registered; i++) ends[i ^ 1].send(new Uint8Array(1));

measure((n) => {
  for (let i = 0; i < n; i++) {
    if (selector.select(0).length !== ready) throw new Error("another number was ready");
  }
}, ms);
