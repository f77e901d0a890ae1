import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  AF_INET,
  AF_INET6,
  interfaceIndex,
  interfaceName,
  type InternetAddress,
  IP_MULTICAST_LOOP,
  IP_MULTICAST_TTL,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_MULTICAST_HOPS,
  IPV6_MULTICAST_IF,
  IPV6_MULTICAST_LOOP,
  IPV6_V6ONLY,
  joinGroup,
  leaveGroup,
  OSError,
  setMulticastHops,
  setMulticastInterface,
  setMulticastLoop,
  SO_BROADCAST,
  SOCK_DGRAM,
  Socket,
  SOL_SOCKET,
} from "../../../ffi/socket/mod.ts";
import { datagrams, needsIpv6, places, untilReadable } from "../../support/sockets.ts";
import { inOwnNetwork, needsOwnNetwork } from "../../support/privileges.ts";
import { interfaceErrors } from "./error_cases/interface.ts";
import { multicastErrors } from "./error_cases/multicast.ts";
import { testErrors } from "../../support/error_cases.ts";
import { linuxOnly, skipIf } from "../../support/skip.ts";
import { isQemu, isWindows } from "../../support/os.ts";

testErrors(multicastErrors);
testErrors(interfaceErrors);

/** The name of the loopback interface, which has the index 1 on every system. */
const LO = interfaceName(1);

/** Joins a group, sends to it before and after the socket leaves it, and prints what arrived. */
const MEMBER = `
  import * as sockets from "${new URL("../../../ffi/socket/mod.ts", import.meta.url)}";
  import { DefaultSelector, EVENT_READ } from "${new URL("../../../mod.ts", import.meta.url)}";
  const [family, any, own, group, on] = JSON.parse(Deno.args[0]);
  const member = new sockets.Socket(family, sockets.SOCK_DGRAM);
  member.bind({ hostname: any, port: 0 });
  const { port } = member.localAddress;
  const sender = new sockets.Socket(family, sockets.SOCK_DGRAM);
  sockets.setMulticastInterface(sender, on);
  using selector = new DefaultSelector();
  selector.register(member, EVENT_READ);
  const next = () => {
    if (selector.select(10_000).length === 0) throw new Error("nothing arrives");
    return member.recv(new Uint8Array(9));
  };
  const isMember = () => {
    sender.sendTo(new Uint8Array(1), { hostname: group, port });
    sender.sendTo(new Uint8Array(2), { hostname: own, port });
    return next() === 1 && next() === 2;
  };
  const refused = (call) => { try { call(); } catch (error) { return error.code; } };
  const join = () => sockets.joinGroup(member, group, on);
  const leave = () => sockets.leaveGroup(member, group, on);
  join();
  const said = [isMember(), refused(join)];
  leave();
  console.log(...said, isMember(), refused(leave));
`;

/** Loopback has no route for IPv6 groups. */
const ROUTE = "ip -6 route add local ff00::/8 dev lo table local";

for (
  const [name, ...args] of [
    ["IPv4", AF_INET, "0.0.0.0", "127.0.0.1", "239.255.1.2"],
    ["IPv6", AF_INET6, "::", "::1", "ff05::7:1234"],
  ] as const
) {
  for (const on of [LO, interfaceIndex(LO), ...name === "IPv4" ? ["127.0.0.1"] : []]) {
    Deno.test({
      name: `joinGroup() makes a socket receive what is sent to a group (${name}, ${on})`,
      ...needsOwnNetwork,
      ...skipIf(isQemu && name === "IPv6", "qemu has no IPV6_MULTICAST_IF"),
      async fn() {
        const run = ["run", "--allow-ffi", "--no-config", "-", JSON.stringify([...args, on])];
        const [program, ...rest] = inOwnNetwork(ROUTE, [Deno.execPath(), ...run]);
        assertEquals(await feed(program, rest, MEMBER), "true EADDRINUSE false EADDRNOTAVAIL\n");
      },
    });
  }
}

Deno.test("joinGroup() takes the interface from the zone of the group", {
  ...needsIpv6,
  ...linuxOnly,
}, () => {
  using member = new Socket(AF_INET6, SOCK_DGRAM);
  for (const zone of [LO, `${interfaceIndex(LO)}`]) {
    joinGroup(member, `ff02::1234%${zone}`);
    const again = () => joinGroup(member, "ff02::1234", LO);
    assertEquals(assertThrows(again, OSError).code, "EADDRINUSE");
    leaveGroup(member, `ff02::1234%${zone}`, LO);
  }
});

const ZONES = `
  import * as sockets from "${new URL("../../../ffi/socket/mod.ts", import.meta.url)}";
  const server = new sockets.Socket(sockets.AF_INET6, sockets.SOCK_DGRAM);
  server.bind({ hostname: "fe80::7%lo", port: 0 });
  const { hostname, port } = server.localAddress;
  console.log(hostname);
  for (const zone of ["lo", "1"]) {
    const client = new sockets.Socket(sockets.AF_INET6, sockets.SOCK_DGRAM);
    client.sendTo(new Uint8Array(3), { hostname: "fe80::7%" + zone, port });
    const { size, address } = server.recvFrom(new Uint8Array(9));
    console.log(size, address.hostname);
  }
`;

