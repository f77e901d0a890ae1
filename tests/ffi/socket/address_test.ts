import { assertEquals } from "@std/assert";
import { decodeAddress, describeAddress, encodeAddress } from "../../../ffi/socket/address.ts";
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
import { resolveBlocking } from "../../../ffi/socket/resolver.ts";
import { abstractPath, filePath, needsIpv6, needsUnix } from "../../support/sockets.ts";
import { addressErrors } from "./error_cases/address.ts";
import { testErrors } from "../../support/error_cases.ts";
import { inOwnNetwork, needsOwnNetwork } from "../../support/privileges.ts";
import { linuxOnly } from "../../support/skip.ts";
import { runProgram } from "../../support/subprocess.ts";

const ADDRESS = "../../../ffi/socket/address.ts";

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
  Deno.test(`decodeAddress() decodes what was encoded: ${describeAddress(address)}`, () => {
    assertEquals(roundTrip(address, family), address);
  });
}

Deno.test({
  name: "decodeAddress() keeps the NULs of an abstract name",
  ...linuxOnly,
  fn() {
    const paths = ["\0name", "\0na\0me\0", "\0\0x", "\0", "\0\0\0", "\0" + "a".repeat(107)];
    for (const path of paths) {
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

Deno.test("Addresses that take turns are encoded and decoded each as itself", () => {
  const addresses = ["192.0.2.1", "192.0.2.2", "198.51.100.1"].flatMap((hostname) =>
    [1, 2, 0x100].map((port) => ({ hostname, port }))
  );
  for (const first of addresses) {
    for (const second of addresses) {
      for (const address of [first, second, first, first]) {
        assertEquals(roundTrip(address, AF_INET), address);
      }
    }
  }
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
    for (const size of [0, 1, 2]) {
      const bytes = new Uint8Array(128);
      if (size >= 2) bytes[0] = AF_UNIX;
      assertEquals(decodeAddress(bytes, size), { path: "" });
    }
  },
});

Deno.test("decodeAddress() returns the bytes of an address of another family", () => {
  const bytes = new Uint8Array(128).fill(99);
  assertEquals(decodeAddress(bytes, 16), {
    family: familyOf(bytes, 16),
    bytes: bytes.slice(2, 16),
  });
});

Deno.test("decodeAddress() decodes a part of a larger buffer", () => {
  const bytes = encodeAddress({ hostname: "1.2.3.4", port: 5 }, AF_INET);
  const larger = new Uint8Array(64);
  larger.set(bytes, 24);
  assertEquals(decodeAddress(larger.subarray(24), 16), { hostname: "1.2.3.4", port: 5 });
});

Deno.test("describeAddress() names an address", () => {
  assertEquals(describeAddress({ hostname: "localhost", port: 80 }), "localhost:80");
  assertEquals(describeAddress({ hostname: "::1", port: 80 }), "[::1]:80");
  assertEquals(describeAddress({ path: "/tmp/x" }), "/tmp/x");
  assertEquals(describeAddress({ path: "\0x" }), "@x");
  assertEquals(
    describeAddress({ family: 16, bytes: new Uint8Array(6) }),
    "an address of family 16",
  );
  const odd = { hostname: "127.0.0.1", port: 1, path: undefined } as unknown as SocketAddress;
  assertEquals(describeAddress(odd), "127.0.0.1:1");
});

Deno.test({
  name: "Socket.bind() accepts a path of 107 or 108 bytes, and the peer sees all of it",
  ...linuxOnly,
  fn() {
    for (const length of [107, 108]) check(filePath().padEnd(length, "x"));
  },
});

function check(path: string): void {
  using server = new Socket(AF_UNIX, SOCK_STREAM);
  server.bind({ path });
  server.listen();
  assertEquals(server.localAddress, { path });
  assertEquals(Deno.lstatSync(path).isSocket, true);
  using client = new Socket(AF_UNIX, SOCK_STREAM);
  client.connect({ path });
  assertEquals(client.remoteAddress, { path });
}

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
        resolveBlocking(hostname, family)[0]!,
        hostname,
      );
    }
  },
});

/** Names that have been decoded as another one, or could not be answered. */
const oddNames: readonly (readonly [what: string, name: string | number[]])[] = [
  ["NULs alone", "\0\0\0"],
  ["one NUL", "\0"],
  ["NULs at the end", "\0name\0\0"],
  ["a byte order mark", "\0\ufeffname"],
  ["no UTF-8", [0, 0xff, 0xfe, 0x80, 0, 1]],
  ["half a character", [0, 0x61, 0xc3]],
];

