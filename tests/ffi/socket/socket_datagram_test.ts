import { assertEquals, assertThrows } from "@std/assert";
import {
  AF_INET,
  AF_NETLINK,
  AF_UNIX,
  MSG_PEEK,
  MSG_TRUNC,
  OSError,
  SOCK_DGRAM,
  SOCK_RAW,
  Socket,
  socketpair,
} from "../../../ffi/socket/mod.ts";
import { datagrams, needsUnix, places, untilReadable } from "../../support/sockets.ts";
import { datagramErrors } from "./error_cases/datagram.ts";
import { testErrors } from "../../support/error_cases.ts";
import { linuxOnly, skipIf, skipUnless } from "../../support/skip.ts";
import { isLinux, isWindows } from "../../support/os.ts";

const needsWouldBlock = skipUnless(
  isLinux,
  "a full Unix datagram socket fails with ENOBUFS elsewhere",
);

testErrors(datagramErrors);

for (const place of places) {
  const { name, family, skip } = place;

  Deno.test({
    name: `Socket.recvFrom() returns the sender's address, and sendTo() answers it (${name})`,
    ...skip,
    fn() {
      using left = datagrams(place);
      using right = datagrams(place);
      assertEquals(left.sendTo(new Uint8Array([1, 2, 3]), right.localAddress), 3);
      untilReadable(right);
      const buffer = new Uint8Array(8);
      const datagram = right.recvFrom(buffer);
      assertEquals(datagram, { size: 3, address: left.localAddress });
      assertEquals(buffer, new Uint8Array([1, 2, 3, 0, 0, 0, 0, 0]));
      right.sendTo(new Uint8Array([4]), datagram!.address);
      untilReadable(left);
      assertEquals(left.recvFrom(buffer), { size: 1, address: right.localAddress });
      assertEquals(left.recvFrom(buffer), null);
    },
  });

  Deno.test({
    name: `Socket.recvFrom() loses the bytes that do not fit, but no other datagram (${name})`,
    ...skip,
    fn() {
      using left = datagrams(place);
      using right = datagrams(place);
      left.sendTo(new Uint8Array([1, 2, 3, 4, 5]), right.localAddress);
      left.sendTo(new Uint8Array([6]), right.localAddress);
      untilReadable(right);
      const buffer = new Uint8Array(8).fill(9);
      assertEquals(right.recvFrom(buffer.subarray(1, 4))?.size, 3);
      assertEquals(buffer, new Uint8Array([9, 1, 2, 3, 9, 9, 9, 9]));
      untilReadable(right);
      assertEquals(right.recvFrom(buffer)?.size, 1);
      assertEquals(buffer[0], 6);
    },
  });

  Deno.test({
    name: `Socket.connect() sets the peer of a datagram socket (${name})`,
    ...skip,
    fn() {
      using left = datagrams(place);
      using right = datagrams(place);
      assertEquals(left.connect(right.localAddress), true);
      assertEquals(left.remoteAddress, right.localAddress);
      assertEquals(left.send(new Uint8Array([1, 2])), 2);
      assertEquals(left.write(new Uint8Array([3])), 1);
      untilReadable(right);
      assertEquals(right.recvFrom(new Uint8Array(9)), { size: 2, address: left.localAddress });
      untilReadable(right);
      assertEquals(right.recv(new Uint8Array(9)), 1);
    },
  });

  Deno.test({
    name: `Socket.recvFrom() returns an empty datagram (${name})`,
    ...skip,
    fn() {
      using left = datagrams(place);
      using right = datagrams(place);
      assertEquals(right.recv(new Uint8Array(9)), null);
      assertEquals(right.recvFrom(new Uint8Array(9)), null);
      assertEquals(left.sendTo(new Uint8Array(0), right.localAddress), 0);
      untilReadable(right);
      assertEquals(right.recvFrom(new Uint8Array(9)), { size: 0, address: left.localAddress });
      assertEquals(right.recvFrom(new Uint8Array(9)), null);
    },
  });

  Deno.test({
    name: `Socket.recvFrom() with MSG_PEEK leaves the datagram in the queue (${name})`,
    ...skip,
    fn() {
      using left = datagrams(place);
      using right = datagrams(place);
      left.sendTo(new Uint8Array(5), right.localAddress);
      untilReadable(right);
      const datagram = { size: 2, address: left.localAddress };
      assertEquals(right.recvFrom(new Uint8Array(2), MSG_PEEK), datagram);
      if (Deno.build.os === "linux") {
        const whole = right.recvFrom(new Uint8Array(2), MSG_PEEK | MSG_TRUNC);
        assertEquals(whole, { ...datagram, size: 5 });
      }
      assertEquals(right.recvFrom(new Uint8Array(9)), { ...datagram, size: 5 });
      assertEquals(right.recvFrom(new Uint8Array(9)), null);
    },
  });

  Deno.test({
    name: `Socket.sendTo() sends only the bytes of a view (${name})`,
    ...skip,
    fn() {
      using left = new Socket(family, SOCK_DGRAM);
      using right = datagrams(place);
      left.sendTo(new Uint8Array([1, 2, 3, 4]).subarray(1, 3), right.localAddress);
      untilReadable(right);
      const buffer = new Uint8Array(4);
      assertEquals(right.recvFrom(buffer)?.size, 2);
      assertEquals(buffer, new Uint8Array([2, 3, 0, 0]));
    },
  });
}

