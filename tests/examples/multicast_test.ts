import { assertEquals, assertMatch } from "@std/assert";
import { runCommand } from "../support/command.ts";
import { needsProgram, skipIf } from "../support/skip.ts";
import { inNetworkOf, inOwnNetwork, needsOwnNetwork, untilUp } from "../support/privileges.ts";
import { inTime } from "../support/deadline.ts";
import { Example, runExample } from "../support/example_process.ts";
import { Lines } from "../support/lines.ts";
import { isQemu } from "../support/os.ts";
import { assertUsageErrors, runEach } from "./command_lines.ts";

const needsSocat = needsProgram("socat");
const needsPython = needsProgram("python3");

/** Two more interfaces that are connected, and a route for IPv6 groups through loopback. */
const INTERFACES = [
  "ip link add one type veth peer name two",
  "ip addr add 192.0.2.1/24 dev one",
  "ip addr add 198.51.100.1/24 dev two",
  "ip link set one up",
  "ip link set two up",
  untilUp("one", "two"),
  "ip -6 route add local ff00::/8 dev lo table local",
].join("\n");

const own = (command: readonly string[]) => inOwnNetwork(INTERFACES, command);
const start = (...args: string[]) => Example.start("multicast", args, { through: own });

/** Runs multicast.ts in the network of another process. */
const beside = (other: Example, ...args: string[]) =>
  runExample("multicast", args, { through: (command) => inNetworkOf(other.pid, command) });

const GROUP = "239.1.2.3:7008";
const GROUP6 = "[ff05::7]:7008";

Deno.test({
  name: "multicast.ts receives on several interfaces, and names them",
  ...needsOwnNetwork,
  async fn() {
    await using receiver = await start("-i", "lo", "-i", "192.0.2.1", "-n", "2", GROUP);
    assertEquals(receiver.firstLine, `joined ${GROUP} on lo, 192.0.2.1`);
    for (const name of ["lo", "one"]) {
      const { code, stderr } = await beside(receiver, "-i", name, "-s", `hello ${name}`, GROUP);
      assertEquals([code, stderr], [0, ""]);
      await receiver.stdout.wait(
        RegExp(`^\\d+\\.\\d+\\.\\d+\\.\\d+:\\d+ via ${name}: "hello ${name}"$`),
      );
    }
    const { code, stderr } = await receiver.end();
    assertEquals([code, stderr], [0, ""]);
  },
});

Deno.test({
  name: "multicast.ts receives nothing on an interface on which it has not joined",
  ...needsOwnNetwork,
  async fn() {
    await using receiver = await start("-i", "lo", "-n", "1", GROUP);
    await beside(receiver, "-i", "one", "-s", "no", GROUP);
    await beside(receiver, "-i", "lo", "-s", "yes", GROUP);
    const { stdout } = await receiver.end();
    assertMatch(stdout.split("\n")[1], / via lo: "yes"$/);
  },
});

Deno.test({
  name: "multicast.ts receives IPv6 on an interface by name and index",
  ...skipIf(isQemu, "qemu has no IPV6_MULTICAST_IF"),
  ...needsOwnNetwork,
  async fn() {
    for (const name of ["lo", "1"]) {
      await using receiver = await start("-i", name, "-n", "1", GROUP6);
      const { code, stderr } = await beside(receiver, "-i", name, "-s", "six", GROUP6);
      assertEquals([code, stderr], [0, ""]);
      const { stdout } = await receiver.end();
      assertMatch(stdout.split("\n")[1], /^\[::1\]:\d+ via lo: "six"$/);
    }
  },
});

Deno.test({
  name: "multicast.ts receives from a link-local group, by interface and by zone",
  ...needsOwnNetwork,
  ...skipIf(isQemu, "qemu has no IPV6_MULTICAST_IF"),
  async fn() {
    const [group, inZone] = ["[ff02::1234]:7008", "[ff02::1234%lo]:7008"];
    for (
      const [receiving, sending, joined] of [
        [["-i", "lo", group], ["-i", "lo", group], `joined ${group} on lo`],
        [[inZone], [inZone], `joined ${group} on lo`],
        [["-i", "lo", "-i", "one", group], [inZone], `joined ${group} on lo, one`],
      ] as const
    ) {
      await using receiver = await start("-n", "1", ...receiving);
      assertEquals(receiver.firstLine, joined);
      // Another group at the same port, which is not for this one.
      await beside(receiver, "-i", "lo", "-s", "other", "[ff02::4321]:7008");
      const { code, stderr } = await beside(receiver, "-s", "link", ...sending);
      assertEquals([code, stderr], [0, ""]);
      const { stdout } = await receiver.end();
      assertMatch(stdout.split("\n")[1]!, /^\[.+\]:\d+ via lo: "link"$/);
    }
  },
});

