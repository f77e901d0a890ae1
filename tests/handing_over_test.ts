/**
 * Descriptors that go from this package to Deno's `node:` modules, and back.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { spawn } from "node:child_process";
import { closeSync, constants, openSync, readSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import {
  DefaultSelector,
  EVENT_READ,
  readableStream,
  sendAll,
  whenReadable,
  writableStream,
} from "../mod.ts";
import { type HasFileno, pipe } from "../ffi/fd/mod.ts";
import { createConnection, createServer, Socket, socketpair } from "../ffi/socket/mod.ts";
import { inTime } from "./support/deadline.ts";
import { linuxOnly } from "./support/skip.ts";
import { listenAgain, places } from "./support/sockets.ts";
import { runProgram } from "./support/subprocess.ts";

const hello = new TextEncoder().encode("hello");

/** Reads until the stream ends. */
async function readAll(
  file: HasFileno & { read(buffer: Uint8Array): number | null },
): Promise<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(1_000);
  for (let text = "";;) {
    const size = await inTime(whenReadable(file, () => file.read(buffer)), "data");
    if (size === 0) return text;
    text += decoder.decode(buffer.subarray(0, size), { stream: true });
  }
}

Deno.test("node:http serves on a socket of createServer()", linuxOnly, async () => {
  const listener = createServer({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.localAddress;
  const server = http.createServer((request, response) => response.end(`hello ${request.url}`));
  const fd = listener.detach();
  await new Promise<void>((resolve) => server.listen({ fd }, resolve));
  const responses = await Promise.all(
    [1, 2, 3].map((i) => fetch(`http://127.0.0.1:${port}/${i}`)),
  );
  assertEquals(await Promise.all(responses.map((response) => response.text())), [
    "hello /1",
    "hello /2",
    "hello /3",
  ]);
  await new Promise((resolve) => server.close(resolve));
  await listenAgain({ hostname: "127.0.0.1", port });
});

for (const place of places) {
  Deno.test(`node:net takes a connection over (${place.name})`, {
    ...linuxOnly,
    ...place.skip,
  }, async () => {
    using listener = createServer(place.free());
    using client = await createConnection(listener.localAddress);
    const accepted = await whenReadable(listener, () => listener.accept());
    const socket = new net.Socket({ fd: accepted.detach() });
    socket.on("data", (data) => socket.end(`got ${data}`));
    const closed = new Promise((resolve) => socket.on("close", resolve));
    await sendAll(client, hello);
    assertEquals(await readAll(client), "got hello");
    client.shutdown("write");
    await inTime(closed, "the end of the connection");
  });

  Deno.test(`node:net accepts on a socket of createServer() (${place.name})`, {
    ...linuxOnly,
    ...place.skip,
  }, async () => {
    const listener = createServer(place.free());
    const { localAddress } = listener;
    const server = net.createServer((socket) => socket.end("bye"));
    const fd = listener.detach();
    await new Promise<void>((resolve) => server.listen({ fd }, resolve));
    using client = await createConnection(localAddress);
    assertEquals(await readAll(client), "bye");
    client.close();
    await new Promise((resolve) => server.close(resolve));
  });
}

Deno.test("node:http and node:net take descriptors with --allow-ffi alone", linuxOnly, async () => {
  const { code, stdout, stderr } = await runProgram(
    `
    import http from "node:http";
    import net from "node:net";
    const listener = sockets.createServer({ hostname: "127.0.0.1", port: 0 });
    const address = listener.localAddress;
    const server = http.createServer((_, response) => response.end("hello"));
    const fd = listener.detach();
    await new Promise((resolve) => server.listen({ fd }, resolve));
    const connection = await sockets.createConnection(address);
    const client = new net.Socket({ fd: connection.detach() });
    client.write("GET / HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n");
    let text = "";
    for await (const data of client) text += data;
    console.log(text.endsWith("hello"));
    server.close();
    `,
    ["--allow-ffi"],
  );
  assertEquals([code, stdout], [0, "true"], stderr);
});

Deno.test("web streams carry a connection", linuxOnly, async () => {
  using pair = socketpair();
  const [left, right] = pair;
  const writer = writableStream(left).getWriter();
  await writer.write(hello);
  await writer.close();
  assertEquals(await new Response(readableStream(right)).text(), "hello");
});

Deno.test("a selector watches a descriptor of node:fs", linuxOnly, () => {
  using ends = pipe();
  const path = `/dev/fd/${ends.reader.fileno()}`;
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    using selector = new DefaultSelector();
    selector.register(fd, EVENT_READ);
    assertEquals(selector.select(0), []);
    ends.writer.write(hello);
    assertEquals(selector.select().map(([key]) => key.fileobj), [fd]);
    assertEquals(readSync(fd, new Uint8Array(100)), hello.length);
  } finally {
    closeSync(fd);
  }
});

Deno.test("node:child_process reads from a socket and writes to a pipe", linuxOnly, async () => {
  const [input, childInput] = socketpair();
  const output = pipe();
  // A program expects streams that block.
  childInput.setBlocking(true);
  output.writer.setBlocking(true);
  const stdio = [childInput.fileno(), output.writer.fileno(), "inherit"] as const;
  const child = spawn("tr", ["a-z", "A-Z"], { stdio: [...stdio] });
  childInput.close();
  output.writer.close();
  await sendAll(input, hello);
  input.shutdown("write");
  assertEquals(await readAll(output.reader), "HELLO");
  input.close();
  output.reader.close();
  if (child.exitCode === null) {
    await inTime(new Promise((resolve) => child.on("exit", resolve)), "the child's end");
  }
});

Deno.test("Socket.fromFd() takes a descriptor that was detached", linuxOnly, () => {
  const [left, right] = socketpair();
  using again = Socket.fromFd(left.detach());
  again.send(hello);
  assertEquals(right.recv(new Uint8Array(10)), hello.length);
  right.close();
});
