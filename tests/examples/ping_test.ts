import { assert, assertEquals, assertGreaterOrEqual, assertLess, assertMatch } from "@std/assert";
import {
  AF_INET,
  AF_INET6,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  SOCK_RAW,
  Socket,
} from "../../ffi/socket/mod.ts";
import { DefaultSelector, EVENT_READ } from "../../mod.ts";
import { runCommand } from "../support/command.ts";
import { DEADLINE } from "../support/deadline.ts";
import { isQemu } from "../support/os.ts";
import { linuxOnly, needsProgram, skipIf } from "../support/skip.ts";
import {
  dropRaw,
  EVERYONE_PINGS,
  inOwnNetwork,
  needsOwnNetwork,
  needsRaw,
  needsSetpriv,
  untilUp,
} from "../support/privileges.ts";
import { Example, runExample } from "../support/example_process.ts";
import { needsIpv6 } from "../support/sockets.ts";
import { assertUsageErrors, runEach } from "./command_lines.ts";

const needsPing = needsProgram("ping");
const needsPython = needsProgram("python3");
const hasBoth = { ...needsRaw, ...needsIpv6 };

const ping = (...args: string[]) => runExample("ping", args);

Deno.test({
  name: "ping.ts pings many hosts at once, over IPv4, IPv6 and by name",
  ...hasBoth,
  async fn() {
    const hosts = ["127.0.0.1", "::1", "localhost", "127.1.2.3"];
    const { code, stdout, stderr } = await ping("-c", "3", "-i", "0.05", ...hosts);
    assertEquals([code, stderr], [0, ""]);
    const lines = stdout.trim().split("\n");
    assertEquals(lines.length, 4 + 3 * 4 + 4 * 4);
    for (const line of lines.slice(4, 16)) {
      assertMatch(
        line,
        /^64 bytes from (127\.\d\.\d\.\d|::1|localhost \(\S+\)): icmp_seq=[123] ttl=64 time=[\d.]+ ms$/,
      );
    }
    for (const [i, host] of hosts.entries()) {
      const [, title, counts, times] = lines.slice(16 + 4 * i);
      assertEquals(title, `--- ${host} ping statistics ---`);
      assertMatch(counts, /^3 packets transmitted, 3 received, 0% packet loss, time \d+ms$/);
      const [least, mean, most] = /= (.+)\/(.+)\/(.+)\/(.+) ms$/.exec(times)!.slice(1).map(Number);
      assert(0 <= least && least <= mean && mean <= most, times);
    }
  },
});

/** Masks what differs from run to run. */
function maskNumbers(output: string): string {
  return output.replace(/time=[\d.]+/g, "time=N").replace(/time \d+ms/g, "time Nms")
    .replace(/[\d.]+(\/[\d.]+){3} ms/g, "N/N/N/N ms");
}

for (
  const { name, args, skip = {} } of [
    { name: "an address", args: ["-c", "3", "-i", "0.01", "127.0.0.1"] },
    { name: "a name", args: ["-c1", "-4", "localhost"] },
    { name: "IPv6", args: ["-c1", "-s", "100", "::1"], skip: needsIpv6 },
    { name: "-q", args: ["-q", "-c", "2", "-i.01", "127.0.0.1"] },
    { name: "the hops and sizes of ICMP", args: ["-c1", "-s", "65507", "-t", "9", "127.0.0.1"] },
    { name: "-w", args: ["-q", "-w", "2", "-i30", "127.0.0.1"] },
    { name: "-w with fewer answers than -c", args: ["-w2", "-c", "5", "-i30", "127.0.0.1"] },
    { name: "-w with enough answers", args: ["-w", "30", "-c", "2", "-i.01", "127.0.0.1"] },
    { name: "-I with an address", args: ["-c1", "-I", "127.0.0.2", "127.0.0.1"] },
    { name: "-I with an interface", args: ["-c1", "-I", "lo", "localhost", "-4"] },
    { name: "-I for IPv6", args: ["-c1", "-I", "::1", "::1"], skip: needsIpv6 },
    { name: "a name that is an address", args: ["-c1", "127.1"] },
  ]
) {
  Deno.test({
    name: `ping.ts prints what ping prints, and exits as it does: ${name}`,
    ...linuxOnly,
    ...needsPing,
    ...needsRaw,
    ...skip,
    async fn() {
      const [theirs, ours] = await Promise.all([runCommand(["ping", ...args]), ping(...args)]);
      assertEquals(maskNumbers(ours.stdout), maskNumbers(theirs.stdout));
      assertEquals(ours.code, theirs.code);
    },
  });
}

