import { callsOf, failAlways, failNext, needsErrno } from "../../support/failing_calls.ts";
import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import { abi } from "../../../ffi/abi/mod.ts";
import { AF_INET, OSError, SOCK_STREAM, Socket } from "../../../ffi/socket/mod.ts";
import { ACCEPT } from "../../support/platform.ts";
import { acceptFrom, datagrams, listener, untilWritable } from "../../support/sockets.ts";

/** The errors that accept(2) has of one connection. Not every system has all of them. */
const OF_ONE_CONNECTION = [
  "ECONNABORTED",
  "ECONNRESET",
  "EHOSTDOWN",
  "EHOSTUNREACH",
  "ENETDOWN",
  "ENETUNREACH",
  "ENONET",
  "ENOPROTOOPT",
  "EOPNOTSUPP",
  "EPERM",
  "EPROTO",
  "ETIMEDOUT",
].filter((name) => abi.errno[name] !== undefined);

for (const name of OF_ONE_CONNECTION) {
  const errno = abi.errno[name];

  Deno.test(`Socket.accept() passes over a connection lost with ${name}`, needsErrno, () => {
    using server = listener();
    failNext(ACCEPT, errno, abi.errno.EINTR, errno);
    assertEquals(server.accept(), null);
    using client = new Socket(AF_INET, SOCK_STREAM);
    if (!client.connect(server.localAddress)) untilWritable(client);
    failNext(ACCEPT, errno);
    using accepted = acceptFrom(server);
    assertEquals(accepted.remoteAddress, client.localAddress);
  });

  Deno.test(`Socket.accept() throws OSError when a listener has only ${name}`, needsErrno, () => {
    using server = listener();
    const before = callsOf(ACCEPT);
    failAlways(ACCEPT, errno);
    try {
      const error = assertThrows(() => server.accept(), OSError);
      assertEquals([error.code, error.syscall], [name, ACCEPT]);
    } finally {
      failAlways(ACCEPT);
    }
    assertLess(callsOf(ACCEPT) - before, 100_000);
  });
}

for (const name of ["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "EBADF", "EINVAL", "ENOTSOCK"]) {
  Deno.test(`Socket.accept() throws OSError ${name} at once`, needsErrno, () => {
    using server = listener();
    failNext(ACCEPT, abi.errno[name]);
    const error = assertThrows(() => server.accept(), OSError);
    assertEquals([error.code, error.syscall], [name, ACCEPT]);
    assertEquals(server.accept(), null);
  });
}

Deno.test("Socket.accept() throws EOPNOTSUPP at once for a datagram socket", needsErrno, () => {
  using socket = datagrams();
  const before = callsOf(ACCEPT);
  assertEquals(assertThrows(() => socket.accept(), OSError).code, "EOPNOTSUPP");
  assertEquals(callsOf(ACCEPT) - before, 1);
});

Deno.test("Socket.accept() returns a connection that refuses an option", needsErrno, () => {
  using server = listener();
  using client = new Socket(AF_INET, SOCK_STREAM);
  if (!client.connect(server.localAddress)) untilWritable(client);
  failNext("setsockopt", abi.errno.EINVAL);
  using accepted = acceptFrom(server);
  failAlways("setsockopt");
  assert(accepted.fileno() >= 0);
});
