import { assertEquals } from "@std/assert";
import { type Outcome, runProofs } from "./proof.ts";

async function runOne(run: () => Promise<Outcome>): Promise<{ passed: boolean; lines: string[] }> {
  const lines: string[] = [];
  const passed = await runProofs([{ name: "plan9", run }], (line) => lines.push(line));
  return { passed, lines };
}

Deno.test("runProofs() prints a line a proof", async () => {
  const outcome = { held: 3, wrong: [], missing: [] };
  assertEquals(await runOne(() => Promise.resolve(outcome)), {
    passed: true,
    lines: ["plan9: 3 facts hold"],
  });
});

Deno.test("runProofs() fails if a fact is wrong, and names it", async () => {
  const outcome = { held: 3, wrong: ["EINTR is 5: 4 in a header"], missing: [] };
  assertEquals(await runOne(() => Promise.resolve(outcome)), {
    passed: false,
    lines: ["plan9: 3 facts hold, 1 wrong", "  wrong: EINTR is 5: 4 in a header"],
  });
});

Deno.test("runProofs() names each fact without a source", async () => {
  const outcome = { held: 3, wrong: [], missing: ["EINTR is 4"] };
  assertEquals(await runOne(() => Promise.resolve(outcome)), {
    passed: true,
    lines: ["plan9: 3 facts hold, 1 without a source", "  no source: EINTR is 4"],
  });
});

Deno.test("runProofs() fails if a source cannot be had", async () => {
  const run = () => Promise.reject(new Deno.errors.NotFound("no compiler\nat all"));
  assertEquals(await runOne(run), {
    passed: false,
    lines: ["plan9: cannot be compared: no compiler"],
  });
});
