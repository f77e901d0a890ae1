import {
  assert,
  assertEquals,
  assertGreater,
  assertGreaterOrEqual,
  assertInstanceOf,
  assertLess,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  EVENT_READ,
  OSError,
  readableStream,
  ready,
  sendAll,
  whenReadable,
  writableStream,
} from "../../mod.ts";
import { abi } from "../../ffi/abi/mod.ts";
import { FileDescriptor, pseudoTerminal } from "../../ffi/fd/mod.ts";
import { DEADLINE, inTime } from "../support/deadline.ts";
import { Descriptor, Pair, Pipe } from "../support/descriptors.ts";
import { isPending, turnEventLoop } from "../support/event_loop.ts";
import { isWindows } from "../support/os.ts";
import { BROKEN, CLOSED } from "../support/platform.ts";
import { linuxOnly, skipIf } from "../support/skip.ts";
import { assertSameBytes, Connection, noise, reset } from "../support/sockets.ts";
import { COUNT_DESCRIPTORS, runProgram } from "../support/subprocess.ts";

const { BadResource } = Deno.errors;
const encoder = new TextEncoder();

Deno.test("readableStream() reads everything, to the end of the data", async () => {
  using ends = new Pair();
  const data = noise(1_000_000);
  const sent = sendAll(ends.right, data).then(() => ends.right.shutdown("write"));
  assertSameBytes(await collect(readableStream(ends.left)), data);
  await sent;
});

Deno.test("readableStream() reads TCP, pipes and objects of the user", async () => {
  using connection = new Connection();
  using pipe = new Pipe();
  const { reader, writer } = pipe;
  for (const [from, to] of [[connection.client, connection.server], [writer, reader]] as const) {
    await sendAll(from, encoder.encode("hello"));
    from.close();
    assertEquals(await readText(readableStream(to)), "hello");
  }
  const pieces = ["an ", "object"];
  const file = {
    fileno: () => connection.listener.fileno(),
    read: (buffer: Uint8Array) => encoder.encodeInto(pieces.shift() ?? "", buffer).written,
  };
  assertEquals(await readText(readableStream(file)), "an object");
});

Deno.test({
  name: "readableStream() reads regular files",
  ...skipIf(isWindows, "only sockets are descriptors on Windows"),
  async fn() {
    const path = new URL(import.meta.url).pathname;
    using file = FileDescriptor.open(path);
    assertEquals(await readText(readableStream(file)), await Deno.readTextFile(path));
  },
});

Deno.test({
  name: "readableStream() and writableStream() work with terminals",
  ...linuxOnly,
  async fn() {
    using pair = pseudoTerminal();
    pair.subsidiary.raw();
    const input = readableStream(pair.subsidiary).getReader();
    const keys = writableStream(pair.manager).getWriter();
    const read = input.read();
    assert(await isPending(read));
    await keys.write(encoder.encode("x"));
    assertEquals(await read, { value: encoder.encode("x"), done: false });
  },
});

Deno.test("readableStream() returns chunks that have no more memory than bytes", async () => {
  using ends = new Pair();
  const reader = readableStream(ends.left).getReader();
  for (const text of ["one", "three"]) {
    ends.right.send(encoder.encode(text));
    const { value } = await reader.read();
    assertEquals(value, encoder.encode(text));
    assertEquals(value!.buffer.byteLength, text.length);
  }
});

Deno.test("readableStream() reads only what is asked for", async () => {
  using ends = new Pair();
  const file = countReads(ends.left);
  ends.right.send(new Uint8Array(10));
  const stream = readableStream(file);
  const reader = stream.getReader({ mode: "byob" });
  await turnEventLoop();
  assertEquals(file.count, 0);
  assertEquals((await reader.read(new Uint8Array(4))).value!.length, 4);
  await turnEventLoop();
  assertEquals(file.count, 1);
  assertEquals(ends.left.recv(new Uint8Array(20)), 6);
});

Deno.test("readableStream() reads nothing while a sink of pipeTo() has no room", async () => {
  using ends = new Pair();
  const file = countReads(ends.left);
  const begun = Promise.withResolvers<void>();
  const room = Promise.withResolvers<void>();
  const sink = new WritableStream({
    write() {
      begun.resolve();
      return room.promise;
    },
  });
  const piped = readableStream(file).pipeTo(sink);
  ends.right.send(new Uint8Array(10));
  await begun.promise;
  const before = file.count;
  ends.right.send(new Uint8Array(10));
  await turnEventLoop();
  assertEquals(file.count, before);
  assertEquals(ends.left.recv(new Uint8Array(20)), 10);
  room.resolve();
  ends.right.close();
  await piped;
});

