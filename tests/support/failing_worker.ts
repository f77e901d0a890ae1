/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
// Makes two kinds of calls fail in turn, many times, and posts how often each error occurred.
import { AF_INET, FileDescriptor, SOCK_STREAM, Socket } from "../../ffi/socket/mod.ts";
import type { OSError } from "../../ffi/errno.ts";

using socket = new Socket(AF_INET, SOCK_STREAM);
const closed = new FileDescriptor(999_999);
const buffer = new Uint8Array(1);
const counts: Record<string, number> = {};
for (let i = 0; i < 2_000; i++) {
  try {
    (i % 2 === 0 ? closed : socket).read(buffer);
  } catch (error) {
    const name = `${i % 2} ${(error as OSError).code}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
}
self.postMessage(counts);
