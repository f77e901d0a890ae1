import { assertEquals, assertFalse, assertMatch, assertRejects } from "@std/assert";
import type { Abi } from "../../../ffi/abi/abi.ts";
import { freebsdX64 } from "../../../ffi/abi/freebsd.ts";
import { abi } from "../../../ffi/abi/host.ts";
import { needsProgram } from "../../support/skip.ts";
import { compile } from "./compiler.ts";
import { describe, factsOf } from "./facts.ts";
import { compare, type Numbers } from "./numbers.ts";
import { prove } from "./prove.ts";
import type { Verdict } from "./verdict.ts";

const { pollfd } = abi.structs;

/** Each a table with one thing wrong, and what a check has to say about it. */
const mistakes: [what: string, table: Abi, complaint: string][] = [
  [
    "a wrong size of a struct",
    { ...abi, structs: { ...abi.structs, pollfd: { ...pollfd, size: 7 } } },
    "struct pollfd is 7 bytes",
  ],
  [
    "a wrong offset of a field",
    withField("events", [1, 2]),
    "struct pollfd has events at byte 1",
  ],
  [
    "a wrong width of a field",
    withField("fd", [0, 3]),
    "struct pollfd has a fd of 3 bytes",
  ],
  [
    "a wrong constant",
    { ...abi, constants: { ...abi.constants, SO_ERROR: 12345 } },
    "SO_ERROR is 12345",
  ],
  [
    "a constant that the system lacks",
    { ...abi, constants: { ...abi.constants, SO_READINESS: 1 } as Abi["constants"] },
    "SO_READINESS is 1",
  ],
  [
    "a wrong number of an error",
    { ...abi, errno: { ...abi.errno, EINTR: 12345 } },
    "EINTR is 12345",
  ],
];

function withField(name: "fd" | "events", field: readonly [number, number]): Abi {
  const fields = { ...pollfd.fields, [name]: field };
  return { ...abi, structs: { ...abi.structs, pollfd: { ...pollfd, fields } } };
}

const COMPILER = Deno.env.get("CC") ?? "cc";
const cc = needsProgram(COMPILER);

Deno.test({
  name: "compile() holds every fact of this system's table",
  ...cc,
  async fn() {
    const facts = factsOf(abi);
    assertEquals(await compile(facts, [COMPILER]), {
      held: facts.length,
      failed: [],
      notCompared: 0,
    });
  },
});

for (const [what, table, complaint] of mistakes) {
  Deno.test({
    name: `compile() names ${what}`,
    ...cc,
    async fn() {
      const facts = factsOf(table);
      const { held, failed } = await compile(facts, [COMPILER]);
      assertEquals(failed.map((line) => line.split(":")[0]), [complaint]);
      assertEquals(held, facts.length - 1);
    },
  });
}

Deno.test({
  name: "compile() names a symbol that the header does not give the call",
  ...cc,
  async fn() {
    const table = { ...abi, symbols: { ...abi.symbols, select: "__select50" } };
    const { failed } = await compile(factsOf(table), [COMPILER]);
    assertEquals(failed, ["the symbol of select is __select50: the header has another one"]);
  },
});

Deno.test("compile() throws NotFound without the compiler", async () => {
  await assertRejects(() => compile([], ["no-such-compiler"]), Deno.errors.NotFound);
});

/** What `../shared/abi` would hold of the few facts that the tests below look at. */
const numbers: Numbers = {
  structs: {
    kevent: { size: 64, fields: { udata: { offset: 24, size: 8 } } },
    sockaddr_in: { size: 16, fields: { addr: { offset: 4, size: 4 } } },
  },
  constants: { EV_ADD: 1 },
  errno: { EINTR: 4 },
};

Deno.test("compare() holds the facts that the numbers have, and counts the rest", () => {
  const facts = factsOf(freebsdX64);
  assertEquals(compare(facts, numbers), { held: 8, failed: [], notCompared: facts.length - 8 });
});

Deno.test("compare() leaves out the constants that it is told to", () => {
  assertEquals(compare(factsOf(freebsdX64), numbers, ["EV_ADD"]).held, 7);
});

Deno.test("compare() names each fact that is wrong", () => {
  const { structs, constants, errno } = freebsdX64;
  const [kqueue, { sockaddr_in }] = [freebsdX64.kqueue!, structs];
  const tampered: Abi = {
    ...freebsdX64,
    structs: {
      ...structs,
      sockaddr_in: { ...sockaddr_in, fields: { ...sockaddr_in.fields, sin_addr: [5, 3] } },
    },
    constants: { ...constants },
    errno: { ...errno, EINTR: 5 },
    kqueue: {
      ...kqueue,
      kevent: { ...kqueue.kevent, size: 32 },
      constants: { ...kqueue.constants, EV_ADD: 2 },
    },
  };
  assertEquals(compare(factsOf(tampered), numbers).failed, [
    "struct sockaddr_in has sin_addr at byte 5: it is 4",
    "struct sockaddr_in has a sin_addr of 3 bytes: it is 4",
    "struct kevent is 32 bytes: it is 64",
    "EV_ADD is 2: it is 1",
    "EINTR is 5: it is 4",
  ]);
});

Deno.test("factsOf() has each fact once", () => {
  const facts = factsOf(abi).map(describe);
  assertEquals(facts.length, new Set(facts).size);
});

function run(judge: () => Verdict, strict = false): Promise<{ passed: boolean; lines: string[] }> {
  const lines: string[] = [];
  const proof = { system: "plan9", judge: () => Promise.resolve().then(judge) };
  return prove([proof], strict, (line) => lines.push(line)).then((passed) => ({ passed, lines }));
}

Deno.test("prove() prints a line a system", async () => {
  assertEquals(await run(() => ({ held: 3, failed: [], notCompared: 1 })), {
    passed: true,
    lines: ["plan9: 3 facts hold; not compared: 1"],
  });
});

Deno.test("prove() fails with a fact that is wrong, and names it", async () => {
  assertEquals(await run(() => ({ held: 3, failed: ["EINTR is 5: it is 4"], notCompared: 0 })), {
    passed: false,
    lines: ["plan9: 3 facts hold; wrong: 1", "  EINTR is 5: it is 4"],
  });
});

Deno.test("prove() fails for what is not there only when it is strict", async () => {
  const judge = () => {
    throw new Deno.errors.NotFound("no compiler");
  };
  assertEquals((await run(judge)).passed, true);
  const { passed, lines } = await run(judge, true);
  assertFalse(passed);
  assertMatch(lines[0], /^plan9: not compared: no compiler$/);
});
