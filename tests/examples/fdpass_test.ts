import { assert, assertEquals, assertMatch, assertNotEquals, assertThrows } from "@std/assert";
import { pipe } from "../../ffi/fd/mod.ts";
import {
  AF_UNIX,
  OSError,
  receiveMessage,
  sendMessage,
  SOCK_STREAM,
  Socket,
  socketpair,
} from "../../ffi/socket/mod.ts";
import { runCommand } from "../support/command.ts";
import { linuxOnly, skipIf } from "../support/skip.ts";
import { asNobody, needsNobody } from "../support/nobody.ts";
import { needsNc } from "../support/netcat.ts";
import { inTime } from "../support/deadline.ts";
import { Example, runExample } from "../support/example_process.ts";
import { Lines } from "../support/lines.ts";
import { abstractPath, filePath, noise, untilReadable } from "../support/sockets.ts";
import { inNetworkOf, inOwnNetwork, needsOwnNetwork, needsSetpriv } from "../support/privileges.ts";
import { isWindows } from "../support/os.ts";
import { assertUsageErrors } from "./command_lines.ts";
import { logged } from "./logged.ts";

const accept = (path: string, descriptors?: number) =>
  Example.start("fdpass", ["--port", "0", "--socket", path, "accept"], { descriptors });
const serve = (path: string, ...options: string[]) =>
  Example.start("fdpass", ["--socket", path, ...options, "serve"]);

/** Connects and reads the greeting: the process that serves. */
async function connect(port: number): Promise<{ connection: Deno.TcpConn; pid: number }> {
  const connection = await Deno.connect({ port });
  const [reading, rest] = connection.readable.tee();
  void rest.cancel();
  const pid = /process (\d+)/.exec(await new Lines(reading).wait(/^served by/))![1];
  return { connection, pid: Number(pid) };
}

const countDescriptors = (pid: number) => [...Deno.readDirSync(`/proc/${pid}/fd`)].length;

Deno.test({
  name: "fdpass.ts accepts in one process and serves in others, which take turns",
  ...linuxOnly,
  async fn() {
    const path = filePath();
    await using door = await accept(path);
    await using first = await serve(path);
    await using second = await serve(path);
    for (const worker of [first, second]) await door.stdout.wait(`process ${worker.pid} serves`);
    const served = [];
    for (let i = 0; i < 6; i++) {
      const { connection, pid } = await connect(door.port);
      served.push(pid);
      connection.close();
    }
    assertEquals(
      served.toSorted(),
      [first, second].flatMap(({ pid }) => [pid, pid, pid]).toSorted(),
    );
    for (let i = 1; i < 6; i++) assertNotEquals(served[i], served[i - 1]);
  },
});

Deno.test({
  name: "fdpass.ts passes on nc's connection, which gets back everything that it sends",
  ...needsNc,
  async fn() {
    const path = filePath();
    await using door = await accept(path);
    await using worker = await serve(path);
    const text = [...noise(20_000)].join(" ");
    const { stdout } = await runCommand(["nc", "-N", "127.0.0.1", `${door.port}`], text);
    assertEquals(stdout, `served by process ${worker.pid}\n${text}`);
  },
});

Deno.test({
  name: "fdpass.ts lets connections wait until a process serves, also after one is killed",
  ...linuxOnly,
  async fn() {
    const path = filePath();
    await using door = await accept(path);
    const early = connect(door.port);
    {
      await using worker = await serve(path);
      const { connection, pid } = await inTime(early, "the greeting");
      assertEquals(pid, worker.pid);
      connection.close();
      await worker.stop("SIGKILL");
      await door.stdout.wait(`process ${worker.pid} has ended`);
    }
    const late = connect(door.port);
    await using worker = await serve(path);
    const { connection, pid } = await inTime(late, "the greeting");
    assertEquals(pid, worker.pid);
    connection.close();
  },
});

Deno.test({
  name: "fdpass.ts does not leak descriptors in either process",
  ...linuxOnly,
  async fn() {
    const path = filePath();
    await using door = await accept(path);
    await using worker = await serve(path);
    await door.stdout.wait(/ serves$/);
    const one = async () => {
      const connection = await Deno.connect({ port: door.port });
      await connection.closeWrite();
      // The end comes when both processes have closed their copies.
      const text = await inTime(new Response(connection.readable).text(), "the end");
      assertEquals(text, `served by process ${worker.pid}\n`);
    };
    await one();
    const counts = () => [door, worker].map(({ pid }) => countDescriptors(pid));
    const before = counts();
    for (let i = 0; i < 50; i++) await one();
    assertEquals(counts(), before);
  },
});

