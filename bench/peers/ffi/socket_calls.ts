/**
 * socket_calls OPERATION MILLISECONDS: see ../c/socket_calls.c.
 *
 * @module
 */

import { measure } from "../support/measure.ts";
import { boundSocket, EAGAIN, errno, libc, MSG_NOSIGNAL, SOCK_DGRAM, socketpair } from "./libc.ts";

const SIZE = 64;
const data = new Uint8Array(SIZE);
const buffer = new Uint8Array(2 * SIZE);

const [operation, ms] = Deno.args as [string, string];
const { far, near, address } = operation === "datagram" ? datagramSockets() : streamSockets();

const operations: Record<string, (n: number) => void> = {
  stream(n) {
    for (let i = 0; i < n; i++) {
      expect(libc.send(near, data, SIZE, MSG_NOSIGNAL));
      expect(libc.recv(far, buffer, buffer.length, 0));
    }
  },
  nothing(n) {
    for (let i = 0; i < n; i++) {
      const size = libc.recv(far, buffer, buffer.length, 0);
      if (size >= 0 || errno() !== EAGAIN) throw new Error("there was something to receive");
    }
  },
  datagram(n) {
    const source = new Uint8Array(16);
    const sourceSize = new Uint32Array(1);
    for (let i = 0; i < n; i++) {
      expect(libc.sendto(near, data, SIZE, MSG_NOSIGNAL, address, address.length));
      sourceSize[0] = source.length;
      expect(libc.recvfrom(far, buffer, buffer.length, 0, source, sourceSize));
    }
  },
};

measure(operations[operation]!, Number(ms));

function expect(size: number): void {
  if (size !== SIZE) throw new Error(`moved ${size} bytes instead of ${SIZE}`);
}

function streamSockets() {
  const [near, far] = socketpair();
  return { near, far, address: new Uint8Array() };
}

function datagramSockets() {
  const { fd: far, address } = boundSocket(SOCK_DGRAM);
  const { fd: near } = boundSocket(SOCK_DGRAM);
  return { near, far, address };
}
