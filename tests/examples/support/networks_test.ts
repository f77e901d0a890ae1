import { assertEquals } from "@std/assert";
import { addressesOf, encodeIp, parseNetwork } from "../../../examples/support/networks.ts";
import { AF_INET, AF_INET6, SOCK_DGRAM, Socket } from "../../../ffi/socket/mod.ts";
import { needsIpv6 } from "../../support/sockets.ts";

Deno.test("addressesOf() returns the first to the last address of a network", () => {
  for (
    const [network, first, last, count] of [
      ["192.0.2.77/32", "192.0.2.77", "192.0.2.77", 1],
      ["192.0.2.77/30", "192.0.2.76", "192.0.2.79", 4],
      ["255.255.255.255/24", "255.255.255.0", "255.255.255.255", 256],
      ["10.1.2.3/16", "10.1.0.0", "10.1.255.255", 65_536],
      ["2001:db8::ff/127", "2001:db8::fe", "2001:db8::ff", 2],
      ["2001:db8::5/112", "2001:db8::", "2001:db8::ffff", 65_536],
    ] as const
  ) {
    const addresses = addressesOf(parseNetwork(network));
    assertEquals([addresses[0], addresses.at(-1), new Set(addresses).size], [first, last, count]);
  }
});

Deno.test("encodeIp() encodes an IPv4 address as the system has it", () => {
  assertSame("127.0.0.1", AF_INET);
});

Deno.test("encodeIp() encodes an IPv6 address as the system has it", needsIpv6, () => {
  assertSame("::1", AF_INET6);
});

function assertSame(hostname: string, family: number): void {
  using socket = new Socket(family, SOCK_DGRAM);
  const address = encodeIp(hostname);
  address.bytes.set([0x12, 0x34]);
  socket.connect(address);
  assertEquals(socket.remoteAddress, { hostname, port: 0x1234 });
}
