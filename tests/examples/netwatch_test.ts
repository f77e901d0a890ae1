import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  MalformedMessage,
  readAttributes,
  readMessages,
  writeAttribute,
} from "../../examples/support/netlink.ts";
import { EntryReader } from "../../examples/support/network_entries.ts";
import { inTime } from "../support/deadline.ts";
import { Example, runExample } from "../support/example_process.ts";
import { Lines } from "../support/lines.ts";
import { Namespace } from "../support/namespace.ts";
import { needsOwnNetwork, UNTIL_USABLE, untilUp } from "../support/privileges.ts";
import { noise } from "../support/sockets.ts";
import { linuxOnly } from "../support/skip.ts";
import { assertUsageErrors } from "./command_lines.ts";

/** Gives new links no address by itself, which would come some time later. */
const NO_LINK_LOCAL = "echo 1 > /proc/sys/net/ipv6/conf/default/addr_gen_mode";

/** Two links that are up. */
const PAIR = `
  ${NO_LINK_LOCAL}
  ip link add one type veth peer name two
  ip link set one up
  ip link set two up
  ${untilUp("one", "two")}
`;

/** Two links with addresses and routes of every kind. */
const LINKS = `
  ${NO_LINK_LOCAL}
  ip link add one type veth peer name two
  ip link set one address 02:00:00:00:00:01
  ip link set two address 02:00:00:00:00:02 mtu 1400
  ip link set one up
  ip link set two up
  ${untilUp("one", "two")}
  ip addr add 192.0.2.1/24 dev one
  ip addr add 192.0.2.5 peer 192.0.2.6/32 dev two
  ip addr add 2001:db8::1/64 dev one nodad
  ip route add default via 192.0.2.254 metric 100
  ip route add 198.51.100.7 via 192.0.2.254 src 192.0.2.1 table 1000
  ip route add blackhole 203.0.113.0/24
  ip route add 203.0.113.0/28 nexthop via 192.0.2.253 dev one nexthop via 192.0.2.6 dev two
  ip -6 route add unreachable 2001:db8:1::/48
  ip -6 route add 2001:db8:2::/48 via 2001:db8::2
`;

/** The lines that netwatch.ts should print, from what `ip` lists. */
async function expectedIn(namespace: Namespace): Promise<string[]> {
  const [links, addresses, ...routes] = await Promise.all(
    ["link", "address", "-4 route list table all", "-6 route list table all"].map(async (what) =>
      JSON.parse(await namespace.run(`ip -json ${what} | sed 's/^$/[]/'`) || "[]")
    ),
  );
  const lines: string[] = [];
  for (const { ifname, flags, mtu, operstate, address } of links) {
    const upOrDown = flags.includes("UP") ? "up" : "down";
    const state = operstate.toLowerCase();
    lines.push(`link ${ifname} ${upOrDown} mtu ${mtu} state ${state} address ${address}`);
  }
  for (const { ifname, addr_info } of addresses) {
    for (const { local, address, prefixlen, tentative } of addr_info) {
      const peer = address === undefined ? "" : ` peer ${address}`;
      const state = tentative ? " tentative" : "";
      lines.push(`address ${local}${peer}/${prefixlen} dev ${ifname}${state}`);
    }
  }
  for (const { type, dst, gateway, dev, prefsrc, metric, table, nexthops } of routes.flat()) {
    const words = ["route", type, dst];
    if (gateway !== undefined) words.push("via", gateway);
    if (dev !== undefined) words.push("dev", dev);
    if (prefsrc !== undefined) words.push("src", prefsrc);
    if (metric) words.push("metric", metric);
    if (table !== undefined) words.push("table", table);
    for (const { gateway, dev } of nexthops ?? []) words.push("nexthop via", gateway, "dev", dev);
    lines.push(words.filter((word) => word !== undefined && word !== "unicast").join(" "));
  }
  return lines;
}

