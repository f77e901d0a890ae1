import { assert, assertEquals } from "@std/assert";
import { inTime } from "../support/deadline.ts";
import { Example, type ExampleOptions } from "../support/example_process.ts";
import { fakeLibrary, needsFakes } from "../support/fake_library.ts";
import { assertSameBytes, noise } from "../support/sockets.ts";

/** How many clients a server has at once. */
const CLIENTS = 12;

/** What is asked of a server, and answered. */
interface Exchange {
  readonly request: Uint8Array<ArrayBuffer>;
  readonly answer: Uint8Array;
}

const data = noise(50_000);
const echo: Exchange = { request: data, answer: data };
const http: Exchange = {
  request: new TextEncoder().encode("GET /bytes/50000 HTTP/1.1\r\nHost: a\r\n\r\n"),
  answer: new TextEncoder().encode(".".repeat(50_000)),
};

const IO = ["recv", "send", "recvmsg", "sendmsg", "read", "write", "accept4", "epoll_wait"];

/** Rules for tests/fakes/faulty_libc.c, and whether they may break connections. */
const FAULTS: Readonly<Record<string, { rules: readonly string[]; breaks: boolean }>> = {
  "calls are interrupted": { rules: IO.map((call) => `${call}=EINTR/3`), breaks: false },
  "connections are lost before they are accepted": {
    rules: ["accept4=ECONNABORTED/5", "accept4=EPROTO/5", "accept4=ETIMEDOUT/5"],
    breaks: false,
  },
  "descriptors run out": { rules: ["accept4=EMFILE/4"], breaks: false },
  "no more descriptors can be watched": {
    rules: ["epoll_ctl=ENOSPC/5", "epoll_ctl=ENOMEM/9"],
    breaks: true,
  },
  "connections break": {
    rules: ["recv", "send"].flatMap((call) => [`${call}=ECONNRESET/9`, `${call}=EIO/20`]),
    breaks: true,
  },
};

for (const [name, exchange] of Object.entries({ echo, http, proxy: echo })) {
  for (const [what, { rules, breaks }] of Object.entries(FAULTS)) {
    Deno.test({
      name: `${name}.ts serves its clients when ${what}`,
      ...needsFakes,
      async fn() {
        using target = new EchoServer();
        await using server = await Example.start(name, argumentsFor(name, target), faulty(rules));
        const wholes = await Promise.all(
          Array.from({ length: CLIENTS }, () => ask(server.port, exchange)),
        );
        if (!breaks) assertEquals(wholes, wholes.map(() => true));
        let isServed = false;
        for (let i = 0; i < 50 && !isServed; i++) isServed = await ask(server.port, exchange);
        assert(isServed, "No client is served any more");
      },
    });
  }
}

function argumentsFor(name: string, { port }: EchoServer): string[] {
  return name === "proxy"
    ? ["--listen", "127.0.0.1:0", "--to", `127.0.0.1:${port}`]
    : ["--port", "0"];
}

/** Runs an example over the faulty libc. */
function faulty(rules: readonly string[]): ExampleOptions {
  return {
    flags: ["--allow-ffi", "--allow-env", "--preload", "tests/support/use_faulty_libc.ts"],
    through: (command) => [
      "env",
      `FAULTY_LIBC=${fakeLibrary("faulty_libc")}`,
      `FAULTS=${rules.join(" ")}`,
      `FAULT_SEED=${Math.trunc(Math.random() * 2 ** 31)}`,
      ...command,
    ],
  };
}

/** Returns whether the whole answer came. What comes must be right in any case. */
async function ask(port: number, { request, answer }: Exchange): Promise<boolean> {
  let received = new Uint8Array();
  try {
    using connection = await Deno.connect({ port });
    const sent = send(connection, request).catch(() => {});
    const buffer = new Uint8Array(1 << 16);
    for (let size; (size = await inTime(connection.read(buffer), "an answer")) !== null;) {
      received = new Uint8Array([...received, ...buffer.subarray(0, size)]);
    }
    await sent;
  } catch (error) {
    if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
  }
  const head = request === answer ? 0 : headSize(received);
  const body = received.subarray(head);
  assertSameBytes(body, answer.subarray(0, body.length));
  return body.length === answer.length;
}

/** Returns the size of the head of an HTTP response. */
function headSize(response: Uint8Array): number {
  const size = new TextDecoder("latin1").decode(response).indexOf("\r\n\r\n");
  return size < 0 ? response.length : size + 4;
}

async function send(connection: Deno.TcpConn, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
  await connection.closeWrite();
}

/** An echo server in this process, for which nothing fails. */
class EchoServer implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections = new Set<Deno.TcpConn>();

  constructor() {
    void this.#serve();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  async #serve(): Promise<void> {
    for (;;) {
      let connection;
      try {
        connection = await this.#listener.accept();
      } catch (error) {
        if (error instanceof Deno.errors.BadResource) return;
        continue; // The connection was reset before.
      }
      this.#connections.add(connection);
      void this.#echo(connection).catch(() => {}).finally(() => this.#close(connection));
    }
  }

  async #echo(connection: Deno.TcpConn): Promise<void> {
    const buffer = new Uint8Array(1 << 16);
    for (let size; (size = await connection.read(buffer)) !== null;) {
      for (let at = 0; at < size;) at += await connection.write(buffer.subarray(at, size));
    }
    await connection.closeWrite();
  }

  #close(connection: Deno.TcpConn): void {
    if (this.#connections.delete(connection)) connection.close();
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    for (const connection of this.#connections) this.#close(connection);
  }
}
