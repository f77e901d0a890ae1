import { runForNumbers } from "../process.ts";
import { type Circumstances, type Section, turnsOf } from "../rounds.ts";

/** How long it takes from a `send` to the data in hand, inside Deno's event loop. */
export function latency({ peers, isQuick }: Circumstances): Section {
  return {
    title: "From a send to the data, in selectAsync and in conn.read",
    metrics: [
      { name: "median", title: "median", unit: "µs", better: "less" },
      { name: "p99", title: "99th percentile", unit: "µs", better: "less" },
    ],
    rounds: 5,
    notes: [],
    works: [[1, "idle: one message"], [100, "busy: 100 messages at once"]].map((
      [atOnce, work],
    ) => ({
      work: work as string,
      parameters: { atOnce },
      turns: turnsOf(peers, ["readiness", "deno"], async (name) =>
        runForNumbers(
          await peers.command(name, "latency", atOnce, atOnce === 1 && !isQuick ? 400 : 100),
        )),
    })),
  };
}
