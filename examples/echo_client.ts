/**
 * A client for the echo server, which handles every event in its loop: it is interested in reading
 * and writing while it has something to send, and in reading alone from then on.
 *
 *     deno run --allow-ffi examples/echo_client.ts hello world
 *
 * @module
 */

import { DefaultSelector, EVENT_READ, EVENT_WRITE } from "@readiness/selectors";
import { AF_INET, AF_INET6, SOCK_STREAM, Socket } from "@readiness/selectors/socket";
import { exitWith, format, parseCommandLine, parsePort, run } from "./support/command_line.ts";

const USAGE = `Usage: echo_client.ts [OPTIONS] [MESSAGE ...]

Sends each message (hello and world, if there is none) as a line to an echo server and prints what
comes back. Exits with 0 when all of it came back.

Options:
  --hostname HOST  the address of the server (127.0.0.1)
  --port PORT      the port of the server (1234)
  --help           show this and exit`;

run(() => {
  const { values: options, positionals } = parseCommandLine(USAGE, {
    hostname: { type: "string", default: "127.0.0.1" },
    port: { type: "string", default: "1234" },
  }, true);
  const messages = positionals.length > 0 ? positionals : ["hello", "world"];
  const data = new TextEncoder().encode(messages.map((message) => `${message}\n`).join(""));
  const address = { hostname: options.hostname, port: parsePort(options.port) };

  using socket = new Socket(address.hostname.includes(":") ? AF_INET6 : AF_INET, SOCK_STREAM);
  using selector = new DefaultSelector();
  socket.connect(address);
  selector.register(socket, EVENT_READ | EVENT_WRITE);

  const buffer = new Uint8Array(64 * 1024);
  let sent = 0;
  let received = 0;
  while (received < data.length) {
    for (const [, events] of selector.select()) {
      // A connection that failed is ready for both, and tells its error once.
      const error = socket.error();
      if (error !== null) exitWith(1, `No connection to ${format(address)}: ${error.message}`);
      if (events & EVENT_WRITE) send();
      if (events & EVENT_READ) receive();
    }
  }

  function send(): void {
    sent += socket.send(data.subarray(sent)) ?? 0;
    if (sent === data.length) selector.modify(socket, EVENT_READ);
  }

  function receive(): void {
    const size = socket.recv(buffer);
    if (size === null) return;
    if (size === 0) exitWith(1, `The server closed after ${received} of ${data.length} bytes`);
    for (let i = 0; i < size; i++) {
      if (buffer[i] !== data[received + i]) exitWith(1, "What came back is not what was sent");
    }
    for (let at = 0; at < size;) at += Deno.stdout.writeSync(buffer.subarray(at, size));
    received += size;
  }
});
