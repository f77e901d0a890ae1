import { assert, assertEquals, assertGreater, assertMatch } from "@std/assert";
import { checksum } from "../../examples/support/icmp.ts";
import { makeReply } from "../../examples/support/echo_replies.ts";
import { parseNetwork } from "../../examples/support/networks.ts";
import { runCommand } from "../support/command.ts";
import { inTime } from "../support/deadline.ts";
import { Example, type ExampleOptions, runExample } from "../support/example_process.ts";
import { needsFakes } from "../support/fake_library.ts";
import { Faults } from "../support/faults.ts";
import { Lines } from "../support/lines.ts";
import { Namespace } from "../support/namespace.ts";
import { isQemu } from "../support/os.ts";
import {
  needsOwnNetwork,
  needsRoot,
  needsSetpriv,
  UNTIL_USABLE,
  untilUp,
} from "../support/privileges.ts";
import { noise } from "../support/sockets.ts";
import { linuxOnly, needs, needsProgram, skipIf } from "../support/skip.ts";
import { assertUsageErrors } from "./command_lines.ts";

const needsTun = {
  ...needs("/dev/net/tun", canOpenTun()),
  ...needsOwnNetwork,
  ...needsRoot,
  ...linuxOnly,
};
const needsPeers = { ...needsTun, ...needsProgram("ping"), ...needsProgram("python3") };

function canOpenTun(): boolean {
  try {
    Deno.openSync("/dev/net/tun", { read: true, write: true }).close();
    return true;
  } catch {
    return false;
  }
}

/** Two hosts that are connected by a cable: 192.0.2.1 and 192.0.2.2. */
async function makeHosts(): Promise<[Namespace, Namespace]> {
  const [left, right] = await Promise.all([Namespace.create(), Namespace.create()]);
  await left.run(`
    ip link add cable type veth peer name cable netns ${right.pid}
    ip addr add 192.0.2.1/24 dev cable
    ip link set cable up
  `);
  await right.run("ip addr add 192.0.2.2/24 dev cable; ip link set cable up");
  await Promise.all([left, right].map((host) => host.run(untilUp("cable"))));
  return [left, right];
}

const startOn = (host: ExampleOptions, here: number, there: number) =>
  Example.start("tun", [
    ...["--listen", `192.0.2.${here}:5555`, "--peer", `192.0.2.${there}:5555`],
    ...["--address", `10.7.0.${here}/24`, "--address", `fd07::${here}/64`],
  ], host);

/** Receives one connection, and prints the number of bytes, their hash and how long it took. */
const RECEIVER = `
import hashlib, socket, sys, time
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
server = socket.create_server((sys.argv[1], 7000), family=family)
print("ready", flush=True)
connection, _ = server.accept()
start, size, sha = time.monotonic(), 0, hashlib.sha256()
while data := connection.recv(1 << 20):
    sha.update(data)
    size += len(data)
print(size, sha.hexdigest(), time.monotonic() - start, flush=True)
`;

const SENDER = `
import socket, sys
with socket.create_connection((sys.argv[1], 7000)) as s, open(sys.argv[2], "rb") as f: s.sendfile(f)
`;

/** Sends a file through the tunnel. Returns the size and the hash of what arrives, and the time. */
async function transfer(
  from: Namespace,
  to: Namespace,
  address: string,
  path: string,
): Promise<{ size: number; hash: string; seconds: number }> {
  const [program, ...args] = to.through(["python3", "-c", RECEIVER, address]);
  await using receiver = new Deno.Command(program!, { args, stdout: "piped" }).spawn();
  const lines = new Lines(receiver.stdout);
  await lines.wait("ready");
  const sent = await runCommand(from.through(["python3", "-c", SENDER, address, path]));
  assertEquals([sent.code, sent.stderr], [0, ""]);
  const [size, hash, seconds] = (await lines.wait(/^\d/)).split(" ");
  return { size: Number(size), hash: hash!, seconds: Number(seconds) };
}

/** Writes a file of noise. Returns the hash of its content. */
async function writeNoise(path: string, size: number): Promise<string> {
  const bytes = noise(size, 5);
  await Deno.writeFile(path, bytes);
  const hash = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return new Uint8Array(hash).toHex();
}