Deno.test({
  name: "ping.ts prints and counts the errors that other hosts report, as ping does",
  ...needsOwnNetwork,
  ...needsPing,
  ...needsRaw,
  async fn() {
    // Nothing answers on this link, which the system finds out soon.
    const prepare = `
      ip link add left type veth peer name right
      ip addr add 10.0.9.1/24 dev left
      ip addr add fd00:9::1/64 dev left nodad
      for version in ipv4 ipv6; do
        echo 1 > /proc/sys/net/$version/neigh/left/mcast_solicit
        echo 50 > /proc/sys/net/$version/neigh/left/retrans_time_ms
      done
      ip link set left up
      ip link set right up
      ${untilUp("left", "right")}`;
    const args = ["-c1 10.0.9.2", "-c1 fd00:9::2", "-w30 10.0.9.2", "-w30 -c2 -i9 fd00:9::2"];
    for (const line of args.map((text) => text.split(" "))) {
      const theirs = await runCommand(inOwnNetwork(prepare, ["ping", ...line]));
      const ours = await runExample("ping", line, {
        through: (command) => inOwnNetwork(prepare, command),
      });
      assertMatch(ours.stdout, /^From \S+ icmp_seq=1 Destination /m);
      assertEquals(maskNumbers(ours.stdout), maskNumbers(theirs.stdout));
      assertEquals([ours.code, theirs.code], [1, 1]);
    }
  },
});

Deno.test({
  name: "ping.ts exits as ping does for wrong arguments",
  ...linuxOnly,
  ...needsPing,
  async fn() {
    const mistakes = [["-x"], ["-c"], ["-4", "-6", "127.0.0.1"], ["-4", "::1"], ["a.invalid"]];
    mistakes.push(["-I", "nosuch", "127.0.0.1"], ["-I", "192.0.2.77", "127.0.0.1"]);
    const runs = await runEach("ping", mistakes);
    for (const [i, mistake] of mistakes.entries()) {
      const theirs = await runCommand(["ping", ...mistake]);
      assertEquals([mistake, runs[i]!.code], [mistake, theirs.code]);
      assertEquals([runs[i]!.stdout, theirs.stdout], ["", ""]);
    }
  },
});

Deno.test({
  name: "ping.ts pings the others if a name does not resolve, and exits with 2",
  ...needsRaw,
  async fn() {
    const { code, stdout, stderr } = await ping("-c1", "no.such.host.invalid", "127.0.0.1");
    assertEquals(code, 2);
    assertMatch(stderr, /^ping\.ts: Cannot resolve "no\.such\.host\.invalid": .*\n$/);
    assertMatch(stdout, /^1 packets transmitted, 1 received, 0% packet loss/m);
  },
});

