/**
 * registration OPERATION MILLISECONDS: see ../c/registration.c.
 *
 * @module
 */

import { measure } from "../support/measure.ts";
import {
  Epoll,
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLL_CTL_MOD,
  EPOLLIN,
  EPOLLOUT,
  socketpair,
} from "./libc.ts";

const [operation, ms] = Deno.args as [string, string];
const epoll = new Epoll();
const [fd] = socketpair();

const operations: Record<string, (n: number) => void> = {
  register(n) {
    for (let i = 0; i < n; i++) {
      epoll.control(EPOLL_CTL_ADD, fd, EPOLLIN);
      epoll.control(EPOLL_CTL_DEL, fd, 0);
    }
  },
  events(n) {
    for (let i = 0; i < n; i++) {
      epoll.control(EPOLL_CTL_MOD, fd, i & 1 ? EPOLLIN | EPOLLOUT : EPOLLIN);
    }
  },
};

if (operation !== "register") epoll.control(EPOLL_CTL_ADD, fd, EPOLLIN);
measure(operations[operation]!, Number(ms));