Deno.test("readableStream() reads into the buffer that a reader brings", async () => {
  using ends = new Pair();
  const buffers: (readonly number[])[] = [];
  const file = {
    fileno: () => ends.left.fileno(),
    read(buffer: Uint8Array) {
      buffers.push([buffer.byteOffset, buffer.byteLength, buffer.buffer.byteLength]);
      return ends.left.read(buffer);
    },
  };
  const reader = readableStream(file).getReader({ mode: "byob" });
  ends.right.send(encoder.encode("hello"));
  const { value } = await reader.read(new Uint8Array(new ArrayBuffer(30), 7, 11));
  assertEquals(buffers, [[7, 11, 30]]);
  assertEquals([value!.byteOffset, value!.buffer.byteLength], [7, 30]);
  assertEquals(value, encoder.encode("hello"));
  const around = new Uint8Array(value!.buffer).filter((_, i) => i < 7 || i >= 12);
  assertEquals(around, new Uint8Array(25));
});

Deno.test("readableStream() fills views of every type, at odd offsets and with odd sizes", async () => {
  using ends = new Pair();
  const data = noise(100_000);
  const sent = sendInPieces(ends.right, data);
  const reader = readableStream(ends.left).getReader({ mode: "byob" });
  const received: Uint8Array<ArrayBuffer>[] = [];
  type View = new (
    buffer: ArrayBuffer,
    offset: number,
    length: number,
  ) => ArrayBufferView<ArrayBuffer>;
  const types: (View & { BYTES_PER_ELEMENT?: number })[] = [
    Uint8Array,
    DataView,
    Int16Array,
    Float32Array,
    BigUint64Array,
    Uint8ClampedArray,
  ];
  let asked = 0;
  for (let turn = 0;; turn++) {
    const type = types[turn % types.length]!;
    const size = type.BYTES_PER_ELEMENT ?? 1;
    const length = 1 + turn * 7919 % 97;
    const view = new type(new ArrayBuffer(4096), size * (turn % 5), length);
    const min = turn % 3 === 0 ? 1 + turn % length : 1;
    asked = min * size;
    // An end within an element is an error of the standard, which takes the whole read along.
    const { value, done } = await reader.read(view, { min })
      .catch((error) => {
        assertInstanceOf(error, TypeError);
        return { value: undefined, done: true };
      });
    if (value !== undefined) {
      received.push(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
      if (!done) assertGreaterOrEqual(value.byteLength, asked);
    }
    if (done) break;
  }
  await sent;
  const whole = await new Blob(received).bytes();
  assertGreater(whole.length, data.length - asked);
  assertSameBytes(whole, data.subarray(0, whole.length));
});

Deno.test("readableStream() ends a BYOB read at the end of the data, with its buffer", async () => {
  using ends = new Pair();
  const stream = readableStream(ends.left);
  const reader = stream.getReader({ mode: "byob" });
  const reads = [1, 2].map(() => reader.read(new Uint8Array(new ArrayBuffer(10), 3, 5)));
  assert(await isPending(Promise.race(reads)));
  ends.right.close();
  for (const { value, done } of await Promise.all(reads)) {
    assertEquals([done, value!.byteOffset, value!.length], [true, 3, 0]);
    assertEquals(value!.buffer.byteLength, 10);
  }
  await reader.closed;
});

Deno.test("readableStream() ends a BYOB read that wants more than there is", async () => {
  using ends = new Pair();
  ends.right.send(encoder.encode("abc"));
  ends.right.close();
  const reader = readableStream(ends.left).getReader({ mode: "byob" });
  const { value, done } = await reader.read(new Uint8Array(6), { min: 6 });
  assertEquals([value, done], [encoder.encode("abc"), true]);
});

Deno.test("readableStream() fails if the data ends within an element", async () => {
  using ends = new Pair();
  ends.right.send(encoder.encode("abc"));
  ends.right.close();
  const reader = readableStream(ends.left).getReader({ mode: "byob" });
  assertEquals((await reader.read(new Uint16Array(4))).value?.length, 1);
  await assertRejects(() => reader.read(new Uint16Array(4)), TypeError);
});

Deno.test("readableStream() ends a pending read at once when it is canceled", async () => {
  for (const readerOf of [withoutBuffers, withBuffers]) {
    using ends = new Pair();
    const file = countReads(ends.left);
    const reader = readerOf(readableStream(file));
    const read = reader.read();
    assert(await isPending(read));
    const before = file.count;
    await reader.cancel();
    assertEquals(await read, { value: undefined, done: true });
    ends.right.send(encoder.encode("later"));
    await turnEventLoop();
    assertEquals(file.count, before);
    const next = readableStream(ends.left).getReader();
    assertEquals((await next.read()).value, encoder.encode("later"));
  }
});

Deno.test("readableStream() can be canceled before, after and twice, and with its file closed", async () => {
  {
    using ends = new Pair();
    ends.fill();
    const stream = readableStream(ends.left);
    await stream.cancel();
    await stream.cancel();
    assertEquals(await stream.getReader().read(), { value: undefined, done: true });
    assertEquals(ends.left.recv(new Uint8Array(9)), 1);
  }
  {
    using ends = new Pair();
    ends.right.close();
    const stream = readableStream(ends.left);
    assertEquals((await collect(stream)).length, 0);
    await stream.cancel();
  }
  using ends = new Pair();
  const stream = readableStream(ends.left);
  ends.left.close();
  await stream.cancel();
});

Deno.test("readableStream() fails when its signal is aborted, and consumes nothing", async () => {
  for (const readerOf of [withoutBuffers, withBuffers]) {
    using ends = new Pair();
    const controller = new AbortController();
    const reader = readerOf(readableStream(ends.left, controller));
    ends.right.send(encoder.encode("before"));
    assertEquals((await reader.read()).value, encoder.encode("before"));
    const read = rejection(reader.read());
    assert(await isPending(read));
    controller.abort("stop");
    assertEquals(await read, "stop");
    ends.right.send(encoder.encode("later"));
    assertEquals(await rejection(reader.read()), "stop");
    const next = readableStream(ends.left).getReader();
    assertEquals((await next.read()).value, encoder.encode("later"));
  }
});

Deno.test("readableStream() reads nothing for a signal that is aborted before", async () => {
  for (const readerOf of [withoutBuffers, withBuffers]) {
    using ends = new Pair();
    ends.fill();
    const controller = new AbortController();
    const aborted = readerOf(readableStream(ends.left, { signal: AbortSignal.abort("early") }));
    const reader = readerOf(readableStream(ends.left, controller));
    controller.abort("stop");
    assertEquals(await rejection(aborted.read()), "early");
    assertEquals(await rejection(reader.read()), "stop");
    assertEquals(ends.left.recv(new Uint8Array(9)), 1);
  }
});

Deno.test("readableStream() with a signal can be canceled, and end", async () => {
  using ends = new Pair();
  const { signal } = new AbortController();
  const reader = readableStream(ends.left, { signal }).getReader();
  const read = reader.read();
  assert(await isPending(read));
  await reader.cancel();
  assertEquals((await read).done, true);
  ends.right.send(encoder.encode("rest"));
  ends.right.close();
  assertEquals(await readText(readableStream(ends.left, { signal })), "rest");
});

Deno.test("readableStream() passes its time-out on through pipeThrough()", async () => {
  using ends = new Pair();
  const stream = readableStream(ends.left, { signal: AbortSignal.timeout(5) });
  const reason = await rejection(Array.fromAsync(stream.pipeThrough(new TextDecoderStream())));
  assertInstanceOf(reason, DOMException);
  assertEquals(reason.name, "TimeoutError");
});

Deno.test("readableStream() and writableStream() throw TypeError for what is not a signal", () => {
  using ends = new Pair();
  for (const signal of [1, "abort", {}] as unknown[] as AbortSignal[]) {
    assertThrows(() => readableStream(ends.left, { signal }), TypeError, "AbortSignal");
    assertThrows(() => writableStream(ends.left, { signal }), TypeError, "AbortSignal");
  }
});

Deno.test("readableStream() is canceled when a for await loop is left", async () => {
  using ends = new Pair();
  ends.right.send(encoder.encode("one"));
  for await (const chunk of readableStream(ends.left)) {
    assertEquals(chunk, encoder.encode("one"));
    ends.right.send(encoder.encode("two"));
    break;
  }
  assertEquals(ends.left.recv(new Uint8Array(9)), 3);
});

Deno.test("readableStream() consumes nothing for a reader that has gone", async () => {
  using ends = new Pair();
  const stream = readableStream(ends.left);
  const reader = stream.getReader();
  const read = assertRejects(() => reader.read(), TypeError);
  await turnEventLoop();
  reader.releaseLock();
  await read;
  ends.fill();
  await turnEventLoop();
  assertEquals(ends.left.recv(new Uint8Array(9)), 1);
  ends.right.send(encoder.encode("next"));
  assertEquals((await stream.getReader().read()).value, encoder.encode("next"));
});

Deno.test("readableStream() gives to the next reader what it read for one that has gone", async () => {
  for (const isLate of [false, true]) {
    for (const readerOf of [withoutBuffers, withBuffers]) {
      using ends = new Pair();
      const stream = readableStream(ends.left);
      const reader = stream.getReader({ mode: "byob" });
      const read = assertRejects(() => reader.read(new Uint8Array(9)), TypeError);
      await turnEventLoop();
      reader.releaseLock();
      await read;
      if (isLate) {
        ends.right.send(encoder.encode("hello"));
        await turnEventLoop();
      }
      const nextReader = readerOf(stream);
      const next = nextReader.read();
      if (!isLate) {
        await turnEventLoop();
        ends.right.send(encoder.encode("hello"));
      }
      assertEquals((await next).value, encoder.encode("hello"));
      ends.right.close();
      assertEquals((await nextReader.read()).done, true);
    }
  }
});

Deno.test("readableStream() reads for the next reader if the first one has gone at once", async () => {
  for (const hasBegun of [false, true]) {
    using ends = new Pair();
    ends.right.send(encoder.encode("hello"));
    const stream = readableStream(ends.left);
    const reader = stream.getReader({ mode: "byob" });
    const read = assertRejects(() => reader.read(new Uint8Array(9)), TypeError);
    reader.releaseLock();
    if (hasBegun) await turnEventLoop();
    const next = stream.getReader().read();
    assertEquals((await inTime(next, "the next read")).value, encoder.encode("hello"));
    await read;
  }
});

Deno.test("readableStream() ends for the reader after one that has gone", async () => {
  using ends = new Pair();
  const stream = readableStream(ends.left);
  const reader = stream.getReader({ mode: "byob" });
  const read = assertRejects(() => reader.read(new Uint8Array(9)), TypeError);
  await turnEventLoop();
  reader.releaseLock();
  await read;
  const next = stream.getReader().read();
  await turnEventLoop();
  ends.right.close();
  assertEquals((await next).done, true);
});

Deno.test("readableStream() consumes nothing after an aborted pipeTo()", async () => {
  using ends = new Pair();
  const stream = readableStream(ends.left);
  const controller = new AbortController();
  const options = { signal: controller.signal, preventCancel: true };
  const piped = rejection(stream.pipeTo(new WritableStream(), options));
  await turnEventLoop();
  controller.abort("stop");
  assertEquals(await piped, "stop");
  ends.right.send(encoder.encode("rest"));
  await turnEventLoop();
  assertEquals((await stream.getReader().read()).value, encoder.encode("rest"));
});

Deno.test("readableStream() fails with what read() throws", async () => {
  using ends = new Pair();
  for (const error of [new Error("no data today"), undefined, 0]) {
    const file = {
      fileno: () => ends.left.fileno(),
      read() {
        throw error;
      },
    };
    const reader = readableStream(file).getReader();
    assertStrictEquals(await rejection(reader.read()), error);
    assertStrictEquals(await rejection(reader.closed), error);
    const byob = readableStream(file).getReader({ mode: "byob" });
    assertStrictEquals(await rejection(byob.read(new Uint8Array(9))), error);
  }
});

Deno.test("readableStream() fails with what fileno() throws", async () => {
  const error = new Error("no descriptor today");
  const file = {
    fileno() {
      throw error;
    },
    read: () => null,
  };
  assertStrictEquals(await rejection(readableStream(file).getReader().read()), error);
});

Deno.test("readableStream() fails when the connection is reset", async () => {
  using connection = new Connection();
  const reader = readableStream(connection.server).getReader();
  const read = assertRejects(() => reader.read(), OSError);
  await turnEventLoop();
  reset(connection.client);
  assertEquals((await read).code, "ECONNRESET");
});

Deno.test("readableStream() fails when its descriptor is closed", async () => {
  for (const close of ["close", "detach"] as const) {
    using ends = new Pair();
    const reader = readableStream(ends.left).getReader();
    const read = assertRejects(() => reader.read(), BadResource);
    await turnEventLoop();
    const fd = ends.left.fileno();
    ends.left[close]();
    await read;
    await assertRejects(() => reader.read(), BadResource);
    if (close === "detach") new Descriptor(fd).close();
  }
  using ends = new Pair();
  const stream = readableStream(ends.left);
  ends.left.close();
  const error = await assertRejects(() => stream.getReader().read(), OSError);
  assert(["EBADF", CLOSED].includes(error.code));
});

Deno.test("readableStream() fails with RangeError if read() returns an impossible size", async () => {
  using ends = new Pair();
  for (const size of [-1, 0.5, 65_537, NaN, undefined, "1"] as unknown[] as number[]) {
    const file = { fileno: () => ends.left.fileno(), read: () => size };
    await assertRejects(() => readableStream(file).getReader().read(), RangeError, "read()");
  }
});

Deno.test("readableStream() has one reader at a time", () => {
  using ends = new Pair();
  const stream = readableStream(ends.left);
  stream.getReader();
  assertThrows(() => stream.getReader(), TypeError);
});

Deno.test("two streams of one descriptor share what there is to read", async () => {
  using ends = new Pair();
  const data = noise(200_000);
  const sent = sendInPieces(ends.right, data);
  const parts = await Promise.all([ends.left, ends.left].map((file) => {
    return collect(readableStream(file));
  }));
  await sent;
  assertEquals(parts.reduce((sum, { length }) => sum + length, 0), data.length);
});

Deno.test("readableStream() can be split with tee()", async () => {
  using ends = new Pair();
  const data = noise(300_000);
  const sent = sendInPieces(ends.right, data);
  for (const part of await Promise.all(readableStream(ends.left).tee().map(collect))) {
    assertSameBytes(part, data);
  }
  await sent;
});

Deno.test("readableStream() stops when both branches of tee() are canceled", async () => {
  using ends = new Pair();
  const branches = readableStream(ends.left).tee();
  const reads = branches.map((branch) => branch.getReader()).map(async (reader) => {
    const read = reader.read();
    await turnEventLoop();
    await reader.cancel();
    return read;
  });
  // The promise of cancel() waits for that of the other branch.
  for (const { done } of await Promise.all(reads)) assert(done);
  ends.fill();
  await turnEventLoop();
  assertEquals(ends.left.recv(new Uint8Array(9)), 1);
});

Deno.test("readableStream() goes through TextDecoderStream, whatever the pieces", async () => {
  using ends = new Pair();
  const text = "Ünïcödé ☂ 𝄞 ".repeat(100);
  const sent = sendInPieces(ends.right, encoder.encode(text), 7);
  const decoded = readableStream(ends.left).pipeThrough(new TextDecoderStream());
  assertEquals((await Array.fromAsync(decoded)).join(""), text);
  await sent;
});

Deno.test("streams go through compression and back", async () => {
  using ends = new Pair();
  const data = noise(500_000).map((byte) => byte & 3);
  const sent = new Blob([data]).stream().pipeThrough(new CompressionStream("gzip"))
    .pipeTo(writableStream(ends.right));
  const received = readableStream(ends.left).pipeThrough(new DecompressionStream("gzip"));
  assertSameBytes(await collect(received), data);
  await sent;
});

Deno.test("readableStream() is a body of requests and responses", async () => {
  {
    using ends = new Pair();
    ends.right.send(encoder.encode('{"a": [1]}'));
    ends.right.close();
    assertEquals(await new Response(readableStream(ends.left)).json(), { a: [1] });
  }
  using request = new Pair();
  using response = new Pair();
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, ({ body }) => {
    const stored = body!.pipeTo(writableStream(request.right));
    stored.catch(() => {});
    return new Response(readableStream(response.left));
  });
  const fetched = fetch(`http://127.0.0.1:${server.addr.port}/`, {
    method: "POST",
    body: new Blob(["to the server"]).stream(),
  });
  assertEquals(await readText(readableStream(request.left)), "to the server");
  await sendInPieces(response.right, encoder.encode("from the server"));
  assertEquals(await (await fetched).text(), "from the server");
  await server.shutdown();
});

