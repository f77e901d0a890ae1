import { assert, assertEquals, assertMatch } from "@std/assert";
import { readFrame } from "../../examples/support/frames.ts";
import { MalformedPacket } from "../../examples/support/packets.ts";
import { runCommand } from "../support/command.ts";
import { Example, runExample } from "../support/example_process.ts";
import {
  inNetworkOf,
  inOwnNetwork,
  needsOwnNetwork,
  needsRaw,
  needsSetpriv,
  withoutRaw,
} from "../support/privileges.ts";
import { needsProgram } from "../support/skip.ts";
import { noise } from "../support/sockets.ts";
import { untilIdle } from "../support/usage.ts";
import { assertUsageErrors, runEach } from "./command_lines.ts";
import { needsPcap } from "./libpcap.ts";
import { sendTraffic } from "./traffic.ts";

const needsCapture = { ...needsPcap, ...needsOwnNetwork, ...needsProgram("python3") };

/** Starts it in a network of its own. */
const start = (...args: string[]) =>
  Example.start("pcap", args, { through: (command) => inOwnNetwork(PREPARE, command) });

/** An interface that can be removed. */
const PREPARE = "ip link add gone type veth; ip link set gone up";

/** Returns the lines of packets, without their times. */
function packets(stdout: string): string[] {
  return stdout.trim().split("\n").filter((line) => /^\d\d:/.test(line)).map((line) => {
    assertMatch(line, /^\d\d:\d\d:\d\d\.\d{3} /);
    return line.slice(13);
  });
}

Deno.test({
  name: "pcap.ts prints the packets that a filter matches, once each",
  ...needsCapture,
  async fn() {
    await using program = await start("-i", "lo", "udp", "port", "1234");
    assertEquals(program.firstLine, "listening on lo (EN10MB)");
    await sendTraffic(program);
    await program.stdout.wait(/IP6/);
    const { code, stdout, stderr } = await program.stop();
    assertEquals([code, stderr], [0, ""]);
    assertEquals(packets(stdout), [
      "IP 127.0.0.1.5555 > 127.0.0.1.1234: UDP, length 5",
      "IP6 ::1.5555 > ::1.1234: UDP, length 5",
    ]);
    assertMatch(stdout, /\n2 packets, 0 malformed, 0 dropped by the kernel\n$/);
  },
});

Deno.test({
  name: "pcap.ts has libpcap's whole filter language, and ends after a count",
  ...needsCapture,
  async fn() {
    const filter = "tcp[tcpflags] & tcp-syn != 0 or greater 1000";
    await using program = await start("-i", "any", "-c", "3", filter);
    assertMatch(program.firstLine, /^listening on any \(LINUX_SLL2?\)$/);
    await sendTraffic(program);
    const { code, stdout } = await program.end();
    assertEquals(code, 0);
    const lines = packets(stdout);
    assertEquals(lines.length, 3);
    assertMatch(lines[0]!, /^IP 127\.0\.0\.1\.5556 > 127\.0\.0\.1\.1234: TCP \[S\], /);
    assertMatch(lines[2]!, /, length 1000$/);
  },
});

Deno.test({
  name: "pcap.ts writes files that tcpdump and it read",
  ...needsCapture,
  ...needsProgram("tcpdump"),
  async fn() {
    const path = await Deno.makeTempFile({ suffix: ".pcap" });
    try {
      {
        await using program = await start("-i", "lo", "-w", path, "-c", "8");
        await sendTraffic(program);
        const { code, stdout } = await program.end();
        assertEquals([code, stdout], [
          0,
          "listening on lo (EN10MB)\n8 packets, 0 dropped by the kernel\n",
        ]);
      }
      const theirs = (await runCommand(["tcpdump", "-n", "-r", path])).stdout.trim().split("\n");
      const { code, stdout, stderr } = await runExample("pcap", ["-r", path]);
      assertEquals([code, stderr], [0, ""]);
      const ours = packets(stdout);
      const ends = (line: string) => /IP6? \S+ > \S+:/.exec(line)?.[0];
      assertEquals(ours.map(ends), theirs.map(ends));
      assertEquals(ours.length, 8);
      const filtered = await runExample("pcap", ["-r", path, "-c", "2", "ip6 or tcp"]);
      assertEquals(
        packets(filtered.stdout),
        ours.filter((line) => /IP6|TCP/.test(line)).slice(0, 2),
      );
    } finally {
      await Deno.remove(path);
    }
  },
});

