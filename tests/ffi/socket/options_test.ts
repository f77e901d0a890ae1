import { assertEquals, assertThrows } from "@std/assert";
import {
  AF_INET,
  getOptionBytes,
  IPPROTO_TCP,
  OSError,
  peerCredentials,
  setKeepAlive,
  setLinger,
  SO_KEEPALIVE,
  SO_LINGER,
  SOCK_STREAM,
  Socket,
  SOL_SOCKET,
  TCP_CONGESTION,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
} from "../../../ffi/socket/mod.ts";
import { Pair } from "../../support/descriptors.ts";
import { runProgram } from "../../support/subprocess.ts";
import { Connection, untilReadable } from "../../support/sockets.ts";
import { structureErrors } from "./error_cases/option.ts";
import { testErrors } from "../../support/error_cases.ts";
import { linuxOnly } from "../../support/skip.ts";

testErrors(structureErrors);

Deno.test("setLinger() with 0 resets the connection when the socket is closed", () => {
  using connection = new Connection();
  setLinger(connection.client, 0);
  connection.client.close();
  untilReadable(connection.server);
  const error = assertThrows(() => connection.server.recv(new Uint8Array(1)), OSError);
  assertEquals(error.code, "ECONNRESET");
});

Deno.test("setLinger() with null still sends unsent data", () => {
  using connection = new Connection();
  setLinger(connection.client, 0);
  setLinger(connection.client, null);
  connection.client.send(new Uint8Array(3));
  connection.client.close();
  untilReadable(connection.server);
  assertEquals(connection.server.recv(new Uint8Array(9)), 3);
  untilReadable(connection.server);
  assertEquals(connection.server.recv(new Uint8Array(9)), 0);
});

Deno.test({
  name: "getOptionBytes() returns a structure, or the part that there is room for",
  ...linuxOnly,
  fn() {
    using socket = new Socket(AF_INET, SOCK_STREAM);
    const linger = () => getOptionBytes(socket, SOL_SOCKET, SO_LINGER, 64);
    assertEquals(linger().length, 8);
    for (const seconds of [0, 7, 32_767]) {
      setLinger(socket, seconds);
      assertEquals(new Int32Array(linger().slice().buffer), new Int32Array([1, seconds]));
    }
    setLinger(socket, null);
    assertEquals(new Int32Array(linger().slice().buffer)[0], 0);
    assertEquals(getOptionBytes(socket, SOL_SOCKET, SO_LINGER, 3).length, 3);
    const name = getOptionBytes(socket, IPPROTO_TCP, TCP_CONGESTION, 16);
    assertEquals(/^[a-z]+\0*$/.test(new TextDecoder().decode(name)), true);
    socket.setOption(IPPROTO_TCP, TCP_CONGESTION, name);
  },
});

Deno.test({
  name: "setKeepAlive() sets the given numbers and leaves the others at the system's values",
  ...linuxOnly,
  fn() {
    using socket = new Socket(AF_INET, SOCK_STREAM);
    const numbers = () => [
      socket.getOption(SOL_SOCKET, SO_KEEPALIVE),
      ...[TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT].map((name) =>
        socket.getOption(IPPROTO_TCP, name)
      ),
    ];
    const [, ...usual] = numbers();
    setKeepAlive(socket, {});
    assertEquals(numbers(), [1, ...usual]);
    setKeepAlive(socket, { idle: 60, interval: 10, count: 3 });
    assertEquals(numbers(), [1, 60, 10, 3]);
    setKeepAlive(socket, { interval: 11 });
    assertEquals(numbers(), [1, 60, 11, 3]);
    setKeepAlive(socket, null);
    assertEquals(numbers(), [0, 60, 11, 3]);
    assertThrows(() => setKeepAlive(socket, { idle: 5, count: 0 }), RangeError);
    assertEquals(numbers(), [0, 60, 11, 3]);
  },
});

Deno.test({
  name: "peerCredentials() returns the credentials of the peer",
  ...linuxOnly,
  async fn() {
    using pair = new Pair();
    const own = { pid: Deno.pid, uid: Deno.uid()!, gid: Deno.gid()! };
    assertEquals(peerCredentials(pair.left), own);
    const path = `\0readiness-peer-${crypto.randomUUID()}`;
    using server = new Socket(1, SOCK_STREAM);
    server.bind({ path });
    server.listen();
    const { stdout } = await runProgram(
      `const socket = new sockets.Socket(1, 1);
      socket.connect({ path: ${JSON.stringify(path)} });
      console.log(Deno.pid);`,
    );
    untilReadable(server);
    using connection = server.accept()!;
    assertEquals(peerCredentials(connection), { ...own, pid: Number(stdout) });
  },
});
