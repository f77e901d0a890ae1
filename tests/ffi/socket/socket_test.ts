import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  FileDescriptor,
  IPPROTO_TCP,
  IPPROTO_UDP,
  OSError,
  SO_PROTOCOL,
  SO_TYPE,
  SOCK_DGRAM,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  Socket,
  socketpair,
  SOL_SOCKET,
} from "../../../ffi/socket/mod.ts";
import { setInheritable } from "../../../ffi/descriptor.ts";
import { BORN, Descriptor, descriptorFlags, Pair } from "../../support/descriptors.ts";
import { needsIpv6, needsUnix, untilReadable } from "../../support/sockets.ts";
import { socketErrors } from "./error_cases/socket.ts";
import { testErrors } from "../../support/error_cases.ts";
import { linuxOnly, skipIf } from "../../support/skip.ts";
import { isWindows } from "../../support/os.ts";

testErrors(socketErrors);

const kinds = [
  { name: "IPv4 stream", family: AF_INET, type: SOCK_STREAM },
  { name: "IPv4 datagram", family: AF_INET, type: SOCK_DGRAM },
  { name: "IPv6 stream", family: AF_INET6, type: SOCK_STREAM, skip: needsIpv6 },
  { name: "IPv6 datagram", family: AF_INET6, type: SOCK_DGRAM, skip: needsIpv6 },
  { name: "Unix stream", family: AF_UNIX, type: SOCK_STREAM, skip: needsUnix },
  { name: "Unix datagram", family: AF_UNIX, type: SOCK_DGRAM, skip: needsUnix },
  { name: "Unix sequenced packet", family: AF_UNIX, type: SOCK_SEQPACKET, skip: linuxOnly },
];

for (const { name, family, type, skip } of kinds) {
  Deno.test({
    name: `Socket() creates a socket of the type, non-blocking and close-on-exec (${name})`,
    ...skip,
    fn() {
      using socket = new Socket(family, type);
      assertInstanceOf(socket, FileDescriptor);
      assert(socket.fileno() > 2);
      assertEquals(socket.getOption(SOL_SOCKET, SO_TYPE), type);
      if (linuxOnly.ignore) return;
      assertEquals(descriptorFlags(socket.fileno()), BORN);
    },
  });
}

Deno.test({
  name: "Socket() creates a socket of the protocol",
  ...linuxOnly,
  fn() {
    using usual = new Socket(AF_INET, SOCK_STREAM);
    assertEquals(usual.getOption(SOL_SOCKET, SO_PROTOCOL), IPPROTO_TCP);
    using chosen = new Socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
    assertEquals(chosen.getOption(SOL_SOCKET, SO_PROTOCOL), IPPROTO_UDP);
  },
});

Deno.test("Socket.fromFd() adopts a detached socket", () => {
  using pair = new Pair();
  const fd = pair.left.detach();
  assertEquals(pair.left.fileno(), -1);
  using adopted = Socket.fromFd(fd);
  assertInstanceOf(adopted, Socket);
  assertEquals(adopted.fileno(), fd);
  pair.right.send(new Uint8Array([1, 2]));
  assertEquals(adopted.recv(new Uint8Array(4)), 2);
  adopted.close();
  assertEquals(adopted.fileno(), -1);
  assertEquals(pair.right.recv(new Uint8Array(4)), 0);
});

Deno.test({
  name: "Socket.fromFd() adopts a socket as it is, blocking or not",
  ...linuxOnly,
  fn() {
    using pair = new Pair();
    pair.left.setBlocking(true);
    using copy = Descriptor.dup(pair.left.fileno());
    setInheritable(copy.fd, true);
    const adopted = Socket.fromFd(copy.fd);
    assertEquals(descriptorFlags(adopted.fileno()), { nonBlocking: false, closeOnExec: false });
  },
});

Deno.test(
  "Socket.fromFd() does not close a descriptor that is not a socket",
  skipIf(isWindows, "only sockets are descriptors on Windows"),
  () => {
    using file = Descriptor.open("/dev/null");
    assertThrows(() => Socket.fromFd(file.fd), OSError, "ENOTSOCK");
    assertEquals(new FileDescriptor(file.fd).read(new Uint8Array(1)), 0);
  },
);

Deno.test("Socket is closed at the end of a using block", () => {
  let outer: Socket;
  {
    using socket = new Socket(AF_INET, SOCK_STREAM);
    outer = socket;
    socket.close();
    socket.close();
  }
  assertEquals(outer.fileno(), -1);
});

Deno.test(
  "socketpair() creates two connected Unix stream sockets",
  skipIf(isWindows, "a Windows pair is connected over loopback"),
  () => {
    const [left, right] = socketpair();
    using _left = left;
    using _right = right;
    assertInstanceOf(left, Socket);
    assertInstanceOf(right, Socket);
    assertEquals([left.localAddress, left.remoteAddress], [{ path: "" }, { path: "" }]);
    for (const [from, to] of [[left, right], [right, left]]) {
      assertEquals(from.getOption(SOL_SOCKET, SO_TYPE), SOCK_STREAM);
      assertEquals(to.recv(new Uint8Array(4)), null);
      assertEquals(from.send(new Uint8Array([1, 2, 3])), 3);
      assertEquals(to.recv(new Uint8Array(4)), 3);
    }
    left.close();
    untilReadable(right);
    assertEquals(right.recv(new Uint8Array(4)), 0);
  },
);

for (const { name, family, type, skip } of kinds) {
  if (family !== AF_UNIX) continue;
  Deno.test({
    name: `socketpair() creates non-blocking, close-on-exec sockets (${name})`,
    ...skip,
    ...linuxOnly,
    fn() {
      for (const socket of socketpair(family, type)) {
        assertEquals(descriptorFlags(socket.fileno()), BORN);
        assertEquals(socket.getOption(SOL_SOCKET, SO_TYPE), type);
        socket.close();
      }
    },
  });
}

for (const { name, family, type, skip } of kinds) {
  if (family !== AF_UNIX || type === SOCK_STREAM) continue;
  Deno.test({
    name: `socketpair() preserves message boundaries (${name})`,
    ...skip,
    fn() {
      const [left, right] = socketpair(AF_UNIX, type);
      using _left = left;
      using _right = right;
      left.send(new Uint8Array([1, 2, 3]));
      left.send(new Uint8Array([4]));
      const buffer = new Uint8Array(2);
      assertEquals(right.recv(buffer), 2); // The third byte is lost.
      assertEquals(buffer, new Uint8Array([1, 2]));
      assertEquals(right.recv(buffer), 1);
      assertEquals(buffer, new Uint8Array([4, 2]));
      assertEquals(right.recv(buffer), null);
    },
  });
}

Deno.test({
  name: "socketpair() of sequenced packets reports the end of the stream",
  ...linuxOnly,
  fn() {
    const [left, right] = socketpair(AF_UNIX, SOCK_SEQPACKET);
    using _right = right;
    left.send(new Uint8Array(3));
    left.close();
    assertEquals(right.recv(new Uint8Array(9)), 3);
    untilReadable(right);
    assertEquals(right.recv(new Uint8Array(9)), 0);
  },
});
