/**
 * A Worker that waits for a descriptor with epoll: it posts its thread, blocks, and posts how many
 * events there were.
 *
 * @module
 */

import { EpollSelector } from "../../mod.ts";
import { libcCalls } from "../../ffi/libc.ts";

const calls = libcCalls({ gettid: { parameters: [], result: "i32" } });

self.onmessage = ({ data: [fd, events] }: MessageEvent<[fd: number, events: number]>) => {
  using selector = new EpollSelector();
  selector.register(fd, events);
  self.postMessage(calls().gettid());
  self.postMessage(selector.select(300).length);
};
self.postMessage("ready");
