/**
 * registration WORK MILLISECONDS: see ../c/registration.c.
 *
 * @module
 */

import { EpollSelector, EVENT_READ, EVENT_WRITE } from "../../../mod.ts";
import { type Socket, socketpair } from "../../../ffi/socket/mod.ts";
import { measure } from "./measure.ts";

const [name, ms] = Deno.args;
const selector = new EpollSelector<number, Socket>();
const [left] = socketpair();

const works: Record<string, (n: number) => void> = {
  register(n) {
    for (let i = 0; i < n; i++) {
      selector.register(left, EVENT_READ);
      selector.unregister(left);
    }
  },
  events(n) {
    for (let i = 0; i < n; i++) {
      selector.modify(left, i & 1 ? EVENT_READ | EVENT_WRITE : EVENT_READ);
    }
  },
  data(n) {
    for (let i = 0; i < n; i++) selector.modify(left, EVENT_READ, i);
  },
};

if (name !== "register") selector.register(left, EVENT_READ);
measure(works[name], Number(ms));