Deno.test({
  name: "pcap.ts prints the bytes that tcpdump prints",
  ...needsPcap,
  ...needsProgram("tcpdump"),
  async fn() {
    // All lengths of the last line, and all characters.
    const payloads = Array.from({ length: 256 }, (_, i) => Uint8Array.of(...udp(), i));
    const frames = payloads.map((payload, i) => ethernet(0x0800, payload.subarray(0, 31 + i % 2)));
    const large = Uint8Array.of(...udp(), ...Array.from({ length: 256 }, (_, i) => i));
    const path = await writeFile(1, [...frames, ethernet(0x0800, large), ethernet(0x88cc, large)]);
    for (const option of ["-x", "-X"]) {
      const [ours, theirs] = await Promise.all([
        runExample("pcap", ["-n", option, "-r", path]),
        runCommand(["tcpdump", "-n", option, "-r", path]),
      ]);
      const bytes = (text: string) => text.split("\n").filter((line) => line.startsWith("\t0x"));
      assertEquals([ours.code, ours.stderr], [0, ""]);
      assertEquals(bytes(ours.stdout), bytes(theirs.stdout));
    }
    await Deno.remove(path);
  },
});

Deno.test({
  name: "pcap.ts writes to standard output as packets come",
  ...needsPcap,
  ...needsProgram("tcpdump"),
  async fn() {
    const path = await writeFile(1, [ethernet(0x0800, udp())]);
    const command = `"$0" "$@" | tcpdump -n -r - 2>/dev/null`;
    const run = ["run", "--allow-ffi", "examples/pcap.ts", "-r", path, "-w", "-"];
    const { stdout, stderr } = await runCommand(["sh", "-c", command, Deno.execPath(), ...run]);
    await Deno.remove(path);
    assertMatch(stdout, / IP 192\.0\.2\.1\.7 > 192\.0\.2\.2\.53: /);
    assertMatch(stderr, /^1 packets$/m);
  },
});

Deno.test({
  name: "pcap.ts does nothing while there are no packets",
  ...needsCapture,
  async fn() {
    await using program = await start("-i", "lo");
    await untilIdle(program.pid);
    const { code, stdout } = await program.stop("SIGTERM");
    assertEquals(code, 143);
    assertMatch(stdout, /\n0 packets, /);
  },
});

Deno.test({
  name: "pcap.ts ends when its interface is removed",
  ...needsCapture,
  async fn() {
    await using program = await start("-i", "gone");
    await runCommand(inNetworkOf(program.pid, ["ip", "link", "del", "gone"]));
    const { code, stderr } = await program.end();
    assertEquals(code, 1);
    assertMatch(stderr, /^pcap\.ts: Cannot get a packet: The interface disappeared\n$/);
  },
});

Deno.test({
  name: "pcap.ts reads the link-layer headers of all kinds of interfaces",
  ...needsPcap,
  async fn() {
    const packet = udp();
    const line = "IP 192.0.2.1.7 > 192.0.2.2.53: UDP, length 3";
    const tag = [0x81, 0, 0, 5];
    for (
      const [linkType, frames, expected] of [
        [1, [ethernet(0x0800, packet), ethernet(0x0806, new Uint8Array(28))], [
          line,
          "ARP, length 28",
        ]],
        [1, [Uint8Array.of(...new Uint8Array(12), ...tag, ...tag, 8, 0, ...packet)], [line]],
        [1, [ethernet(0x88cc, new Uint8Array(9))], ["protocol 0x88cc, length 9"]],
        [1, [new Uint8Array(13), ethernet(0x0800, packet.subarray(0, 20))], [
          "malformed: a frame of 13 bytes",
          "malformed: 20 bytes where 31 are needed",
        ]],
        [0, [Uint8Array.of(2, 0, 0, 0, ...packet)], [line]],
        [108, [Uint8Array.of(0, 0, 0, 2, ...packet)], [line]],
        [101, [packet], [line]],
        [113, [Uint8Array.of(...new Uint8Array(14), 8, 0, ...packet)], [line]],
        [276, [Uint8Array.of(8, 0, ...new Uint8Array(18), ...packet)], [line]],
        [105, [new Uint8Array(7)], ["IEEE802_11, length 7"]],
      ] as const
    ) {
      const path = await writeFile(linkType, frames);
      const { code, stdout, stderr } = await runExample("pcap", ["-r", path]);
      await Deno.remove(path);
      assertEquals([code, stderr, packets(stdout)], [0, "", [...expected]], `${linkType}`);
    }
  },
});

