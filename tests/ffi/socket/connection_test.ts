import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import {
  AF_INET,
  createConnection,
  createServer,
  type InternetAddress,
  OSError,
  type SocketAddress,
} from "../../../ffi/socket/mod.ts";
import { linuxOnly, needs } from "../../support/skip.ts";
import {
  acceptFrom,
  deaf,
  filePath,
  needsUnix,
  places,
  untilReadable,
} from "../../support/sockets.ts";
import { COUNT_DESCRIPTORS, runProgram } from "../../support/subprocess.ts";

const loopback = { hostname: "127.0.0.1", port: 0 };

for (const place of places) {
  Deno.test(`createConnection() connects (${place.name})`, place.skip ?? {}, async () => {
    using server = createServer(place.free());
    using client = await createConnection(server.localAddress);
    assertEquals(client.remoteAddress, server.localAddress);
    using connection = acceptFrom(server);
    client.send(new Uint8Array(3));
    untilReadable(connection);
    assertEquals(connection.recv(new Uint8Array(9)), 3);
  });
}

Deno.test("createConnection() resolves a name, and its address has the type that was given", async () => {
  using server = createServer({ hostname: "localhost", port: 0 });
  const { port } = server.localAddress;
  using client = await createConnection({ hostname: "localhost", port });
  assertEquals(client.remoteAddress.port, port);
});