Deno.test({
  name: "multicast.ts ends at once when it is interrupted under a flood",
  ...needsOwnNetwork,
  ...needsPython,
  async fn() {
    await using receiver = await start("-i", "lo", GROUP);
    const source = `
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
print("ready", flush=True)
while True: s.sendto(b"flood", ("239.1.2.3", 7008))
`;
    const [command, ...args] = inNetworkOf(receiver.pid, ["python3", "-c", source]);
    await using flood = new Deno.Command(command!, { args, stdin: "null", stdout: "piped" })
      .spawn();
    await new Lines(flood.stdout).wait("ready");
    await receiver.stdout.wait(/"flood"$/);
    const { code } = await receiver.stop();
    assertEquals(code, 0);
    flood.kill("SIGKILL");
  },
});

Deno.test({
  name: "multicast.ts escapes control characters",
  ...needsOwnNetwork,
  async fn() {
    await using receiver = await start("-i", "lo", "-n", "1", GROUP);
    await beside(receiver, "-i", "lo", "-s", "a\x1b[2J\u009b2J", GROUP);
    const { stdout } = await receiver.end();
    assertMatch(stdout.split("\n")[1]!, /: "a\\u001b\[2J\\x9b2J"$/);
  },
});

Deno.test({
  name: "multicast.ts receives what socat sends",
  ...needsSocat,
  ...needsOwnNetwork,
  async fn() {
    await using receiver = await start("-i", "lo", "-n", "1", GROUP);
    const to = `UDP4-DATAGRAM:${GROUP},ip-multicast-if=127.0.0.1`;
    const { code } = await runCommand(
      inNetworkOf(receiver.pid, ["socat", "-u", "-", to]),
      "from socat",
    );
    assertEquals(code, 0);
    const { stdout } = await receiver.end();
    assertMatch(stdout, /^127\.0\.0\.1:\d+ via lo: "from socat"$/m);
  },
});

Deno.test({
  name: "multicast.ts sends through each interface to python3",
  ...needsPython,
  ...needsOwnNetwork,
  async fn() {
    // This process holds the network in which python3 runs.
    await using holder = await start("-i", "lo", GROUP);
    const python = new Deno.Command("nsenter", {
      args: [...inNetworkOf(holder.pid, ["python3", "-c", PYTHON]).slice(1)],
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const said = new Lines(python.stdout);
    await said.wait("ready");
    await beside(holder, "-i", "lo", "-i", "192.0.2.1", "--hops", "7", "-s", "hi", GROUP);
    assertEquals((await inTime(python.status, "the end of python3")).code, 0);
    await said.ended;
    assertEquals(said.text, "ready\nb'hi' 7\nb'hi' 7\n");
  },
});

const PYTHON = `
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(120)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.setsockopt(socket.IPPROTO_IP, 12, 1)
s.bind(("239.1.2.3", 7008))
for address in "127.0.0.1", "192.0.2.1":
    membership = socket.inet_aton("239.1.2.3") + socket.inet_aton(address)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
print("ready", flush=True)
for _ in range(2):
    data, control, flags, address = s.recvmsg(100, 100)
    print(data, int.from_bytes(control[0][2], "little"))
`;

Deno.test({
  name: "multicast.ts exits with 0 when it is interrupted",
  ...needsOwnNetwork,
  async fn() {
    await using receiver = await start("-i", "lo", GROUP);
    const { code, stderr } = await receiver.stop();
    assertEquals([code, stderr], [0, ""]);
  },
});

Deno.test("multicast.ts exits with 2 if the command line is wrong", async () => {
  await assertUsageErrors("multicast", [
    "",
    [GROUP, GROUP],
    "239.1.2.3",
    "239.1.2.3:65536",
    "localhost:80",
    "192.0.2.1:7008",
    "240.0.0.1:7008",
    "[::1]:7008",
    ["--hops", "256", GROUP],
    ["-n", "0", GROUP],
    ["-i", "4294967296", GROUP],
    ["-i", "lo", "[ff02::1%lo]:7008"],
  ]);
});

Deno.test("multicast.ts exits with 1 if the interface is wrong", async () => {
  const wrong = [["-i", "nonsense", GROUP], ["-i", "54321", GROUP], ["-i", "203.0.113.7", GROUP]];
  for (const [i, { code, stdout, stderr }] of (await runEach("multicast", wrong)).entries()) {
    assertEquals([wrong[i], code, stdout], [wrong[i], 1, ""]);
    assertMatch(stderr, /^multicast\.ts: Cannot /);
  }
});
