import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  AF_INET,
  AF_UNIX,
  OSError,
  SOCK_STREAM,
  Socket,
  tryConnect,
} from "../../../ffi/socket/mod.ts";
import { acceptFrom, listener, places, untilWritable } from "../../support/sockets.ts";
import { linuxOnly } from "../../support/skip.ts";

for (const place of places) {
  Deno.test(`tryConnect() connects (${place.name})`, place.skip ?? {}, () => {
    using server = listener(place);
    using client = new Socket(place.family, SOCK_STREAM);
    const code = tryConnect(client, server.localAddress);
    assert(code === null || code === "EINPROGRESS", String(code));
    untilWritable(client);
    assertEquals(client.error(), null);
    using _connection = acceptFrom(server);
  });
}

Deno.test({
  name: "tryConnect() returns a refusal, after which the socket can try again (Linux)",
  ...linuxOnly,
  fn() {
    using closed = new Socket(AF_INET, SOCK_STREAM); // Bound, but does not listen.
    closed.bind({ hostname: "127.0.0.1", port: 0 });
    using socket = new Socket(AF_INET, SOCK_STREAM);
    for (let i = 0; i < 3; i++) {
      assertEquals(tryConnect(socket, closed.localAddress), "EINPROGRESS");
      assertEquals(tryConnect(socket, closed.localAddress), "ECONNREFUSED");
    }
    closed.listen();
    assertEquals(tryConnect(socket, closed.localAddress), "EINPROGRESS");
    assertEquals(tryConnect(socket, closed.localAddress), null);
    assertEquals(tryConnect(socket, closed.localAddress), "EISCONN");
  },
});

Deno.test("tryConnect() throws when the address is wrong or the socket is closed", () => {
  const socket = new Socket(AF_INET, SOCK_STREAM);
  assertThrows(() => tryConnect(socket, { path: "/tmp/socket" }), TypeError);
  assertThrows(() => tryConnect(socket, { hostname: "127.0.0.1", port: 65536 }), RangeError);
  assertThrows(() => tryConnect(socket, { family: AF_UNIX, bytes: new Uint8Array(1) }), TypeError);
  socket.close();
  const call = () => tryConnect(socket, { hostname: "127.0.0.1", port: 1 });
  const { code, syscall } = assertThrows(call, OSError);
  assertEquals([code, syscall], ["EBADF", "connect"]);
});
