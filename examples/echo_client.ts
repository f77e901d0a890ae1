/**
 * A client for the echo server, which handles every event in its loop: it watches for reading and
 * writing while it has something to send, and only for reading from then on.
 *
 *     deno run --allow-ffi examples/echo_client.ts hello world
 *
 * @module
 */

import { DefaultSelector, EVENT_READ, EVENT_WRITE } from "@readiness/selectors";
import { SOCK_STREAM, Socket } from "@readiness/selectors/socket";
import { familyOf, formatAddress } from "./support/addresses.ts";
import { exitWith, parseCommandLine, parsePort, run } from "./support/command_line.ts";
import { write } from "./support/output.ts";

const USAGE = `Usage: echo_client.ts [OPTIONS] [MESSAGE...]

Sends each message (hello and world, if there is none) as a line to an echo server and prints what
comes back. Exits with 0 when all of it has come back.

Options:
  --hostname HOST  the address of the server (127.0.0.1)
  --port PORT      the port of the server (1234)
  -h, --help       show this and exit`;

run(() => {
  const { values: options, positionals } = parseCommandLine(USAGE, {
    hostname: { type: "string", default: "127.0.0.1" },
    port: { type: "string", default: "1234" },
  }, true);
  const messages = positionals.length > 0 ? positionals : ["hello", "world"];
  const data = new TextEncoder().encode(messages.map((message) => `${message}\n`).join(""));
  const address = { hostname: options.hostname, port: parsePort(options.port) };

  using socket = new Socket(familyOf(address.hostname), SOCK_STREAM);
  using selector = new DefaultSelector();
  socket.connect(address);
  selector.register(socket, EVENT_READ | EVENT_WRITE);

  const buffer = new Uint8Array(64 * 1024);
  let sent = 0;
  let received = 0;
  while (received < data.length) {
    for (const [, events] of selector.select()) {
      // A connection that failed is ready for reading and writing, and reports its error once.
      const error = socket.error();
      if (error !== null) {
        exitWith(1, `Cannot connect to ${formatAddress(address)}: ${error.message}`);
      }
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
      if (buffer[i] !== data[received + i]) exitWith(1, "The answer differs from the message");
    }
    write(Deno.stdout, buffer.subarray(0, size));
    received += size;
  }
});