Deno.test("createConnection() takes a raw address", async () => {
  using server = createServer(loopback);
  const { port } = server.localAddress;
  const bytes = new Uint8Array([port >> 8, port & 255, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
  using client = await createConnection({ family: AF_INET, bytes });
  assertEquals(client.remoteAddress, server.localAddress);
});

Deno.test("createConnection() connects 100 times at once", async () => {
  using server = createServer(loopback);
  const { localAddress } = server;
  const clients = await Promise.all(
    Array.from({ length: 100 }, () => createConnection(localAddress)),
  );
  const ports = new Set(clients.map((client) => client.localAddress.port));
  assertEquals(ports.size, 100);
  for (const client of clients) client.close();
});

Deno.test("createConnection() rejects with OSError when nothing listens", async () => {
  using closed = deaf();
  const { port } = closed.localAddress as InternetAddress;
  const error = await assertRejects(
    () => createConnection({ hostname: "127.0.0.1", port }),
    OSError,
  );
  assertEquals([error.code, error.syscall], ["ECONNREFUSED", "connect"]);
  assertMatch(error.message, new RegExp(`^Cannot connect fd \\d+ to 127\\.0\\.0\\.1:${port}: `));
});

Deno.test(
  "createConnection() rejects with OSError when the path does not exist",
  needsUnix,
  async () => {
    const path = filePath();
    const error = await assertRejects(() => createConnection({ path }), OSError, path);
    assertEquals([error.code, error.syscall], ["ENOENT", "connect"]);
  },
);

Deno.test("createConnection() rejects with OSError when the name cannot be resolved", async () => {
  const address = { hostname: "no-such-host.invalid", port: 80 };
  const error = await assertRejects(() => createConnection(address), OSError);
  assertEquals(error.syscall, "getaddrinfo");
});

Deno.test("createConnection() rejects with TypeError or RangeError when the address is wrong", async () => {
  for (const address of [undefined, null, "127.0.0.1:80", {}, { hostname: "127.0.0.1" }]) {
    await assertRejects(
      () => createConnection(address as never),
      TypeError,
      "Cannot use an address",
    );
  }
  const outOfRange: SocketAddress[] = [
    { hostname: "localhost", port: -1 },
    { hostname: "localhost", port: 80.5 },
    { hostname: "no-such-host.invalid", port: 65_536 },
    { hostname: "a\0b", port: 80 },
    ...needsUnix.ignore ? [] : [{ path: "x".repeat(200) }],
    { family: AF_INET, bytes: new Uint8Array(200) },
  ];
  for (const address of outOfRange) {
    await assertRejects(() => createConnection(address), RangeError, "Cannot use a");
  }
});

Deno.test("createConnection() rejects with the signal's reason when it is aborted already", async () => {
  using server = createServer(loopback);
  const { localAddress } = server;
  const reason = new Error("enough");
  const signal = AbortSignal.abort(reason);
  assertEquals(await assertRejects(() => createConnection(localAddress, { signal })), reason);
  assertEquals(server.accept(), null);
});

Deno.test("createConnection() ends an attempt when the signal is aborted", linuxOnly, async () => {
  // Linux drops the attempts that a full backlog has no room for.
  using server = createServer(loopback, { backlog: 0 });
  const { localAddress } = server;
  using _first = await createConnection(localAddress);
  const aborted = new AbortController();
  const pending = createConnection(localAddress, { signal: aborted.signal });
  const timer = setTimeout(() => aborted.abort(new Error("enough")), 50);
  await assertRejects(() => pending, Error, "enough");
  clearTimeout(timer);
});

Deno.test(
  "createConnection() leaves no descriptor open when it fails or is aborted",
  linuxOnly,
  async () => {
    const { code, stdout, stderr } = await runProgram(`
    const { createConnection, createServer } = sockets;
    const loopback = { hostname: "127.0.0.1", port: 0 };
    using server = createServer(loopback, { backlog: 0 });
    using first = await createConnection(server.localAddress);
    using deaf = new sockets.Socket(sockets.AF_INET, sockets.SOCK_STREAM);
    deaf.bind(loopback);
    const closed = deaf.localAddress;
    const attempt = async () => {
      const results = await Promise.allSettled([
        createConnection(closed),
        createConnection({ path: "/nonexistent/socket" }),
        createConnection({ hostname: "no-such-host.invalid", port: 80 }),
        createConnection({ family: 255, bytes: new Uint8Array(4) }),
        createConnection(server.localAddress, { signal: AbortSignal.timeout(20) }),
        createConnection(server.localAddress, { signal: AbortSignal.abort() }),
      ]);
      return results.map(({ reason }) => reason?.code ?? reason?.name);
    };
    console.log((await attempt()).join());
    ${COUNT_DESCRIPTORS}
    const before = countDescriptors();
    for (let i = 0; i < 3; i++) await attempt();
    console.log(countDescriptors() - before);
  `);
    const [codes, leaked] = stdout.split("\n");
    assertEquals([code, leaked], [0, "0"], stderr);
    // 23 is TimeoutError, 20 AbortError.
    assertMatch(codes!, /^ECONNREFUSED,ENOENT,EAI_\w+,EAFNOSUPPORT,23,20$/);
  },
);

/** Runs a program in a mount namespace, where names have several addresses. */
function withHosts(hosts: string, command: readonly string[]): string[] {
  const script = [
    "set -e",
    `printf '${hosts}' > "$0"`,
    'mount --bind "$0" /etc/hosts',
    'exec "$@"',
  ];
  const user = Deno.uid() === 0 ? [] : ["--map-root-user"];
  return ["unshare", ...user, "--mount", "sh", "-c", script.join("\n"), filePath(), ...command];
}

const needsHosts = linuxOnly.ignore ? linuxOnly : needs("mount namespaces (unshare)", canMount());

function canMount(): boolean {
  try {
    const [program, ...args] = withHosts("", ["true"]);
    return new Deno.Command(program!, { args, stdout: "null", stderr: "null" }).outputSync()
      .success;
  } catch {
    return false;
  }
}

Deno.test("createConnection() tries each address of a name in turn", needsHosts, async () => {
  const { stdout, stderr } = await runProgram(
    `
    const { createConnection, createServer, resolve } = sockets;
    console.log((await resolve("several.test")).map(({ hostname }) => hostname).sort().join());
    for (const hostname of ["127.0.0.1", "127.0.0.2", "127.0.0.3"]) {
      using server = createServer({ hostname, port: 0 });
      const { port } = server.localAddress;
      using client = await createConnection({ hostname: "several.test", port });
      console.log(client.remoteAddress.hostname);
    }
    const addresses = await resolve("several.test");
    using deaf = new sockets.Socket(sockets.AF_INET, sockets.SOCK_STREAM);
    deaf.bind({ hostname: "127.0.0.1", port: 0 });
    const { port } = deaf.localAddress;
    const error = await createConnection({ hostname: "several.test", port }).catch((error) => error);
    console.log(error.code, error.message.includes(addresses.at(-1).hostname + ":" + port));
    `,
    ["--allow-ffi"],
    {},
    (command) =>
      withHosts(
        "127.0.0.1 several.test\\n127.0.0.2 several.test\\n127.0.0.3 several.test\\n",
        command,
      ),
  );
  assertEquals([stderr, ...stdout.split("\n")], [
    "",
    "127.0.0.1,127.0.0.2,127.0.0.3",
    "127.0.0.1",
    "127.0.0.2",
    "127.0.0.3",
    "ECONNREFUSED true",
  ]);
});
