import { callsOf, failAlways, failNext } from "../../support/failing_calls.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { closeSync, openSync } from "node:fs";
import { abi } from "../../../ffi/abi/mod.ts";
import {
  FileDescriptor,
  OSError,
  pipe,
  sendFile,
  type Socket,
  socketpair,
} from "../../../ffi/socket/mod.ts";
import { whenReadable, whenWritable } from "../../../mod.ts";
import { isWindows } from "../../support/os.ts";
import { skipIf, windowsOnly } from "../../support/skip.ts";
import { assertSameBytes, Connection, noise, untilReadable } from "../../support/sockets.ts";

const needsFiles = skipIf(isWindows, "only sockets are descriptors on Windows");

/** A file of some bytes, open for reading, and removed at the end of a `using` block. */
class TemporaryFile extends FileDescriptor {
  constructor(bytes: Uint8Array) {
    const path = Deno.makeTempFileSync({ prefix: "send_file_" });
    Deno.writeFileSync(path, bytes);
    const file = FileDescriptor.open(path);
    Deno.removeSync(path);
    super(file.detach());
  }
}

/** Receives until the stream ends. */
async function receiveAll(socket: Socket): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (;;) {
    const buffer = new Uint8Array(100_000);
    const size = await whenReadable(socket, () => socket.recv(buffer));
    if (size === 0) return new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
    parts.push(buffer.subarray(0, size));
  }
}

async function sendAll(socket: Socket, file: FileDescriptor): Promise<number> {
  for (let offset = 0;;) {
    const sent = await whenWritable(socket, () => sendFile(socket, file, offset, 1_000_000));
    if (sent === 0) return offset;
    offset += sent;
  }
}

/** Sends a file of some megabytes, and checks what arrives. */
async function checkTransfer(left: Socket, right: Socket): Promise<void> {
  const bytes = noise(5_000_001);
  using file = new TemporaryFile(bytes);
  const received = receiveAll(right);
  assertEquals(await sendAll(left, file), bytes.length);
  left.shutdown("write");
  assertSameBytes(await received, bytes);
}

Deno.test("sendFile() sends every byte of a file over TCP", needsFiles, async () => {
  using connection = new Connection();
  await checkTransfer(connection.client, connection.server);
});

Deno.test("sendFile() sends every byte of a file over a Unix socket", needsFiles, async () => {
  using pair = socketpair();
  await checkTransfer(pair[0], pair[1]);
});

Deno.test("sendFile() reads and sends where the system does not", needsFiles, async () => {
  using pair = socketpair();
  failAlways("sendfile", abi.errno.EINVAL);
  try {
    await checkTransfer(pair[0], pair[1]);
  } finally {
    failAlways("sendfile");
  }
  assert(callsOf("pread") > 70); // 64 KiB each.
});

