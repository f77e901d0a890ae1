import { assertEquals } from "@std/assert";
import {
  AF_UNIX,
  FileDescriptor,
  SOCK_DGRAM,
  SOCK_STREAM,
  Socket,
} from "../../../ffi/socket/mod.ts";
import { linuxOnly, needs } from "../../support/skip.ts";
import { runProgram, startProgram } from "../../support/subprocess.ts";
import { abstractPath, acceptFrom } from "../../support/sockets.ts";
import { turnEventLoop } from "../../support/event_loop.ts";

Deno.test({
  name: "Socket.send(), write() and sendTo() throw EPIPE and do not raise SIGPIPE",
  ...linuxOnly,
  async fn() {
    const { signal, stdout, stderr } = await runProgram(`
      const libc = Deno.dlopen(
        "libc.so.6",
        { signal: { parameters: ["i32", "usize"], result: "usize" } },
      ).symbols;
      libc.signal(13, 0n); // From here on SIGPIPE ends this program, like one in C.
      const { AF_INET, AF_UNIX, SOCK_STREAM, Socket, pipe, socketpair } = sockets;
      const attempt = (call) => {
        try { console.log(call()); }
        catch (error) { console.log(error.code, error.syscall); }
      };
      const byte = new Uint8Array(1);
      const [left, right] = socketpair();
      right.close();
      attempt(() => left.send(byte));
      attempt(() => left.write(byte));

      using server = new Socket(AF_INET, SOCK_STREAM);
      server.bind({ hostname: "127.0.0.1", port: 0 });
      server.listen();
      using client = new Socket(AF_INET, SOCK_STREAM);
      client.connect(server.localAddress);
      using selector = new selectors.SelectSelector();
      selector.register(server, EVENT_READ);
      selector.select();
      using accepted = server.accept();
      client.shutdown("write");
      attempt(() => client.send(byte));
      attempt(() => client.write(byte));
      attempt(() => client.sendTo(byte, server.localAddress));

      // SIGPIPE does end the program: write() on a pipe raises it.
      const { reader, writer } = pipe();
      reader.close();
      attempt(() => writer.write(byte));
    `);
    assertEquals(
      stdout.split("\n"),
      ["EPIPE send", "EPIPE send", "EPIPE send", "EPIPE send", "EPIPE sendto"],
      stderr,
    );
    assertEquals(signal, "SIGPIPE", stderr);
  },
});

/** The number of signals that interrupt each call. */
const SIGNALS = 5;

/**
 * Makes each call of a blocking socket, and waits in it until the test ends the call. The timeout
 * makes Linux return `EINTR` after a signal; without it Linux restarts the call.
 */
const PROGRAM = `
  const { AF_UNIX, SOCK_DGRAM, SOCK_STREAM, SO_RCVTIMEO, SO_SNDTIMEO, SOL_SOCKET } = sockets;
  const { FileDescriptor, Socket } = sockets;
  const [stream, datagrams, own] = JSON.parse(Deno.env.get("PATHS"));
  Deno.addSignalListener("SIGUSR2", () => {});

  function blocking(socket) {
    const timeout = new Uint8Array(new BigInt64Array([20n, 0n]).buffer);
    socket.setOption(SOL_SOCKET, SO_RCVTIMEO, timeout);
    socket.setOption(SOL_SOCKET, SO_SNDTIMEO, timeout);
    socket.setBlocking(true);
  }
  function attempt(name, socket, call) {
    console.log("begin", name, socket.fileno());
    try { console.log("end", name, call()); }
    catch (error) {
      console.log("end", name, String(error));
      Deno.exit(1);
    }
  }

  const byte = new Uint8Array(1);
  using socket = new Socket(AF_UNIX, SOCK_STREAM);
  socket.connect({ path: stream });
  blocking(socket);
  attempt("recv", socket, () => socket.recv(byte));
  attempt("read", socket, () => FileDescriptor.prototype.read.call(socket, byte));
  attempt("recvFrom", socket, () => socket.recvFrom(byte).size);

  using server = new Socket(AF_UNIX, SOCK_STREAM);
  server.bind({ path: own });
  server.listen();
  blocking(server);
  attempt("accept", server, () => server.accept().constructor.name);

  const much = new Uint8Array(100_000);
  function full() {
    const socket = new Socket(AF_UNIX, SOCK_STREAM);
    socket.connect({ path: stream });
    while (socket.send(much) > 0);
    while (socket.send(byte) > 0);
    blocking(socket);
    return socket;
  }
  using first = full();
  attempt("send", first, () => first.send(byte));
  using second = full();
  attempt("write", second, () => FileDescriptor.prototype.write.call(second, byte));

  using sender = new Socket(AF_UNIX, SOCK_DGRAM);
  while (sender.sendTo(byte, { path: datagrams }) > 0);
  blocking(sender);
  attempt("sendTo", sender, () => sender.sendTo(byte, { path: datagrams }));
  Deno.exit();
`;

