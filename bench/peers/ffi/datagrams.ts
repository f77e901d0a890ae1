/**
 * An echo server for datagrams: see ../c/datagrams.c.
 *
 * @module
 */

import {
  boundSocket,
  Epoll,
  EPOLL_CTL_ADD,
  EPOLLIN,
  FD,
  libc,
  SOCK_DGRAM,
  STRIDE,
} from "./libc.ts";

const { fd, port } = boundSocket(SOCK_DGRAM);
const epoll = new Epoll();
const event = new Int32Array(STRIDE);
const buffer = new Uint8Array(65536);
const address = new Uint8Array(16);
const addressSize = new Uint32Array(1);

epoll.control(EPOLL_CTL_ADD, fd, EPOLLIN);
epoll.control(EPOLL_CTL_ADD, 0, EPOLLIN);
console.log(port);
for (;;) {
  libc.epoll_wait(epoll.fd, event, 1, -1);
  if (event[FD] === 0) Deno.exit();
  for (;;) {
    addressSize[0] = address.length;
    const size = libc.recvfrom(fd, buffer, buffer.length, 0, address, addressSize);
    if (size < 0) break;
    libc.sendto(fd, buffer, size, 0, address, addressSize[0]!);
  }
}