Deno.test("sendFile() sends a part of a file, and does not move its position", needsFiles, () => {
  using pair = socketpair();
  const [left, right] = pair;
  using file = new TemporaryFile(new Uint8Array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
  const buffer = new Uint8Array(20);
  assertEquals(sendFile(left, file, 3, 4), 4);
  assertEquals(right.recv(buffer), 4);
  assertEquals(buffer.subarray(0, 4), new Uint8Array([3, 4, 5, 6]));
  assertEquals(sendFile(left, file, 8, 100), 2);
  assertEquals(sendFile(left, file, 10, 100), 0);
  assertEquals(sendFile(left, file, Number.MAX_SAFE_INTEGER, 0), 0);
  assertEquals(sendFile(left, file, 0, 0), 0);
  assertEquals(right.recv(buffer), 2);
  assertEquals(right.recv(buffer), null);
  assertEquals(file.read(buffer), 10);
});

Deno.test("sendFile() sends from beyond 4 GiB", needsFiles, () => {
  using pair = socketpair();
  const [left, right] = pair;
  const path = Deno.makeTempFileSync({ prefix: "send_file_" });
  try {
    const offset = 2 ** 32 + 5;
    using sparse = Deno.openSync(path, { write: true });
    sparse.seekSync(offset, Deno.SeekMode.Start);
    sparse.writeSync(new Uint8Array([1, 2, 3]));
    using file = FileDescriptor.open(path);
    assertEquals(sendFile(left, file, offset, Number.MAX_SAFE_INTEGER), 3);
    const buffer = new Uint8Array(9);
    assertEquals(right.recv(buffer), 3);
    assertEquals(buffer.subarray(0, 3), new Uint8Array([1, 2, 3]));
  } finally {
    Deno.removeSync(path);
  }
});

Deno.test("sendFile() takes a descriptor of node:fs", needsFiles, () => {
  using pair = socketpair();
  const path = Deno.makeTempFileSync({ prefix: "send_file_" });
  Deno.writeTextFileSync(path, "hello");
  const fd = openSync(path, "r");
  try {
    assertEquals(sendFile(pair[0], fd, 0, 100), 5);
  } finally {
    closeSync(fd);
    Deno.removeSync(path);
  }
});

Deno.test("sendFile() returns null when there is no room", needsFiles, () => {
  using pair = socketpair();
  const [left, right] = pair;
  using file = new TemporaryFile(new Uint8Array(100_000));
  let sent = 0;
  for (;;) {
    const size = sendFile(left, file, 0, 100_000);
    if (size === null) break;
    sent += size;
  }
  assert(sent > 0);
  let received = 0;
  while (received < sent) received += right.recv(new Uint8Array(100_000))!;
  assertEquals(received, sent);
  assertEquals(sendFile(left, file, 0, 10), 10);
});

Deno.test("sendFile() goes on after a signal", needsFiles, () => {
  using pair = socketpair();
  using file = new TemporaryFile(new Uint8Array(10));
  failNext("sendfile", abi.errno.EINTR, abi.errno.EINTR);
  assertEquals(sendFile(pair[0], file, 0, 10), 10);
});

Deno.test("sendFile() throws OSError when a descriptor cannot be used", needsFiles, () => {
  const [left, right] = socketpair();
  using file = new TemporaryFile(new Uint8Array(10));
  using ends = pipe();
  using folder = FileDescriptor.open("/");
  const code = (call: () => unknown) => {
    const { syscall, code } = assertThrows(call, OSError, "Cannot ");
    return `${syscall} ${code}`;
  };
  const other = socketpair();
  const closed = new TemporaryFile(new Uint8Array(1));
  closed.close();
  assertEquals(code(() => sendFile(left, closed, 0, 1)), "sendfile EBADF");
  assertEquals(code(() => sendFile(left, 999_999, 0, 1)), "sendfile EBADF");
  assert(/^(sendfile|pread) ESPIPE$/.test(code(() => sendFile(left, ends.reader, 0, 1))));
  assert(/^(sendfile|pread) (ESPIPE|EINVAL)$/.test(code(() => sendFile(left, other[0], 0, 1))));
  assert(/^(sendfile|pread) EISDIR$/.test(code(() => sendFile(left, folder, 0, 1))));
  right.close();
  untilReadable(left); // The end of the stream
  assertEquals(code(() => sendFile(left, file, 0, 1)), "sendfile EPIPE");
  left.close();
  assertEquals(code(() => sendFile(left, file, 0, 1)), "sendfile EBADF");
  other[Symbol.dispose]();
});

Deno.test("sendFile() throws TypeError or RangeError when an argument is wrong", needsFiles, () => {
  using pair = socketpair();
  const [left] = pair;
  for (const file of [undefined, null, "/etc/passwd", {}, { fileno: 5 }]) {
    assertThrows(() => sendFile(left, file as never, 0, 1), TypeError, "Cannot send a file");
  }
  for (const file of [-1, 1.5, NaN, 2 ** 31]) {
    assertThrows(() => sendFile(left, file, 0, 1), RangeError, "the descriptor");
  }
  for (const number of [-1, 1.5, NaN, Infinity, 2 ** 53, "1" as never, undefined as never]) {
    assertThrows(() => sendFile(left, 0, number, 1), RangeError, "the offset");
    assertThrows(() => sendFile(left, 0, 0, number), RangeError, "the count");
  }
});

Deno.test("sendFile() is not supported on Windows", windowsOnly, () => {
  using pair = socketpair();
  assertThrows(() => sendFile(pair[0], 0, 0, 1), Deno.errors.NotSupported, "sendfile()");
});