Deno.test("writableStream() writes every byte in order, whatever room there is", async () => {
  using ends = new Pair();
  const data = noise(3_000_000);
  const writer = writableStream(ends.left).getWriter();
  let at = 0;
  for (let turn = 0; at < data.length; turn++) {
    const size = turn * 104_729 % 300_007;
    const written = writer.write(data.subarray(at, at += size));
    written.catch(() => {});
  }
  const closed = writer.close();
  assertSameBytes(await collect(readableStream(ends.right)), data);
  await closed;
});

Deno.test("writableStream() holds its producer back while there is no room", async () => {
  using ends = new Pair();
  ends.stuff();
  const writer = writableStream(ends.left).getWriter();
  assertEquals(writer.desiredSize, 1);
  const written = writer.write(encoder.encode("x"));
  assertEquals(writer.desiredSize, 0);
  assert(await isPending(writer.ready));
  assert(await isPending(written));
  while (ends.right.recv(new Uint8Array(1 << 16)));
  await Promise.all([written, writer.ready]);
});

Deno.test("writableStream() takes empty chunks", async () => {
  using ends = new Pair();
  const writer = writableStream(ends.left).getWriter();
  await writer.write(new Uint8Array());
  await writer.write(encoder.encode("x"));
  await writer.close();
  assertEquals(await readText(readableStream(ends.right)), "x");
});

