import { assert, assertEquals, assertGreater, assertMatch } from "@std/assert";
import {
  AF_INET,
  type InternetAddress,
  SOCK_DGRAM,
  SOCK_RAW,
  Socket,
} from "../../ffi/socket/mod.ts";
import { runCommand } from "../support/command.ts";
import { linuxOnly, needsProgram, skipIf } from "../support/skip.ts";
import { inNetworkOf, inOwnNetwork, needsOwnNetwork, needsRaw } from "../support/privileges.ts";
import {
  Example,
  needsSignals,
  needsUnusedHostname,
  unusedHostname,
} from "../support/example_process.ts";
import { datagrams, needsIpv6, noise, untilReadable, unusedPort } from "../support/sockets.ts";
import { isQemu, isWine } from "../support/os.ts";
import { assertUsageErrors, runEach } from "./command_lines.ts";
import { logged } from "./logged.ts";

const needsSocat = needsProgram("socat");
const needsPython = needsProgram("python3");

const start = (...args: string[]) => Example.start("udp_echo", args);

/** The ports of all addresses that the first line tells. */
function portsOf({ firstLine }: Example): number[] {
  return [...firstLine.matchAll(/:(\d+)(?= )/g)].map(([, port]) => Number(port));
}

Deno.test({
  name: "udp_echo.ts answers socat from each of several addresses",
  ...needsSocat,
  ...needsIpv6,
  ...linuxOnly,
  async fn() {
    const other = unusedHostname();
    await using server = await start("127.0.0.1:0", "[::1]:0", `${other}:0`);
    const [v4, v6, third] = portsOf(server);
    assertMatch(
      server.firstLine,
      /^listening on 127\.0\.0\.1:\d+ \[::1\]:\d+ 127\S+ \(\w+Selector\)$/,
    );
    for (
      const address of [`UDP4:127.0.0.1:${v4}`, `UDP6:[::1]:${v6}`, `UDP4:${other}:${third}`]
    ) {
      // Connected, socat hears only the address that it asked.
      const command = ["socat", "-T", "120", `SYSTEM:echo hello; head -n 1 >&2`, address];
      assertEquals((await runCommand(command)).stderr, "hello\n");
    }
    const { code, stdout } = await server.stop();
    assertEquals(code, 0);
    assertEquals(
      stdout.match(/: 1 echoed, dropped: 0 too large, 0 unsent, 0 by a full buffer/g)!.length,
      3,
    );
  },
});

Deno.test({
  name: "udp_echo.ts sends datagrams of all sizes back to python3",
  ...needsPython,
  async fn() {
    await using server = await start("127.0.0.1:0");
    const { code, stderr } = await runCommand(["python3", "-c", PYTHON, `${server.port}`]);
    assertEquals([code, stderr], [0, ""]);
    const { stdout } = await server.stop();
    assertMatch(stdout, /: 7 echoed, dropped: 0 too large, 0 unsent, 0 by a full buffer$/m);
  },
});

const PYTHON = `
import os, socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(120)
s.connect(("127.0.0.1", int(sys.argv[1])))
largest = 9216 if sys.platform == "darwin" else 65507
for size in 0, 1, 1000, 1472, 1473, largest - 507, largest:
    data = os.urandom(size)
    s.send(data)
    assert s.recv(65536) == data, size
`;

Deno.test("udp_echo.ts drops and counts datagrams that are too large", needsSignals, async () => {
  await using server = await start("--size", "10", "--verbose", "127.0.0.1:0");
  using client = datagrams();
  const to = { hostname: "127.0.0.1", port: server.port };
  for (const size of [11, 10, 9_000, 0]) client.sendTo(noise(size), to);
  const { port } = client.localAddress as InternetAddress;
  await server.stdout.wait(logged(`127.0.0.1:${port} sent 0 bytes to 127.0.0.1:${server.port}`));
  for (const size of [10, 0]) {
    untilReadable(client);
    assertEquals(client.recv(new Uint8Array(100)), size);
  }
  assertEquals(client.recv(new Uint8Array(100)), null);
  const { stdout } = await server.stop();
  assertMatch(stdout, /Z 127\.0\.0\.1:\d+ sent more than 10 bytes to /m);
  assertMatch(stdout, /: 2 echoed, dropped: 2 too large, 0 unsent, 0 by a full buffer$/m);
});

