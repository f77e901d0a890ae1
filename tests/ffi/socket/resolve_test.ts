import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { AF_INET, AF_INET6, AF_UNIX, OSError, resolve } from "../../../ffi/socket/mod.ts";
import { isWine } from "../../support/os.ts";
import { skipIf } from "../../support/skip.ts";

Deno.test("resolve() resolves a name of this machine, each address once and with port 0", async () => {
  const addresses = await resolve("localhost");
  assert(addresses.length > 0);
  assertEquals(new Set(addresses.map(({ hostname }) => hostname)).size, addresses.length);
  for (const { hostname, port } of addresses) {
    assertMatch(hostname, /^(127\.|::1$)/);
    assertEquals(port, 0);
  }
});

Deno.test("resolve() returns addresses of the family alone", async () => {
  for (const { hostname } of await resolve("localhost", { family: AF_INET })) {
    assertMatch(hostname, /^127\./);
  }
  assertEquals(await resolve("127.0.0.1", { family: AF_INET }), [
    { hostname: "127.0.0.1", port: 0 },
  ]);
  assertEquals(await resolve("::1", { family: AF_INET6 }), [{ hostname: "::1", port: 0 }]);
});

Deno.test("resolve() returns what a numeric address means, whatever is configured here", async () => {
  for (
    const [text, hostname] of [
      ["192.0.2.1", "192.0.2.1"],
      ["127.1", "127.0.0.1"],
      ["2001:DB8:0:0::00ff", "2001:db8::ff"],
      ["::ffff:127.0.0.1", "::ffff:127.0.0.1"],
    ]
  ) assertEquals(await resolve(text!), [{ hostname, port: 0 }]);
});

Deno.test("resolve() rejects with OSError and the resolver's code when there is no such name", async () => {
  for (const name of ["no-such-host.invalid", "", "1.2.3.4.5", "a b", "x".repeat(5_000)]) {
    const error = await assertRejects(() => resolve(name), OSError, `Cannot resolve "${name}": `);
    assertEquals(error.syscall, "getaddrinfo");
    assertMatch(error.code, /^EAI_(NONAME|AGAIN|NODATA|FAIL|MEMORY|OVERFLOW)$/, name);
    assert(error.errno !== 0);
  }
});

Deno.test(
  "resolve() rejects with OSError when the family has no such address",
  skipIf(isWine, "Wine passes on the number of Linux's resolver"),
  async () => {
    for (const [name, family] of [["::1", AF_INET], ["127.0.0.1", AF_INET6]] as const) {
      const error = await assertRejects(() => resolve(name, { family }), OSError);
      assertMatch(error.code, /^EAI_(ADDRFAMILY|NONAME|NODATA)$/);
    }
    const error = await assertRejects(() => resolve("localhost", { family: AF_UNIX }), OSError);
    assertMatch(error.code, /^EAI_(FAMILY|NONAME|NODATA|ADDRFAMILY)$/);
  },
);

Deno.test("resolve() rejects with TypeError or RangeError when an argument is wrong", async () => {
  for (const name of [undefined, null, 5, {}]) {
    await assertRejects(() => resolve(name as never), TypeError, "must be a string");
  }
  await assertRejects(() => resolve("a\0b"), RangeError, "must not contain a NUL");
  for (const family of [0.5, NaN, 2 ** 32, "4" as never]) {
    await assertRejects(() => resolve("localhost", { family }), RangeError, "the family");
  }
});

Deno.test("resolve() rejects with the signal's reason when it is aborted already", async () => {
  const reason = new Error("enough");
  const error = await assertRejects(() =>
    resolve("localhost", { signal: AbortSignal.abort(reason) })
  );
  assertEquals(error, reason);
});

Deno.test("resolve() resolves many names at once", async () => {
  const names = Array.from({ length: 100 }, (_, i) => `127.0.0.${i}`);
  const lists = await Promise.all(names.map((name) => resolve(name)));
  assertEquals(lists.map(([address]) => address?.hostname), names);
});