Deno.test("writableStream() shuts down the sending side of a socket, and closes nothing", async () => {
  using ends = new Pair();
  const writer = writableStream(ends.left).getWriter();
  await writer.write(encoder.encode("bye"));
  await writer.close();
  assertEquals(await readText(readableStream(ends.right)), "bye");
  ends.right.send(encoder.encode("answer"));
  assertEquals(await whenReadable(ends.left, () => ends.left.recv(new Uint8Array(9))), 6);
  const error = assertThrows(() => ends.left.send(new Uint8Array(1)), OSError);
  assertEquals(error.code, BROKEN);
});

Deno.test({
  name: "writableStream() does not close a pipe",
  ...skipIf(isWindows, "a pipe is a pair of sockets on Windows"),
  async fn() {
    using pipe = new Pipe();
    const writer = writableStream(pipe.writer).getWriter();
    await writer.write(encoder.encode("x"));
    await writer.close();
    assertEquals(pipe.reader.read(new Uint8Array(9)), 1);
    assertEquals(pipe.reader.read(new Uint8Array(9)), null);
    assertEquals(pipe.writer.write(new Uint8Array(1)), 1);
  },
});

Deno.test("writableStream() shuts down once everything is written", async () => {
  using ends = new Pair();
  const log: unknown[] = [];
  const file = {
    fileno: () => ends.left.fileno(),
    write: (data: Uint8Array) => (log.push(data.length), Math.min(data.length, 2)),
    shutdown: (how: string) => log.push(how),
  };
  const writer = writableStream(file).getWriter();
  writer.write(new Uint8Array(3));
  await writer.close();
  assertEquals(log, [3, 1, "write"]);
});

