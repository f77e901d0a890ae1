/**
 * A Worker that waits for a descriptor with epoll: it posts its thread and its waker, blocks, and
 * posts how many events there were.
 *
 * @module
 */

import { EpollSelector } from "../../mod.ts";
import { libcCalls } from "../../ffi/libc.ts";

const calls = libcCalls({ gettid: { parameters: [], result: "i32" } });

self.onmessage = ({ data: [fd, events] }: MessageEvent<[fd: number, events: number]>) => {
  const selector = new EpollSelector(); // Open to the end, as is its waker.
  selector.register(fd, events);
  self.postMessage([calls().gettid(), selector.waker().fd]);
  self.postMessage(selector.select().length);
};
self.postMessage("ready");