Deno.test({
  name: "ping.ts measures times like ping's on loopback",
  ...linuxOnly,
  ...needsPing,
  ...needsRaw,
  ...skipIf(isQemu, "qemu is slow"),
  async fn() {
    const theirs = await runCommand(["ping", "-q", "-c", "20", "-i", "0.01", "127.0.0.1"]);
    const shortest = Number(/= ([\d.]+)\//.exec(theirs.stdout)![1]);
    await using program = await Example.start("ping", ["-i", "0.01", "127.0.0.1"]);
    let time = Infinity;
    for (let i = 0; time >= shortest + 0.15; i++) { // A busy machine may need many.
      assertLess(i, 6000, "No time is like ping's");
      time = Number(/ time=([\d.]+) ms$/.exec(await program.stdout.wait(/time=/))![1]);
    }
  },
});

Deno.test({
  name: "ping.ts pings two thousand hosts at once",
  ...needsRaw,
  async fn() {
    const hosts = Array.from(
      { length: 2000 },
      (_, i) => `127.${i % 200 + 1}.${Math.trunc(i / 200)}.7`,
    );
    const { code, stdout } = await ping("-q", "-c", "1", ...hosts);
    assertEquals(code, 0);
    assertEquals(
      stdout.match(/^1 packets transmitted, 1 received, 0% packet loss/gm)!.length,
      2000,
    );
  },
});

Deno.test({
  name: "ping.ts exits with 2 if a host cannot be sent to, and pings the others",
  ...needsOwnNetwork,
  async fn() {
    const through = (command: readonly string[]) =>
      inOwnNetwork("ip route add blackhole 198.51.100.0/24", command);
    const args = ["-c", "2", "-i", "0.02", "192.0.2.1", "127.0.0.1"];
    const { code, stdout, stderr } = await runExample("ping", args, { through });
    assertEquals(code, 2);
    assertMatch(stderr, /^ping\.ts: Cannot send to 192\.0\.2\.1:0 .*ENETUNREACH/m);
    assertMatch(stdout, /^2 packets transmitted, 0 received, \+2 errors, 100% packet loss, /m);
    assertMatch(stdout, /^2 packets transmitted, 2 received, 0% packet loss, /m);
  },
});

Deno.test({
  name: "ping.ts counts lost requests, and exits with 1",
  ...needsOwnNetwork,
  async fn() {
    // The system itself answers no echo request: all of them are lost.
    const prepare = "echo 1 > /proc/sys/net/ipv4/icmp_echo_ignore_all";
    const { code, stdout } = await runExample(
      "ping",
      ["-c", "2", "-i", "0.01", "-W", "0.1", "127.0.0.1"],
      { through: (command) => inOwnNetwork(prepare, command) },
    );
    assertEquals(code, 1);
    assertEquals(maskNumbers(stdout).split("\n"), [
      "PING 127.0.0.1 (127.0.0.1) 56(84) bytes of data.",
      "",
      "--- 127.0.0.1 ping statistics ---",
      "2 packets transmitted, 0 received, 100% packet loss, time Nms",
      "",
      "",
    ]);
  },
});

Deno.test({
  name: "ping.ts -w ends although requests are lost, and sends more of them than -c",
  ...needsOwnNetwork,
  async fn() {
    const prepare = "echo 1 > /proc/sys/net/ipv4/icmp_echo_ignore_all";
    const { code, stdout } = await runExample(
      "ping",
      ["-w", "2", "-c", "1", "-i", "0.1", "127.0.0.1", "::1"],
      { through: (command) => inOwnNetwork(prepare, command) },
    );
    assertEquals(code, 1);
    const [, sent] = /^(\d+) packets transmitted, 0 received, 100% packet loss/m.exec(stdout)!;
    assertGreaterOrEqual(Number(sent), 2);
    assertMatch(stdout, /^1 packets transmitted, 1 received, 0% packet loss/m);
  },
});

Deno.test({
  name: "ping.ts pings without a privilege where its group has permission",
  ...needsOwnNetwork,
  ...needsSetpriv,
  async fn() {
    const through = (command: readonly string[]) => inOwnNetwork(EVERYONE_PINGS, dropRaw(command));
    const { code, stdout, stderr } = await runExample(
      "ping",
      ["-c", "2", "-i", "0.02", "127.0.0.1", "::1"],
      { through },
    );
    assertEquals([code, stderr], [0, ""]);
    assertEquals(stdout.match(/^64 bytes from .* ttl=64 /gm)!.length, 4);
  },
});

Deno.test({
  name: "ping.ts exits with 1 and names the missing privileges and how to get them",
  ...needsOwnNetwork,
  ...needsSetpriv,
  async fn() {
    // No group may ping in a new network namespace.
    const through = (command: readonly string[]) => inOwnNetwork("", dropRaw(command));
    const { code, stdout, stderr } = await runExample("ping", ["127.0.0.1"], { through });
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr, /^ping\.ts: Cannot ping without one of two privileges:$/m);
    assertMatch(stderr, /sysctl -w net\.ipv4\.ping_group_range="0 2147483647"\).*\(EACCES\)$/m);
    assertMatch(
      stderr,
      /CAP_NET_RAW \(run as root, or as root: setcap cap_net_raw\+ep .*\(EPERM\)$/m,
    );
    assertEquals(stderr.includes("    at "), false);
  },
});

