import { assertEquals, assertRejects } from "@std/assert";
import type { Abi } from "../../../ffi/abi/abi.ts";
import { freebsdX64 } from "../../../ffi/abi/freebsd.ts";
import { tables } from "../../../ffi/abi/mod.ts";
import { describe, factsOf } from "./facts.ts";
import { compareWithNumbers, type Numbers, readNumbers } from "./numbers.ts";

const numbers: Numbers = {
  source: "a header",
  symbols: { kevent: "kevent" },
  counts: { kevent: 4 },
  structs: {
    kevent: { size: 64, fields: { udata: [24, 8] } },
    sockaddr_in: { size: 16, fields: { sin_addr: [4, 4] } },
  },
  constants: { EV_ADD: 1, EAI_AGAIN: 2 },
  errno: { EINTR: 4 },
};

Deno.test("compareWithNumbers() holds the facts of a source, and names the rest", () => {
  const facts = factsOf(freebsdX64());
  const { held, wrong, missing } = compareWithNumbers(facts, [numbers]);
  assertEquals([held, wrong], [11, []]);
  assertEquals(missing.length, facts.length - 11);
  assertEquals(missing[0], "the symbol of errno is __error");
});

Deno.test("compareWithNumbers() names a fact that a source contradicts, whatever another says", () => {
  const facts = factsOf(freebsdX64()).filter((fact) => describe(fact) === "EINTR is 4");
  const other: Numbers = { source: "another header", errno: { EINTR: 5 } };
  const wrong = ["EINTR is 4: 5 in another header"];
  assertEquals(compareWithNumbers(facts, [numbers, other]), { held: 0, wrong, missing: [] });
  assertEquals(compareWithNumbers(facts, [other, numbers]), { held: 0, wrong, missing: [] });
});

Deno.test("compareWithNumbers() names each fact that is wrong", () => {
  const { constants, errno, structs } = freebsdX64();
  const [kqueue, { sockaddr_in }] = [freebsdX64().kqueue!, structs];
  const tampered: Abi = {
    ...freebsdX64(),
    structs: {
      ...structs,
      sockaddr_in: { ...sockaddr_in, fields: { ...sockaddr_in.fields, sin_addr: [5, 3] } },
    },
    constants: { ...constants, EAI_AGAIN: 3 },
    errno: { ...errno, EINTR: 5 },
    kqueue: {
      ...kqueue,
      symbol: "__kevent50",
      countSize: 8,
      kevent: { ...kqueue.kevent, size: 32 },
      constants: { ...kqueue.constants, EV_ADD: 2 },
    },
  };
  assertEquals(compareWithNumbers(factsOf(tampered), [numbers]).wrong, [
    "sin_addr of struct sockaddr_in is at offset 5: 4 in a header",
    "sin_addr of struct sockaddr_in has 3 bytes: 4 in a header",
    "EAI_AGAIN is 3: 2 in a header",
    "the symbol of kevent is __kevent50: kevent in a header",
    "the counts of kevent() have 8 bytes: 4 in a header",
    "the size of struct kevent is 32 bytes: 64 in a header",
    "EV_ADD is 2: 1 in a header",
    "EINTR is 5: 4 in a header",
  ]);
});

for (const [system, makeTable] of Object.entries(tables)) {
  if (!/^(android|freebsd|illumos|netbsd|openbsd|solaris) /.test(system)) continue;
  Deno.test(`readNumbers() has a source for every fact about ${system}`, async () => {
    const facts = factsOf(makeTable());
    const outcome = compareWithNumbers(facts, await readNumbers(system));
    assertEquals(outcome, { held: facts.length, wrong: [], missing: [] });
  });
}

Deno.test("readNumbers() leaves out the sources for another processor", async () => {
  const sizes = async (arch: string) =>
    (await readNumbers(`android ${arch}`)).flatMap(({ structs }) =>
      structs?.["epoll_event"]?.size ?? []
    );
  assertEquals([await sizes("x86_64"), await sizes("aarch64")], [[12], [16]]);
});

Deno.test("readNumbers() rejects with NotFound for a system without numbers", async () => {
  await assertRejects(() => readNumbers("plan9 x86_64"), Deno.errors.NotFound);
});