Deno.test({
  name: "pcap.ts says how much of a packet was captured",
  ...needsPcap,
  async fn() {
    const path = await writeFile(1, [ethernet(0x0800, udp()).subarray(0, 40)], 45);
    const { stdout } = await runExample("pcap", ["-r", path]);
    await Deno.remove(path);
    assertEquals(packets(stdout), ["40 bytes captured of 45"]);
    assertMatch(stdout, /\n1 packets, 0 malformed\n$/);
  },
});

Deno.test({
  name: "pcap.ts says why libpcap cannot do something",
  ...needsPcap,
  async fn() {
    const path = await writeFile(1, []);
    const garbage = await Deno.makeTempFile();
    await Deno.writeFile(garbage, noise(1000));
    for (
      const [code, message, ...args] of [
        [1, /^pcap\.ts: Cannot read \/nowhere: No such file/, "-r", "/nowhere"],
        [1, /^pcap\.ts: Cannot read .*: unknown file format/, "-r", garbage],
        [1, /^pcap\.ts: Cannot write \/no\/folder: [^:]*\n$/, "-r", path, "-w", "/no/folder"],
        [2, /^pcap\.ts: Cannot use the filter "tcp or": .*syntax error/, "-r", path, "tcp", "or"],
        [1, /^pcap\.ts: Cannot open libpcap: .*--library\n$/, "-r", path, "--library", "/no.so"],
        [1, /^pcap\.ts: Cannot open libpcap: /, "-i", "lo", "--library", garbage],
      ] as const
    ) {
      const { code: actual, stdout, stderr } = await runExample("pcap", args);
      assertEquals([actual, stdout], [code, ""], stderr);
      assertMatch(stderr, message);
    }
    await Promise.all([Deno.remove(path), Deno.remove(garbage)]);
  },
});

Deno.test({
  name: "pcap.ts reports an interface that does not exist",
  ...needsPcap,
  ...needsRaw,
  async fn() {
    const { code, stderr } = await runExample("pcap", ["-i", "nowhere"]);
    assertEquals(code, 1);
    assertMatch(stderr, /^pcap\.ts: Cannot capture on nowhere: .*No such device/);
  },
});

Deno.test({
  name: "pcap.ts says that a capture needs a privilege",
  ...needsPcap,
  ...needsSetpriv,
  async fn() {
    const through = withoutRaw;
    const { code, stderr } = await runExample("pcap", ["-i", "lo"], { through });
    assertEquals(code, 1);
    assertMatch(
      stderr,
      /^pcap\.ts: Cannot capture on lo: .*permi(ssion|tted).*\nIt needs CAP_NET_RAW: /i,
    );
  },
});

Deno.test("pcap.ts exits with 2 for wrong options", async () => {
  await assertUsageErrors("pcap", ["", "udp", "-i lo -r file", "-i lo -c 0", "-r file -c x", "-w"]);
  const [run] = await runEach("pcap", [["-i", "lo", "-r", "file"]]);
  assertMatch(
    run!.stderr,
    /^pcap\.ts: There must be either an interface or a file to read\n\nUsage/,
  );
});

Deno.test("readFrame() returns a content or throws MalformedPacket for any bytes", () => {
  for (const linkType of [0, 1, 12, 14, 101, 108, 113, 276, 999]) {
    for (let i = 0; i < 500; i++) {
      try {
        const content = readFrame(linkType, noise(i % 60, i));
        assert(content === null || content.payload.length < 60);
      } catch (error) {
        assert(error instanceof MalformedPacket);
      }
    }
  }
});

function ethernet(protocol: number, payload: Uint8Array): Uint8Array {
  return Uint8Array.of(...new Uint8Array(12), protocol >> 8, protocol & 0xff, ...payload);
}

/** An IPv4 packet with a UDP datagram of three bytes. */
function udp(): Uint8Array {
  const header = [0x45, 0, 0, 31, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2];
  return Uint8Array.of(...header, 0, 7, 0, 53, 0, 11, 0, 0, 1, 2, 3);
}

/** Writes a file with packets, as libpcap does. */
async function writeFile(
  linkType: number,
  frames: readonly Uint8Array[],
  size?: number,
): Promise<string> {
  const words = (...numbers: number[]) => new Uint8Array(new Uint32Array(numbers).buffer);
  const head = words(0xa1b2c3d4, 0x0004_0002, 0, 0, 65_535, linkType);
  const parts = frames.flatMap((frame) => [
    words(1_700_000_000, 123_456, frame.length, size ?? frame.length),
    new Uint8Array(frame),
  ]);
  const path = await Deno.makeTempFile({ suffix: ".pcap" });
  await Deno.writeFile(path, await new Blob([head, ...parts]).bytes());
  return path;
}