Deno.test({
  name: "ping.ts takes no answer with a wrong checksum or another payload",
  ...needsOwnNetwork,
  ...needsPython,
  async fn() {
    // Nothing answers but a program, which forges some answers first.
    const prepare = "echo 1 > /proc/sys/net/ipv4/icmp_echo_ignore_all";
    await using program = await Example.start(
      "ping",
      ["-c", "3", "-i", "0.1", HOST],
      {
        through: (command) => inOwnNetwork(prepare, ["python3", "-c", FORGER, ...command]),
      },
    );
    const { code, stdout } = await program.end();
    assertEquals(code, 0, stdout);
    assertMatch(stdout, /^3 packets transmitted, 3 received, 0% packet loss, /m);
    assertMatch(stdout, /^9 malformed packets$/m);
    for (const [, took] of stdout.matchAll(/ time=([\d.]+) ms$/gm)) {
      assertGreaterOrEqual(Number(took), 100, "A forged answer was taken");
    }
  },
});

const HOST = "127.0.0.1";

/**
 * Runs a command, and answers each ping with three forged answers, and 100 ms later a right one.
 */
const FORGER = `
import socket, struct, subprocess, sys, threading, time
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)
def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    total = (total >> 16) + (total & 0xffff)
    return ~(total + (total >> 16)) & 0xffff
def send(rest, error=0):
    packet = bytes(4) + rest
    s.sendto(struct.pack("!BBH", 0, 0, checksum(packet) ^ error) + rest, ("${HOST}", 0))
def answer():
    while True:
        packet = s.recv(2000)[20:]
        if packet[0] != 8: continue
        send(packet[4:], error=1)
        send(packet[4:-1] + bytes([packet[-1] ^ 1]))
        send(packet[4:-2])
        time.sleep(0.1)
        send(packet[4:])
threading.Thread(target=answer, daemon=True).start()
sys.exit(subprocess.run(sys.argv[1:]).returncode)
`;

for (
  const { name, family, protocol, host, types, skip } of [
    {
      name: "IPv4",
      family: AF_INET,
      protocol: IPPROTO_ICMP,
      host: "127.0.0.1",
      types: [0, 8],
      skip: needsRaw,
    },
    {
      name: "IPv6",
      family: AF_INET6,
      protocol: IPPROTO_ICMPV6,
      host: "::1",
      types: [129, 128],
      skip: hasBoth,
    },
  ]
) {
  Deno.test({
    name: `ping.ts ignores malformed and foreign packets (${name})`,
    ...skip,
    async fn() {
      using socket = new Socket(family, SOCK_RAW, protocol);
      const [answer, request] = types;
      // The size tells its requests from those of other programs, which the socket receives, too.
      const size = 1000 + crypto.getRandomValues(new Uint16Array(1))[0] % 50_000;
      const args = ["-i", "0.02", "-s", `${size}`, host];
      await using program = await Example.start("ping", args);
      const at = family === AF_INET ? 20 : 0;
      const { id } = await nextRequest(socket, request, at, size);
      const packets = [
        [answer, 0, 0, 0],
        [answer, 0, 0, 0, 1, 2, 3],
        [answer, 0, 0, 0, 1, 2, 3, 4],
        [answer, 0, 0, 0, ...id, 0, 1],
        [answer, 0, 0, 0, ...id, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8],
        [request, 0, 0, 0],
        [3, 0, 0, 0, 0, 0, 0, 0, 0x4f],
        Array(2000).fill(answer),
      ].map((bytes) => new Uint8Array(bytes));
      for (const packet of packets) socket.sendTo(packet, { hostname: host, port: 0 });
      // Requests that came before the packets are in the socket still.
      while (socket.recv(new Uint8Array(100)) !== null);
      const { sequence } = await nextRequest(socket, request, at, size);
      await program.stdout.wait(RegExp(` icmp_seq=${sequence} `));
      const { code, stdout, stderr } = await program.stop();
      assertEquals([code, stderr], [0, ""]);
      const answered = [...stdout.matchAll(/ icmp_seq=(\d+) /g)].map(([, number]) =>
        Number(number)
      );
      assertEquals(answered, answered.map((_, i) => i + 1), "Each is answered, and once");
      assertMatch(stdout, RegExp(`^\\d+ packets transmitted, ${answered.length} received, `, "m"));
      assertMatch(stdout, /^\d+ malformed packets$/m);
    },
  });
}