Deno.test("Socket.recvFrom() returns an empty path for an unnamed sender", needsUnix, () => {
  using left = new Socket(AF_UNIX, SOCK_DGRAM);
  using right = datagrams(places[2]);
  left.sendTo(new Uint8Array(3), right.localAddress);
  const datagram = right.recvFrom(new Uint8Array(9));
  assertEquals(datagram, { size: 3, address: { path: "" } });
  assertThrows(
    () => right.sendTo(new Uint8Array(1), datagram!.address),
    RangeError,
    "must not be empty",
  );
});

Deno.test("Socket.sendTo() resolves a name", () => {
  using left = new Socket(AF_INET, SOCK_DGRAM);
  using right = datagrams();
  const { localAddress } = right;
  if (!("port" in localAddress)) throw new Error("no port");
  left.sendTo(new Uint8Array(3), { hostname: "localhost", port: localAddress.port });
  untilReadable(right);
  assertEquals(right.recvFrom(new Uint8Array(9))?.size, 3);
});

Deno.test(
  "Socket.recv() and recvFrom() throw ECONNREFUSED when a datagram was refused",
  skipIf(isWindows, "the package switches these errors off on Windows"),
  () => {
    using other = datagrams();
    using deaf = datagrams(); // It receives only from its peer.
    deaf.connect(other.localAddress);
    using socket = new Socket(AF_INET, SOCK_DGRAM);
    socket.connect(deaf.localAddress);
    for (
      const [syscall, receive] of [
        ["recv", () => socket.recv(new Uint8Array(1))],
        ["recvfrom", () => socket.recvFrom(new Uint8Array(1))],
      ] as const
    ) {
      socket.send(new Uint8Array(1));
      untilReadable(socket);
      const error = assertThrows(receive, OSError);
      assertEquals([error.code, error.syscall], ["ECONNREFUSED", syscall]);
      assertEquals(socket.error(), null);
    }
  },
);

Deno.test("Socket.sendTo() and send() return null when there is no room", needsWouldBlock, () => {
  using right = datagrams(places[2]);
  using left = new Socket(AF_UNIX, SOCK_DGRAM);
  const datagram = new Uint8Array(1000);
  let sent = 0;
  while (left.sendTo(datagram, right.localAddress) === 1000) sent++;
  assertEquals(left.sendTo(datagram, right.localAddress), null);
  left.connect(right.localAddress);
  assertEquals(left.send(datagram), null);
  for (let i = 0; i < sent; i++) assertEquals(right.recv(new Uint8Array(2000)), 1000);
  assertEquals(right.recv(new Uint8Array(2000)), null);
  assertEquals(left.sendTo(datagram, right.localAddress), 1000);
});

Deno.test("Socket.recvFrom() receives from a socket pair", needsUnix, () => {
  const [left, right] = socketpair(AF_UNIX, SOCK_DGRAM);
  using _left = left;
  using _right = right;
  left.send(new Uint8Array(2));
  assertEquals(right.recvFrom(new Uint8Array(9)), { size: 2, address: { path: "" } });
});

Deno.test({
  name: "Socket.recvFrom() returns the bytes of a sender of another family",
  ...linuxOnly,
  fn() {
    using socket = new Socket(AF_NETLINK, SOCK_RAW);
    // A struct nlmsghdr of NLMSG_NOOP with NLM_F_REQUEST | NLM_F_ACK, which the kernel answers.
    const request = new Uint8Array(16);
    new Uint16Array(request.buffer).set([16, 0, 1, 5]);
    socket.send(request);
    socket.send(request);
    untilReadable(socket);
    const address = { family: AF_NETLINK, bytes: new Uint8Array(10) }; // The kernel has port 0.
    assertEquals(socket.recvFrom(new Uint8Array(64)), { size: 36, address });
    untilReadable(socket);
    assertEquals(socket.recv(new Uint8Array(64)), 36);
  },
});