Deno.test({
  name: "fdpass.ts serve --idle closes connections that are silent for so long",
  ...linuxOnly,
  async fn() {
    const path = filePath();
    await using door = await accept(path);
    await using worker = await serve(path, "--idle", "1");
    const connection = await Deno.connect({ port: door.port });
    const text = await inTime(new Response(connection.readable).text(), "the end");
    assertEquals(text, `served by process ${worker.pid}\n`);
    const { port } = connection.localAddr as Deno.NetAddr;
    await worker.stdout.wait(logged(`127.0.0.1:${port} idle`));
  },
});

Deno.test({
  name: "fdpass.ts rests when descriptors run out, and goes on later",
  ...linuxOnly,
  async fn() {
    const path = filePath();
    await using door = await accept(path, 40);
    // These take its descriptors, and no connections.
    const idle: Socket[] = [];
    for (let i = 0; i < 40; i++) {
      const socket = new Socket(AF_UNIX, SOCK_STREAM);
      socket.connect({ path });
      idle.push(socket);
    }
    await door.stderr.wait(/EMFILE.*resting from accepting$/);
    for (const socket of idle) socket.close();
    await using worker = await serve(path);
    await door.stdout.wait(`process ${worker.pid} serves`);
    const { connection, pid } = await connect(door.port);
    assertEquals(pid, worker.pid);
    connection.close();
    assertEquals((await door.stop()).code, 0);
  },
});

Deno.test({
  name: "fdpass.ts exits with 0 when it is interrupted, and so do the serving processes",
  ...linuxOnly,
  async fn() {
    const path = filePath();
    await using door = await accept(path);
    await using worker = await serve(path);
    await using other = await serve(path);
    assertEquals((await other.stop("SIGTERM")).code, 143);
    assertEquals((await door.stop()).code, 0);
    const { code, stderr } = await worker.end();
    assertEquals([code, stderr], [0, ""]);
  },
});

Deno.test({
  name: "fdpass.ts goes on when a message comes without a descriptor",
  ...linuxOnly,
  async fn() {
    const path = filePath();
    using boss = new Socket(AF_UNIX, SOCK_STREAM);
    boss.bind({ path });
    boss.listen();
    await using worker = await serve(path);
    using joined = boss.accept()!;
    joined.send(new Uint8Array(3));
    await worker.stderr.wait("fdpass.ts: A connection was lost on its way");
    joined.close();
    assertEquals((await worker.end()).code, 0);
  },
});

Deno.test({
  name: "fdpass.ts goes on when a message comes with a descriptor that is not a connection",
  ...linuxOnly,
  async fn() {
    const path = filePath();
    using boss = new Socket(AF_UNIX, SOCK_STREAM);
    boss.bind({ path });
    boss.listen();
    await using worker = await serve(path);
    using joined = boss.accept()!;
    const { reader, writer } = pipe();
    sendMessage(joined, new Uint8Array(1), { descriptors: [reader] });
    reader.close();
    await worker.stderr.wait(/^fdpass\.ts: A descriptor is not a socket: .*ENOTSOCK/);
    const [left, right] = socketpair();
    right.setBlocking(true);
    sendMessage(joined, new Uint8Array(1), { descriptors: [right] });
    right.close();
    untilReadable(left);
    const buffer = new Uint8Array(100);
    const size = left.recv(buffer)!;
    const greeting = new TextDecoder().decode(buffer.subarray(0, size));
    assertEquals(greeting, `served by process ${worker.pid}\n`);
    left.close();
    await worker.stdout.wait(/ closed$/);
    // The other descriptor was closed, and nothing reads from the pipe any more.
    assertThrows(() => writer.write(new Uint8Array(1)), OSError, "EPIPE");
    writer.close();
  },
});

