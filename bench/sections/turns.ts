import { runForNumbers } from "../process.ts";
import { type Circumstances, type Section, turnsOf } from "../rounds.ts";

/** How often a second something that is always ready is awaited, and timers go on meanwhile. */
export function turns({ peers, isQuick }: Circumstances): Section {
  return {
    title: "Awaiting what is always ready: a byte at a time",
    metrics: [
      { name: "turns", title: "turns", unit: "a second", better: "more" },
      { name: "ticks", title: "1 ms timer", unit: "a second", better: "more" },
    ],
    rounds: 5,
    notes: [],
    works: [{
      work: "selectAsync and recv, or conn.read",
      parameters: {},
      turns: turnsOf(
        peers,
        ["readiness", "deno"],
        async (name) => runForNumbers(await peers.command(name, "turns", isQuick ? 100 : 400)),
      ),
    }],
  };
}
