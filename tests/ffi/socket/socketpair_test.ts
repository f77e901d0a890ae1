import { assertEquals } from "@std/assert";
import { type Socket, socketpair } from "../../../ffi/socket/mod.ts";
import { untilReadable } from "../../support/sockets.ts";

Deno.test("socketpair() closes both sockets at the end of a using block", () => {
  let sockets: Socket[];
  {
    using pair = socketpair();
    sockets = [...pair];
    assertEquals(pair.length, 2);
  }
  assertEquals(sockets.map((socket) => socket.fileno()), [-1, -1]);
});

Deno.test("socketpair() disposes of a pair of which one socket is closed already", () => {
  using pair = socketpair();
  const [left, right] = pair;
  left.close();
  untilReadable(right);
  assertEquals(right.read(new Uint8Array(1)), 0);
});
