import { failAlways, failNext, needsErrno } from "../support/failing_calls.ts";
import { assertEquals, assertThrows } from "@std/assert";
import { abi } from "../../ffi/abi/mod.ts";
import type { HasFileno } from "../../ffi/descriptor.ts";
import {
  OSError,
  pipe,
  receiveMessage,
  sendMessage,
  Socket,
  socketpair,
} from "../../ffi/socket/mod.ts";
import { Descriptor } from "../support/descriptors.ts";
import { listener, untilReadable } from "../support/sockets.ts";

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

/** Receives two copies of a descriptor, or fewer. */
function receiveCopies(file: HasFileno, wanted: number) {
  const [left, right] = socketpair();
  try {
    sendMessage(left, new Uint8Array(1), { descriptors: [file, file] });
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
    using ends = pipe();
    failNext("close", EIO, EIO);
    using message = receiveCopies(ends.writer, 0);
    assertEquals([message.size, message.controlTruncated], [1, true]);
  },
);

Deno.test("A received message closes all descriptors even if one fails to", needsErrno, () => {
  using ends = pipe();
  const message = receiveCopies(ends.writer, 2);
  assertEquals(message.descriptors.length, 2);
  ends.writer.close();
  failNext("close", EIO);
  assertEquals(assertThrows(() => message[Symbol.dispose](), OSError).code, "EIO");
  untilReadable(ends.reader);
  assertEquals(ends.reader.read(new Uint8Array(1)), 0); // No copy is open.
  message[Symbol.dispose]();
  failAlways("close");
});