Deno.test("writableStream() closes although the connection has gone", async () => {
  using ends = new Pair();
  const shutDownWith = (error: unknown) => {
    const file = {
      fileno: () => ends.left.fileno(),
      write: () => null,
      shutdown() {
        throw error;
      },
    };
    return writableStream(file).close();
  };
  await shutDownWith(new OSError("Cannot shut down", "shutdown", abi.errno.ENOTCONN));
  for (const error of [new OSError("Cannot", "shutdown", abi.errno.EBADF), new Error("no")]) {
    assertStrictEquals(await rejection(shutDownWith(error)), error);
  }
});

Deno.test("writableStream() ends a pending write at once when it is aborted", async () => {
  using ends = new Pair();
  ends.stuff();
  const writer = writableStream(ends.left).getWriter();
  const writes = [1, 2].map((size) => rejection(writer.write(new Uint8Array(size))));
  const closed = rejection(writer.closed);
  assert(await isPending(Promise.race(writes)));
  await writer.abort("enough");
  assertEquals([...await Promise.all(writes), await closed], ["enough", "enough", "enough"]);
  while (ends.right.recv(new Uint8Array(1 << 16)));
  await turnEventLoop();
  assertEquals(ends.right.recv(new Uint8Array(9)), null, "Nothing is written or shut down");
  assertEquals(ends.left.send(new Uint8Array(1)), 1);
});