/** Waits for a request of ping.ts, and reads its identifier and number. */
async function nextRequest(
  socket: Socket,
  request: number,
  at: number,
  size: number,
): Promise<{ id: number[]; sequence: number }> {
  using selector = new DefaultSelector();
  selector.register(socket, EVENT_READ);
  const packet = new Uint8Array(65_536);
  let length;
  do {
    assertEquals((await selector.selectAsync(DEADLINE)).length, 1);
    length = socket.recv(packet);
  } while (length !== at + 8 + size || packet[at] !== request);
  return {
    id: [...packet.subarray(at + 4, at + 6)],
    sequence: new DataView(packet.buffer).getUint16(at + 6),
  };
}

Deno.test({
  name: "ping.ts prints the summary when it is interrupted",
  ...needsRaw,
  async fn() {
    await using program = await Example.start("ping", ["-i", "0.01", "127.0.0.1"]);
    await program.stdout.wait(/icmp_seq=5 /);
    const { code, stdout, stderr } = await program.stop();
    assertEquals([code, stderr], [0, ""]);
    assertMatch(stdout, /^\d+ packets transmitted, \d+ received, /m);
  },
});

Deno.test({
  name: "ping.ts ends with 2 and the summary when no request can be sent",
  ...linuxOnly,
  ...needsRaw,
  async fn() {
    // Broadcasts need an option of the socket, which ping.ts does not set.
    const { code, stdout, stderr } = await ping("-c", "1", "255.255.255.255");
    assertEquals(code, 2);
    assertMatch(stderr, /^ping\.ts: Cannot send to 255\.255\.255\.255/);
    assertMatch(stdout, /^1 packets transmitted, 0 received, \+1 errors, 100% packet loss, /m);
  },
});

Deno.test("ping.ts exits with 2 if the command line is wrong", async () => {
  await assertUsageErrors("ping", [
    "",
    "-c x 127.0.0.1",
    "-i 0 127.0.0.1",
    "-i -1 127.0.0.1",
    "-i 1e3 127.0.0.1",
    "-W x 127.0.0.1",
    "-s -1 127.0.0.1",
    "-s 65508 127.0.0.1",
    "-w 0 127.0.0.1",
    "-I ::1 -4 127.0.0.1",
    "-I ::1 127.0.0.1",
    "-t 0 127.0.0.1",
    "-t 256 127.0.0.1",
    "-c 0 127.0.0.1",
    "-4 -6 127.0.0.1",
    "-4 ::1",
    "-6 127.0.0.1",
    "no.such.host.invalid",
    [""],
  ]);
});

Deno.test({
  name: "ping.ts -s sets the size of requests",
  ...linuxOnly,
  ...needsRaw,
  async fn() {
    const { stdout } = await ping("-c", "1", "-s", "65000", "127.0.0.1");
    assertMatch(stdout, /^65008 bytes from 127\.0\.0\.1: icmp_seq=1 /m);
  },
});