Deno.test({
  name: "udp_echo.ts counts the datagrams that the system dropped",
  ...skipIf(isQemu, "qemu has no SO_RXQ_OVFL"),
  ...linuxOnly,
  async fn() {
    await using server = await start("--buffer", "1", "127.0.0.1:0");
    const to = { hostname: "127.0.0.1", port: server.port };
    using client = new Socket(AF_INET, SOCK_DGRAM);
    client.connect(to);
    const flood = 1000;
    server.kill("SIGSTOP");
    for (let i = 0; i < flood; i++) client.send(new Uint8Array(100));
    server.kill("SIGCONT");
    // The count comes with the next datagram that there is room for.
    let echoed = 0;
    while (client.recv(new Uint8Array(9)) !== 1) {
      client.send(new Uint8Array(1));
      untilReadable(client);
      echoed++;
    }
    assert(echoed > 0);
    const { stdout } = await server.stop();
    assertGreater(Number(/(\d+) by a full buffer$/m.exec(stdout)![1]), flood / 2);
  },
});

Deno.test({
  name: "udp_echo.ts goes on after a datagram that cannot be answered",
  ...needsRaw,
  async fn() {
    await using server = await start("127.0.0.1:0");
    using raw = new Socket(AF_INET, SOCK_RAW, 17);
    const datagram = new Uint8Array(9);
    new DataView(datagram.buffer).setUint16(2, server.port);
    datagram[5] = 9; // From port 0, without a checksum.
    raw.sendTo(datagram, { hostname: "127.0.0.1", port: 0 });
    using client = datagrams();
    client.sendTo(noise(3), { hostname: "127.0.0.1", port: server.port });
    untilReadable(client);
    const { stdout } = await server.stop();
    assertMatch(stdout, /: 1 echoed, dropped: 0 too large, 1 unsent, 0 by a full buffer$/m);
  },
});

Deno.test({
  name: "udp_echo.ts on 0.0.0.0 answers from the address that was asked",
  ...needsUnusedHostname,
  ...skipIf(isWine, "under Wine the answer does not arrive"),
  async fn() {
    await using server = await start("0.0.0.0:0");
    using client = new Socket(AF_INET, SOCK_DGRAM);
    // Connected, it receives only from that address.
    client.connect({ hostname: unusedHostname(), port: server.port });
    client.send(noise(3));
    untilReadable(client);
    assertEquals(client.recv(new Uint8Array(9)), 3);
  },
});

Deno.test({
  name: "udp_echo.ts on :: answers from the address that was asked",
  ...needsOwnNetwork,
  ...needsIpv6,
  ...needsPython,
  async fn() {
    const addresses = ["fd00::1", "fd00::2"].map((address) => `ip addr add ${address} dev lo`);
    await using server = await Example.start("udp_echo", ["[::]:0"], {
      through: (command) => inOwnNetwork(addresses.join("\n"), command),
    });
    const source = "import socket, sys; s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); " +
      "s.settimeout(120); s.bind(('fd00::1', 0)); s.connect(('fd00::2', int(sys.argv[1]))); " +
      "s.send(b'hello'); print(s.recv(9))";
    const client = inNetworkOf(server.pid, ["python3", "-c", source, `${server.port}`]);
    assertEquals((await runCommand(client)).stdout, "b'hello'\n");
  },
});

Deno.test({
  name: "udp_echo.ts serves 0.0.0.0 and :: side by side",
  ...needsIpv6,
  async fn() {
    const port = unusedPort();
    await using server = await start(`0.0.0.0:${port}`, `[::]:${port}`);
    assertEquals(portsOf(server), [port, port]);
  },
});

Deno.test("udp_echo.ts exits with 2 if the command line is wrong", async () => {
  await assertUsageErrors("udp_echo", [
    "127.0.0.1",
    "127.0.0.1:65536",
    "127.0.0.1:-1",
    "::1:80",
    "--size 65536",
    "--buffer 0",
    "no.such.host.invalid:80",
  ]);
});

Deno.test("udp_echo.ts exits with 1 if an address is in use or not local", async () => {
  using taken = datagrams();
  const { port } = taken.localAddress as InternetAddress;
  const runs = await runEach("udp_echo", [[`127.0.0.1:${port}`], ["203.0.113.7:7"]]);
  for (const { code, stdout, stderr } of runs) {
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr, /^udp_echo\.ts: Cannot bind .*\((EADDRINUSE|EADDRNOTAVAIL)\)$/m);
  }
});
