import { assert, assertEquals } from "@std/assert";
import { ratioOf, type Results, type SectionResult, toJson } from "../../bench/results.ts";
import { heading, table } from "../../bench/table.ts";
import { targetsOf } from "../../bench/targets.ts";

const dispatch: SectionResult = {
  section: "dispatch",
  title: "Waits",
  metrics: [{ name: "cpu", title: "CPU per call", unit: "ns", better: "less" }],
  workloads: [{
    name: "epoll, 1 of 1",
    parameters: {},
    peers: {
      readiness: { cpu: [120, 400, 130] },
      ffi: { cpu: [100, 200, 100] },
      python: { cpu: [1200, 1600, 1300] },
    },
  }],
  notes: ["A note"],
};

const growth: SectionResult = {
  ...dispatch,
  section: "growth",
  workloads: ["epoll, 1 of 10", "epoll, 1 of 19,000"].map((name, i) => ({
    name,
    parameters: {},
    peers: { readiness: { cpu: i === 0 ? [1, 2] : [2, 3] } },
  })),
};

const results: Results = {
  date: "2000-01-01",
  machine: { cpu: "abacus", cores: 2, memory: "none", system: "wood", openFiles: 10, load: 0 },
  versions: { readiness: "Deno 0" },
  leftOut: { node: "not installed" },
  isQuick: false,
  sections: [dispatch, growth],
};

Deno.test("ratioOf() returns the median of the rounds' ratios, not the ratio of medians", () => {
  const ratio = ratioOf(dispatch.workloads[0]!, "cpu", "ffi");
  assertEquals(ratio, { median: 1.3, least: 1.2, most: 2 });
});

Deno.test("ratioOf() returns undefined for a peer that was left out", () => {
  assertEquals(ratioOf(dispatch.workloads[0]!, "cpu", "node"), undefined);
});

Deno.test("targetsOf() returns each target that was measured, and whether it is met", () => {
  const [overFfi, overPython, grown, ...others] = targetsOf(results);
  assertEquals([overFfi?.found, overFfi?.isMet], [1.3, false]);
  assert(Math.abs(overPython!.found - 0.1) < 1e-9);
  assertEquals([grown?.found, grown?.limit, grown?.isMet], [1.75, 1.2, false]);
  assertEquals(others, []);
});

Deno.test("toJson() adds medians and ratios to the figures of the rounds", () => {
  const { cpu } = JSON.parse(toJson(results, [])).sections[0].workloads[0].summary.ffi;
  assertEquals(cpu.value, { median: 100, least: 100, most: 200 });
  assertEquals(cpu.ratio.median, 1.3);
});

Deno.test("table() has a line per peer, this package's first, and the notes", () => {
  assertEquals(table(dispatch).split("\n"), [
    "Waits",
    "                               CPU per call (ns)  ours ÷ theirs        spread",
    "epoll, 1 of 1  this package                  130",
    "               bare FFI calls                100           1.30  1.20 to 2.00",
    "               CPython                     1,300           0.10  0.10 to 0.25",
    "(A note.)",
  ]);
});

Deno.test("heading() names the peers that were left out", () => {
  assertEquals(heading(results).split("\n").at(-1), "left out: Node: not installed");
});
