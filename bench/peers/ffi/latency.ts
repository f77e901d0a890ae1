/**
 * latency AT_ONCE BATCHES: as ../readiness/latency_await.ts, with one `epoll_wait` on another
 * thread that is awaited over and over.
 *
 * @module
 */

import { connectedSockets } from "../support/connected_sockets.ts";
import { LatencyRecorder } from "../support/latency_recorder.ts";
import { Epoll, EPOLL_CTL_ADD, EPOLLIN, FD, libc, STRIDE } from "./libc.ts";

const { epoll_wait } = Deno.dlopen("libc.so.6", {
  epoll_wait: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32", nonblocking: true },
}).symbols;

const [atOnce, batches] = Deno.args.map(Number) as [number, number];
const recorder = new LatencyRecorder(atOnce, batches);
const epoll = new Epoll();
const buffer = new Uint8Array(64);
const receivers = new Map<number, number>();
for (let i = 0; i < atOnce; i++) {
  const [near, far] = connectedSockets();
  recorder.senders.push(far);
  const fd = near.detach();
  receivers.set(fd, i);
  epoll.control(EPOLL_CTL_ADD, fd, EPOLLIN);
}
const events = new Int32Array(atOnce * STRIDE);
recorder.start();
while (!recorder.isDone) {
  const count = await epoll_wait(epoll.fd, events, atOnce, 60_000);
  for (let at = 0; at < count * STRIDE; at += STRIDE) {
    const fd = events[at + FD]!;
    libc.recv(fd, buffer, buffer.length, 0);
    recorder.arrived(receivers.get(fd)!);
  }
}
recorder.print();