Deno.test({
  name: "netwatch.ts --list --all prints what ip prints, for links, addresses and routes",
  ...needsOwnNetwork,
  async fn() {
    await using namespace = await Namespace.create(LINKS);
    let [expected, stdout] = [[] as string[], ""];
    // The state of a link changes a little after it is set up.
    for (let isSettled = false; !isSettled;) {
      const before = await expectedIn(namespace);
      const run = await runExample("netwatch", ["--list", "--all"], namespace);
      assertEquals([run.code, run.stderr], [0, ""]);
      stdout = run.stdout;
      expected = await expectedIn(namespace);
      isSettled = `${before}` === `${expected}`;
    }
    const lines = stdout.trimEnd().split("\n");
    for (
      const line of [
        "link two up mtu 1400 state up address 02:00:00:00:00:02",
        "address 192.0.2.1/24 dev one",
        "address 192.0.2.5 peer 192.0.2.6/32 dev two",
        "address 2001:db8::1/64 dev one",
        "route default via 192.0.2.254 dev one metric 100",
        "route 198.51.100.7 via 192.0.2.254 dev one src 192.0.2.1 table 1000",
        "route blackhole 203.0.113.0/24",
        "route 203.0.113.0/28 nexthop via 192.0.2.253 dev one nexthop via 192.0.2.6 dev two",
        "route 2001:db8:2::/48 via 2001:db8::2 dev one metric 1024",
        "route local 192.0.2.1 dev one src 192.0.2.1 table local",
      ]
    ) assert(lines.includes(line), `${line} in\n${stdout}`);
    assertEquals(lines.sort(), expected.sort());
  },
});

/** Starts netwatch.ts in a namespace, and waits until it watches. */
async function watch(namespace: Namespace, ...args: string[]): Promise<Example> {
  const program = await Example.start("netwatch", args, namespace);
  if (program.firstLine !== WATCHING) await program.stdout.wait(WATCHING);
  return program;
}

const WATCHING = "watching for changes";

/** The changes that netwatch.ts has printed, without their times. */
function changesIn(output: string): string[] {
  const [, changes] = output.split(`${WATCHING}\n`);
  return changes!.trimEnd().split("\n").map((line) => {
    assertMatch(line, /^\d\d:\d\d:\d\d\.\d{3} (added|changed|removed) /);
    return line.slice(13);
  });
}

/** The words of a change, in an order of their own, without those that netwatch.ts leaves out. */
function wordsOf(change: string): string {
  return change.replaceAll(/ (proto|scope|pref) \w+| metric 0\b/g, "").trim().split(/\s+/).sort()
    .join(" ");
}

/** A line of `ip -oneline monitor`, as netwatch.ts prints it. */
function translated(line: string): string {
  const [, deleted, rest] = /^(Deleted )?(.*)$/.exec(line)!;
  const change = deleted === undefined ? "added" : "removed";
  const address = /^\d+: (\S+) +inet6? (\S+(?: peer \S+)?) /.exec(rest!);
  if (address !== null) return `${change} address ${address[2]} dev ${address[1]}`;
  return `${change} route ${rest!.replaceAll("\\", " ")}`;
}