Deno.test({
  name:
    "Socket accepts a link-local address with the interface's name or index, and returns the name",
  ...needsOwnNetwork,
  async fn() {
    const prepare = "ip addr add fe80::7/64 dev lo nodad";
    const command = [Deno.execPath(), "run", "--allow-ffi", "--no-config", "-"];
    const [program, ...rest] = inOwnNetwork(prepare, command);
    assertEquals(
      await feed(program, rest, ZONES),
      "fe80::7%lo\n3 fe80::7%lo\n3 fe80::7%lo\n",
    );
  },
});

/** Runs a command with a text as its standard input, and returns its output. */
async function feed(program: string, args: string[], text: string): Promise<string> {
  const child = new Deno.Command(program, {
    args,
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { stdout, stderr } = await child.output();
  assertEquals(new TextDecoder().decode(stderr), "");
  return new TextDecoder().decode(stdout);
}

Deno.test(
  "leaveGroup() by index leaves a group that was joined by name",
  skipIf(isWindows, "Windows has no struct ip_mreqn"),
  () => {
    using member = datagrams();
    joinGroup(member, "239.1.2.3", LO);
    leaveGroup(member, "239.1.2.3", interfaceIndex(LO));
  },
);

Deno.test("setMulticastHops() and setMulticastLoop() set the options of IPv4", () => {
  using socket = new Socket(AF_INET, SOCK_DGRAM);
  const option = (name: number) => socket.getOption(IPPROTO_IP, name) & 255;
  assertEquals([option(IP_MULTICAST_TTL), option(IP_MULTICAST_LOOP)], [1, 1]);
  for (const hops of [0, 255, 17]) {
    setMulticastHops(socket, hops);
    assertEquals(option(IP_MULTICAST_TTL), hops);
  }
  setMulticastLoop(socket, false);
  assertEquals(option(IP_MULTICAST_LOOP), 0);
});

Deno.test({
  name:
    "setMulticastHops(), setMulticastLoop() and setMulticastInterface() set the options of IPv6",
  ...skipIf(isQemu, "qemu has no IPV6_MULTICAST_IF"),
  ...needsIpv6,
  fn() {
    using socket = new Socket(AF_INET6, SOCK_DGRAM);
    setMulticastHops(socket, 9);
    setMulticastLoop(socket, false);
    setMulticastInterface(socket, LO);
    const option = (name: number) => socket.getOption(IPPROTO_IPV6, name);
    assertEquals(
      [option(IPV6_MULTICAST_HOPS), option(IPV6_MULTICAST_LOOP), option(IPV6_MULTICAST_IF)],
      [9, 0, interfaceIndex(LO)],
    );
    setMulticastInterface(socket, 0);
    assertEquals(option(IPV6_MULTICAST_IF), 0);
  },
});

Deno.test("interfaceIndex() is the inverse of interfaceName()", () => {
  const index = interfaceIndex(LO);
  assert(index > 0);
  assertEquals(interfaceName(index), LO);
});

Deno.test({
  name: "Socket throws OSError when the interface of a link-local address does not exist",
  ...linuxOnly,
  ...needsIpv6,
  fn() {
    using socket = new Socket(AF_INET6, SOCK_DGRAM);
    assertThrows(
      () => socket.sendTo(new Uint8Array(1), { hostname: "fe80::1%nonsense", port: 1 }),
      OSError,
      'Cannot resolve "fe80::1%nonsense"',
    );
  },
});

Deno.test({
  name: "Socket receives IPv4 on an IPv6 address unless IPV6_V6ONLY is set",
  ...skipIf(isWindows, "the package switches the error off on Windows that ends this test"),
  ...needsIpv6,
  fn() {
    for (const only of [0, 1]) {
      using server = new Socket(AF_INET6, SOCK_DGRAM);
      server.setOption(IPPROTO_IPV6, IPV6_V6ONLY, only);
      server.bind({ hostname: "::", port: 0 });
      const { port } = server.localAddress as InternetAddress;
      using client = new Socket(AF_INET, SOCK_DGRAM);
      client.connect({ hostname: "127.0.0.1", port });
      client.send(new Uint8Array(3));
      if (only === 1) {
        untilReadable(client);
        assertEquals(client.error()?.code, "ECONNREFUSED");
      } else {
        untilReadable(server);
        const { address } = server.recvFrom(new Uint8Array(9))!;
        assertEquals(address, {
          hostname: "::ffff:127.0.0.1",
          port: (client.localAddress as InternetAddress).port,
        });
      }
    }
  },
});

Deno.test({
  name: "Socket can broadcast only with SO_BROADCAST",
  ...linuxOnly,
  fn() {
    using receiver = new Socket(AF_INET, SOCK_DGRAM);
    receiver.bind({ hostname: "0.0.0.0", port: 0 });
    const { port } = receiver.localAddress as InternetAddress;
    using sender = datagrams(places[0]);
    const everyone = { hostname: "127.255.255.255", port };
    const error = assertThrows(() => sender.sendTo(new Uint8Array(3), everyone), OSError);
    assertEquals([error.code, error.syscall], ["EACCES", "sendto"]);
    sender.setOption(SOL_SOCKET, SO_BROADCAST, 1);
    sender.sendTo(new Uint8Array(3), everyone);
    untilReadable(receiver);
    assertEquals(receiver.recvFrom(new Uint8Array(9)), { size: 3, address: sender.localAddress });
  },
});
