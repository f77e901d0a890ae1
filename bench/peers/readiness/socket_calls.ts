/**
 * socket_calls OPERATION MILLISECONDS: see ../c/socket_calls.c.
 *
 * @module
 */

import {
  AF_INET,
  type InternetAddress,
  SOCK_DGRAM,
  Socket,
  socketpair,
} from "../../../ffi/socket/mod.ts";
import { measure } from "../support/measure.ts";

const data = new Uint8Array(64);
const buffer = new Uint8Array(128);

const [operation, ms] = Deno.args as [string, string];
const [near, far] = operation === "datagram" ? datagramSockets() : socketpair();
const address = operation === "datagram" ? far.localAddress as InternetAddress : undefined;

const operations: Record<string, (n: number) => void> = {
  stream(n) {
    for (let i = 0; i < n; i++) {
      expect(near.send(data));
      expect(far.recv(buffer));
    }
  },
  nothing(n) {
    for (let i = 0; i < n; i++) {
      if (far.recv(buffer) !== null) throw new Error("there was something to receive");
    }
  },
  datagram(n) {
    for (let i = 0; i < n; i++) {
      expect(near.sendTo(data, address!));
      expect(far.recvFrom(buffer)!.size);
    }
  },
};

measure(operations[operation]!, Number(ms));

function expect(size: number | null): void {
  if (size !== data.length) throw new Error(`moved ${size} bytes instead of ${data.length}`);
}

function datagramSockets(): [near: Socket, far: Socket] {
  const near = new Socket(AF_INET, SOCK_DGRAM);
  const far = new Socket(AF_INET, SOCK_DGRAM);
  far.bind({ hostname: "127.0.0.1", port: 0 });
  return [near, far];
}
