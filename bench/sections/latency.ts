import { runForFigures } from "../process.ts";
import { type Context, runsOf, type Section } from "../section.ts";

const CASES = [
  { atOnce: 1, name: "idle: one message" },
  { atOnce: 100, name: "busy: 100 messages at once" },
];

/** The time from a `send` until the awaiting receiver has the data, within one event loop. */
export function latency({ peers, isQuick }: Context): Section {
  return {
    title: "Latency from a send to the data, awaited in the same event loop",
    metrics: [
      { name: "median", title: "median", unit: "µs", better: "less" },
      { name: "p99", title: "99th percentile", unit: "µs", better: "less" },
    ],
    rounds: 5,
    notes: [],
    workloads: CASES.map(({ atOnce, name }) => ({
      name,
      parameters: { atOnce },
      runs: runsOf(
        peers,
        ["readiness", "readinessAwait", "ffi", "deno"],
        async (peer) =>
          runForFigures(
            await peers.command(peer, "latency", atOnce, atOnce === 1 && !isQuick ? 400 : 100),
          ),
      ),
    })),
  };
}
