// The rules that all examples follow.

import { assertEquals, assertMatch } from "@std/assert";
import { AF_INET, SOCK_DGRAM, Socket } from "../../ffi/socket/mod.ts";
import { runExample } from "../support/example_process.ts";
import { isLinux, isWindows } from "../support/os.ts";
import { needsRaw } from "../support/privileges.ts";
import { linuxOnly, type Skip, skipIf, skipUnless } from "../support/skip.ts";
import { runEach, usageErrorOf } from "./command_lines.ts";
import { needsPcap } from "./libpcap.ts";

const notOnWindows = skipIf(isWindows, "it needs something that Windows lacks");

/** A command line for each example that is right, and when it cannot be tried. */
const EXAMPLES: Record<string, { args: string[] } & Skip> = {
  activation: { args: [], ...notOnWindows },
  chat: { args: ["--port", "0"] },
  dns: { args: ["--port", "0", "--record", "127.0.0.1 localhost"] },
  echo: { args: ["--port", "0"] },
  echo_client: { args: ["--port", "1"] },
  fdpass: { args: ["--port", "0", "accept"], ...notOnWindows },
  handover: { args: ["--port", "0"], ...notOnWindows },
  http: { args: ["--port", "0"] },
  multicast: { args: ["239.1.2.3:7008"] },
  nc: { args: ["1"], ...notOnWindows },
  netwatch: { args: [], ...linuxOnly },
  pcap: { args: ["-i", "lo"], ...notOnWindows },
  ping: { args: ["127.0.0.1"] },
  portscan: { args: ["--ports", "1"] },
  proxy: { args: ["--listen", ":0", "--to", ":1"] },
  script: { args: ["/dev/null", "--", "true"], ...notOnWindows },
  serial: { args: ["/dev/null"], ...notOnWindows },
  sniff: { args: ["lo"], ...skipUnless(isLinux, "packet sockets are Linux's") },
  traceroute: { args: ["127.0.0.1"], ...linuxOnly },
  tun: { args: ["--reply"], ...linuxOnly },
  udp_echo: { args: ["127.0.0.1:0"] },
  watch: { args: ["/tmp"], ...skipUnless(isLinux, "inotify is Linux's") },
  workers: { args: ["--port", "0"], ...notOnWindows },
};

Deno.test("every example is tested", () => {
  const files = [...Deno.readDirSync(new URL("../../examples/", import.meta.url))];
  const names = files.map(({ name }) => name).filter((name) => name.endsWith(".ts"));
  assertEquals(names.sort(), Object.keys(EXAMPLES).map((name) => `${name}.ts`));
});

for (const [name, { args, ...skip }] of Object.entries(EXAMPLES)) {
  Deno.test(`${name}.ts prints its usage for --help and for unknown options`, async () => {
    const { code, stdout, stderr } = await runExample(name, ["--help"], { flags: [] });
    assertEquals([code, stderr], [0, ""]);
    assertMatch(stdout, RegExp(`^Usage: ${name}\\.ts `));
    assertMatch(stdout, /^ {2}-h, --help +show this and exit$/m);
    for (const line of stdout.split("\n")) assertEquals(line, line.slice(0, 100), "Too long");
    const [short, ...wrong] = await runEach(name, [["-h"], ["--nonsense", ...args], ["-Z"]]);
    assertEquals(short, { code: 0, stdout, stderr: "" });
    for (const { code, stdout, stderr } of wrong) {
      assertEquals([code, stdout], [usageErrorOf(name), ""]);
      // The message, and how to call it; what follows would hide the message.
      assertMatch(
        stderr,
        RegExp(
          `^${name}\\.ts: Unknown option '-\\S+'\n\n(Usage|  ).*\n(  .*\n)*\nTry --help for more\n$`,
        ),
      );
    }
  });

  Deno.test({
    name: `${name}.ts names the flag to add if it has no permission, and exits with 1`,
    ...skip,
    async fn() {
      const { code, stdout, stderr } = await runExample(name, args, { flags: ["--no-prompt"] });
      assertEquals([code, stdout], [1, ""]);
      assertMatch(stderr, RegExp(`^${name}\\.ts: Cannot open lib(c|pcap) .*--allow-ffi`));
    },
  });
}

/** Command lines of examples that print again and again. */
const CHATTY: Record<string, { args: string[] } & Skip> = {
  pcap: { args: ["-i", "lo"], ...needsRaw, ...needsPcap },
  ping: { args: ["-i", "0.02", "127.0.0.1"], ...needsRaw },
  watch: { args: ["--every", "20", "/tmp", "--", "true"], ...linuxOnly },
};

for (const [name, { args, ...skip }] of Object.entries(CHATTY)) {
  Deno.test({
    name: `${name}.ts ends when nobody reads its output any more`,
    ...skip,
    async fn() {
      using socket = new Socket(AF_INET, SOCK_DGRAM);
      const toNobody = { hostname: "127.0.0.1", port: 9 };
      const traffic = setInterval(() => socket.sendTo(new Uint8Array(1), toNobody), 20);
      const { stderr } = await runExample(name, args, {
        through: (
          command,
        ) => ["sh", "-c", '{ "$@"; echo "code $?" >&2; } | head -n 2', "sh", ...command],
      }).finally(() => clearInterval(traffic));
      assertEquals(stderr, "code 141\n");
    },
  });
}

/** The command line for each server that listens on an address. */
const SERVERS: Record<string, (hostname: string, port: number) => string[]> = {
  chat: (hostname, port) => ["--hostname", hostname, "--port", `${port}`],
  dns: (hostname, port) => [
    "--record",
    "127.0.0.1 localhost",
    ...["--hostname", hostname, "--port", `${port}`],
  ],
  echo: (hostname, port) => ["--hostname", hostname, "--port", `${port}`],
  handover: (hostname, port) => [
    "--name",
    `readiness-test-${crypto.randomUUID()}`,
    ...["--hostname", hostname, "--port", `${port}`],
  ],
  http: (hostname, port) => ["--hostname", hostname, "--port", `${port}`],
  proxy: (hostname, port) => ["--to", ":80", "--listen", `${hostname}:${port}`],
  workers: (hostname, port) => ["--hostname", hostname, "--port", `${port}`],
};

for (const [name, listenOn] of Object.entries(SERVERS)) {
  Deno.test({
    name: `${name}.ts exits with 1 if it cannot listen on the address, 2 if there is none`,
    ...name === "handover" ? linuxOnly : name === "workers" ? notOnWindows : {},
    async fn() {
      using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const { port } = taken.addr;
      const [inUse, foreign, unknown] = await runEach(name, [
        listenOn("127.0.0.1", port),
        listenOn("192.0.2.1", 0),
        listenOn("no-such-host.invalid", 0),
      ]);
      assertEquals([inUse!.code, inUse!.stdout], [1, ""]);
      assertMatch(
        inUse!.stderr,
        RegExp(`^${name}\\.ts: Cannot bind .*127.0.0.1:${port}.*\\(EADDRINUSE\\)\n$`),
      );
      assertEquals([foreign!.code, foreign!.stdout], [1, ""]);
      assertMatch(foreign!.stderr, RegExp(`^${name}\\.ts: Cannot bind .*\\(EADDRNOTAVAIL\\)\n$`));
      assertEquals([unknown!.code, unknown!.stdout], [2, ""]);
      assertMatch(unknown!.stderr, RegExp(`^${name}\\.ts: Cannot resolve "no-such-host.invalid"`));
    },
  });
}
