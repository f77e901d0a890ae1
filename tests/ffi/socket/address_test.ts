import { assertEquals, assertThrows } from "@std/assert";
import { decodeAddress, describe, encodeAddress } from "../../../ffi/socket/address.ts";
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  SOCK_DGRAM,
  SOCK_STREAM,
  Socket,
  type SocketAddress,
} from "../../../ffi/socket/mod.ts";
import { familyOf } from "../../../ffi/socket/sockaddr.ts";
import { resolve } from "../../../ffi/socket/resolver.ts";
import { abstractPath, filePath, needsIpv6 } from "../../support/sockets.ts";
import { addressErrors } from "./error_cases/address.ts";
import { testErrors } from "../../support/error_cases.ts";
import { linuxOnly } from "../../support/skip.ts";

testErrors(addressErrors);

function roundTrip(address: SocketAddress, family: number) {
  const bytes = encodeAddress(address, family);
  assertEquals(familyOf(bytes, bytes.length), family);
  const room = new Uint8Array(128); // As much as the system gets.
  room.set(bytes);
  return decodeAddress(room, bytes.length);
}

const addresses: { address: SocketAddress; family: number }[] = [
  { address: { hostname: "127.0.0.1", port: 0 }, family: AF_INET },
  { address: { hostname: "1.2.3.255", port: 1 }, family: AF_INET },
  { address: { hostname: "255.255.255.255", port: 65_535 }, family: AF_INET },
  { address: { hostname: "::1", port: 0x1234 }, family: AF_INET6 },
  { address: { hostname: "2001:db8::1:0:0:1", port: 65_535 }, family: AF_INET6 },
  { address: { path: "relative" }, family: AF_UNIX },
  { address: { path: "/a/path/with spaces/and ünï" }, family: AF_UNIX },
];

for (const { address, family } of addresses) {
  Deno.test(`decodeAddress() decodes what encodeAddress() encoded: ${describe(address)}`, () => {
    assertEquals(roundTrip(address, family), address);
  });
}

Deno.test({
  name: "decodeAddress() keeps the NULs of an abstract name",
  ...linuxOnly,
  fn() {
    for (const path of ["\0name", "\0na\0me\0", "\0\0x", "\0" + "a".repeat(107)]) {
      assertEquals(roundTrip({ path }, AF_UNIX), { path });
    }
  },
});

Deno.test({
  name: "decodeAddress() keeps the zone of a link-local address",
  ...linuxOnly,
  fn() {
    const address = { hostname: "fe80::1%lo", port: 80 };
    assertEquals(roundTrip(address, AF_INET6), address);
  },
});

Deno.test({
  name: "encodeAddress() encodes an address as C does",
  ...linuxOnly,
  fn() {
    assertEquals(
      encodeAddress({ hostname: "1.2.3.4", port: 0x5678 }, AF_INET),
      new Uint8Array([2, 0, 0x56, 0x78, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0]),
    );
    assertEquals(encodeAddress({ path: "/é" }, AF_UNIX), new Uint8Array([1, 0, 47, 195, 169, 0]));
    assertEquals(encodeAddress({ path: "\0a" }, AF_UNIX), new Uint8Array([1, 0, 0, 97]));
  },
});

Deno.test("encodeAddress() prefers the path when there is a hostname too", () => {
  const both = { path: "/p", hostname: "127.0.0.1", port: 1 };
  assertEquals(roundTrip(both, AF_UNIX), { path: "/p" });
});

Deno.test({
  name: "decodeAddress() ends a path at its NUL, if there is one",
  ...linuxOnly,
  fn() {
    const bytes = new Uint8Array(128);
    bytes.set([1, 0, 47, 97, 98, 0, 99]);
    assertEquals(decodeAddress(bytes, 7), { path: "/ab" });
    assertEquals(decodeAddress(bytes, 5), { path: "/ab" });
    assertEquals(decodeAddress(bytes, 4), { path: "/a" });
  },
});

