import {
  assert,
  assertEquals,
  assertGreater,
  assertLess,
  assertMatch,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { formatIp, MalformedPacket, readPacket } from "../../examples/support/packets.ts";
import { runCommand } from "../support/command.ts";
import { linuxOnly, needsProgram, skipIf } from "../support/skip.ts";
import {
  inNetworkOf,
  inOwnNetwork,
  needsOwnNetwork,
  needsRoot,
  needsSetpriv,
  untilUp,
  withoutRaw,
} from "../support/privileges.ts";
import { inTime } from "../support/deadline.ts";
import { Example, runExample } from "../support/example_process.ts";
import { Lines } from "../support/lines.ts";
import { noise } from "../support/sockets.ts";
import { isQemu } from "../support/os.ts";
import { assertUsageErrors } from "./command_lines.ts";
import { sendTraffic } from "./traffic.ts";

const needsStatistics = skipIf(isQemu, "qemu has no PACKET_STATISTICS");

const needsPython = needsProgram("python3");
const needsTcpdump = needsProgram("tcpdump");
const both = { ...needsPython, ...needsOwnNetwork };

const start = (...args: string[]) =>
  Example.start("sniff", args, { through: (command) => inOwnNetwork("", command) });

Deno.test({
  name: "sniff.ts prints each packet of a port once, over IPv4, IPv6, UDP and TCP",
  ...needsStatistics,
  ...both,
  async fn() {
    await using program = await start("--port", "1234", "lo");
    assertEquals(program.firstLine, "listening on lo");
    await sendTraffic(program);
    await program.stdout.wait(/> 127\.0\.0\.1\.5556: TCP \[F/);
    const { code, stdout, stderr } = await program.stop();
    assertEquals([code, stderr], [0, ""]);
    const lines = stdout.trim().split("\n").slice(1, -1).map((line) => {
      assertMatch(line, /^\d\d:\d\d:\d\d\.\d{3} /);
      return line.slice(13);
    });
    assertEquals(lines.filter((line) => line.includes("UDP")), [
      "IP 127.0.0.1.5555 > 127.0.0.1.1234: UDP, length 5",
      "IP6 ::1.5555 > ::1.1234: UDP, length 5",
    ]);
    const tcp = lines.filter((line) => line.includes("TCP"));
    assertMatch(
      tcp[0],
      /^IP 127\.0\.0\.1\.5556 > 127\.0\.0\.1\.1234: TCP \[S\], seq \d+, ack 0, win \d+, length 0$/,
    );
    assertMatch(tcp[1], /^IP 127\.0\.0\.1\.1234 > 127\.0\.0\.1\.5556: TCP \[S\.\], /);
    assertEquals(tcp.filter((line) => line.endsWith("length 1000")).length, 1);
    assert(lines.every((line) => line.includes(".1234")));
    assertMatch(stdout, /^\d+ packets, 0 malformed, 0 dropped by the kernel$/m);
  },
});

Deno.test({
  name: "sniff.ts prints what tcpdump prints",
  ...both,
  ...needsTcpdump,
  ...needsRoot, // tcpdump changes its user.
  async fn() {
    await using program = await start("-n", "-X", "lo");
    await using tcpdump = await Tcpdump.start(program, "-i", "lo", "-S", "-X");
    await sendTraffic(program);
    const last = /127\.0\.0\.1\.1234 > 127\.0\.0\.1\.5556: .*\[F/;
    await Promise.all([tcpdump.stdout.wait(last), program.stdout.wait(last)]);
    const theirs = await tcpdump.stop();
    const ours = (await program.stop()).stdout;
    // The last acknowledgement may come after the one was stopped and before the other.
    const [mine, others] = [ours.split("\n").slice(1, -2), theirs.split("\n").slice(0, -1)]
      .map((lines) => lines.map(common));
    const count = Math.min(mine!.length, others!.length);
    assertGreater(count, 80); // With the bytes
    assertEquals(mine!.slice(0, count), others!.slice(0, count));
  },
});

/** A running tcpdump, in the network of a program. */
class Tcpdump implements AsyncDisposable {
  readonly stdout: Lines;
  readonly #process: Deno.ChildProcess;

  private constructor(process: Deno.ChildProcess) {
    this.#process = process;
    this.stdout = new Lines(process.stdout);
  }

  /** Starts it, and waits until it captures. */
  static async start(program: Example, ...options: string[]): Promise<Tcpdump> {
    const command = ["tcpdump", "-n", "-l", "--immediate-mode", ...options];
    const [nsenter, ...args] = inNetworkOf(program.pid, command);
    const process = new Deno.Command(nsenter!, {
      args,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    await new Lines(process.stderr).wait(/^listening on/);
    return new Tcpdump(process);
  }

  /** Ends it, and returns what it printed. */
  async stop(): Promise<string> {
    this.#process.kill("SIGINT");
    await inTime(this.#process.status, "the end of tcpdump");
    return this.stdout.text;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }
}

/** What a line of tcpdump and one of sniff.ts have in common. */
function common(line: string): string {
  if (line.startsWith("\t0x")) return line; // Bytes
  const [, ends, rest] = /(IP6? \S+ > \S+:) (.*)$/.exec(line) ?? [];
  if (rest === undefined || rest.startsWith("ICMP")) return ends ?? line;
  const length = / length \d+$/.exec(rest);
  const tcp = /\[[FSRP.]+\]/.exec(rest);
  if (tcp === null) return `${ends} ${/^\w+/.exec(rest)}${length}`;
  // tcpdump writes the range of what is sent, and no sequence number if that is nothing.
  const window = / win \d+/.exec(rest);
  return `${ends} ${tcp}${window}${length}`;
}

Deno.test({
  name: "sniff.ts writes files from which tcpdump prints the same packets",
  ...needsStatistics,
  ...both,
  ...needsTcpdump,
  async fn() {
    const path = await Deno.makeTempFile({ suffix: ".pcap" });
    for (const [name, filter] of [["lo", []], ["any", ["--port", "1234"]]] as const) {
      await using program = await start("-i", name, "-w", path, "-c", "10", ...filter);
      assertEquals(program.firstLine, `listening on ${name}`);
      await sendTraffic(program);
      const { code, stdout, stderr } = await program.end();
      assertEquals([code, stderr], [0, ""]);
      const theirs = await runCommand(["tcpdump", "-n", "-S", "-X", "-tttt", "-r", path]);
      const lines = theirs.stdout.trim().split("\n");
      const packets = lines.filter((line) => !line.startsWith("\t"));
      assertEquals(packets.length, 10);
      assertMatch(stdout, /^10 packets, 0 malformed, 0 dropped by the kernel$/m);
      const ports = packets.map((line) => / > \S+\.(\d+):/.exec(line)?.[1]);
      assertEquals(ports.includes("9"), name === "lo");
      const udp = packets.filter((line) => line.includes("UDP")).map((line) =>
        line.replace(/^.*? (IP6? )/, "$1")
      );
      assertEquals(udp.filter((line) => line.includes(".1234:")), [
        "IP 127.0.0.1.5555 > 127.0.0.1.1234: UDP, length 5",
        "IP6 ::1.5555 > ::1.1234: UDP, length 5",
      ]);
      assertStringIncludes(theirs.stdout, " 6865 6c6c"); // "hell"
      const [first] = packets;
      const time = Date.parse(`${first!.slice(0, 10)}T${first!.slice(11, 26)}`);
      assertLess(Math.abs(Date.now() - time), 120_000);
    }
    await Deno.remove(path);
  },
});

Deno.test({
  name: "sniff.ts prints the interface and the direction of packets of any interface",
  ...both,
  ...needsTcpdump,
  ...needsRoot,
  ...needsStatistics,
  async fn() {
    const prepare = [
      "ip link add one type veth peer name two",
      "ip link set one arp off",
      "ip addr add 192.0.2.254/24 dev one",
      "ip link set one up",
      "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6",
      "ip link set two up",
      untilUp("one", "two"),
    ].join("\n");
    await using program = await Example.start("sniff", ["-i", "any", "-p", "9"], {
      through: (command) => inOwnNetwork(prepare, command),
    });
    await using tcpdump = await Tcpdump.start(program, "-i", "any", "udp", "port", "9");
    const source = "import socket\n" +
      "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n" +
      'for host in "127.0.0.1", "192.0.2.1": s.sendto(b"hello", (host, 9))';
    await runCommand(inNetworkOf(program.pid, ["python3", "-c", source]));
    const last = /^\S+ two .*192\.0\.2\.1\.9/;
    await Promise.all([tcpdump.stdout.wait(last), program.stdout.wait(last)]);
    const theirs = await tcpdump.stop();
    const { stdout } = await program.stop();
    const withoutTimes = (text: string) => text.match(/(?<=^\d\S+ )\w+ .*UDP.*$/gm);
    assertEquals(withoutTimes(stdout), withoutTimes(theirs));
  },
});

Deno.test({
  name: "sniff.ts counts malformed packets, and goes on",
  ...needsStatistics,
  ...both,
  async fn() {
    await using program = await start("lo");
    const source = `
import socket, struct
s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
to = lambda protocol: ("lo", protocol, 0, 0, bytes(6))
s.sendto(b"\\x45", to(0x800))
s.sendto(bytes(40), to(0x800))
s.sendto(b"\\x45\\x00\\xff\\xff" + bytes(30), to(0x800))
s.sendto(b"\\x60" + bytes(10), to(0x86dd))
s.sendto(b"anything", to(0x88b5))
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.sendto(b"last", ("127.0.0.1", 9))
`;

    const { stderr } = await runCommand(inNetworkOf(program.pid, ["python3", "-c", source]));
    assertEquals(stderr, "");
    await program.stdout.wait(/UDP, length 4$/);
    const { code, stdout } = await program.stop();
    assertEquals(code, 0);
    const lines = stdout.split("\n").map((line) => line.slice(13));
    for (
      const line of [
        "malformed: 1 bytes where 4 are needed",
        "malformed: IP version 0",
        "malformed: 34 bytes where 65535 are needed",
        "malformed: 11 bytes where 40 are needed",
        "protocol 0x88b5, length 8",
      ]
    ) assert(lines.includes(line), `${line} in\n${stdout}`);
    assertMatch(stdout, /^\d+ packets, 4 malformed, 0 dropped by the kernel$/m);
  },
});

Deno.test({
  name: "sniff.ts prints segments above 64 KiB with the filter by port",
  ...both,
  ...needsStatistics,
  async fn() {
    await using program = await Example.start("sniff", ["--port", "1234", "lo"], {
      through: (command) => inOwnNetwork("ip link set lo gso_max_size 200000", command),
    });
    const source = `
import socket, threading
server = socket.create_server(("::1", 1234), family=socket.AF_INET6)
client = socket.create_connection(("::1", 1234))
connection, _ = server.accept()
threading.Thread(target=lambda: client.sendall(b"x" * 1_000_000)).start()
connection.recv(1_000_000, socket.MSG_WAITALL)
client.close()
`;
    const { stderr } = await runCommand(inNetworkOf(program.pid, ["python3", "-c", source]));
    assertEquals(stderr, "");
    await program.stdout.wait(/ TCP \[F/);
    const { stdout } = await program.stop();
    assertMatch(stdout, /^\d+ packets, 0 malformed/m);
    const lengths = [...stdout.matchAll(/ length (\d+)$/gm)].map(([, length]) => Number(length));
    assertGreater(Math.max(...lengths), 65_536);
  },
});

Deno.test({
  name: "sniff.ts --count sets the number of packets",
  ...needsStatistics,
  ...both,
  async fn() {
    await using program = await start("--count", "2", "lo");
    await sendTraffic(program);
    const { code, stdout } = await program.end();
    assertEquals(code, 0);
    assertMatch(stdout, /^2 packets, 0 malformed/m);
  },
});

Deno.test({
  name: "sniff.ts exits with 1 and names the missing privilege",
  ...needsSetpriv,
  async fn() {
    const { code, stdout, stderr } = await runExample("sniff", ["lo"], { through: withoutRaw });
    assertEquals([code, stdout], [1, ""]);
    assertMatch(
      stderr,
      /^sniff\.ts: Cannot create a socket .*CAP_NET_RAW \(run as root, .*\(EPERM\)$/m,
    );
  },
});

Deno.test({
  name: "sniff.ts exits with 1 if the interface is unknown",
  ...needsOwnNetwork,
  async fn() {
    const { code, stderr } = await runExample("sniff", ["nonsense"], {
      through: (command) => inOwnNetwork("", command),
    });
    assertEquals(code, 1);
    assertMatch(stderr, /^sniff\.ts: Cannot find the interface "nonsense"/);
  },
});

Deno.test({
  name: "sniff.ts exits with 2 if the command line is wrong",
  ...linuxOnly,
  async fn() {
    await assertUsageErrors("sniff", [
      "",
      "lo lo",
      "-i lo lo",
      "--port 0 lo",
      "--count x lo",
      "lo -w",
    ]);
  },
});

/** An IPv4 packet with a payload. */
function ipv4(
  protocol: number,
  payload: number[],
  changes: Record<number, number> = {},
): Uint8Array {
  const packet = new Uint8Array(20 + payload.length);
  packet.set([0x45, 0, packet.length >> 8, packet.length & 255]);
  packet[9] = protocol;
  packet.set([192, 0, 2, 1, 192, 0, 2, 2], 12);
  packet.set(payload, 20);
  for (const [at, byte] of Object.entries(changes)) packet[Number(at)] = byte;
  return packet;
}

/** An IPv6 packet with a payload. */
function ipv6(next: number, payload: number[], source = [0x20, 0x01, 0x0d, 0xb8]): Uint8Array {
  const packet = new Uint8Array(40 + payload.length);
  packet.set([0x60, 0, 0, 0, payload.length >> 8, payload.length & 255, next, 64]);
  packet.set(source, 8);
  packet.set([0xff, 2], 24);
  packet[39] = 1;
  packet.set(payload, 40);
  return packet;
}

const UDP = [0, 53, 4, 210, 0, 11, 0, 0, 1, 2, 3];
const TCP = [0, 80, 4, 210, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x12, 1, 0, 0, 0, 0, 0, 9];

Deno.test("readPacket() reads UDP, TCP and ICMP over IPv4", () => {
  const base = { version: 4, source: "192.0.2.1", destination: "192.0.2.2" } as const;
  assertEquals<unknown>(readPacket(ipv4(17, UDP)), {
    ...base,
    protocol: "UDP",
    ports: [53, 1234],
    detail: "",
    length: 3,
  });
  assertEquals<unknown>(readPacket(ipv4(6, TCP)), {
    ...base,
    protocol: "TCP",
    ports: [80, 1234],
    detail: "[S.], seq 1, ack 2, win 256",
    length: 1,
  });
  const icmp = readPacket(ipv4(1, [8, 3, 0, 0, 0, 0, 0, 0, 1, 2]));
  assertEquals([icmp.detail, icmp.length], ["type 8, code 3", 2]);
  assertEquals(readPacket(ipv4(89, [1, 2])).protocol, "protocol 89");
});

Deno.test("readPacket() reads IPv6 addresses and extension headers", () => {
  const hop = [17, 0, 0, 0, 0, 0, 0, 0];
  const packet = readPacket(ipv6(0, [...hop, ...UDP]));
  assertEquals([packet.source, packet.destination], ["2001:db8::", "ff02::1"]);
  assertEquals([packet.protocol, packet.ports], ["UDP", [53, 1234]]);
  const zero = readPacket(ipv6(17, UDP, []));
  assertEquals(zero.source, "::");
  const full = readPacket(ipv6(17, UDP, Array.from({ length: 16 }, (_, i) => i + 1)));
  assertEquals(full.source, "102:304:506:708:90a:b0c:d0e:f10");
  const fragment = [17, 0, 0, 8, 0, 0, 0, 1];
  assertEquals(readPacket(ipv6(44, [...fragment, 1, 2])).detail, "fragment at 8");
});

Deno.test("formatIp() replaces the longest run of zeros, the first of two, and no single one", () => {
  for (
    const [words, text] of [
      [[0, 0, 0, 0, 0, 0, 0, 0], "::"],
      [[0, 0, 0, 0, 0, 0, 0, 1], "::1"],
      [[1, 0, 0, 0, 0, 0, 0, 0], "1::"],
      [[0xfd00, 0, 0, 0, 0, 0, 0, 2], "fd00::2"],
      [[0xfe80, 0, 0, 0, 0xfc, 0xff, 0xfe00, 1], "fe80::fc:ff:fe00:1"],
      [[0x100, 0, 0, 1, 0, 0, 0, 1], "100:0:0:1::1"],
      [[1, 0, 0, 2, 3, 0, 0, 4], "1::2:3:0:0:4"],
      [[0, 1, 2, 3, 4, 5, 6, 0], "0:1:2:3:4:5:6:0"],
    ] as const
  ) assertEquals(formatIp(new Uint8Array(words.flatMap((word) => [word >> 8, word & 255]))), text);
  assertEquals(formatIp(new Uint8Array([192, 0, 2, 1])), "192.0.2.1");
});

Deno.test("formatIp() formats IPv6 addresses as python3 does", needsPython, async () => {
  const bytes = noise(16 * 8000, 3);
  // Addresses with many zeros in all places, too.
  for (let i = 0; i < 16 * 6000; i += 2) {
    const kind = bytes[i] % 4;
    if (kind < 3) bytes[i] = 0;
    if (kind < 2) bytes[i + 1] = kind === 0 ? 0 : bytes[i + 1] & 15;
  }
  const addresses = Array.from({ length: 8000 }, (_, i) => bytes.subarray(16 * i, 16 * i + 16));
  const source = "import ipaddress, sys\n" +
    "for line in sys.stdin: print(ipaddress.IPv6Address(bytes.fromhex(line)))";
  const input = addresses.map((address) => `${address.toHex()}\n`).join("");
  const { stdout } = await runCommand(["python3", "-c", source], input);
  assertEquals(addresses.map(formatIp), stdout.trim().split("\n"));
});

Deno.test("readPacket() reads segments above 64 KiB, whose length fields are 0", () => {
  const payload = [...TCP, ...Array(100_000).fill(7)];
  const large = ipv4(6, payload, { 2: 0, 3: 0 });
  assertEquals([readPacket(large).ports, readPacket(large).length], [[80, 1234], 100_001]);
  const large6 = ipv6(6, payload);
  large6.fill(0, 4, 6);
  assertEquals([readPacket(large6).ports, readPacket(large6).length], [[80, 1234], 100_001]);
  // With the option for jumbograms, which BIG TCP has on some systems.
  const jumbo = ipv6(0, [6, 0, 0xc2, 4, 0, 1, 0x86, 0xbd, ...payload]);
  jumbo.fill(0, 4, 6);
  assertEquals([readPacket(jumbo).ports, readPacket(jumbo).length], [[80, 1234], 100_001]);
  // The length is that of the packet, of which the buffer may hold a part.
  assertEquals(readPacket(large.subarray(0, 100), large.length), readPacket(large));
  assertEquals(readPacket(large6.subarray(0, 100), large6.length), readPacket(large6));
  assertThrows(() => readPacket(ipv4(17, UDP).subarray(0, 25), 31), MalformedPacket);
});

Deno.test("readPacket() ignores bytes after the packet, such as padding", () => {
  const padded = new Uint8Array(60);
  padded.set(ipv4(17, UDP));
  assertEquals(readPacket(padded).length, 3);
});

Deno.test("readPacket() throws MalformedPacket for packets that are cut or inconsistent", () => {
  for (
    const whole of [
      ipv4(17, UDP),
      ipv4(6, TCP),
      ipv6(17, UDP),
      ipv6(0, [17, 0, 0, 0, 0, 0, 0, 0, ...UDP]),
    ]
  ) {
    readPacket(whole);
    for (let size = 0; size < whole.length; size++) {
      assertThrows(() => readPacket(whole.subarray(0, size)), MalformedPacket);
    }
  }
  for (
    const packet of [
      ipv4(17, UDP, { 0: 0x44 }),
      ipv4(17, UDP, { 2: 0, 3: 19 }),
      ipv4(17, UDP, { 0: 0x55 }),
      ipv4(17, UDP.with(5, 7)),
      ipv4(17, UDP.slice(0, 7)),
      ipv4(6, TCP.with(12, 0x40)),
      ipv4(6, TCP.with(12, 0xf0)),
      ipv4(6, TCP.slice(0, 19)),
      ipv4(1, [8]),
      ipv6(0, [17, 9, 0, 0, 0, 0, 0, 0]),
      ipv6(44, [17, 0, 0]),
    ]
  ) assertThrows(() => readPacket(packet), MalformedPacket);
});

Deno.test("readPacket() returns a packet or throws MalformedPacket for any bytes", () => {
  const bytes = noise(1 << 20, 7);
  for (let at = 0; at + 200 < bytes.length; at += 97) {
    const packet = bytes.slice(at, at + bytes[at] % 120);
    packet[0] = packet[0] & 1 ? 0x45 : 0x60;
    if (packet[0] === 0x45 && packet.length > 3) packet.set([0, packet.length], 2);
    if (packet[0] === 0x60 && packet.length > 40) packet.set([0, packet.length - 40, at % 61], 4);
    try {
      readPacket(packet);
    } catch (error) {
      assert(error instanceof MalformedPacket, String(error));
    }
  }
});
