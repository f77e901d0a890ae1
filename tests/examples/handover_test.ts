import { assertEquals, assertMatch } from "@std/assert";
import {
  AF_UNIX,
  createServer,
  peerCredentials,
  receiveMessage,
  SOCK_DGRAM,
  SOCK_STREAM,
  Socket,
} from "../../ffi/socket/mod.ts";
import { inTime } from "../support/deadline.ts";
import { Example, type ExampleOptions, runExample } from "../support/example_process.ts";
import { Lines } from "../support/lines.ts";
import { asNobody, needsNobody } from "../support/nobody.ts";
import { isQemu } from "../support/os.ts";
import { keepingPace } from "../support/pace.ts";
import { linuxOnly, needsProgram, type Skip, skipIf } from "../support/skip.ts";
import { abstractPath, untilReadable } from "../support/sockets.ts";
import { assertUsageErrors, WRONG_PORTS } from "./command_lines.ts";

const needsWrk = needsProgram("wrk");

/** Idle connections are kept for 5 seconds, in which a new process has to start. */
const isSlow = skipIf(isQemu, "a process starts too slowly under qemu");

function test(name: string, fn: () => Promise<void>, skip: Skip = {}): void {
  Deno.test({ name: `handover.ts ${name}`, ...linuxOnly, ...skip, fn });
}

/** Starts a process, which takes over from the one that was started with the same path. */
const start = (path: string, args: string[] = [], options?: ExampleOptions) =>
  Example.start("handover", ["--port", "0", "--name", path.slice(1), ...args], options);

const run = (path: string) => runExample("handover", ["--port", "0", "--name", path.slice(1)]);

const get = (port: number, path = "/") => inTime(ask(port, path), "the answer");

/** Asks on a connection of its own, and returns the number of the process that answered. */
async function ask(port: number, path: string): Promise<number> {
  using client = await Client.connect(port);
  return await client.ask(path);
}