Deno.test({
  name: "tun.ts tunnels pings and a transfer between two hosts, over IPv4 and IPv6",
  ...needsPeers,
  async fn() {
    const [left, right] = await makeHosts();
    await using _left = left;
    await using _right = right;
    await using near = await startOn(left, 1, 2);
    await using far = await startOn(right, 2, 1);
    assertEquals(near.firstLine, "listening on 192.0.2.1:5555 for tun0 (peer 192.0.2.2:5555)");
    for (const host of [left, right]) await host.run(UNTIL_USABLE);
    const size = isQemu ? 1 << 18 : 8 << 20;
    for (const address of ["10.7.0.2", "fd07::2"]) {
      const { stdout } = await runCommand(
        left.through(["ping", "-c", "5", "-i", "0.05", "-s", "1300", address]),
      );
      assertMatch(stdout, /5 packets transmitted, 5 received, 0% packet loss/);
    }
    const path = await Deno.makeTempFile();
    try {
      const hash = await writeNoise(path, size);
      for (const address of ["10.7.0.2", "fd07::2"]) {
        const arrived = await transfer(left, right, address, path);
        assertEquals([arrived.size, arrived.hash], [size, hash]);
      }
    } finally {
      await Deno.remove(path);
    }
    const [one, other] = await Promise.all([near.stop(), far.stop("SIGTERM")]);
    assertEquals([one.code, other.code, other.stderr], [0, 143, ""]);
    // The system may have sent something before the other end ran.
    assertMatch(one.stderr, /^(tun\.ts: Cannot receive .* \(ECONNREFUSED\); packets are lost\n)?$/);
    const [, sent] = /^(\d+) packets sent, \d+ received, \d+ lost$/m.exec(one.stdout)!;
    assertGreater(Number(sent), 2 * size / 1400);
  },
});

Deno.test({
  name: "tun.ts goes on while calls fail, which lose packets at most",
  ...needsPeers,
  ...needsFakes,
  ...skipIf(isQemu, "qemu is slow, and faults are tried without it"),
  async fn() {
    using faults = new Faults();
    const [left, right] = await makeHosts();
    await using _left = left;
    await using _right = right;
    const faulty = (host: Namespace): ExampleOptions => {
      const { flags, through } = faults.options;
      return { flags, through: (command) => host.through(through(command)) };
    };
    await using near = await startOn(faulty(left), 1, 2);
    await using far = await startOn(faulty(right), 2, 1);
    const calls = ["read", "write", "recv", "send"];
    faults.set([
      ...[...calls, "epoll_wait"].map((call) => `${call}=EINTR/3`),
      ...calls.map((call) => `${call}=EAGAIN/9`),
      ...["write=EIO/50", "send=ENOBUFS/50", "recv=ECONNREFUSED/50"],
    ]);
    const path = await Deno.makeTempFile();
    try {
      const hash = await writeNoise(path, 1 << 19);
      const arrived = await transfer(left, right, "10.7.0.2", path);
      assertEquals([arrived.size, arrived.hash], [1 << 19, hash]);
    } finally {
      await Deno.remove(path);
    }
    assertGreater(faults.made.length, 0);
    for (const { code, stderr } of [await near.stop(), await far.stop()]) {
      assertEquals(code, 0);
      assertMatch(stderr, /^(tun\.ts: Cannot .*; packets are lost\n)*$/);
    }
  },
});

Deno.test({
  name: "tun.ts carries at least a third of what socat's tunnel does",
  ...skipIf(isQemu, "qemu is slow"),
  ...needsPeers,
  ...needsProgram("socat"),
  async fn() {
    const [left, right] = await makeHosts();
    await using _left = left;
    await using _right = right;
    const path = await Deno.makeTempFile();
    const size = 8 << 20;
    const hash = await writeNoise(path, size);
    const measure = async () => {
      const arrived = await transfer(left, right, "10.7.0.2", path);
      assertEquals([arrived.size, arrived.hash], [size, hash]);
      return size / arrived.seconds / 1e6;
    };
    try {
      let ratio = 0;
      // A busy machine may slow one of the two down.
      for (let round = 0; round < 10 && ratio <= 1 / 3; round++) {
        let ours: number;
        {
          await using near = await startOn(left, 1, 2);
          await using far = await startOn(right, 2, 1);
          ours = await measure();
          assertEquals(await Promise.all([near.stop(), far.stop()]).then((all) => all.length), 2);
        }
        const ends = [[left, 1, 2], [right, 2, 1]] as const;
        const children = ends.map(([host, here, there]) => {
          const udp = `UDP-DATAGRAM:192.0.2.${there}:5556,bind=192.0.2.${here}:5556`;
          const tun = `TUN:10.7.0.${here}/24,up,iff-no-pi,tun-name=tun0`;
          const [program, ...args] = host.through(["socat", "-d", "-d", udp, tun]);
          return new Deno.Command(program!, { args, stdin: "null", stderr: "piped" }).spawn();
        });
        try {
          await Promise.all(
            children.map(({ stderr }) => new Lines(stderr).wait(/starting data transfer loop/)),
          );
          for (const [host] of ends) await host.run("ip link set tun0 mtu 1400");
          ratio = ours / await measure();
        } finally {
          for (const child of children) child.kill();
          await inTime(Promise.all(children.map(({ status }) => status)), "the end of socat");
        }
      }
      assertGreater(ratio, 1 / 3);
    } finally {
      await Deno.remove(path);
    }
  },
});

