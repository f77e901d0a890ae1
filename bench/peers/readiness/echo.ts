/**
 * An echo server over `DefaultSelector`: see ../c/echo.c. It calls `select`, or with the argument
 * `async`, iterates the selector with `for await`.
 *
 * @module
 */

import { DefaultSelector, EVENT_READ, EVENT_WRITE, OSError } from "../../../mod.ts";
import {
  AF_INET,
  FileDescriptor,
  type InternetAddress,
  IPPROTO_TCP,
  SOCK_STREAM,
  Socket,
  TCP_NODELAY,
} from "../../../ffi/socket/mod.ts";

const selector = new DefaultSelector<() => void, FileDescriptor>();
const server = new Socket(AF_INET, SOCK_STREAM);
const buffer = new Uint8Array(16 * 1024);
let received = buffer; // The part that is filled: messages have one size.

server.bind({ hostname: "127.0.0.1", port: 0 });
server.listen(4096);
selector.register(server, EVENT_READ, accept);
selector.register(new FileDescriptor(0), EVENT_READ, () => Deno.exit());
console.log((server.localAddress as InternetAddress).port);
if (Deno.args[0] === "async") {
  for await (const [key] of selector) key.data();
} else {
  for (;;) {
    for (const [key] of selector.select()) key.data();
  }
}

function accept(): void {
  for (let socket; (socket = server.accept()) !== null;) {
    socket.setOption(IPPROTO_TCP, TCP_NODELAY, 1);
    serve(socket);
  }
}

function serve(socket: Socket): void {
  let unsent = new Uint8Array(); // Reading stops while something is unsent.
  selector.register(socket, EVENT_READ, receive);

  function receive(): void {
    try {
      const size = socket.recv(buffer);
      if (size === 0) close();
      else if (size !== null) {
        if (received.length !== size) received = buffer.subarray(0, size);
        send(received);
      }
    } catch (error) {
      fail(error);
    }
  }

  function send(data: Uint8Array): void {
    const sent = socket.send(data) ?? 0;
    if (sent === data.length) return;
    unsent = data.slice(sent);
    selector.modify(socket, EVENT_WRITE, sendRest);
  }

  function sendRest(): void {
    try {
      unsent = unsent.subarray(socket.send(unsent) ?? 0);
      if (unsent.length === 0) selector.modify(socket, EVENT_READ, receive);
    } catch (error) {
      fail(error);
    }
  }

  function fail(error: unknown): void {
    if (!(error instanceof OSError)) throw error;
    close();
  }

  function close(): void {
    selector.unregister(socket);
    socket.close();
  }
}
