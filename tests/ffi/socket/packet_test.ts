import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  AF_INET,
  AF_INET6,
  AF_PACKET,
  AF_UNIX,
  ETH_P_ALL,
  ETH_P_IP,
  interfaceIndex,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_TCP,
  PACKET_HOST,
  PACKET_OUTGOING,
  type PacketAddress,
  receiveMessage,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_STREAM,
  Socket,
} from "../../../ffi/socket/mod.ts";
import { decodePacketAddress, encodePacketAddress } from "../../../ffi/socket/packet.ts";
import { privilegeFor } from "../../../ffi/socket/privilege.ts";
import {
  inOwnNetwork,
  needsOwnNetwork,
  needsRaw,
  needsSetpriv,
  withoutRaw,
} from "../../support/privileges.ts";
import { runProgram } from "../../support/subprocess.ts";
import { datagrams, untilReadable } from "../../support/sockets.ts";
import { packetErrors } from "./error_cases/packet.ts";
import { testErrors } from "../../support/error_cases.ts";
import { linuxOnly } from "../../support/skip.ts";

testErrors(packetErrors);

Deno.test({
  name: "decodePacketAddress() decodes what encodePacketAddress() encoded",
  ...linuxOnly,
  fn() {
    for (const hardwareAddress of ["", "0a:ff:00:01:02:03", "01", "1:2:3:4:5:6:7:8"]) {
      const bytes = encodePacketAddress({ interface: 70_000, protocol: 0x86dd, hardwareAddress });
      assertEquals(decodePacketAddress(bytes), {
        interface: 70_000,
        protocol: 0x86dd,
        packetType: 0,
        hardwareType: 0,
        hardwareAddress: hardwareAddress.replace(/\b\d\b/g, "0$&"),
      });
    }
  },
});

Deno.test({
  name: "decodePacketAddress() reads at most the 8 bytes of a hardware address",
  ...linuxOnly,
  fn() {
    const bytes = encodePacketAddress({ interface: 1, protocol: 1 });
    bytes[11] = 255; // sll_halen
    assertEquals(decodePacketAddress(bytes).hardwareAddress, "00:00:00:00:00:00:00:00");
  },
});

Deno.test({
  name: "Socket receives the packets of an interface: on loopback each going out and coming in",
  ...needsOwnNetwork,
  async fn() {
    // In a network of its own, so that other packets do not fill the socket.
    const { stdout, stderr } = await runProgram(
      `
      const { AF_INET, AF_PACKET, ETH_P_ALL, SOCK_DGRAM, Socket } = sockets;
      using packets = new Socket(AF_PACKET, SOCK_DGRAM);
      packets.bind({ interface: sockets.interfaceIndex("lo"), protocol: ETH_P_ALL });
      console.log(JSON.stringify(packets.localAddress));
      using receiver = new Socket(AF_INET, SOCK_DGRAM);
      receiver.bind({ hostname: "127.0.0.1", port: 0 });
      using sender = new Socket(AF_INET, SOCK_DGRAM);
      sender.sendTo(new Uint8Array(3), receiver.localAddress);
      using selector = new selectors.PollSelector();
      selector.register(packets, EVENT_READ);
      for (let i = 0; i < 2; i++) {
        if (selector.select(10_000).length === 0) throw new Error("nothing arrives");
        const buffer = new Uint8Array(2048);
        const { size, address } = packets.recvFrom(buffer);
        const port = new DataView(buffer.buffer).getUint16(22);
        console.log(JSON.stringify([size, port === receiver.localAddress.port, address]));
      }
      `,
      ["--allow-ffi"],
      {},
      (command) => inOwnNetwork("", command),
    );
    assertEquals(stderr, "");
    const [bound, ...seen] = stdout.split("\n").map((line) => JSON.parse(line));
    assertEquals([bound.interface, bound.protocol, bound.hardwareType], [1, ETH_P_ALL, 772]);
    const address = {
      interface: 1,
      protocol: ETH_P_IP,
      hardwareType: 772,
      hardwareAddress: "00:00:00:00:00:00",
    };
    assertEquals(seen, [
      [31, true, { ...address, packetType: PACKET_OUTGOING }],
      [31, true, { ...address, packetType: PACKET_HOST }],
    ]);
  },
});