Deno.test({
  name: "tun.ts --reply answers the pings to any address, over IPv4 and IPv6",
  ...needsTun,
  ...needsProgram("ping"),
  async fn() {
    await using host = await Namespace.create();
    const networks = ["--address", "10.7.0.1/24", "--address", "fd07::1/64", "--name", "replies"];
    await using program = await Example.start("tun", ["--reply", ...networks], host);
    assertEquals(program.firstLine, "answering pings on replies");
    for (const address of ["10.7.0.77", "10.7.0.200", "fd07::77"]) {
      const { stdout } = await runCommand(
        host.through(["ping", "-c", "4", "-i", "0.05", "-s", "1001", address]),
      );
      assertMatch(stdout, /4 packets transmitted, 4 received, 0% packet loss/);
    }
    const { code, stdout, stderr } = await program.stop();
    assertEquals([code, stderr], [0, ""]);
    assertMatch(stdout, /^12 pings answered, \d+ other packets, 0 lost$/m);
  },
});

Deno.test({
  name: "tun.ts goes on when the other end does not run, or sends what is not a packet",
  ...needsPeers,
  async fn() {
    await using host = await Namespace.create();
    const args = ["--listen", "127.0.0.1:5555", "--peer", "127.0.0.1:5556"];
    await using program = await Example.start("tun", [...args, "--address", "10.7.0.1/24"], host);
    await host.run("ping -c 1 -W 0.1 10.7.0.2 || true");
    await program.stderr.wait(
      /^tun\.ts: Cannot (receive|send) on fd \d+: .*ECONNREFUSED.*; packets are lost$/,
    );
    // From another port than the peer's, from the peer without a packet, and a ping.
    await host.run(`python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.sendto(b"stray", ("127.0.0.1", 5555))
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 5556))
for packet in b"", b"-": s.sendto(packet, ("127.0.0.1", 5555))
'`);
    await program.stderr.wait(
      /^tun\.ts: Cannot write to fd \d+: Invalid argument \(EINVAL\); packets are lost$/,
    );
    await host.run("ip link del tun0");
    const { code, stdout, stderr } = await program.end();
    assertEquals(code, 1);
    assertMatch(stdout, /^\d+ packets sent, 0 received, \d+ lost$/m);
    assertMatch(stderr, /^tun\.ts: Cannot read from fd \d+: .* \(EBADFD\)$/m);
    assertEquals(stderr.includes("    at "), false);
  },
});

Deno.test({
  name: "tun.ts says what to do without the privilege, the driver, or a device that is free",
  ...needsTun,
  ...needsSetpriv,
  async fn() {
    await using host = await Namespace.create("ip tuntap add dev ours mode tun user 65534");
    const as = (...before: string[]) => ({
      through: (command: readonly string[]) => host.through([...before, ...command]),
    });
    const nobody = ["setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-all"];
    const noDriver = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /dev/net; exec "$@"'];
    const unprivileged = await runExample("tun", ["--reply"], as(...nobody));
    assertEquals([unprivileged.code, unprivileged.stdout], [1, ""]);
    assertMatch(
      unprivileged.stderr,
      /^tun\.ts: Cannot open the device tun%d: .*\(EPERM\)\nIt needs CAP_NET_ADMIN: run it as root,/,
    );
    const undriven = await runExample("tun", ["--reply"], as(...noDriver, "sh"));
    assertEquals([undriven.code, undriven.stdout], [1, ""]);
    assertMatch(undriven.stderr, /^tun\.ts: .* \/dev\/net\/tun: .*\(ENOENT\)\nLoad its driver/);
    const invalid = await runExample("tun", ["--reply", "--name", "lo"], as());
    assertMatch(
      invalid.stderr,
      /^tun\.ts: Cannot open the device lo: [^:]* \(EINVAL\)\nIts name is not valid, or it is not a TUN device$/m,
    );
    await using program = await Example.start("tun", ["--reply", "--name", "ours"], host);
    assertEquals(program.firstLine, "answering pings on ours");
    const busy = await runExample("tun", ["--reply", "--name", "ours"], as());
    assertMatch(busy.stderr, /\(EBUSY\)\nAnother program has the device open$/m);
  },
});

