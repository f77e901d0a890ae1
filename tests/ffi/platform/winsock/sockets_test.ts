import { assertEquals } from "@std/assert";
import { isBroken, isConnected } from "../../../../ffi/platform/winsock/sockets.ts";
import { AF_INET, setLinger, SOCK_STREAM, Socket, socketpair } from "../../../../ffi/socket/mod.ts";
import { windowsOnly } from "../../../support/skip.ts";

Deno.test({
  name: "isConnected() tells a connection from another socket",
  ...windowsOnly,
  fn() {
    const [left, right] = socketpair();
    using socket = new Socket(AF_INET, SOCK_STREAM);
    assertEquals([left, right, socket].map((one) => isConnected(one.fileno())), [
      true,
      true,
      false,
    ]);
    left.close();
    right.close();
  },
});

Deno.test({
  name: "isBroken() takes neither waiting data nor the end of the stream for a failure",
  ...windowsOnly,
  fn() {
    const [left, right] = socketpair();
    assertEquals(isBroken(left.fileno()), false);
    right.send(new Uint8Array(1));
    assertEquals(isBroken(left.fileno()), false);
    assertEquals(left.recv(new Uint8Array(9)), 1); // Nothing was taken from it.
    right.close();
    assertEquals(isBroken(left.fileno()), false);
    left.close();
  },
});

Deno.test({
  name: "isBroken() finds a connection that was reset",
  ...windowsOnly,
  fn() {
    const [left, right] = socketpair();
    setLinger(right, 0);
    right.close();
    assertEquals(isBroken(left.fileno()), true);
    left.close();
  },
});
