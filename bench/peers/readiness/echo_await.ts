/**
 * An echo server with one async function per connection: see ../c/echo.c.
 *
 * @module
 */

import { EVENT_READ, OSError, ready, sendAll, whenReadable } from "../../../mod.ts";
import {
  AF_INET,
  type InternetAddress,
  IPPROTO_TCP,
  SOCK_STREAM,
  Socket,
  TCP_NODELAY,
} from "../../../ffi/socket/mod.ts";

const server = new Socket(AF_INET, SOCK_STREAM);
server.bind({ hostname: "127.0.0.1", port: 0 });
server.listen(4096);
console.log((server.localAddress as InternetAddress).port);
ready(0, EVENT_READ).then(() => Deno.exit());
for (;;) serve(await whenReadable(server, () => server.accept()));

async function serve(socket: Socket): Promise<void> {
  socket.setOption(IPPROTO_TCP, TCP_NODELAY, 1);
  const buffer = new Uint8Array(16 * 1024); // One per connection: all of them read at once.
  const receive = () => socket.recv(buffer);
  try {
    for (let size; (size = await whenReadable(socket, receive)) > 0;) {
      await sendAll(socket, buffer.subarray(0, size));
    }
  } catch (error) {
    if (!(error instanceof OSError)) throw error;
  }
  socket.close();
}