Deno.test("writableStream() writes nothing more after abort()", async () => {
  using ends = new Pair();
  let count = 0;
  const file = { fileno: () => ends.left.fileno(), write: () => (count++, 1) };
  const writer = writableStream(file).getWriter();
  const written = rejection(writer.write(new Uint8Array(1 << 26)));
  while (count < 2) await turnEventLoop(1);
  await writer.abort("stop");
  assertEquals(await written, "stop");
  const before = count;
  await turnEventLoop();
  assertEquals(count, before);
});

Deno.test("writableStream() fails when its signal is aborted, and writes nothing more", async () => {
  using ends = new Pair();
  ends.stuff();
  const controller = new AbortController();
  const writer = writableStream(ends.left, controller).getWriter();
  const writes = [1, 2].map((size) => rejection(writer.write(new Uint8Array(size))));
  const closed = rejection(writer.closed);
  assert(await isPending(Promise.race(writes)));
  controller.abort("stop");
  assertEquals([...await Promise.all(writes), await closed], ["stop", "stop", "stop"]);
  while (ends.right.recv(new Uint8Array(1 << 16)));
  await turnEventLoop();
  assertEquals(ends.right.recv(new Uint8Array(9)), null, "Nothing is written or shut down");
  assertEquals(ends.left.send(new Uint8Array(1)), 1);
});

