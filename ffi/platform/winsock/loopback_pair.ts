import { abi } from "../../abi/mod.ts";
import type { Pair, Refusal } from "../platform.ts";
import { lastErrno } from "./calls.ts";
import { calls, isReadable, setOption, sizeOf } from "./sockets.ts";

const { AF_INET, IPPROTO_TCP, SOCK_STREAM, SOL_SOCKET, SOMAXCONN, TCP_NODELAY } = abi.constants;
const { ECONNABORTED, ECONNRESET } = abi.errno;
const { sockaddr_in, sockaddr_in6 } = abi.structs;

/** How long to wait for the connection, in seconds. It is there unless something broke it. */
const PATIENCE = 5;

/**
 * Connects two sockets over loopback. While the port is open, other programs can connect to it too:
 * a connection from another address than that of the second socket is closed.
 */
export function connectPair(family: number): Pair | Refusal {
  const { accept, bind, closesocket, connect, getpeername, getsockname, listen, socket } = calls();
  const { SO_EXCLUSIVEADDRUSE } = abi.winsock!.constants;
  const open: number[] = [];
  const opened = (fd: number): number => {
    if (fd >= 0) open.push(fd);
    return fd;
  };
  const refusal = (syscall: string, errno = lastErrno()): Refusal => {
    for (const fd of open) closesocket(fd);
    return { syscall, errno };
  };

  const listener = opened(socket(family, SOCK_STREAM, 0));
  if (listener < 0) return refusal("socket");
  if (setOption(listener, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, 1) < 0) return refusal("setsockopt");
  const address = loopback(family);
  if (bind(listener, address, address.length) < 0) return refusal("bind");
  if (listen(listener, SOMAXCONN) < 0) return refusal("listen");
  if (getsockname(listener, address, sizeOf(address)) < 0) return refusal("getsockname");

  const client = opened(socket(family, SOCK_STREAM, 0));
  if (client < 0) return refusal("socket");
  if (connect(client, address, address.length) < 0) return refusal("connect");
  const wanted = loopback(family);
  if (getsockname(client, wanted, sizeOf(wanted)) < 0) return refusal("getsockname");

  for (;;) {
    if (!isReadable(listener, PATIENCE)) return refusal("accept", ECONNABORTED);
    const server = opened(accept(listener, null, null));
    if (server < 0) {
      if (lastErrno() === ECONNRESET) continue; // Another program's, already closed.
      return refusal("accept");
    }
    const peer = loopback(family);
    if (getpeername(server, peer, sizeOf(peer)) === 0 && isSame(peer, wanted)) {
      closesocket(listener);
      for (const fd of [server, client]) setOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
      return { fds: [server, client], finished: false };
    }
    closesocket(server);
    open.pop();
  }
}

/** Returns the loopback address in C's form, with port 0. */
function loopback(family: number): Uint8Array<ArrayBuffer> {
  const { size, address: [at, width], first } = family === AF_INET
    ? { size: sockaddr_in.size, address: sockaddr_in.fields.sin_addr, first: 127 }
    : { size: sockaddr_in6.size, address: sockaddr_in6.fields.sin6_addr, first: 0 };
  const bytes = new Uint8Array(size);
  bytes[sockaddr_in.fields.sin_family[0]] = family;
  bytes[at] = first;
  bytes[at + width - 1] = 1;
  return bytes;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.every((byte, i) => byte === b[i]);
}