Deno.test({
  name: "tun.ts exits with 2 if the command line is wrong",
  ...linuxOnly,
  async fn() {
    await assertUsageErrors("tun", [
      "",
      "--reply --peer :1",
      "--peer 1",
      "--peer :0",
      "--reply --mtu 67",
      "--reply --name 1234567890123456",
      ...["10.7.0.1", "10.7.0.1/33", "10.7.0/24", "10.7.0.256/24", "fd07::/129", "fd07:::/64", "/1"]
        .map((network) => `--reply --address ${network}`),
    ]);
  },
});

Deno.test("parseNetwork() parses addresses of both families", () => {
  for (
    const [text, bytes] of [
      ["192.0.2.1", [192, 0, 2, 1]],
      ["::", Array(16).fill(0)],
      ["::1", [...Array(15).fill(0), 1]],
      ["fd07::1", [0xfd, 7, ...Array(13).fill(0), 1]],
      ["1::", [0, 1, ...Array(14).fill(0)]],
      ["1:2:3:4:5:6:7:ffff", [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 255, 255]],
      ["::ffff:192.0.2.1", [...Array(10).fill(0), 255, 255, 192, 0, 2, 1]],
    ] as const
  ) assertEquals([...parseNetwork(`${text}/8`).bytes], bytes);
});

/** An echo request with correct checksums. */
function pingOver(version: 4 | 6, data: readonly number[]): Uint8Array {
  const isIpv4 = version === 4;
  const message = new Uint8Array([isIpv4 ? 8 : 128, 0, 0, 0, 1, 2, 0, 7, ...data]);
  const addresses = Array.from({ length: isIpv4 ? 8 : 32 }, (_, i) => i * 7 + 1);
  const pseudo = isIpv4 ? [] : [...addresses, 0, 0, 0, message.length, 0, 0, 0, 58];
  const sum = checksum(new Uint8Array([...pseudo, ...message]));
  message.set([sum >> 8, sum & 255], 2);
  const header = isIpv4
    ? [0x45, 0, 0, 20 + message.length, 0, 1, 0, 0, 64, 1, 0, 0, ...addresses]
    : [0x60, 0, 0, 0, 0, message.length, 58, 64, ...addresses];
  return new Uint8Array([...header, ...message]);
}

Deno.test("makeReply() makes replies with correct checksums", () => {
  for (const version of [4, 6] as const) {
    for (const data of [[], [1], [0xff, 0xff, 0xff], [...noise(99, 9)]]) {
      const request = pingOver(version, data);
      const reply = request.slice();
      assert(makeReply(reply));
      const [at, start, size] = version === 4 ? [20, 12, 4] : [40, 8, 16];
      assertEquals([reply[at], reply.length], [version === 4 ? 0 : 129, request.length]);
      const addresses = [reply.slice(start, start + size), reply.slice(start + size, at)];
      assertEquals(addresses, [
        request.slice(start + size, at),
        request.slice(start, start + size),
      ]);
      const pseudo = version === 4
        ? []
        : [...reply.subarray(8, 40), 0, 0, 0, reply.length - 40, 0, 0, 0, 58];
      assertEquals(checksum(new Uint8Array([...pseudo, ...reply.subarray(at)])), 0);
      assertEquals(reply.subarray(at + 4), request.subarray(at + 4));
      assertEquals(makeReply(reply), false, "A reply has no reply");
    }
  }
});

Deno.test("makeReply() leaves everything else as it is", () => {
  const [ping4, ping6] = [pingOver(4, [1, 2]), pingOver(6, [1, 2])];
  for (
    const packet of [
      new Uint8Array(),
      new Uint8Array([0x45]),
      new Uint8Array([0x60]),
      ping4.slice(0, 27),
      ping6.slice(0, 47),
      ping4.with(0, 0x44),
      ping4.with(0, 0x4f),
      ping4.with(6, 0x20),
      ping4.with(7, 1),
      ping4.with(9, 17),
      ping4.with(21, 1),
      ping6.with(6, 17),
      ping6.with(40, 1),
    ]
  ) {
    const before = packet.slice();
    assertEquals([makeReply(packet), packet], [false, before]);
  }
});
