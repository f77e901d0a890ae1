import { assert, assertEquals, assertGreater, assertMatch, assertThrows } from "@std/assert";
import { OSError } from "../../../ffi/errno.ts";
import { decodeAddress } from "../../../ffi/socket/address.ts";
import { AF_INET, AF_INET6, AF_UNIX, FileDescriptor } from "../../../ffi/socket/mod.ts";
import { resolveBlocking, resolverError } from "../../../ffi/socket/resolver.ts";
import { linuxOnly, skipIf } from "../../support/skip.ts";
import { isWine } from "../../support/os.ts";

function hostname(name: string, family: number): string {
  const bytes = resolveBlocking(name, family)[0]!;
  const address = decodeAddress(bytes, bytes.length);
  assert("port" in address);
  assertEquals(address.port, 0);
  return address.hostname;
}

Deno.test("resolveBlocking() resolves a name of this machine", () => {
  assertMatch(hostname("localhost", AF_INET), /^127\./);
});

Deno.test("resolveBlocking() returns what a numeric address means", () => {
  assertEquals(hostname("127.0.0.1", AF_INET), "127.0.0.1");
  assertEquals(hostname("127.1", AF_INET), "127.0.0.1");
  assertEquals(hostname("255.255.255.255", AF_INET), "255.255.255.255");
  assertEquals(hostname("0.0.0.0", AF_INET), "0.0.0.0");
  assertEquals(hostname("::1", AF_INET6), "::1");
  assertEquals(hostname("::", AF_INET6), "::");
  assertEquals(hostname("2001:DB8:0:0::00ff", AF_INET6), "2001:db8::ff");
  assertEquals(hostname("::ffff:127.0.0.1", AF_INET6), "::ffff:127.0.0.1");
});

Deno.test("resolveBlocking() returns a copy that outlives the resolver's memory", () => {
  const [first] = resolveBlocking("127.0.0.1", AF_INET);
  const copy = first!.slice();
  for (let i = 0; i < 100; i++) resolveBlocking(`127.0.1.${i}`, AF_INET);
  assertEquals(first, copy);
});

Deno.test("resolveBlocking() throws OSError with the resolver's code when the name cannot be resolved", () => {
  const error = assertThrows(() => resolveBlocking("no-such-host.invalid", AF_INET), OSError);
  assertEquals(error.syscall, "getaddrinfo");
  // EAI_AGAIN means that no name server can be reached.
  assertMatch(error.code, /^EAI_(NONAME|AGAIN|NODATA)$/);
  assertMatch(
    error.message,
    /^Cannot resolve "no-such-host\.invalid": [A-Za-z].+ \(EAI_[A-Z]+\)$/,
  );
  assert(error.errno !== 0);
});

Deno.test(
  "resolveBlocking() throws OSError when the numeric address has another family",
  skipIf(isWine, "Wine passes on the number of Linux's resolver"),
  () => {
    for (const [name, family] of [["::1", AF_INET], ["127.0.0.1", AF_INET6]] as const) {
      const error = assertThrows(
        () => resolveBlocking(name, family),
        OSError,
        `Cannot resolve "${name}"`,
      );
      assertMatch(error.code, /^EAI_(ADDRFAMILY|NONAME|NODATA)$/);
    }
  },
);

Deno.test("resolveBlocking() throws OSError when the name is malformed", () => {
  for (const name of ["", "1.2.3.4.5", "a b", "::g", "x".repeat(5000), "ö..de"]) {
    const error = assertThrows(() => resolveBlocking(name, AF_INET), OSError, "Cannot resolve ");
    assertMatch(error.code, /^EAI_/);
    assertGreater(error.message.length, error.code.length);
  }
});

Deno.test("resolveBlocking() throws OSError when the family has no names", () => {
  const error = assertThrows(() => resolveBlocking("localhost", AF_UNIX), OSError);
  assertMatch(error.code, /^EAI_(FAMILY|NONAME|NODATA|ADDRFAMILY)$/);
});

Deno.test("resolverError() names the code", () => {
  const codes = ["EAI_AGAIN", "EAI_NONAME", "EAI_FAIL", "EAI_MEMORY"];
  if (Deno.build.os !== "linux") return;
  assertEquals(
    [-3, -2, -4, -10].map((code) => resolverError("Cannot resolve", "getaddrinfo", code).code),
    codes,
  );
});

Deno.test("resolverError() shows the number of a code without a name", () => {
  const error = resolverError("Cannot resolve", "getaddrinfo", -999);
  assertEquals([error.code, error.errno], ["EAI_-999", -999]);
});

Deno.test({
  name: "resolverError() returns the system's error when that made the resolver fail",
  ...linuxOnly,
  fn() {
    // The failed call sets errno.
    assertThrows(() => new FileDescriptor(0x7fff_ffff).read(new Uint8Array(1)), OSError);
    const error = resolverError("Cannot resolve", "getaddrinfo", -11);
    assertEquals([error.code, error.syscall], ["EBADF", "getaddrinfo"]);
  },
});
