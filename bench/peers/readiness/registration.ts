/**
 * registration OPERATION MILLISECONDS: see ../c/registration.c.
 *
 * @module
 */

import { EpollSelector, EVENT_READ, EVENT_WRITE } from "../../../mod.ts";
import { type Socket, socketpair } from "../../../ffi/socket/mod.ts";
import { measure } from "../support/measure.ts";

const [operation, ms] = Deno.args as [string, string];
const selector = new EpollSelector<number | undefined, Socket>();
const [socket] = socketpair();

const operations: Record<string, (n: number) => void> = {
  register(n) {
    for (let i = 0; i < n; i++) {
      selector.register(socket, EVENT_READ);
      selector.unregister(socket);
    }
  },
  events(n) {
    for (let i = 0; i < n; i++) {
      selector.modify(socket, i & 1 ? EVENT_READ | EVENT_WRITE : EVENT_READ);
    }
  },
  data(n) {
    for (let i = 0; i < n; i++) selector.modify(socket, EVENT_READ, i);
  },
};

if (operation !== "register") selector.register(socket, EVENT_READ);
measure(operations[operation]!, Number(ms));
