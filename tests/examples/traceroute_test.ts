import { assert, assertEquals, assertMatch } from "@std/assert";
import { runCommand } from "../support/command.ts";
import { Example, runExample } from "../support/example_process.ts";
import { Namespace } from "../support/namespace.ts";
import {
  dropRaw,
  EVERYONE_PINGS,
  needsOwnNetwork,
  needsRoot,
  needsSetpriv,
  UNTIL_USABLE,
} from "../support/privileges.ts";
import { linuxOnly, needsProgram } from "../support/skip.ts";
import { assertUsageErrors } from "./command_lines.ts";

const needsChain = {
  ...needsOwnNetwork,
  ...needsRoot, // Links are moved between namespaces.
  ...needsProgram("ping"),
};

/** Lets the system send as many errors as there are. */
const NO_LIMIT = `
  echo 0 > /proc/sys/net/ipv4/icmp_ratelimit
  echo 0 > /proc/sys/net/ipv6/icmp/ratelimit
`;

/** A host, a router and another host in a row, each in a namespace of its own. */
class Chain implements AsyncDisposable {
  private constructor(
    readonly host: Namespace,
    readonly router: Namespace,
    readonly other: Namespace,
  ) {}

  static async create(): Promise<Chain> {
    const [host, router, other] = await Promise.all([
      Namespace.create(EVERYONE_PINGS),
      Namespace.create(`
        echo 1 > /proc/sys/net/ipv4/ip_forward
        echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
        ${NO_LIMIT}
      `),
      Namespace.create(NO_LIMIT),
    ]);
    await router.run(`
      ip link add left type veth peer name cable netns ${host.pid}
      ip link add right type veth peer name cable netns ${other.pid}
      ip addr add 10.0.1.2/24 dev left
      ip addr add 10.0.2.2/24 dev right
      ip addr add fd00:1::2/64 dev left nodad
      ip addr add fd00:2::2/64 dev right nodad
      ip link set left up
      ip link set right up
      ip route add prohibit 203.0.113.0/25
      ip route add unreachable 203.0.113.128/25
      ip route add blackhole 198.51.100.0/24
    `);
    for (const [namespace, net] of [[host, 1], [other, 2]] as const) {
      await namespace.run(`
        ip addr add 10.0.${net}.1/24 dev cable
        ip addr add fd00:${net}::1/64 dev cable nodad
        ip link set cable up
        ip route add default via 10.0.${net}.2
        ip route add default via fd00:${net}::2
      `);
    }
    for (const namespace of [host, router, other]) await namespace.run(UNTIL_USABLE);
    // The hosts of a link find each other with the first packet, which takes up to a second.
    await host.run("ping -c 1 -w 20 10.0.2.1; ping -c 1 -w 20 fd00:2::1");
    return new Chain(host, router, other);
  }

  /** Runs traceroute.ts on the host. */
  trace(...args: string[]) {
    return runExample("traceroute", args, this.host);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const namespace of [this.host, this.router, this.other]) {
      await namespace[Symbol.asyncDispose]();
    }
  }
}

/** The hops in the output of either program, and the time of each answer. */
function hopsOf(output: string): { hosts: string[]; times: number[] }[] {
  return output.trimEnd().split("\n").slice(1).map((line) => {
    const [, rest] = /^ ?\d+ {2}(.*)$/.exec(line)!;
    return {
      hosts: [...rest!.matchAll(/[\da-f]+[.:][\da-f.:]+(?= |$)(?! ms)/g)].map(([host]) => host),
      times: [...rest!.matchAll(/([\d.]+) ms/g)].map(([, time]) => Number(time)),
    };
  });
}

const destinations = [
  { host: "10.0.2.1", router: "10.0.1.2", args: [] },
  { host: "10.0.2.1", router: "10.0.1.2", args: ["-I"] },
  { host: "fd00:2::1", router: "fd00:1::2", args: [] },
  { host: "fd00:2::1", router: "fd00:1::2", args: ["-I"] },
];