/** A connection that is kept. */
class Client implements Disposable {
  readonly #connection: Deno.TcpConn;
  readonly #lines: Lines;

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
    this.#lines = new Lines(connection.readable);
  }

  static async connect(port: number): Promise<Client> {
    return new Client(await Deno.connect({ port }));
  }

  /** Asks, and returns the number of the process that answered. */
  async ask(path = "/"): Promise<number> {
    await this.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
    return await this.answer();
  }

  async send(text: string): Promise<void> {
    await this.#connection.write(new TextEncoder().encode(text));
  }

  async answer(): Promise<number> {
    return Number((await this.#lines.wait(/^Served by process/)).split(" ").pop());
  }

  /** Waits until the server closes, and returns all it has sent. */
  async end(): Promise<string> {
    await inTime(this.#lines.ended, "the end of the connection");
    return this.#lines.text;
  }

  [Symbol.dispose](): void {
    try {
      this.#connection.close();
    } catch {
      // It has ended.
    }
  }
}

/** Connects as a process does that takes over. */
function knock(path: string): Socket {
  const socket = new Socket(AF_UNIX, SOCK_STREAM);
  socket.connect({ path });
  return socket;
}

Deno.test("handover.ts exits with 2 if the command line is wrong", async () => {
  await assertUsageErrors("handover", [...WRONG_PORTS, "extra", "--drain -1", "--drain x"]);
});

test("takes the port over, and the old process ends", async () => {
  const path = abstractPath();
  await using old = await start(path);
  assertEquals(await get(old.port), old.pid);
  await using young = await start(path);
  assertEquals(young.port, old.port);
  await old.stdout.wait(`process ${young.pid} has taken over`);
  const { code, stderr } = await old.end();
  assertEquals([code, stderr], [0, ""]);
  for (let i = 0; i < 5; i++) assertEquals(await get(old.port), young.pid);
});

for (const [kind, header] of [["kept", "X: y"], ["closed", "Connection: close"]] as const) {
  test(`drops no request of wrk in ten restarts, with connections that are ${kind}`, async () => {
    const path = abstractPath();
    await using stack = new AsyncDisposableStack();
    let last = stack.use(await start(path));
    const { port } = last;
    const wrk = stack.use(new Deno.Command("wrk", {
      args: [
        "-c50",
        "-t1",
        "-d600s",
        "--timeout",
        "60s",
        "-H",
        header,
        // Answered a little later, which leaves the processors to the processes that start.
        `http://127.0.0.1:${port}/wait/100`,
      ],
      stdout: "piped",
    }).spawn());
    const output = wrk.output();
    for (let i = 0; i < 10; i++) {
      const next = stack.use(await start(path));
      const { code, stderr } = await last.end();
      assertEquals([code, stderr], [0, ""]);
      last = next;
    }
    wrk.kill("SIGINT");
    const said = new TextDecoder().decode((await inTime(output, "the end of wrk")).stdout);
    assertEquals(/Non-2xx|Socket errors/.exec(said), null, said);
    assertMatch(said, /^ +[1-9]\d{2,} requests in/m);
    assertEquals(await get(port), last.pid);
  }, { ...needsWrk, ...isSlow });
}

test("answers what it has accepted before it ends", async () => {
  await keepingPace(4000, async (step) => {
    const path = abstractPath();
    await using old = await start(path);
    using slow = await Client.connect(old.port);
    using idle = await Client.connect(old.port);
    using half = await Client.connect(old.port);
    assertEquals(await idle.ask(), old.pid);
    await half.send("GET / HTTP/1.1\r\nHo");
    await slow.send("GET /wait/1500 HTTP/1.1\r\nHost: a\r\n\r\n");
    assertEquals(await get(old.port, "/wait/1"), old.pid);
    step();
    await using young = await start(path);
    await old.stdout.wait(`process ${young.pid} has taken over`);
    // A request that is on its way when the old process stops to accept.
    assertEquals(await idle.ask(), old.pid);
    step();
    await half.send("st: a\r\n\r\n");
    assertEquals(await half.answer(), old.pid);
    assertEquals(await slow.answer(), old.pid);
    const last = /\r\nConnection: close\r\n.*\r\n\r\nServed by process \d+\n$/s;
    for (const client of [idle, half]) { // The slow one may have its answer from before.
      assertMatch(await client.end(), last);
    }
    assertEquals((await old.end()).code, 0);
    assertEquals(await get(old.port), young.pid);
  });
}, isSlow);

test("closes connections that are open for too long after the end", async () => {
  const path = abstractPath();
  await using old = await start(path, ["--drain", "1"]);
  using silent = await Client.connect(old.port);
  assertEquals(await get(old.port), old.pid);
  await using young = await start(path);
  await old.stdout.wait(`process ${young.pid} has taken over`);
  assertEquals(await silent.end(), "");
  assertEquals((await old.end()).code, 0);
});

test("goes on when the new process fails, before and after it has the sockets", async () => {
  const path = abstractPath();
  await using old = await start(path);
  knock(path).close();
  await old.stderr.wait(/^handover\.ts: Process \d+ has failed to take over; going on$/);
  {
    using failing = knock(path);
    untilReadable(failing);
    using message = receiveMessage(failing, new Uint8Array(1), { descriptors: 9 })!;
    assertEquals(message.descriptors.length, 2);
    assertEquals(await get(old.port), old.pid);
  }
  await old.stderr.wait(/^handover\.ts: Process \d+ has failed to take over; going on$/);
  // It fails when it has nowhere to print that it is listening.
  await runExample("handover", ["--port", "0", "--name", path.slice(1)], {
    through: (command) => ["sh", "-c", 'exec "$@" > /dev/full', "sh", ...command],
  });
  await old.stderr.wait(/^handover\.ts: Process \d+ has failed to take over; going on$/);
  for (let i = 0; i < 5; i++) assertEquals(await get(old.port), old.pid);
  await using young = await start(path);
  assertEquals((await old.end()).code, 0);
  assertEquals(await get(young.port), young.pid);
});

test("starts afresh after a process that was killed", async () => {
  const path = abstractPath();
  await using old = await start(path);
  await old.stop("SIGKILL");
  await using young = await start(path);
  assertEquals(await get(young.port), young.pid);
});

test("answers what it has accepted when a signal ends it", async () => {
  for (const [signal, code] of [["SIGINT", 0], ["SIGTERM", 143]] as const) {
    await using server = await start(abstractPath());
    using slow = await Client.connect(server.port);
    await slow.send("GET /wait/500 HTTP/1.1\r\nHost: a\r\n\r\n");
    assertEquals(await get(server.port, "/wait/1"), server.pid);
    server.kill(signal);
    assertEquals(await slow.answer(), server.pid);
    const outcome = await server.end();
    assertEquals([outcome.code, outcome.stderr], [code, ""]);
  }
});

test("ends by a signal while it waits for the process that serves", async () => {
  const path = abstractPath();
  using mute = createServer({ path });
  const ending = run(path);
  untilReadable(mute);
  using caller = mute.accept()!;
  Deno.kill(peerCredentials(caller).pid, "SIGTERM");
  assertEquals((await ending).code, 143);
});

test("exits with 1 if the process that serves ends, or is of another kind", async () => {
  const path = abstractPath();
  using other = createServer({ path });
  for (const bytes of [0, 3]) {
    const ending = run(path);
    untilReadable(other);
    {
      using caller = other.accept()!;
      caller.send(new Uint8Array(bytes));
    }
    const { code, stdout, stderr } = await ending;
    assertEquals([code, stdout], [1, ""]);
    assertMatch(
      stderr,
      /^handover\.ts: The process that serves has ended, or is of another kind\n/,
    );
  }
});

test("tells systemd which process serves, and when it ends", async () => {
  const path = abstractPath();
  using manager = new Socket(AF_UNIX, SOCK_DGRAM);
  const name = abstractPath();
  manager.bind({ path: name });
  const through = (command: readonly string[]) => [
    "env",
    `NOTIFY_SOCKET=${name.replace("\0", "@")}`,
    ...command,
  ];
  const buffer = new Uint8Array(1000);
  const received = () => {
    untilReadable(manager);
    return new TextDecoder().decode(buffer.subarray(0, manager.recv(buffer)!));
  };
  await using old = await start(path, [], { through });
  assertEquals(received(), `READY=1\nMAINPID=${old.pid}`);
  await using young = await start(path, [], { through });
  assertEquals(received(), `READY=1\nMAINPID=${young.pid}`);
  assertEquals((await old.end()).code, 0);
  young.kill("SIGTERM");
  assertEquals(received(), "STOPPING=1");
  assertEquals((await young.end()).code, 143);
});

test("does not pass the port to a process of another user", async () => {
  const path = abstractPath();
  await using server = await start(path);
  const source = "import socket, sys; s = socket.socket(socket.AF_UNIX); " +
    "s.connect('\\0' + sys.argv[1]); print(s.recv(9))";
  const output = await inTime(asNobody(source, path.slice(1)).output(), "the end of the stranger");
  assertEquals(new TextDecoder().decode(output.stdout), "b''\n");
  await server.stderr.wait(/^handover\.ts: Refused process \d+ of user 65534$/);
  assertEquals(await get(server.port), server.pid);
}, needsNobody);

test("does not take a port from a process of another user", async () => {
  const path = abstractPath();
  const source = "import socket, sys; s = socket.socket(socket.AF_UNIX); " +
    "s.bind('\\0' + sys.argv[1]); s.listen(); print('ready', flush=True); s.accept()[0].recv(9)";
  await using stranger = asNobody(source, path.slice(1)).spawn();
  await new Lines(stranger.stdout).wait("ready");
  const { code, stdout, stderr } = await run(path);
  assertEquals([code, stdout], [1, ""]);
  assertMatch(
    stderr,
    /^handover\.ts: The process that serves, \d+, belongs to user 65534, not to \d+\n$/,
  );
}, needsNobody);
