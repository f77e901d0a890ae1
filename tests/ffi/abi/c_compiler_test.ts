import { assertEquals, assertRejects } from "@std/assert";
import type { Abi } from "../../../ffi/abi/abi.ts";
import { abi } from "../../../ffi/abi/mod.ts";
import { needsProgram } from "../../support/skip.ts";
import { compile } from "./c_compiler.ts";
import { factsOf } from "./facts.ts";

const { pollfd } = abi.structs;

/** Tables with one wrong row each, and the fact that a compiler must refuse. */
const mistakes: [what: string, table: Abi, fact: string][] = [
  [
    "a wrong size of a structure",
    { ...abi, structs: { ...abi.structs, pollfd: { ...pollfd, size: 7 } } },
    "the size of struct pollfd is 7 bytes",
  ],
  [
    "a wrong offset of a field",
    withField("events", [1, 2]),
    "events of struct pollfd is at offset 1",
  ],
  [
    "a wrong width of a field",
    withField("fd", [0, 3]),
    "fd of struct pollfd has 3 bytes",
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
    "a wrong error number",
    { ...abi, errno: { ...abi.errno, EINTR: 12345 } },
    "EINTR is 12345",
  ],
  [
    "a wrong symbol",
    { ...abi, symbols: { ...abi.symbols, select: "__select50" } },
    "the symbol of select is __select50",
  ],
  [
    "another system's parameters",
    { ...abi, sendfile: "freebsd" },
    "the type of sendfile() is int(int, int, off_t, size_t, struct sf_hdtr *, off_t *, int)",
  ],
];

function withField(name: "fd" | "events", field: readonly [number, number]): Abi {
  const fields = { ...pollfd.fields, [name]: field };
  return { ...abi, structs: { ...abi.structs, pollfd: { ...pollfd, fields } } };
}

const COMPILER = Deno.env.get("CC") ?? "cc";
const needsCompiler = needsProgram(COMPILER);

Deno.test({
  name: "compile() holds every fact of this system's table",
  ...needsCompiler,
  async fn() {
    const facts = factsOf(abi);
    const outcome = await compile(facts, [COMPILER]);
    assertEquals(outcome, { held: facts.length, wrong: [], missing: [] });
  },
});

for (const [what, table, fact] of mistakes) {
  Deno.test({
    name: `compile() finds ${what}`,
    ...needsCompiler,
    async fn() {
      const facts = factsOf(table);
      const { held, wrong } = await compile(facts, [COMPILER]);
      assertEquals(wrong.map((line) => line.split(":")[0]), [fact]);
      assertEquals(held, facts.length - 1);
    },
  });
}

Deno.test("compile() rejects with NotFound without the compiler", async () => {
  await assertRejects(() => compile([], ["no-such-compiler"]), Deno.errors.NotFound);
});
