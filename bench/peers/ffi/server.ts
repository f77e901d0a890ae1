/**
 * A TCP server: see ../c/server.h.
 *
 * @module
 */

import {
  boundSocket,
  check,
  EAGAIN,
  Epoll,
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLL_CTL_MOD,
  EPOLLIN,
  EPOLLOUT,
  errno,
  FD,
  IPPROTO_TCP,
  libc,
  MSG_NOSIGNAL,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  STRIDE,
  TCP_NODELAY,
} from "./libc.ts";

const CAPACITY = 20_000;

/** What was received. */
export const input: Uint8Array<ArrayBuffer> = new Uint8Array(16 * 1024);

/**
 * Runs a server.
 *
 * @param output The bytes that answers are taken from
 * @param answer Called with a descriptor and the number of bytes received; returns how many bytes
 * of `output` to send
 */
export function serve(
  output: Uint8Array<ArrayBuffer>,
  answer: (fd: number, size: number) => number,
): never {
  const { fd: server, port } = boundSocket(SOCK_STREAM);
  check(libc.listen(server, 4096), "listen");
  const epoll = new Epoll();
  const events = new Int32Array(CAPACITY * STRIDE);
  const unsent = new Map<number, Uint8Array<ArrayBuffer>>();
  const on = new Int32Array([1]);
  epoll.control(EPOLL_CTL_ADD, server, EPOLLIN);
  epoll.control(EPOLL_CTL_ADD, 0, EPOLLIN);
  console.log(port);
  for (;;) {
    const count = libc.epoll_wait(epoll.fd, events, CAPACITY, -1);
    for (let i = 0, at = 0; i < count; i++, at += STRIDE) {
      const fd = events[at + FD]!;
      if (fd === server) acceptAll();
      else if (fd === 0) Deno.exit();
      else if (events[at] === EPOLLOUT) sendRest(fd);
      else receive(fd);
    }
  }

  function acceptAll(): void {
    for (let fd; (fd = libc.accept4(server, null, null, SOCK_NONBLOCK)) >= 0;) {
      libc.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, on, 4);
      epoll.control(EPOLL_CTL_ADD, fd, EPOLLIN);
    }
  }

  function receive(fd: number): void {
    const received = libc.recv(fd, input, input.length, 0);
    if (received <= 0) {
      if (received === 0 || errno() !== EAGAIN) hangUp(fd);
      return;
    }
    const size = answer(fd, received);
    if (size === 0) return;
    const sent = libc.send(fd, output, size, MSG_NOSIGNAL);
    if (sent === size) return;
    if (sent < 0 && errno() !== EAGAIN) return hangUp(fd);
    unsent.set(fd, output.slice(Math.max(sent, 0), size));
    epoll.control(EPOLL_CTL_MOD, fd, EPOLLOUT);
  }

  function sendRest(fd: number): void {
    const data = unsent.get(fd)!;
    const sent = libc.send(fd, data, data.length, MSG_NOSIGNAL);
    if (sent < 0) return errno() === EAGAIN ? undefined : hangUp(fd);
    if (sent < data.length) {
      unsent.set(fd, data.subarray(sent));
    } else {
      unsent.delete(fd);
      epoll.control(EPOLL_CTL_MOD, fd, EPOLLIN);
    }
  }

  function hangUp(fd: number): void {
    epoll.control(EPOLL_CTL_DEL, fd, 0);
    unsent.delete(fd);
    libc.close(fd);
  }
}