Deno.test({
  name: "netwatch.ts prints the changes of addresses and routes that ip monitor prints",
  ...needsOwnNetwork,
  async fn() {
    await using namespace = await Namespace.create(PAIR);
    await using program = await watch(namespace, "--all", "address", "route");
    const [command, ...args] = namespace.through(["ip", "-oneline", "monitor", "address", "route"]);
    const monitor = new Deno.Command(command!, { args, stdin: "null", stdout: "piped" }).spawn();
    try {
      const theirs = new Lines(monitor.stdout);
      // It listens once it prints a change.
      while (theirs.text === "") {
        await namespace.run("ip addr add 127.9.9.9/32 dev lo; ip addr del 127.9.9.9/32 dev lo");
      }
      await namespace.run(`
        ip addr add 127.1.1.1/32 dev lo
        ip addr add 192.0.2.1/24 dev one
        ip addr add 192.0.2.7 peer 192.0.2.8/32 dev one
        ip addr add 2001:db8::1/64 dev one nodad
        ${UNTIL_USABLE}
        ip route add 198.51.100.0/24 via 192.0.2.9 metric 7
        ip route add blackhole 203.0.113.0/24 table 1000
        ip route add 2001:db8:1::/48 via 2001:db8::9
        ip route del 2001:db8:1::/48
        ip route del 198.51.100.0/24 metric 7
        ip addr del 2001:db8::1/64 dev one
        ip addr del 192.0.2.7 peer 192.0.2.8/32 dev one
        ip addr del 192.0.2.1/24 dev one
        ip addr add 127.2.2.2/32 dev lo
      `);
      await Promise.all([
        program.stdout.wait(/added route local 127\.2\.2\.2 /),
        theirs.wait(/^local 127\.2\.2\.2 /),
      ]);
      const { code, stdout, stderr } = await program.stop();
      assertEquals([code, stderr], [0, ""]);
      const [ours, expected] = [
        changesIn(stdout),
        theirs.text.trimEnd().split("\n").map(translated),
      ].map((changes) => {
        const [start, end] = ["127.1.1.1", "127.2.2.2"].map((ip) =>
          changes.findIndex((change) => change.includes(ip))
        );
        return changes.slice(start, end).map(wordsOf);
      });
      assert(expected!.length > 20, theirs.text);
      assertEquals(ours, expected);
    } finally {
      monitor.kill();
      await inTime(monitor.status, "the end of ip monitor");
    }
  },
});

Deno.test({
  name: "netwatch.ts prints that a link comes, changes, is renamed and goes",
  ...needsOwnNetwork,
  async fn() {
    await using namespace = await Namespace.create("ip link add bridge type bridge");
    await using program = await watch(namespace, "link");
    const steps: [command: string, line: RegExp][] = [
      [
        "link add one address 02:00:00:00:00:01 type veth peer name other",
        /added link one down mtu 1500 state down address 02:00:00:00:00:01$/,
      ],
      ["link set one mtu 1300", /changed link one down mtu 1300 /],
      ["link set one up", /changed link one up mtu 1300 state lowerlayerdown /],
      // About a port that leaves, a bridge sends the message for a link that is gone.
      ["link set one master bridge", /added link|changed link bridge/],
      ["link set one nomaster; ip link set one down", /changed link one down /],
      ["link set one name two", /changed link two down /],
      ["link del two", /removed link (two|other) /],
    ];
    for (const [command, line] of steps) {
      await namespace.run(`ip ${command}`);
      await program.stdout.wait(line);
    }
    const { code, stdout } = await program.stop();
    assertEquals(code, 0);
    assertEquals(changesIn(stdout).filter((change) => change.startsWith("removed")).length, 2);
  },
});

Deno.test({
  name: "netwatch.ts prints routes that go without a message, and those that are replaced",
  ...needsOwnNetwork,
  async fn() {
    await using namespace = await Namespace.create(`
      ${PAIR}
      ip addr add 192.0.2.1/24 dev one
      ip addr add 192.0.2.2/24 dev one
      ip route add 198.51.100.0/24 via 192.0.2.9
      ip route add 203.0.113.0/24 dev lo src 192.0.2.2
    `);
    await using program = await watch(namespace, "route");
    await namespace.run("ip route replace 198.51.100.0/24 via 192.0.2.8");
    await program.stdout.wait(/removed route 198\.51\.100\.0\/24 via 192\.0\.2\.9 /);
    const unsourced = program.stdout.wait(
      /removed route 203\.0\.113\.0\/24 dev lo src 192\.0\.2\.2/,
    );
    await namespace.run("ip addr del 192.0.2.2/24 dev one");
    await unsourced;
    await namespace.run("ip link set one down");
    await program.stdout.wait(/removed route 198\.51\.100\.0\/24 via 192\.0\.2\.8 /);
    const { code, stdout } = await program.stop();
    assertEquals(code, 0);
    assert(changesIn(stdout).includes("added route 198.51.100.0/24 via 192.0.2.8 dev one"), stdout);
    assert(changesIn(stdout).includes("removed route 192.0.2.0/24 dev one src 192.0.2.1"), stdout);
  },
});

