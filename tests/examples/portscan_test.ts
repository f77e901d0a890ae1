import {
  assert,
  assertEquals,
  assertGreater,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { DefaultSelector, EVENT_READ } from "../../mod.ts";
import { AF_INET, AF_INET6, SOCK_STREAM, Socket } from "../../ffi/socket/mod.ts";
import { linuxOnly, needsProgram, skipUnless } from "../support/skip.ts";
import { inTime } from "../support/deadline.ts";
import {
  Example,
  needsUnusedHostname,
  runExample,
  unusedHostname,
} from "../support/example_process.ts";
import { runCommand } from "../support/command.ts";
import { isLinux, isWine } from "../support/os.ts";
import { inOwnNetwork, needsOwnNetwork, untilUp } from "../support/privileges.ts";
import { needsIpv6, reset } from "../support/sockets.ts";
import { assertUsageErrors } from "./command_lines.ts";

const needsPython = needsProgram("python3");
const needsNmap = needsProgram("nmap");

/** Windows asks a closed port for two seconds. */
const PATIENTLY = ["--timeout", "20000"];

Deno.test("portscan.ts prints the open ports, counts all, and exits with 0", async () => {
  using ports = new Ports();
  const [open, closed, alsoOpen] = [ports.open(), ports.closed(), ports.open()];
  const list = `${open},${closed},${alsoOpen}`;
  const { code, stdout, stderr } = await runExample("portscan", ["--ports", list, ...PATIENTLY]);
  assertEquals([code, sort(stdout)], [0, sort(line(open, "open") + line(alsoOpen, "open"))]);
  assertMatch(
    stderr,
    /^3 of 3 ports of 127\.0\.0\.1: 2 open, 1 closed, 0 filtered in \d+\.\d\d s\n$/,
  );
});

Deno.test({
  name: "portscan.ts reports a port without an answer as filtered",
  ...skipUnless(isLinux || isWine, "other systems answer when a backlog is full"),
  ...needsUnusedHostname,
  async fn() {
    using ports = new Ports();
    const [silent, open, closed] = [ports.silent(), ports.open(), ports.closed()];
    const list = `${silent},${open},${closed}`;
    const started = performance.now();
    const args = ["--all", "--timeout", "300", "--ports", list];
    const { code, stdout, stderr } = await runExample("portscan", args);
    assert(performance.now() - started >= 300, "It did not wait");
    const expected = line(silent, "filtered") + line(open, "open") + line(closed, "closed");
    assertEquals([code, sort(stdout)], [0, sort(expected)]);
    assertStringIncludes(stderr, "1 open, 1 closed, 1 filtered");
  },
});

Deno.test("portscan.ts exits with 1 if no port is open", async () => {
  using ports = new Ports();
  const { code, stdout, stderr } = await runExample("portscan", [
    "--ports",
    `${ports.closed()}`,
    ...PATIENTLY,
  ]);
  assertEquals([code, stdout], [1, ""]);
  assertStringIncludes(stderr, "1 of 1 ports of 127.0.0.1: 0 open, 1 closed");
});

for (
  const [what, limit, descriptors] of [
    ["stays within --limit", 5, 100],
    ["stays within the limit of descriptors", 1000, 40],
  ] as const
) {
  Deno.test({
    name: `portscan.ts ${what} and tries every port`,
    ...linuxOnly,
    async fn() {
      using ports = new Ports();
      const silent = Array.from({ length: 30 }, () => ports.silent());
      const open = ports.open();
      const args = ["--limit", `${limit}`, "--timeout", "100", "--ports", `${silent},${open}`];
      const started = performance.now();
      const { code, stdout, stderr } = await runExample("portscan", args, { descriptors });
      if (limit === 5) assert(performance.now() - started >= 600, "More were tried at once");
      assertEquals([code, stdout], [0, line(open, "open")], stderr);
      assertStringIncludes(stderr, "31 of 31 ports of 127.0.0.1: 1 open, 0 closed, 30 filtered");
    },
  });
}

Deno.test({
  name: "portscan.ts does not report a connection with itself as an open port",
  ...needsOwnNetwork,
  async fn() {
    // The only local port that the system can pick is the one that is scanned.
    const range = "echo 40001 40001 > /proc/sys/net/ipv4/ip_local_port_range";
    const { code, stdout, stderr } = await runExample("portscan", ["--ports", "40001"], {
      through: (command) => inOwnNetwork(range, command),
    });
    assertEquals([code, stdout], [1, ""]);
    assertStringIncludes(stderr, "0 open, 1 closed, 0 filtered");
  },
});

Deno.test({
  name: "portscan.ts finds the ports that nmap finds",
  ...needsNmap,
  ...linuxOnly,
  async fn() {
    using ports = new Ports(unusedHostname());
    for (const port of [20_000, 20_011, 25_555, 29_999]) ports.open(port);
    const list = ["-p", "20000-29999,http", ports.hostname];
    const [{ code, stdout, stderr }, theirs] = await Promise.all([
      runExample("portscan", list),
      runCommand(["nmap", "-sT", "-n", "-Pn", ...list]),
    ]);
    const found = [...stdout.matchAll(/:(\d+) open$/gm)].map(([, port]) => port);
    const foundByNmap = [...theirs.stdout.matchAll(/^(\d+)\/tcp +open /gm)].map(([, port]) => port);
    assertEquals([code, found.sort()], [0, ["20000", "20011", "25555", "29999"]], stderr);
    assertEquals(foundByNmap.sort(), found, theirs.stdout);
    assertStringIncludes(stderr, "10001 of 10001 ports");
  },
});

Deno.test({
  name: "portscan.ts scans the networks and hosts that nmap scans",
  ...needsNmap,
  ...linuxOnly,
  ...needsIpv6,
  async fn() {
    const first = unusedHostname().replace(/\d+$/, "8"); // The first address of a /29
    using ports = new Ports(first);
    const port = ports.open();
    for (const last of [9, 15]) ports.open(port, first.replace(/\d+$/, `${last}`));
    for (const target of [`${first}/29`, `${first}/32`, "::1/127"]) {
      const [{ stdout, stderr }, theirs] = await Promise.all([
        runExample("portscan", ["--all", "-p", `${port}`, target]),
        runCommand(["nmap", "-sT", "-n", "-Pn", "-p", `${port}`, "-oG", "-", target].concat(
          target.includes(":") ? "-6" : [],
        )),
      ]);
      const ours = [...stdout.matchAll(/^\[?(.*?)\]?:\d+ (\w+)$/gm)].map(([, host, state]) =>
        `${host} ${state}`
      );
      const others = [...theirs.stdout.matchAll(/^Host: (\S+) .*Ports: \d+\/(\w+)\//gm)]
        .map(([, host, state]) => `${host} ${state}`);
      assertGreater(ours.length, 0, stderr);
      assertEquals(sort(ours.join("\n")), sort(others.join("\n")), theirs.stdout);
    }
  },
});

Deno.test("portscan.ts goes on if one host cannot be scanned", async () => {
  using ports = new Ports();
  const port = ports.open();
  const args = ["-p", `${port}`, "no-such-host.invalid", "localhost", "127.0.0.1"];
  const { code, stdout, stderr } = await runExample("portscan", args);
  assertEquals([code, stdout], [0, line(port, "open")]); // Each host once.
  assertMatch(stderr, /^portscan\.ts: Cannot resolve "no-such-host\.invalid"/);
});

Deno.test({
  name: "portscan.ts goes on if a family of addresses is missing",
  ...needsOwnNetwork,
  async fn() {
    const noIpv6 = "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6";
    const args = ["--all", "-p", "1,2", "::1/127", "127.0.0.1"];
    const { code, stdout, stderr } = await runExample("portscan", args, {
      through: (command) => inOwnNetwork(noIpv6, command),
    });
    assertEquals([code, stdout.match(/^127.* closed$/gm)?.length], [1, 2]);
    assertEquals(stdout.match(/^\[::[01]?\]:\d filtered$/gm)?.length, 4);
    assertStringIncludes(stderr, "portscan.ts: Cannot scan ::1: ");
    assertStringIncludes(stderr, "6 of 6 ports of 3 hosts");
  },
});

Deno.test({
  name: "portscan.ts prints what it has found when it is interrupted",
  ...linuxOnly,
  async fn() {
    using ports = new Ports();
    for (const [signal, expected] of [["SIGINT", 0], ["SIGTERM", 143]] as const) {
      const [open, silent] = [ports.open(), ports.silent()];
      const args = ["--timeout", "3600000", "-p", `${open},${silent}`];
      await using program = await Example.start("portscan", args);
      const { code, stdout, stderr } = await program.stop(signal);
      assertEquals([code, stdout], [expected, line(open, "open")]);
      assertMatch(stderr, /^1 of 2 ports of 127\.0\.0\.1: 1 open, 0 closed, 0 filtered in /);
    }
  },
});

Deno.test({
  name: "portscan.ts reports ports as filtered for every ICMP error",
  ...needsOwnNetwork,
  ...needsPython,
  async fn() {
    const prepare = [
      "ip link add one type veth peer name two",
      "ip link set one arp off",
      "ip addr add 192.0.2.254/24 dev one",
      "ip link set one up",
      "ip link set two up",
      untilUp("one", "two"),
    ].join("\n");
    const ports = Array.from({ length: 20 }, (_, i) => 100 + i);
    const args = ["--all", "--timeout", "5000", "--ports", `${ports}`, "192.0.2.1"];
    const { code, stdout, stderr } = await runExample("portscan", args, {
      through: (command) => inOwnNetwork(prepare, ["python3", "-c", ICMP_ERRORS, ...command]),
    });
    const states = ports.map((port) =>
      // Port unreachable is a refusal.
      `192.0.2.1:${port} ${port === 103 ? "closed" : "filtered"}\n`
    );
    assertEquals([code, sort(stdout)], [1, sort(states.join(""))], stderr);
  },
});

/**
 * Runs a command, and answers each SYN to port 100 + N with ICMP: unreachable, code N, or others.
 */
const ICMP_ERRORS = `
import socket, struct, subprocess, sys, threading
seen = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
seen.bind(("one", 3))
icmp = socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)
def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    total = (total >> 16) + (total & 0xffff)
    return ~(total + (total >> 16)) & 0xffff
def answer():
    while True:
        packet = seen.recv(100)[:28]
        if packet[0] != 0x45 or packet[9] != 6: continue
        code = struct.unpack("!H", packet[22:24])[0] - 100
        kind = 3 if code < 16 else 12
        header = struct.pack("!BBHI", kind, code if kind == 3 else 0, 0, 0)
        sum_ = checksum(header + packet)
        icmp.sendto(header[:2] + struct.pack("!HI", sum_, 0) + packet, ("192.0.2.254", 0))
threading.Thread(target=answer, daemon=True).start()
sys.exit(subprocess.run(sys.argv[1:]).returncode)
`;

Deno.test({
  name: "portscan.ts reports ports that accept and reset as open",
  ...linuxOnly,
  async fn() {
    using ports = new Ports();
    const list = Array.from({ length: 300 }, () => ports.open());
    const stop = ports.resetAll();
    const args = ["--all", "--ports", `${list}`];
    const { code, stdout, stderr } = await runExample("portscan", args);
    await stop();
    const expected = list.map((port) => line(port, "open")).join("");
    assertEquals([code, sort(stdout)], [0, sort(expected)], stderr);
  },
});

Deno.test({
  name: "portscan.ts scans IPv6",
  ...needsIpv6,
  async fn() {
    using ports = new Ports("::1");
    const port = ports.open();
    const { code, stdout } = await runExample("portscan", ["--ports", `${port}`, "::1"]);
    assertEquals([code, stdout], [0, `[::1]:${port} open\n`]);
  },
});

Deno.test("portscan.ts resolves a name", async () => {
  using ports = new Ports();
  const port = ports.open();
  const { code, stdout } = await runExample("portscan", ["--ports", `${port}`, "localhost"]);
  assertEquals([code, stdout], [0, line(port, "open")]);
});

Deno.test({
  name: "portscan.ts shows its progress on a terminal, and clears it",
  ...needsPython,
  ...linuxOnly,
  async fn() {
    using ports = new Ports();
    const python = new Deno.Command("python3", {
      args: ["-c", PTY, Deno.execPath(), "--timeout", "500", "--ports", `${ports.silent()}`],
      cwd: new URL("../../", import.meta.url),
      env: { NO_COLOR: "1" },
      stdout: "piped",
    });
    const { stdout } = await inTime(python.output(), "the end of python3");
    const shown = new TextDecoder().decode(stdout);
    assertStringIncludes(shown, "\r0 of 1 ports of 127.0.0.1: 0 open");
    assertStringIncludes(shown, ", 1 in flight\x1b[K");
    const last = shown.split("\r\x1b[K").at(-1)!;
    assertMatch(last, /^1 of 1 ports of 127\.0\.0\.1: .* 1 filtered in [\d.]+ s\r\n$/);
  },
});

const PTY = `
import pty, sys
deno, *args = sys.argv[1:]
pty.spawn([deno, "run", "--allow-ffi", "examples/portscan.ts", *args])
`;

Deno.test("portscan.ts exits with 2 if the command line is wrong", async () => {
  await assertUsageErrors("portscan", [
    "--ports 0",
    "--ports 65536",
    "--ports 1-65536",
    "--ports 9-1",
    "--ports 1-2-3",
    "--ports 1,,2",
    "--ports=-1",
    "--ports no-such-service",
    "--ports 1,http-",
    "--ports 5-",
    "--limit 0",
    "--limit 1e3",
    "--timeout 0",
    "--timeout soon",
    "no-such-host.invalid",
    "no-such-host.invalid other-host.invalid",
    "127.0.0.1/33",
    "127.0.0.0/15",
    "localhost/24",
    "::/64",
  ]);
});

/** Ports of every state, which no other process gets meanwhile. */
class Ports implements Disposable {
  readonly hostname: string;
  readonly #sockets: Socket[] = [];

  constructor(hostname = "127.0.0.1") {
    this.hostname = hostname;
  }

  /** Opens a port. */
  open(port = 0, hostname = this.hostname): number {
    const socket = this.#bind(port, hostname);
    socket.listen();
    return portOf(socket);
  }

  /** Takes a port without listening on it. */
  closed(): number {
    return portOf(this.#bind(0));
  }

  /** Opens a port whose backlog is full, so that the system does not answer. */
  silent(): number {
    const socket = this.#bind(0);
    socket.listen(0);
    for (let i = 0; i < 2; i++) {
      const client = this.#open();
      client.connect(socket.localAddress);
    }
    return portOf(socket);
  }

  /** Resets every connection to the open ports at once. Returns a function that stops. */
  resetAll(): () => Promise<void> {
    const stopping = new AbortController();
    const selector = new DefaultSelector<undefined, Socket>();
    for (const socket of this.#sockets) selector.register(socket, EVENT_READ);
    const resetting = (async () => {
      for (;;) {
        const ready = await selector.selectAsync(null, stopping);
        for (const [{ fileobj }] of ready) {
          for (let socket; (socket = fileobj.accept()) !== null;) reset(socket);
        }
      }
    })().catch(() => selector.close());
    return () => {
      stopping.abort();
      return resetting;
    };
  }

  [Symbol.dispose](): void {
    for (const socket of this.#sockets) socket.close();
  }

  #open(): Socket {
    const socket = new Socket(this.hostname.includes(":") ? AF_INET6 : AF_INET, SOCK_STREAM);
    this.#sockets.push(socket);
    return socket;
  }

  #bind(port: number, hostname = this.hostname): Socket {
    const socket = this.#open();
    socket.bind({ hostname, port });
    return socket;
  }
}

function portOf(socket: Socket): number {
  return (socket.localAddress as { port: number }).port;
}

function line(port: number, state: string): string {
  return `127.0.0.1:${port} ${state}\n`;
}

function sort(lines: string): string[] {
  return lines.split("\n").sort();
}