Deno.test({
  name: "Socket sends a packet through an interface, and receiveMessage() reports truncation",
  ...needsRaw,
  fn() {
    const PROTOCOL = 0x88b5; // Reserved for experiments.
    using receiver = new Socket<PacketAddress>(AF_PACKET, SOCK_DGRAM);
    const lo = interfaceIndex("lo");
    receiver.bind({ interface: lo, protocol: PROTOCOL });
    using sender = new Socket<PacketAddress>(AF_PACKET, SOCK_DGRAM);
    const hardwareAddress = "00:00:00:00:00:00";
    sender.sendTo(new Uint8Array(100), { interface: lo, protocol: PROTOCOL, hardwareAddress });
    untilReadable(receiver);
    const message = receiveMessage(receiver, new Uint8Array(10))!;
    assertEquals([message.size, message.truncated], [10, true]);
    assertEquals([message.address.interface, message.address.protocol], [lo, PROTOCOL]);
  },
});

Deno.test({
  name: "Socket for packets receives nothing before it is bound",
  ...needsRaw,
  fn() {
    using packets = new Socket<PacketAddress>(AF_PACKET, SOCK_RAW);
    using sender = datagrams();
    sender.sendTo(new Uint8Array(3), sender.localAddress);
    untilReadable(sender);
    assertEquals(packets.recvFrom(new Uint8Array(100)), null);
    packets.bind({ interface: interfaceIndex("lo"), protocol: ETH_P_ALL });
    sender.sendTo(new Uint8Array(3), sender.localAddress);
    untilReadable(packets);
    assert(packets.recvFrom(new Uint8Array(100))!.size >= 14 + 20);
  },
});

Deno.test({
  name: "Socket for raw ICMP receives an answer from loopback",
  ...needsRaw,
  fn() {
    using socket = new Socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    socket.connect({ hostname: "127.0.0.1", port: 0 });
    const id = crypto.getRandomValues(new Uint8Array(2));
    const checksum = 0xffff - ((0x0800 + (id[0] << 8) + id[1]) % 0xffff);
    socket.send(new Uint8Array([8, 0, checksum >> 8, checksum & 255, ...id, 0, 0]));
    const packet = new Uint8Array(100);
    do {
      untilReadable(socket);
      socket.recv(packet);
    } while (packet[20] !== 0 || packet[24] !== id[0] || packet[25] !== id[1]);
  },
});

const kinds = [
  { name: "a raw socket", args: [AF_INET, SOCK_RAW, IPPROTO_ICMP], privilege: "CAP_NET_RAW" },
  {
    name: "a raw IPv6 socket",
    args: [AF_INET6, SOCK_RAW, IPPROTO_ICMPV6],
    privilege: "CAP_NET_RAW",
  },
  { name: "a packet socket", args: [AF_PACKET, SOCK_DGRAM, 0], privilege: "CAP_NET_RAW" },
];

for (const { name, args, privilege } of kinds) {
  Deno.test({
    name: `Socket() reports which privilege ${name} needs, and how to get it`,
    ...needsSetpriv,
    async fn() {
      const root = new URL("../../../ffi/socket/mod.ts", import.meta.url);
      const [program, ...rest] = withoutRaw([
        Deno.execPath(),
        "eval",
        "--no-config",
        `import { Socket } from "${root}"; try { new Socket(${args}); }
        catch (error) { console.log(error.code, error.message); }`,
      ]);
      const { stdout } = await new Deno.Command(program, { args: rest }).output();
      const text = new TextDecoder().decode(stdout);
      assertMatch(text, /^EPERM Cannot create a socket of family \d+, .*which needs /);
      assertMatch(text, new RegExp(`which needs ${privilege} \\(run as root, or as root: setcap `));
    },
  });
}

Deno.test({
  name: "privilegeFor() names the privilege of each kind of socket that needs one",
  ...linuxOnly,
  fn() {
    for (const protocol of [IPPROTO_ICMP, IPPROTO_ICMPV6]) {
      assertMatch(privilegeFor(AF_INET, SOCK_DGRAM, protocol), /net\.ipv4\.ping_group_range/);
    }
    assertMatch(privilegeFor(AF_INET6, SOCK_RAW, 0), /CAP_NET_RAW/);
    assertMatch(privilegeFor(AF_PACKET, SOCK_DGRAM, 0), /CAP_NET_RAW/);
    assertEquals(privilegeFor(AF_UNIX, SOCK_DGRAM, 0), "");
    assertEquals(privilegeFor(AF_INET, SOCK_STREAM, IPPROTO_TCP), "");
  },
});

Deno.test({
  name: "Socket() for ICMP datagrams works, or reports which group it needs",
  ...linuxOnly,
  fn() {
    try {
      using _socket = new Socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
    } catch (error) {
      assertMatch((error as Error).message, /net\.ipv4\.ping_group_range .*\(EACCES\)$/);
    }
  },
});

Deno.test("Socket throws TypeError when a packet address is given to another socket", () => {
  using socket = datagrams();
  const address = { interface: 1, protocol: 3 } as never;
  assertThrows(() => socket.bind(address), TypeError, "Cannot use an interface as the address");
});