Deno.test({
  name: "decodeAddress() returns an empty path for an unnamed socket",
  ...linuxOnly,
  fn() {
    for (const size of [0, 1, 2, 16]) {
      const bytes = new Uint8Array(128);
      if (size >= 2) bytes[0] = AF_UNIX;
      assertEquals(decodeAddress(bytes, size), { path: "" });
    }
  },
});

Deno.test("decodeAddress() throws NotSupported when the family is unknown", () => {
  const bytes = new Uint8Array(128).fill(99);
  assertThrows(
    () => decodeAddress(bytes, 16),
    Deno.errors.NotSupported,
    "Cannot read an address of family ",
  );
});

Deno.test("decodeAddress() decodes a part of a larger buffer", () => {
  const bytes = encodeAddress({ hostname: "1.2.3.4", port: 5 }, AF_INET);
  const larger = new Uint8Array(64);
  larger.set(bytes, 24);
  assertEquals(decodeAddress(larger.subarray(24), 16), { hostname: "1.2.3.4", port: 5 });
});

Deno.test("describe() names an address", () => {
  assertEquals(describe({ hostname: "localhost", port: 80 }), "localhost:80");
  assertEquals(describe({ hostname: "::1", port: 80 }), "[::1]:80");
  assertEquals(describe({ path: "/tmp/x" }), "/tmp/x");
  assertEquals(describe({ path: "\0x" }), "@x");
  const odd = { hostname: "127.0.0.1", port: 1, path: undefined } as unknown as SocketAddress;
  assertEquals(describe(odd), "127.0.0.1:1");
});

Deno.test({
  name: "Socket.bind() accepts a path of 107 bytes, and the peer sees all of it",
  ...linuxOnly,
  fn() {
    const start = filePath();
    const path = start.padEnd(107, "x");
    assertEquals(path.length, 107);
    using server = new Socket(AF_UNIX, SOCK_STREAM);
    server.bind({ path });
    server.listen();
    assertEquals(server.localAddress, { path });
    assertEquals(Deno.lstatSync(path).isSocket, true);
    using client = new Socket(AF_UNIX, SOCK_STREAM);
    client.connect({ path });
    assertEquals(client.remoteAddress, { path });
  },
});

Deno.test({
  name: "Socket.bind() accepts an abstract name of 108 bytes, including its NUL",
  ...linuxOnly,
  fn() {
    const path = abstractPath().padEnd(108, "x");
    using left = new Socket(AF_UNIX, SOCK_DGRAM);
    using right = new Socket(AF_UNIX, SOCK_DGRAM);
    left.bind({ path });
    right.connect({ path });
    assertEquals(right.remoteAddress, { path });
    left.close();
    assertEquals([...Deno.readDirSync(".")].some(({ name }) => name.includes("readiness-")), false);
  },
});

Deno.test({
  name: "Socket.bind() and connect() accept the lowest and the highest port",
  ...needsIpv6,
  fn() {
    for (const [family, hostname] of [[AF_INET, "127.0.0.1"], [AF_INET6, "::1"]] as const) {
      using any = new Socket(family, SOCK_DGRAM);
      any.bind({ hostname, port: 0 });
      const { localAddress } = any;
      if (!("port" in localAddress)) throw new Error("no port");
      assertEquals(localAddress.port > 0, true);
      using peer = new Socket(family, SOCK_DGRAM);
      peer.connect({ hostname, port: 65_535 });
      assertEquals(peer.remoteAddress, { hostname, port: 65_535 });
    }
  },
});

Deno.test({
  name: "encodeAddress() encodes a numeric address as the resolver does",
  ...needsIpv6,
  fn() {
    for (
      const [family, hostname] of [
        [AF_INET, "127.0.0.1"],
        [AF_INET, "255.255.255.255"],
        [AF_INET6, "::1"],
        [AF_INET6, "2001:db8::ff00:42:8329"],
        [AF_INET6, "::ffff:127.0.0.1"],
      ] as const
    ) {
      assertEquals(
        encodeAddress({ hostname, port: 0 }, family),
        resolve(hostname, family),
        hostname,
      );
    }
  },
});
