/**
 * dispatch BACKEND REGISTERED READY MILLISECONDS: see ../c/dispatch.c.
 *
 * @module
 */

import { measure } from "../support/measure.ts";
import {
  check,
  Epoll,
  EPOLL_CTL_ADD,
  EPOLLIN,
  EPOLLOUT,
  EVENT_READ,
  EVENT_WRITE,
  FD,
  libc,
  POLLIN,
  POLLOUT,
  socketpair,
  STRIDE,
} from "./libc.ts";

interface Key {
  readonly fd: number;
  readonly events: number;
}

const [backend, ...numbers] = Deno.args as [string, ...string[]];
const [registered, ready, ms] = numbers.map(Number) as [number, number, number];
const fds: number[] = [];
while (fds.length < registered) fds.push(...socketpair());
const watched = fds.slice(0, registered);
const keys: Key[] = []; // By descriptor.
for (let fd = 0; fd <= Math.max(...watched); fd++) keys.push({ fd, events: EVENT_READ });
const readyKeys = new Array<Key>(registered).fill(keys[0]!);
const readyEvents = new Int32Array(registered);
// The other end of each pair makes it ready.
for (let i = registered - ready; i < registered; i++) {
  check(libc.send(fds[i ^ 1]!, new Uint8Array(1), 1, 0), "send");
}

const backends: Record<string, () => () => number> = { epoll, poll, select };
const wait = backends[backend]!();
measure((n) => {
  for (let i = 0; i < n; i++) {
    const found = wait();
    if (found !== ready) throw new Error(`${found} ready instead of ${ready}`);
  }
}, ms);

function report(count: number, fd: number, events: number): number {
  const key = keys[fd]!;
  events &= key.events;
  if (events === 0) return count;
  readyKeys[count] = key;
  readyEvents[count] = events;
  return count + 1;
}

function epoll(): () => number {
  const epoll = new Epoll();
  for (const fd of watched) epoll.control(EPOLL_CTL_ADD, fd, EPOLLIN);
  const { fd } = epoll;
  const events = new Int32Array(registered * STRIDE);
  return () => {
    const found = libc.epoll_wait(fd, events, registered, 0);
    let count = 0;
    for (let i = 0, at = 0; i < found; i++, at += STRIDE) {
      const mask = events[at]!;
      count = report(
        count,
        events[at + FD]!,
        (mask & ~EPOLLOUT ? EVENT_READ : 0) | (mask & ~EPOLLIN ? EVENT_WRITE : 0),
      );
    }
    return count;
  };
}

function poll(): () => number {
  const entries = new Int32Array(registered * 2); // struct pollfd: the descriptor, then two shorts.
  for (const [i, fd] of watched.entries()) {
    entries[2 * i] = fd;
    entries[2 * i + 1] = POLLIN;
  }
  return () => {
    let left = libc.poll(entries, registered, 0);
    let count = 0;
    for (let i = 0; left > 0; i += 2) {
      const events = entries[i + 1]! >> 16;
      if (events === 0) continue;
      left--;
      count = report(
        count,
        entries[i]!,
        (events & ~POLLOUT ? EVENT_READ : 0) | (events & ~POLLIN ? EVENT_WRITE : 0),
      );
    }
    return count;
  };
}

function select(): () => number {
  const words = (Math.max(...watched) >> 5) + 1;
  const asked = new Int32Array(words);
  for (const fd of watched) asked[fd >> 5]! |= 1 << (fd & 31);
  const readable = new Int32Array(words);
  const writable = new Int32Array(words);
  const timeout = new BigInt64Array(2);
  return () => {
    readable.set(asked);
    writable.fill(0);
    let left = libc.select(words * 32, readable, writable, null, timeout);
    let count = 0;
    for (let word = 0; left > 0; word++) {
      for (let bits = readable[word]! | writable[word]!; bits !== 0; bits &= bits - 1) {
        const bit = 31 - Math.clz32(bits & -bits);
        const events = (readable[word]! >> bit & 1) * EVENT_READ |
          (writable[word]! >> bit & 1) * EVENT_WRITE;
        left -= events === (EVENT_READ | EVENT_WRITE) ? 2 : 1;
        count = report(count, word * 32 + bit, events);
      }
    }
    return count;
  };
}
