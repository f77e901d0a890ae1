import { failAlways, failNext, needsErrno } from "../support/failing_calls.ts";
import { assertEquals, assertThrows } from "@std/assert";
import { abi } from "../../ffi/abi/mod.ts";
import { isOpen } from "../../ffi/descriptor.ts";
import {
  OSError,
  pipe,
  receiveMessage,
  sendMessage,
  Socket,
  socketpair,
} from "../../ffi/socket/mod.ts";
import { Descriptor } from "../support/descriptors.ts";
import { listener } from "../support/sockets.ts";

const { ECONNRESET, EIO } = abi.errno;

Deno.test(
  "Socket.close() ignores ECONNRESET, of which FreeBSD says that the peer is gone",
  needsErrno,
  () => {
    using connection = listener();
    const { fd } = Descriptor.dupHigh(connection.fileno());
    const socket = Socket.fromFd(fd);
    failNext("close", ECONNRESET);
    socket.close();
    assertThrows(() => Socket.fromFd(fd), OSError);
  },
);

Deno.test("Socket.close() throws OSError when it fails for any other reason", needsErrno, () => {
  const socket = listener();
  failNext("close", EIO);
  assertEquals(assertThrows(() => socket.close(), OSError).code, "EIO");
  assertEquals(socket.fileno(), -1);
  socket.close();
});

/** Receives copies of a pipe's two ends. */
function receiveEnds(wanted: number) {
  using ends = pipe();
  const [left, right] = socketpair();
  try {
    sendMessage(left, new Uint8Array(1), { descriptors: [ends.reader, ends.writer] });
    return receiveMessage(right, new Uint8Array(1), { descriptors: wanted })!;
  } finally {
    left.close();
    right.close();
  }
}

Deno.test(
  "receiveMessage() returns the message when an unwanted descriptor fails to close",
  needsErrno,
  () => {
    failNext("close", EIO, EIO);
    using message = receiveEnds(0);
    assertEquals([message.size, message.controlTruncated], [1, true]);
  },
);

Deno.test("A received message closes all descriptors even if one fails to", needsErrno, () => {
  const message = receiveEnds(2);
  const fds = message.descriptors.map((file) => file.fileno());
  failNext("close", EIO);
  assertEquals(assertThrows(() => message[Symbol.dispose](), OSError).code, "EIO");
  assertEquals(fds.map(isOpen), [false, false]);
  message[Symbol.dispose]();
  failAlways("close");
});
