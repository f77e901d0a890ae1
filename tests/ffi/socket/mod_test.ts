import {
  assert,
  assertEquals,
  assertGreater,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import * as socket from "../../../ffi/socket/mod.ts";
import type {
  HasFileno,
  InternetAddress,
  SocketAddress,
  UnixAddress,
} from "../../../ffi/socket/mod.ts";
import { OSError } from "../../../mod.ts";
import { linuxOnly, needs } from "../../support/skip.ts";
import { COUNT_DESCRIPTORS, runProgram } from "../../support/subprocess.ts";
import { libcPath } from "../../support/platform.ts";
import { isWindows } from "../../support/os.ts";
import { filePath, needsUnix } from "../../support/sockets.ts";

Deno.test("./socket exports the documented functions, classes and constants", () => {
  for (const name of ["FileDescriptor", "OSError", "Socket", "pipe", "socketpair"] as const) {
    assertEquals(typeof socket[name], "function", name);
  }
  for (
    const name of `AF_INET AF_INET6 AF_UNIX SOCK_STREAM SOCK_DGRAM SOCK_RAW SOCK_SEQPACKET
      IPPROTO_IP IPPROTO_ICMP IPPROTO_TCP IPPROTO_UDP IPPROTO_IPV6 IPPROTO_ICMPV6 IPPROTO_RAW
      SOL_SOCKET SOMAXCONN SO_BROADCAST SO_ERROR SO_KEEPALIVE SO_LINGER SO_RCVBUF SO_REUSEADDR
      SO_SNDBUF SO_TYPE MSG_OOB MSG_PEEK MSG_TRUNC
      MSG_WAITALL TCP_NODELAY IP_TTL IPV6_V6ONLY`.split(/\s+/)
  ) assertEquals(typeof socket[name as keyof typeof socket], "number", name);
  for (const name of ["SO_REUSEPORT", "MSG_DONTWAIT", "MSG_NOSIGNAL"] as const) {
    assertEquals(typeof socket[name], isWindows ? "undefined" : "number", name);
  }
});

Deno.test("./socket exports the documented types", () => {
  const internet: InternetAddress = { hostname: "::1", port: 0 };
  const unix: UnixAddress = { path: "/tmp/socket" };
  const addresses: SocketAddress[] = [internet, unix];
  const { reader, writer } = socket.pipe();
  const files: HasFileno[] = [reader, writer];
  const disposables: Disposable[] = [reader, writer];
  for (const file of disposables) file[Symbol.dispose]();
  assertEquals([addresses.length, files.length], [2, 2]);
});

Deno.test("./socket exports the same OSError as the package", () => {
  assertEquals(socket.OSError, OSError);
});

Deno.test("Socket and FileDescriptor have only the documented members", () => {
  const { FileDescriptor, Socket } = socket;
  assertEquals(Object.getPrototypeOf(Socket), FileDescriptor);
  assertEquals(
    Object.getOwnPropertyNames(FileDescriptor.prototype).sort(),
    [
      "close",
      "constructor",
      "detach",
      "dup",
      "fileno",
      "isBlocking",
      "read",
      "setBlocking",
      "setInheritable",
      "write",
    ],
  );
  assertEquals(
    Object.getOwnPropertyNames(Socket.prototype).sort(),
    [
      "accept",
      "bind",
      "connect",
      "constructor",
      "error",
      "getOption",
      "listen",
      "localAddress",
      "read",
      "recv",
      "recvFrom",
      "remoteAddress",
      "send",
      "sendTo",
      "setOption",
      "shutdown",
      "write",
    ],
  );
});

Deno.test("./socket can be imported without any permission", async () => {
  const { code, stdout, stderr } = await runProgram(
    `console.log(sockets.AF_INET, new sockets.FileDescriptor(5).fileno())`,
    [],
  );
  assertEquals([code, stdout], [0, `${socket.AF_INET} 5`], stderr);
});

Deno.test("./socket throws NotCapable without permission, and the message names the flag", async () => {
  const { stdout, stderr } = await runProgram(
    `
    const { AF_INET, SOCK_STREAM, FileDescriptor, Socket } = sockets;
    for (const call of [
      () => new Socket(AF_INET, SOCK_STREAM),
      () => Socket.fromFd(0),
      () => sockets.socketpair(),
      () => sockets.pipe(),
      () => new FileDescriptor(0).read(new Uint8Array(1)),
      () => new FileDescriptor(1).write(new Uint8Array(1)),
      () => new FileDescriptor(1).setBlocking(false),
      () => new FileDescriptor(1).close(),
    ]) {
      try { call(); console.log("no error"); }
      catch (error) {
        console.log(error instanceof Deno.errors.NotCapable, error.message);
      }
    }`,
    ["--allow-read", "--allow-net", "--allow-env", "--allow-sys"],
  );
  const lines = stdout.split("\n");
  assertEquals(lines.length, 8, stderr);
  for (const line of lines) {
    assertStringIncludes(line, "true Cannot open libc without FFI permission");
    assertStringIncludes(line, "--allow-ffi");
    assertMatch(line, /--allow-ffi=(\/|[A-Z]:)/);
  }
});

/** Makes every kind of call: sockets of each family, a name, an error, a wait. */
const TOUR = `
  const { AF_INET, AF_INET6, AF_UNIX, SOCK_DGRAM, SOCK_STREAM, Socket, OSError } = sockets;
  const text = (bytes) => new TextDecoder().decode(bytes);
  const said = [];
  using selector = new selectors.SelectSelector();
  const until = (file, events) => {
    selector.register(file, events);
    selector.select();
    selector.unregister(file);
  };
  {
    using server = new Socket(AF_INET, SOCK_STREAM);
    server.bind({ hostname: "localhost", port: 0 });
    server.listen();
    using client = new Socket(AF_INET, SOCK_STREAM);
    if (!client.connect(server.localAddress)) until(client, EVENT_WRITE);
    said.push(client.error());
    until(server, EVENT_READ);
    using accepted = server.accept();
    said.push(accepted.remoteAddress.port === client.localAddress.port);
    client.send(new TextEncoder().encode("stream"));
    until(accepted, EVENT_READ);
    const buffer = new Uint8Array(6);
    accepted.recv(buffer);
    said.push(text(buffer));
  }
  {
    using left = new Socket(AF_UNIX, SOCK_DGRAM);
    using right = new Socket(AF_UNIX, SOCK_DGRAM);
    right.bind({ path: PATH });
    left.sendTo(new Uint8Array(3), right.localAddress);
    said.push(right.recvFrom(new Uint8Array(9)).address.path);
    said.push(right.localAddress.path);
  }
  {
    const [left, right] = sockets.socketpair();
    left.setOption(sockets.SOL_SOCKET, sockets.SO_KEEPALIVE, 1);
    said.push(left.getOption(sockets.SOL_SOCKET, sockets.SO_KEEPALIVE) !== 0);
    left.shutdown("both");
    left.close();
    said.push(right.read(new Uint8Array(1)));
    right.close();
    const { reader, writer } = sockets.pipe();
    said.push(writer.write(new Uint8Array(2)), reader.read(new Uint8Array(3)));
    writer.setBlocking(true);
    writer.close();
    reader.close();
  }
  for (const call of [
    () => Socket.fromFd(999_999),
    () => new Socket(AF_INET, SOCK_DGRAM).bind({ hostname: "no-such-host.invalid", port: 1 }),
  ]) {
    try { call(); }
    catch (error) { said.push(error instanceof OSError, error.syscall, error.code.slice(0, 4)); }
  }
  console.log(JSON.stringify(said));
`;

const permissions = [
  { name: "--allow-ffi", flags: ["--allow-ffi"] },
  {
    name: "--allow-ffi=<libc>",
    flags: [`--allow-ffi=${libcPath}`],
    skip: needs("libc at one of its usual places", libcPath !== undefined),
  },
];

for (const { name, flags, skip } of permissions) {
  Deno.test({
    name: `./socket needs only ${name}`,
    ...needsUnix,
    ...skip,
    async fn() {
      const path = filePath();
      const { code, stdout, stderr } = await runProgram(`const PATH = "${path}";${TOUR}`, [
        ...flags,
        "--deny-read",
        "--deny-write",
        "--deny-net",
        "--deny-env",
        "--deny-sys",
        "--deny-run",
      ]);
      assertEquals([code, stderr.replace(/^.*(?:Warning|unstable).*$/gm, "")], [0, ""]);
      const said = JSON.parse(stdout);
      assertEquals(said, [
        null,
        true,
        "stream",
        "",
        path,
        true,
        0,
        2,
        2,
        true,
        "getsockopt",
        "EBAD",
        true,
        "getaddrinfo",
        "EAI_",
      ]);
    },
  });
}

Deno.test("./socket leaves no descriptor open, also when calls fail", needsUnix, async () => {
  const here = new URL(".", import.meta.url);
  const { code, stdout, stderr } = await runProgram(
    `
    import { errorCases } from "${new URL("error_cases/mod.ts", here)}";
    const { AF_UNIX, FileDescriptor, SOCK_STREAM, Socket } = sockets;

    function uses() {
      const { reader, writer } = sockets.pipe();
      using _reader = reader;
      writer[Symbol.dispose]();
      const [left, right] = sockets.socketpair();
      left.close();
      left.close();
      new FileDescriptor(right.detach()).close();
      using server = new Socket(AF_UNIX, SOCK_STREAM);
      const folder = Deno.makeTempDirSync();
      server.bind({ path: folder + "/socket" });
      server.listen();
      using client = new Socket(AF_UNIX, SOCK_STREAM);
      client.connect(server.localAddress);
      Socket.fromFd(server.accept().detach()).close();
      Deno.removeSync(folder, { recursive: true });
    }
    const cases = [["use", [uses]]];
    for (const { name, calls, ignore } of errorCases) {
      if (!ignore) cases.push([name, calls]);
    }

    ${COUNT_DESCRIPTORS}
    let calls = 0;
    function attempt(call) {
      calls++;
      try { call(); } catch { /* As it should be. */ }
    }
    cases.forEach(([, calls]) => attempt(calls[0])); // Opens what stays open.
    const leaks = [];
    for (const [name, calls] of cases) {
      const before = countDescriptors();
      calls.forEach(attempt);
      if (countDescriptors() !== before) leaks.push(name);
    }
    console.log(JSON.stringify({ calls, leaks }));
    `,
    ["--allow-all", `--import-map=${new URL("../../../deno.json", here).pathname}`],
  );
  assertEquals(code, 0, stderr);
  const { calls, leaks } = JSON.parse(stdout.split("\n").at(-1)!);
  assertGreater(calls, 300);
  assertEquals(leaks, []);
});

Deno.test({
  name: "./socket throws EMFILE when descriptors run out, and leaks none",
  ...linuxOnly,
  async fn() {
    const { code, stdout, stderr } = await runProgram(`
      const { AF_INET, SOCK_STREAM, Socket } = sockets;
      const { setrlimit } = Deno.dlopen(
        "libc.so.6",
        { setrlimit: { parameters: ["i32", "buffer"], result: "i32" } },
      ).symbols;
      using server = new Socket(AF_INET, SOCK_STREAM);
      server.bind({ hostname: "127.0.0.1", port: 0 });
      server.listen();
      using client = new Socket(AF_INET, SOCK_STREAM);
      client.connect(server.localAddress);
      using selector = new selectors.SelectSelector();
      selector.register(server, EVENT_READ);
      selector.select();

      setrlimit(7, new BigUint64Array([200n, 200n])); // RLIMIT_NOFILE
      const open = [];
      const fill = () => {
        try { for (;;) open.push(new Socket(AF_INET, SOCK_STREAM)); }
        catch (error) { return error.syscall + " " + error.code; }
      };
      const said = [fill()];
      const room = open.length;
      const attempt = (call) => {
        try { call(); said.push("no error"); }
        catch (error) { said.push(error.syscall + " " + error.code); }
      };
      for (let i = 0; i < 3; i++) {
        attempt(() => server.accept());
        attempt(() => sockets.socketpair());
        attempt(() => sockets.pipe());
        open.pop().close(); // There is room for one, but not for two.
        attempt(() => sockets.socketpair());
        attempt(() => sockets.pipe());
        fill();
      }
      open.pop().close();
      using accepted = server.accept(); // The connection is still waiting.
      said.push(accepted.remoteAddress.port === client.localAddress.port);
      accepted.close();
      fill();
      said.push(open.length === room);
      console.log(JSON.stringify(said));
    `);
    assertEquals(code, 0, stderr);
    const round = [
      "accept4 EMFILE",
      "socketpair EMFILE",
      "pipe2 EMFILE",
      "socketpair EMFILE",
      "pipe2 EMFILE",
    ];
    const said = JSON.parse(stdout);
    assertEquals(said, ["socket EMFILE", ...round, ...round, ...round, true, true]);
    assert(said.length === 18);
  },
});
