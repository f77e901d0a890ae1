import { abi } from "../../abi/mod.ts";
import { libcCalls } from "../../libc.ts";

const calls = libcCalls({ WSAStartup: { parameters: ["u16", "buffer"], result: "i32" } });

let isStarted = false;

/** Starts Winsock 2.2, once per isolate: until then it refuses every call. */
export function startWinsock(): void {
  if (isStarted) return;
  const errno = calls().WSAStartup(0x0202, new Uint8Array(abi.winsock!.WSADATA.size));
  if (errno !== 0) {
    throw new Deno.errors.NotSupported(`Cannot start Winsock 2.2: its error is ${errno}`);
  }
  isStarted = true;
}