/** A name of that kind that nobody else has, unless it consists of NULs. */
function unique(name: string | number[]): SocketAddress {
  if (typeof name !== "string") {
    return { family: AF_UNIX, bytes: new Uint8Array([...name, ...encoder.encode(abstractPath())]) };
  }
  return { path: /[^\0]/.test(name) ? abstractPath() + name : name };
}

const encoder = new TextEncoder();

for (const [what, name] of oddNames) {
  Deno.test(
    `Socket.recvFrom() returns an abstract name that leads back: ${what}`,
    linuxOnly,
    () => {
      using left = new Socket(AF_UNIX, SOCK_DGRAM);
      using right = new Socket(AF_UNIX, SOCK_DGRAM);
      const address = unique(name);
      left.bind(address);
      assertEquals(left.localAddress, address);
      right.bind({ path: abstractPath() });
      left.sendTo(new Uint8Array(1), right.localAddress);
      const received = right.recvFrom(new Uint8Array(9))!;
      assertEquals(received.address, address);
      right.sendTo(new Uint8Array(2), received.address);
      assertEquals(left.recv(new Uint8Array(9)), 2);
      right.connect(left.localAddress);
      assertEquals(right.remoteAddress, address);
    },
  );
}

Deno.test("Socket.connect() finds a path again that is not UTF-8", linuxOnly, () => {
  const path = encoder.encode(filePath());
  const bytes = new Uint8Array([...path, 0xe9]); // An é in Latin-1.
  const address: SocketAddress = { family: AF_UNIX, bytes };
  using server = new Socket(AF_UNIX, SOCK_STREAM);
  server.bind(address);
  server.listen();
  assertEquals(server.localAddress, address);
  using client = new Socket(AF_UNIX, SOCK_STREAM);
  client.connect(server.localAddress);
  assertEquals(client.remoteAddress, address);
});

Deno.test("A path that begins with U+FEFF is another one than without it", needsUnix, () => {
  const folder = filePath();
  const previous = Deno.cwd();
  Deno.mkdirSync(folder);
  Deno.chdir(folder);
  try {
    Deno.mkdirSync("\ufeff");
    using socket = new Socket(AF_UNIX, SOCK_DGRAM);
    socket.bind({ path: "\ufeff/socket" });
    assertEquals(socket.localAddress, { path: "\ufeff/socket" });
  } finally {
    Deno.chdir(previous);
  }
});

Deno.test("A raw address of a known family reads back in its typed form", needsUnix, () => {
  const path = filePath();
  using socket = new Socket(AF_UNIX, SOCK_DGRAM);
  socket.bind({ family: AF_UNIX, bytes: encoder.encode(path) });
  assertEquals(socket.localAddress, { path });
  const internet = { hostname: "127.0.0.1", port: 0x1234 };
  const bytes = encodeAddress(internet, AF_INET).subarray(2);
  assertEquals(roundTrip({ family: AF_INET, bytes }, AF_INET), internet);
});

for (
  const [name, octal, zone, shown] of [
    ["that is not UTF-8", "\\377x", "1", "\ufffdx"],
    ["with a byte order mark", "\\357\\273\\277x", "\ufeffx", "\ufeffx"],
  ]
) {
  Deno.test({
    name: `An address in the zone of an interface leads back, by a name ${name}`,
    ...needsOwnNetwork,
    async fn() {
      const { stdout, stderr } = await runProgram(
        `
        import { decodeAddress, encodeAddress } from "${import.meta.resolve(ADDRESS)}";
        const bytes = encodeAddress({ hostname: "fe80::1%1", port: 80 }, sockets.AF_INET6);
        const address = decodeAddress(bytes, bytes.length);
        const isSame = bytes.join() === encodeAddress(address, sockets.AF_INET6).join();
        console.log(JSON.stringify([address.hostname, isSame, sockets.interfaceName(1)]));
        `,
        ["--allow-ffi"],
        {},
        (command) =>
          inOwnNetwork(`ip link set lo down; ip link set lo name "$(printf '${octal}')"`, command),
      );
      assertEquals([stderr, JSON.parse(stdout)], ["", [`fe80::1%${zone}`, true, shown]]);
    },
  });
}