Deno.test({
  name: "traceroute.ts prints the hops that traceroute prints",
  ...needsChain,
  ...needsProgram("traceroute"),
  async fn() {
    await using chain = await Chain.create();
    for (const { host, router, args } of destinations) {
      const line = ["-n", "-w", "2.5", ...args, host];
      const ours = await chain.trace(...line);
      assertEquals([ours.code, ours.stderr], [0, ""]);
      const theirs = await runCommand(chain.host.through(["traceroute", ...line]));
      assertEquals([theirs.code, theirs.stderr], [0, ""]);
      const [header] = theirs.stdout.split("\n", 1);
      const times = "  N ms  N ms  N ms";
      const lines = [header, ` 1  ${router}${times}`, ` 2  ${host}${times}`, ""];
      assertEquals(ours.stdout.replace(/[\d.]+ ms/g, "N ms"), lines.join("\n"));
      const [mine, others] = [hopsOf(ours.stdout), hopsOf(theirs.stdout)];
      const hops = [[router], [host]];
      assertEquals(mine.map(({ hosts }) => hosts), hops, ours.stdout);
      assertEquals(others.map(({ hosts }) => hosts), hops, theirs.stdout);
      for (const { times } of mine) {
        assertEquals(times.length, 3);
        assert(times.every((time) => time >= 0));
      }
    }
  },
});

Deno.test({
  name: "traceroute.ts needs no privilege with UDP, nor with ICMP where its group has permission",
  ...needsChain,
  ...needsSetpriv,
  async fn() {
    await using chain = await Chain.create();
    const through = (command: readonly string[]) => chain.host.through(dropRaw(command));
    for (const { host, router, args } of destinations) {
      const { code, stdout, stderr } = await runExample("traceroute", [...args, host], { through });
      assertEquals([code, stderr], [0, ""]);
      assertEquals(hopsOf(stdout).map(({ hosts }) => hosts), [[router], [host]]);
    }
  },
});

Deno.test({
  name: "traceroute.ts pings over a raw socket where no group has permission",
  ...needsChain,
  async fn() {
    await using chain = await Chain.create();
    await chain.host.run("echo '1 0' > /proc/sys/net/ipv4/ping_group_range");
    for (const { host, router, args } of destinations) {
      const { code, stdout, stderr } = await chain.trace(...args, host);
      assertEquals([code, stderr], [0, ""]);
      assertEquals(hopsOf(stdout).map(({ hosts }) => hosts), [[router], [host]]);
    }
  },
});

Deno.test({
  name: "traceroute.ts says why a host is not reached, and exits with 1",
  ...needsChain,
  async fn() {
    await using chain = await Chain.create();
    // One probe each: of routes that lead nowhere, Linux sends five errors to a host at once.
    for (const kind of [[], ["-I"]]) {
      for (const [host, note] of [["203.0.113.1", "!X"], ["203.0.113.129", "!H"]] as const) {
        const { code, stdout } = await chain.trace(...kind, "-m", "1", "-q", "1", host);
        assertEquals(code, 1);
        assertMatch(stdout, RegExp(`^ 1  10\\.0\\.1\\.2  [\\d.]+ ms ${note}$`, "m"));
        assertEquals(stdout.trimEnd().split("\n").length, 2);
      }
    }
    const silent = await chain.trace("-m", "3", "-q", "2", "-w", "0.1", "198.51.100.1");
    assertEquals(silent.code, 1);
    assertEquals(silent.stdout.split("\n").slice(1), [" 1  * *", " 2  * *", " 3  * *", ""]);
    const first = await chain.trace("-f", "2", "-q", "1", "-N", "1", "10.0.2.1");
    assertEquals(first.code, 0);
    assertMatch(first.stdout, /^traceroute .*\n 2 {2}10\.0\.2\.1 {2}[\d.]+ ms\n$/);
    await chain.host.run("ip route del default");
    const unrouted = await chain.trace("10.0.2.1");
    assertEquals([unrouted.code, unrouted.stdout], [1, ""]);
    assertMatch(unrouted.stderr, /^traceroute\.ts: Cannot connect .*\(ENETUNREACH\)$/m);
  },
});

Deno.test({
  name: "traceroute.ts ends by SIGTERM with 143, and by SIGINT with 0",
  ...needsChain,
  async fn() {
    await using chain = await Chain.create();
    for (const [signal, code] of [["SIGTERM", 143], ["SIGINT", 0]] as const) {
      await using program = await Example.start("traceroute", ["198.51.100.1"], chain.host);
      assertEquals((await program.stop(signal)).code, code);
    }
  },
});

Deno.test({
  name: "traceroute.ts exits with 2 if the command line is wrong",
  ...linuxOnly,
  async fn() {
    await assertUsageErrors("traceroute", [
      "",
      "127.0.0.1 127.0.0.1",
      "--first 31 127.0.0.1",
      "--max-hops 256 127.0.0.1",
      "--queries 0 127.0.0.1",
      "--wait 0 127.0.0.1",
      "--port 65500 127.0.0.1",
      "no-such-host.invalid",
      "-4 -6 127.0.0.1",
      "-4 ::1",
      "-6 127.0.0.1",
    ]);
  },
});