function canSeeCalls(): boolean {
  try {
    return Deno.readTextFileSync("/proc/self/syscall").length > 0;
  } catch {
    return false;
  }
}

/** Returns a file of /proc about a program, empty once the program has ended. */
function about(pid: number, what: string): string {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/${what}`);
  } catch {
    return "";
  }
}

/** Returns how often a program has started to wait, or -1 once it has ended. */
function waits(pid: number): number {
  const status = about(pid, "status");
  if (/^State:\s*[ZX]/m.test(status)) return -1;
  return Number(/^voluntary_ctxt_switches:\s*(\d+)/m.exec(status)?.[1] ?? -1);
}

/**
 * Waits until a program is blocked in a call on a descriptor, once more than before.
 *
 * @returns How often it has started to wait, or -1 if it has ended
 */
async function untilBlocked(pid: number, fd: number, before = -1): Promise<number> {
  for (;;) {
    const [, argument] = about(pid, "syscall").split(" ");
    const now = waits(pid);
    if (now < 0 || now > before && argument === `0x${fd.toString(16)}`) return now;
    await turnEventLoop(1);
  }
}

Deno.test({
  name: "Socket and FileDescriptor never throw EINTR when signals interrupt a blocking call",
  ...linuxOnly,
  ...needs("/proc/self/syscall", canSeeCalls()),
  async fn() {
    const [stream, datagrams, own] = [abstractPath(), abstractPath(), abstractPath()];
    using server = new Socket(AF_UNIX, SOCK_STREAM);
    server.bind({ path: stream });
    server.listen();
    using receiver = new Socket(AF_UNIX, SOCK_DGRAM);
    receiver.bind({ path: datagrams });

    const child = await startProgram(PROGRAM, ["--allow-all"], {
      PATHS: JSON.stringify([stream, datagrams, own]),
    });
    using peer = acceptFrom(server);
    using caller = new Socket(AF_UNIX, SOCK_STREAM);
    using opened = new DisposableStack();
    const much = new Uint8Array(1_000_000);
    const drain = () => {
      const full = opened.use(acceptFrom(server));
      while (full.recv(much));
    };
    const finish: Record<string, () => unknown> = {
      recv: () => peer.send(new Uint8Array(1)),
      read: () => new FileDescriptor(peer.fileno()).write(new Uint8Array(1)),
      recvFrom: () => peer.send(new Uint8Array(1)),
      accept: () => caller.connect({ path: own }),
      send: drain,
      write: drain,
      sendTo: () => receiver.recv(much),
    };

    const ends: string[] = [];
    let rest = "";
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        const [what, name, value] = line.split(/ (\w+) (.*)/);
        if (what === "end") {
          ends.push(`${name} ${value}`);
          continue;
        }
        const fd = Number(value);
        let blocked = await untilBlocked(child.pid, fd);
        for (let i = 0; i < SIGNALS && blocked >= 0; i++) {
          Deno.kill(child.pid, "SIGUSR2");
          blocked = await untilBlocked(child.pid, fd, blocked);
        }
        if (blocked >= 0) finish[name]();
      }
    }
    const { code } = await child.status;
    await child.stderr.cancel();
    assertEquals(ends, [
      "recv 1",
      "read 1",
      "recvFrom 1",
      "accept Socket",
      "send 1",
      "write 1",
      "sendTo 1",
    ]);
    assertEquals(code, 0);
  },
});
