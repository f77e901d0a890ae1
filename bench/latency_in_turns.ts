/**
 * Compares latencies message by message, in one process, so that all of them see the same machine.
 * Prints quantiles of the time from a `send` until the awaiting receiver has the data, in
 * microseconds, and divided by those of `conn.read`.
 *
 *     deno run --allow-ffi --allow-net=127.0.0.1 bench/latency_in_turns.ts [MESSAGES]
 *
 * @module
 */

import { EVENT_READ, ready } from "../mod.ts";
import type { InternetAddress, Socket } from "../ffi/socket/mod.ts";
import { Epoll, EPOLL_CTL_ADD, EPOLLIN, libc, STRIDE } from "./peers/ffi/libc.ts";
import { connectedSockets, connectTo } from "./peers/support/connected_sockets.ts";

/** How long the event loop is idle before each message, in milliseconds. */
const PAUSE = 2;

const QUANTILES = [0.5, 0.9, 0.95, 0.99];

const { epoll_wait } = Deno.dlopen("libc.so.6", {
  epoll_wait: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32", nonblocking: true },
}).symbols;

/** Returns a function that awaits a message, and the socket that sends it. */
type Receiver = () => Promise<[receive: () => Promise<unknown>, sender: Socket]>;

const buffer = new Uint8Array(64);
const receivers: Record<string, Receiver> = {
  async "conn.read"() {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const sender = connectTo(listener.addr as InternetAddress);
    const conn = await listener.accept();
    return [() => conn.read(buffer), sender];
  },
  "bare epoll_wait"() {
    const [near, sender] = connectedSockets();
    const fd = near.detach();
    const epoll = new Epoll();
    epoll.control(EPOLL_CTL_ADD, fd, EPOLLIN);
    const event = new Int32Array(STRIDE);
    const receive = async () => {
      await epoll_wait(epoll.fd, event, 1, 60_000);
      libc.recv(fd, buffer, buffer.length, 0);
    };
    return Promise.resolve([receive, sender]);
  },
  "ready"() {
    const [near, sender] = connectedSockets();
    const receive = async () => {
      await ready(near, EVENT_READ);
      near.recv(buffer);
    };
    return Promise.resolve([receive, sender]);
  },
};

const messages = Number(Deno.args[0] ?? 4000);
const cases = await Promise.all(
  Object.entries(receivers).map(async ([name, receiver]) => {
    const [receive, sender] = await receiver();
    return { name, receive, sender, latencies: new Float64Array(messages) };
  }),
);
for (let i = -messages / 4; i < messages; i++) { // The first quarter warms up.
  for (let turn = 0; turn < cases.length; turn++) {
    const { receive, sender, latencies } = cases[(i + messages + turn) % cases.length]!;
    let sent = 0;
    setTimeout(() => {
      sent = performance.now();
      sender.send(buffer);
    }, PAUSE);
    await receive();
    if (i >= 0) latencies[i] = (performance.now() - sent) * 1000;
  }
}

const rows = cases.map(({ name, latencies }) => {
  const sorted = latencies.sort();
  return { name, found: QUANTILES.map((share) => sorted[Math.floor((messages - 1) * share)]!) };
});
console.log("".padEnd(16), ...QUANTILES.map((share) => `${share * 100} %`.padStart(14)));
for (const { name, found } of rows) {
  const ratios = found.map((time, i) => (time / rows[0]!.found[i]!).toFixed(2));
  const figures = found.map((time, i) => `${time.toFixed(0)} (${ratios[i]})`.padStart(14));
  console.log(name.padEnd(16), ...figures);
}
Deno.exit();