Deno.test({
  name: "netwatch.ts lists everything again when changes were lost, and prints each",
  ...needsOwnNetwork,
  async fn() {
    await using namespace = await Namespace.create();
    await using program = await watch(namespace, "address");
    const count = 3000;
    const batch = Array.from(
      { length: count },
      (_, i) => `addr add 127.1.${i >> 8}.${i & 255}/32 dev lo`,
    ).join("\n");
    program.kill("SIGSTOP");
    try {
      await namespace.run(`ip -batch - << END\n${batch}\nEND`);
    } finally {
      program.kill("SIGCONT");
    }
    for (let added = 0; added < count; added++) await program.stdout.wait(/added address 127\.1\./);
    const { code, stdout, stderr } = await program.stop("SIGTERM");
    assertEquals(code, 143);
    assertMatch(stderr, /^netwatch\.ts: Too many changes at once; listing everything again$/m);
    assertEquals(new Set(changesIn(stdout)).size, count);
    assertEquals(changesIn(stdout).length, count);
  },
});

Deno.test({
  name: "netwatch.ts exits with 2 if the command line is wrong",
  ...linuxOnly,
  async fn() {
    await assertUsageErrors("netwatch", ["nonsense", "link links", "--list=yes"]);
  },
});

/** A message about the link `one` with an index of 7. */
const LINK = join(
  [0, 0, 1, 0, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0],
  writeAttribute(3, new TextEncoder().encode("o\x1b[31mne\0")),
  writeAttribute(4, new Uint8Array([0xdc, 5, 0, 0])),
);

function join(...parts: Iterable<number>[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

const message = (type: number, body: Uint8Array) => ({
  type,
  flags: 0,
  sequence: 0,
  port: 0,
  body,
});

Deno.test({
  name: "EntryReader reads no control characters into its texts",
  ...linuxOnly,
  fn() {
    const entry = new EntryReader().read(message(16, LINK));
    assertEquals(entry?.text, "link o\\x1b[31mne up mtu 1500 state unknown");
  },
});

Deno.test({
  name: "messages, attributes and entries that are cut short throw MalformedMessage",
  ...linuxOnly,
  fn() {
    for (let size = 1; size < LINK.length; size++) {
      const body = LINK.subarray(0, size);
      try {
        assertEquals(new EntryReader().read(message(16, body)), null);
      } catch (error) {
        assert(error instanceof MalformedMessage, String(error));
      }
    }
    assertThrows(() => [...readMessages(new Uint8Array(15))], MalformedMessage);
    assertThrows(() => [...readMessages(new Uint8Array(16))], MalformedMessage);
    assertThrows(() => [...readMessages(join([17], new Uint8Array(15)))], MalformedMessage);
    assertThrows(() => readAttributes(new Uint8Array(8), 0), MalformedMessage);
    assertThrows(() => readAttributes(new Uint8Array(3), 4), MalformedMessage);
    const bytes = noise(1 << 18, 3);
    for (let at = 0; at + 200 < bytes.length; at += 61) {
      const body = bytes.slice(at, at + bytes[at]! % 90);
      // Attributes of a plausible length, after the header.
      for (let i = 8 + bytes[at + 1]! % 3 * 4; i + 4 < body.length; i += 8) {
        body.set([4 + bytes[at + i]! % 9, 0, bytes[at + i + 1]! % 20, 0], i);
      }
      body[0] = [0, 2, 10][at % 3]!;
      try {
        new EntryReader().read(message([16, 20, 24][at % 3]!, body));
      } catch (error) {
        assert(error instanceof MalformedMessage, String(error));
      }
    }
  },
});