Deno.test("writableStream() does not end the data once its signal is aborted", async () => {
  for (const attempt of ["write", "close"] as const) {
    using ends = new Pair();
    const controller = new AbortController();
    const writer = writableStream(ends.left, controller).getWriter();
    await writer.write(encoder.encode("x"));
    controller.abort("stop");
    assertEquals(await rejection(writer[attempt](encoder.encode("y"))), "stop");
    assertEquals(await rejection(writer.closed), "stop");
    assertEquals(ends.right.recv(new Uint8Array(9)), 1);
    assertEquals(ends.right.recv(new Uint8Array(9)), null);
  }
});

Deno.test("writableStream() with a signal can be aborted, and closed", async () => {
  const { signal } = new AbortController();
  {
    using ends = new Pair();
    ends.stuff();
    const writer = writableStream(ends.left, { signal }).getWriter();
    const written = rejection(writer.write(new Uint8Array(1)));
    assert(await isPending(written));
    await writer.abort("enough");
    assertEquals(await written, "enough");
  }
  using ends = new Pair();
  const writer = writableStream(ends.left, { signal }).getWriter();
  await writer.write(encoder.encode("x"));
  await writer.close();
  assertEquals(await readText(readableStream(ends.right)), "x");
});

Deno.test("writableStream() fails when the peer has gone, or the descriptor is closed", async () => {
  {
    using ends = new Pair();
    ends.stuff();
    const writer = writableStream(ends.left).getWriter();
    const written = assertRejects(() => writer.write(new Uint8Array(9)), OSError);
    await turnEventLoop();
    ends.right.close();
    await written;
    await assertRejects(() => writer.close());
  }
  {
    using ends = new Pair();
    ends.stuff();
    const writer = writableStream(ends.left).getWriter();
    const written = assertRejects(() => writer.write(new Uint8Array(1)), BadResource);
    await turnEventLoop();
    ends.left.close();
    await written;
    await assertRejects(() => writer.closed, BadResource);
  }
  using ends = new Pair();
  const stream = writableStream(ends.left);
  ends.left.close();
  const writer = stream.getWriter();
  const error = await assertRejects(() => writer.write(new Uint8Array(1)), OSError);
  assert(["EBADF", CLOSED].includes(error.code));
});

Deno.test("writableStream() fails with TypeError for a chunk that is not a Uint8Array", async () => {
  for (const chunk of ["text", new ArrayBuffer(1), [1], null] as unknown[] as Uint8Array[]) {
    using ends = new Pair();
    const writer = writableStream(ends.left).getWriter();
    await assertRejects(() => writer.write(chunk), TypeError, "must be a Uint8Array");
  }
});

Deno.test("pipeTo() from a descriptor to a descriptor echoes, and passes the end on", async () => {
  using client = new Pair();
  const echoed = readableStream(client.right).pipeTo(writableStream(client.right));
  const data = noise(1_000_000);
  const sent = new Blob([data]).stream().pipeTo(writableStream(client.left));
  assertSameBytes(await collect(readableStream(client.left)), data);
  await Promise.all([echoed, sent]);
});

Deno.test("pipeTo() between descriptors stops at once when it is aborted", async () => {
  using from = new Pair();
  using to = new Pair();
  const controller = new AbortController();
  const { signal } = controller;
  const piped = rejection(readableStream(from.left).pipeTo(writableStream(to.left), { signal }));
  assert(await isPending(piped));
  controller.abort("stop");
  assertEquals(await piped, "stop");
  from.fill();
  await turnEventLoop();
  assertEquals(from.left.recv(new Uint8Array(9)), 1);
  assertEquals(to.right.recv(new Uint8Array(9)), null);
});

Deno.test("pipeTo() from a reset connection aborts, and to one cancels", async () => {
  using broken = new Connection();
  using ends = new Pair();
  reset(broken.client);
  await ready(broken.server, EVENT_READ);
  const error = await rejection(
    readableStream(broken.server).pipeTo(writableStream(ends.left)),
  ) as OSError;
  assertEquals(error.code, "ECONNRESET");
  ends.right.close();
  using source = new Pair();
  let isOver = false;
  const piped = rejection(readableStream(source.left).pipeTo(writableStream(ends.left)))
    .finally(() => isOver = true);
  // Over TCP, as on Windows, the first write succeeds.
  for (; !isOver; await turnEventLoop(1)) source.fill();
  assertInstanceOf(await piped, OSError);
  source.drain();
  source.fill();
  await turnEventLoop();
  assertEquals(source.left.recv(new Uint8Array(9)), 1);
});

