import { runForFigures } from "../process.ts";
import { type Context, runsOf, type Section } from "../section.ts";

/** How fast data that is always there can be awaited, and whether timers run meanwhile. */
export function fairness({ peers, isQuick }: Context): Section {
  return {
    title: "Fairness: awaiting a byte that is always there, beside a timer of 1 ms",
    metrics: [
      { name: "awaits", title: "awaits", unit: "per second", better: "more" },
      { name: "ticks", title: "ticks of the timer", unit: "per second", better: "more" },
    ],
    rounds: 5,
    notes: [],
    workloads: [{
      name: "selectAsync and recv, or conn.read",
      parameters: {},
      runs: runsOf(
        peers,
        ["readiness", "deno"],
        async (peer) => runForFigures(await peers.command(peer, "fairness", isQuick ? 100 : 400)),
      ),
    }],
  };
}
