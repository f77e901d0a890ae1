import { assertEquals, assertThrows } from "@std/assert";
import { formatAddress, parseAddress, peerOf } from "../../../examples/support/addresses.ts";
import { AF_INET, SOCK_STREAM, Socket } from "../../../ffi/socket/mod.ts";

Deno.test("formatAddress() returns the form of command lines", () => {
  assertEquals(formatAddress({ hostname: "127.0.0.1", port: 1234 }), "127.0.0.1:1234");
  assertEquals(formatAddress({ hostname: "::1", port: 1234 }), "[::1]:1234");
  assertEquals(formatAddress({ path: "/run/echo.sock" }), "/run/echo.sock");
  assertEquals(formatAddress({ path: "\0echo" }), "@echo");
  assertEquals(formatAddress({ path: "" }), "(unnamed)");
  assertEquals(formatAddress({ path: "\0a\x1b[2J\u009b\0" }), "@a\\x1b[2J\\x9b\\x00");
});

Deno.test("parseAddress() takes names, IPv4 and IPv6, and loopback by default", () => {
  assertEquals(parseAddress("localhost:80"), { hostname: "localhost", port: 80 });
  assertEquals(parseAddress("127.0.0.1:0"), { hostname: "127.0.0.1", port: 0 });
  assertEquals(parseAddress("[::1]:80"), { hostname: "::1", port: 80 });
  assertEquals(parseAddress("[fe80::1%lo]:80"), { hostname: "fe80::1%lo", port: 80 });
  assertEquals(parseAddress(":80"), { hostname: "127.0.0.1", port: 80 });
});

Deno.test("peerOf() does without the address of a socket that is not connected", () => {
  using socket = new Socket(AF_INET, SOCK_STREAM);
  assertThrows(() => socket.remoteAddress);
  assertEquals(peerOf(socket), "(disconnected)");
});
