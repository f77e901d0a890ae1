/**
 * The system calls of the other programs in this folder, with nothing between them and Deno's FFI:
 * no checks, no objects, Linux alone. It is the floor of any program in Deno.
 *
 * @module
 */

/** The calls. */
export const libc = Deno.dlopen("libc.so.6", {
  accept4: { parameters: ["i32", "pointer", "pointer", "i32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  epoll_create1: { parameters: ["i32"], result: "i32" },
  epoll_ctl: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  epoll_wait: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  listen: { parameters: ["i32", "i32"], result: "i32" },
  poll: { parameters: ["buffer", "u32", "i32"], result: "i32" },
  recv: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  recvfrom: { parameters: ["i32", "buffer", "u32", "i32", "buffer", "buffer"], result: "i32" },
  select: { parameters: ["i32", "buffer", "buffer", "pointer", "buffer"], result: "i32" },
  send: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  sendto: { parameters: ["i32", "buffer", "u32", "i32", "buffer", "u32"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  socketpair: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  __errno_location: { parameters: [], result: "pointer" },
}).symbols;

export const [AF_UNIX, AF_INET, SOCK_STREAM, SOCK_DGRAM] = [1, 2, 1, 2];
export const [SOCK_NONBLOCK, MSG_NOSIGNAL, EAGAIN] = [0x800, 0x4000, 11];
export const [IPPROTO_TCP, TCP_NODELAY] = [6, 1];
export const [EPOLLIN, EPOLLOUT, EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD] = [1, 4, 1, 2, 3];
export const [POLLIN, POLLOUT] = [1, 4];
export const [EVENT_READ, EVENT_WRITE] = [1, 2];

// struct epoll_event in 32-bit words: its size, and the place of the descriptor.
export const [STRIDE, FD] = Deno.build.arch === "x86_64" ? [3, 1] : [4, 2];

const errnoPlace = new Int32Array(
  Deno.UnsafePointerView.getArrayBuffer(libc.__errno_location()!, 4),
);

/** Returns the errno of the last call. */
export function errno(): number {
  return errnoPlace[0]!;
}

/** Exits if a call failed. */
export function check(result: number, call: string): number {
  if (result >= 0) return result;
  console.error(`${call}: errno ${errno()}`);
  Deno.exit(1);
}

/** Creates a pair of connected stream sockets. */
export function socketpair(): [number, number] {
  const pair = new Int32Array(2);
  check(libc.socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), "socketpair");
  return [pair[0]!, pair[1]!];
}

/** Creates a socket that is bound to a free port of loopback, and returns its address too. */
export function boundSocket(type: number): { fd: number; address: Uint8Array; port: number } {
  const fd = check(libc.socket(AF_INET, type | SOCK_NONBLOCK, 0), "socket");
  const address = new Uint8Array(16);
  new Uint16Array(address.buffer)[0] = AF_INET;
  address.set([127, 0, 0, 1], 4);
  check(libc.bind(fd, address, address.length), "bind");
  check(libc.getsockname(fd, address, new Uint32Array([address.length])), "getsockname");
  return { fd, address, port: address[2]! << 8 | address[3]! };
}

/** An epoll instance. */
export class Epoll {
  readonly fd: number = check(libc.epoll_create1(0), "epoll_create1");
  readonly #event = new Int32Array(STRIDE);

  /** Adds, changes or removes a descriptor. */
  control(operation: number, fd: number, events: number): void {
    this.#event[0] = events;
    this.#event[FD] = fd;
    check(libc.epoll_ctl(this.fd, operation, fd, this.#event), "epoll_ctl");
  }
}