Deno.test({
  name: "fdpass.ts rests when too many descriptors are in flight, and passes all on later",
  ...needsSetpriv,
  async fn() {
    const path = filePath();
    const drop = ["setpriv", "--bounding-set", "-sys_resource,-sys_admin"];
    await using door = await Example.start(
      "fdpass",
      ["--port", "0", "--socket", path, "accept"],
      { descriptors: 40, through: (command) => Deno.uid() === 0 ? [...drop, ...command] : command },
    );
    using slow = new Socket(AF_UNIX, SOCK_STREAM);
    slow.connect({ path });
    await door.stdout.wait(/ serves$/);
    const connections = [];
    for (let i = 0; i < 60; i++) connections.push(await Deno.connect({ port: door.port }));
    await door.stderr.wait(/ETOOMANYREFS.*; resting$/);
    for (let count = 0; count < 60; count++) {
      untilReadable(slow);
      using message = receiveMessage(slow, new Uint8Array(1), { descriptors: 1 })!;
      assertEquals(message.descriptors.length, 1);
    }
    for (const connection of connections) connection.close();
    assertEquals((await door.stop()).code, 0);
  },
});

Deno.test({
  name: "fdpass.ts does not pass connections to processes of other users",
  ...needsNobody,
  async fn() {
    const path = abstractPath();
    await using door = await accept(path.replace("\0", "@"));
    const source = "import socket, sys; s = socket.socket(socket.AF_UNIX); " +
      "s.connect('\\0' + sys.argv[1]); print(s.recv(9))";
    await using stranger = asNobody(source, path.slice(1)).spawn();
    await door.stderr.wait(/^fdpass\.ts: Refused process \d+ of user 65534$/);
    const output = await inTime(stranger.output(), "the end of the stranger");
    assertEquals(new TextDecoder().decode(output.stdout), "b''\n");
    await using worker = await serve(path.replace("\0", "@"));
    const { connection, pid } = await connect(door.port);
    assertEquals(pid, worker.pid);
    connection.close();
  },
});

Deno.test({
  name: "fdpass.ts does not serve connections that a process of another user passes on",
  ...needsNobody,
  async fn() {
    const path = abstractPath();
    const source = "import socket, sys; s = socket.socket(socket.AF_UNIX); " +
      "s.bind('\\0' + sys.argv[1]); s.listen(); print('ready', flush=True); s.accept()[0].recv(9)";
    await using stranger = asNobody(source, path.slice(1)).spawn();
    await new Lines(stranger.stdout).wait("ready");
    const name = path.replace("\0", "@");
    const { code, stdout, stderr } = await runExample("fdpass", ["--socket", name, "serve"]);
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr, /^fdpass\.ts: The process that accepts belongs to user 65534, not to /);
  },
});

Deno.test({
  name: "fdpass.ts meets at a name of the user's own by default",
  ...needsOwnNetwork,
  async fn() {
    // Abstract names belong to the network namespace.
    await using door = await Example.start("fdpass", ["--port", "0", "accept"], {
      through: (command) => inOwnNetwork("", command),
    });
    await using worker = await Example.start("fdpass", ["serve"], {
      through: (command) => inNetworkOf(door.pid, command),
    });
    assertMatch(worker.firstLine, /^serving what @readiness-fdpass-\d+ passes on /);
    await door.stdout.wait(`process ${worker.pid} serves`);
  },
});

Deno.test("fdpass.ts exits with 2 if the command line is wrong", async () => {
  await assertUsageErrors("fdpass", [
    "",
    "listen",
    "accept serve",
    "--port 65536 accept",
    "--idle 0 serve",
  ]);
});

Deno.test(
  "fdpass.ts exits with 1 if its path is missing or in use, and with 2 if it is too long",
  skipIf(isWindows, "descriptors do not pass over Unix sockets on Windows"),
  async () => {
    const taken = filePath();
    using socket = new Socket(AF_UNIX, SOCK_STREAM);
    socket.bind({ path: taken });
    for (
      const [args, message] of [
        [["--socket", filePath(), "serve"], /Cannot connect .*ENOENT/],
        [["--port", "0", "--socket", taken, "accept"], /Cannot bind .*EADDRINUSE/],
      ] as const
    ) {
      const { code, stderr } = await runExample("fdpass", args);
      assertEquals(code, 1);
      assertMatch(stderr, message);
    }
    const { code, stderr } = await runExample("fdpass", [
      "--socket",
      "/" + "x".repeat(200),
      "serve",
    ]);
    assert(code === 2, stderr);
    assertMatch(stderr, /^fdpass\.ts: Cannot use a path of 201 bytes/);
  },
);