Deno.test("a descriptor that is always ready does not starve timers through streams", async () => {
  using ends = new Pair();
  const file = {
    fileno: () => ends.left.fileno(),
    read: (buffer: Uint8Array) => buffer.length,
    write: (data: Uint8Array) => data.length,
  };
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  const controller = new AbortController();
  const { signal } = controller;
  const piped = rejection(readableStream(file).pipeTo(writableStream(file), { signal }));
  const deadline = performance.now() + DEADLINE;
  while (ticks < 3) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    assertLess(performance.now(), deadline, "timers are starved");
  }
  controller.abort("enough");
  assertEquals(await piped, "enough");
  clearInterval(timer);
});

Deno.test("sendAll() in many small writes does not starve timers", async () => {
  using ends = new Pair();
  const file = { fileno: () => ends.left.fileno(), write: () => 1 };
  const controller = new AbortController();
  setTimeout(() => controller.abort("in time"), 5);
  const data = new Uint8Array(1 << 26);
  assertEquals(await rejection(sendAll(file, data, controller)), "in time");
});

Deno.test("100 streams wait at once", async () => {
  using stack = new DisposableStack();
  const pairs = Array.from({ length: 100 }, () => stack.use(new Pair()));
  const reads = pairs.map(({ left }) => readableStream(left).getReader().read());
  assert(await isPending(Promise.race(reads)));
  for (const ends of pairs) ends.fill();
  for (const { value } of await Promise.all(reads)) assertEquals(value, new Uint8Array(1));
});

Deno.test("streams keep a process alive only while something is pending", async () => {
  const { stdout, stderr } = await runProgram(`
    ${COUNT_DESCRIPTORS}
    const { readableStream, writableStream } = selectors;
    const before = countDescriptors();
    const [left, right] = sockets.socketpair();
    const reader = readableStream(left).getReader();
    const writer = writableStream(right).getWriter();
    setTimeout(() => writer.write(new TextEncoder().encode("hello")), 20);
    console.log(new TextDecoder().decode((await reader.read()).value));
    left.close();
    right.close();
    addEventListener("unload", () => console.log("the end"));
  `);
  assertEquals([stdout, stderr], ["hello\nthe end", ""]);
});

Deno.test("streams whose signal is aborted let the process end", async () => {
  const { code, stdout, stderr } = await runProgram(`
    const [left, right] = sockets.socketpair();
    const controller = new AbortController();
    while (left.send(new Uint8Array(65536)) !== null);
    const writer = selectors.writableStream(left, controller).getWriter();
    const reader = selectors.readableStream(left, controller).getReader();
    const pending = [writer.write(new Uint8Array(1)), reader.read()];
    writer.closed.catch(() => {});
    setTimeout(() => controller.abort("aborted"), 5);
    console.log((await Promise.allSettled(pending)).map(({ reason }) => reason).join());
  `);
  assertEquals([stderr, stdout, code], ["", "aborted,aborted", 0]);
});

/** Reads a stream to its end. */
async function collect(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<Uint8Array> {
  return await new Blob(await Array.fromAsync(stream)).bytes();
}

async function readText(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  return new TextDecoder().decode(await collect(stream));
}

/** A reader with or without buffers of its own. */
interface Reader {
  read(): Promise<{ value?: Uint8Array | undefined; done: boolean }>;
  cancel(): Promise<void>;
}

function withoutBuffers(stream: ReadableStream<Uint8Array>): Reader {
  return stream.getReader();
}

function withBuffers(stream: ReadableStream<Uint8Array>): Reader {
  const reader = stream.getReader({ mode: "byob" });
  return { read: () => reader.read(new Uint8Array(100)), cancel: () => reader.cancel() };
}

/** Sends bytes in pieces of many sizes, and then the end. */
async function sendInPieces(
  file: Pair["left"],
  data: Uint8Array,
  largest = 5_003,
): Promise<void> {
  for (let at = 0, turn = 1; at < data.length; turn++) {
    const size = 1 + turn * 7919 % largest;
    await sendAll(file, data.subarray(at, at += size));
    if (turn % 4 === 0) await turnEventLoop(1);
  }
  file.shutdown("write");
}

/** The same file, which counts the calls of `read()`. */
function countReads(file: FileDescriptor) {
  return {
    count: 0,
    fileno: () => file.fileno(),
    read(buffer: Uint8Array): number | null {
      this.count++;
      return file.read(buffer);
    },
  };
}

function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then((value) => `no rejection, but ${value}`, (reason) => reason);
}
