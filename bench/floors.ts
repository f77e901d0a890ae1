/**
 * What the contract of this package costs any program in Deno: the bare system calls, the bare
 * calls with the least that a selector must do, and this package, in turn in one process. It prints
 * the median of each one's time, and of its ratio to the bare call's in the same turn.
 *
 *     deno run --allow-ffi bench/floors.ts
 *
 * @module
 */

import { EpollSelector, EVENT_READ, EVENT_WRITE } from "../mod.ts";
import {
  Epoll,
  EPOLL_CTL_ADD,
  EPOLL_CTL_MOD,
  EPOLLIN,
  EPOLLOUT,
  FD,
  libc,
  socketpair,
  STRIDE,
} from "./peers/ffi/libc.ts";
import { median, ratios } from "./statistics.ts";

const TURNS = 200;

/** How long a turn of each takes at least, in milliseconds. */
const TURN = 2;

/** What is registered: a key, as the package has it. */
interface Key {
  readonly fileobj: number;
  readonly fd: number;
  readonly events: number;
  readonly data: unknown;
}

/** What is compared, the bare call first. */
type Peers = Readonly<Record<string, () => void>>;

for (const count of [1, 1000]) compare(`select(0), ${count} of ${count}`, selects(count));
compare("modify() of events", modifies());

function selects(count: number): Peers {
  const fds = Array.from({ length: count }, () => {
    const [fd, other] = socketpair();
    libc.send(other, new Uint8Array(1), 1, 0);
    return fd;
  });
  const epoll = new Epoll();
  const selector = new EpollSelector<unknown, number>();
  const pairs: (readonly [Key, number] | null)[] = Array(Math.max(...fds) + 1).fill(null);
  for (const fd of fds) {
    epoll.control(EPOLL_CTL_ADD, fd, EPOLLIN);
    selector.register(fd, EVENT_READ);
    pairs[fd] = [{ fileobj: fd, fd, events: EVENT_READ, data: undefined }, EVENT_READ];
  }
  const events = new Int32Array(count * STRIDE);
  const filler = Array<readonly [Key, number] | null>(count).fill(null);
  return {
    "the bare call": () => expect(libc.epoll_wait(epoll.fd, events, count, 0)),
    "with an array of what is ready, found in a table": () => {
      const found = libc.epoll_wait(epoll.fd, events, count, 0);
      const ready = filler.slice(0, found);
      for (let i = 0; i < found; i++) {
        const pair = pairs[events[i * STRIDE + FD]!];
        // Closed descriptors and other masks than the last one have to be noticed.
        if (pair !== null && (events[i * STRIDE]! & EPOLLIN) === pair![1]) ready[i] = pair!;
      }
      expect(ready.length);
    },
    "this package": () => expect(selector.select(0).length),
  };

  function expect(found: number): void {
    if (found !== count) throw new Error(`${found} ready instead of ${count}`);
  }
}

function modifies(): Peers {
  const [fd] = socketpair();
  const epoll = new Epoll();
  epoll.control(EPOLL_CTL_ADD, fd, EPOLLIN);
  const selector = new EpollSelector<unknown, number>();
  selector.register(fd, EVENT_READ);
  const keys: Key[] = Array(fd + 1).fill({ fileobj: fd, fd, events: EVENT_READ, data: undefined });
  let mask = EVENT_READ;
  return {
    "the bare call": () => epoll.control(EPOLL_CTL_MOD, fd, nextMask() & 2 ? 5 : EPOLLIN),
    "with a new key in a table": () => {
      const events = nextMask();
      const key = keys[fd]!;
      if (events === key.events) return;
      const bits = (events & EVENT_READ ? EPOLLIN : 0) | (events & EVENT_WRITE ? EPOLLOUT : 0);
      epoll.control(EPOLL_CTL_MOD, fd, bits);
      keys[fd] = { fileobj: key.fileobj, fd, events, data: undefined };
    },
    "this package": () => void selector.modify(fd, nextMask()),
  };

  function nextMask(): number {
    return mask ^= EVENT_WRITE;
  }
}

function compare(title: string, peers: Peers): void {
  const names = Object.keys(peers);
  const steps = Object.values(peers);
  let times = 1;
  for (const step of steps) while (timeOf(step, times) * times < TURN * 1e6) times *= 2;
  for (let turn = 0; turn < TURNS / 4; turn++) for (const step of steps) timeOf(step, times);
  const results: number[][] = names.map(() => []);
  for (let turn = 0; turn < TURNS; turn++) {
    for (const i of names.keys()) {
      const next = (i + turn) % names.length;
      results[next]!.push(timeOf(steps[next]!, times));
    }
  }
  console.log(title);
  for (const [i, name] of names.entries()) {
    const ratio = median(ratios(results[i]!, results[0]!)).toFixed(2);
    console.log(`${median(results[i]!).toFixed(0).padStart(8)} ns  × ${ratio}  ${name}`);
  }
}

/** Returns how long one step takes, in nanoseconds. */
function timeOf(step: () => void, times: number): number {
  const start = performance.now();
  for (let i = 0; i < times; i++) step();
  return (performance.now() - start) * 1e6 / times;
}
