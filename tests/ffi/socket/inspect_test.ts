import { assertEquals } from "@std/assert";
import {
  AF_INET,
  AF_INET6,
  AF_NETLINK,
  createConnection,
  createServer,
  NETLINK_ROUTE,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_STREAM,
  Socket,
  socketpair,
} from "../../../ffi/socket/mod.ts";
import { linuxOnly } from "../../support/skip.ts";
import { needsUnix } from "../../support/sockets.ts";

/** Returns what `console.log()` shows, on one line. */
function shown(socket: Socket): string {
  return Deno.inspect(socket, { colors: false, breakLength: Infinity, compact: true });
}

const loopback = { hostname: "127.0.0.1", port: 0 };

Deno.test("console.log() shows the descriptor, family and addresses of a socket", async () => {
  using server = createServer(loopback);
  const { port } = server.localAddress;
  const fd = server.fileno();
  const at = (port: number) => `{ hostname: "127.0.0.1", port: ${port} }`;
  assertEquals(shown(server), `Socket { fd: ${fd}, family: "AF_INET", localAddress: ${at(port)} }`);
  using client = await createConnection(server.localAddress);
  assertEquals(
    shown(client),
    `Socket { fd: ${client.fileno()}, family: "AF_INET", ` +
      `localAddress: ${at(client.localAddress.port)}, remoteAddress: ${at(port)} }`,
  );
});

Deno.test("console.log() shows a socket that is not bound", () => {
  using socket = new Socket(AF_INET6, SOCK_DGRAM);
  assertEquals(
    shown(socket),
    `Socket { fd: ${socket.fileno()}, family: "AF_INET6", ` +
      `localAddress: { hostname: "::", port: 0 } }`,
  );
});

Deno.test("console.log() shows a Unix socket", needsUnix, () => {
  const [left, right] = socketpair();
  assertEquals(
    shown(left),
    `Socket { fd: ${left.fileno()}, family: "AF_UNIX", ` +
      `localAddress: { path: "" }, remoteAddress: { path: "" } }`,
  );
  left.close();
  right.close();
});

Deno.test("console.log() shows a socket of another family", linuxOnly, () => {
  using socket = new Socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
  const text = shown(socket);
  assertEquals(
    text.includes('family: "AF_NETLINK", localAddress: { family: 16, bytes: '),
    true,
    text,
  );
});

Deno.test("console.log() shows that a socket is closed, and the fields of a subclass", () => {
  class Peer extends Socket {
    nickname = "peer";
  }
  const socket = new Peer(AF_INET, SOCK_STREAM);
  socket.close();
  assertEquals(shown(socket), `Peer { fd: -1, nickname: "peer" }`);
});
