import { summarize } from "../measure.ts";
import { type PeerName, PEERS } from "../peers.ts";
import type { Results, SectionResult } from "../results.ts";
import { colorOf, render } from "./vega.ts";

/** Draws how the cost of a call grows with what is registered, as lines. */
export async function drawGrowth(results: Results, section: SectionResult): Promise<string> {
  const points = section.works.flatMap(({ parameters, peers }) =>
    Object.entries(peers).map(([name, { cpu }]) => ({
      ...parameters,
      name: name as PeerName,
      peer: PEERS[name as PeerName],
      cost: summarize(cpu).median / 1000,
    }))
  );
  return await render(
    "How the cost of a select grows with what is registered",
    [
      "CPU time, user and system, of a call that finds one descriptor ready: medians.",
      "Both scales are logarithmic. Less is better.",
    ],
    results,
    {
      data: { values: points },
      facet: { column: { field: "backend", type: "nominal", sort: ["epoll", "poll", "select"] } },
      spec: {
        width: 240,
        height: 300,
        mark: { type: "line", point: { size: 45 }, strokeWidth: 2 },
        encoding: {
          x: {
            field: "registered",
            type: "quantitative",
            scale: { type: "log", nice: false },
            axis: {
              title: "registered descriptors",
              values: [10, 100, 1000, 10_000, 100_000, 1_000_000],
              format: ",",
            },
          },
          y: {
            field: "cost",
            type: "quantitative",
            scale: { type: "log" },
            axis: {
              title: "µs of CPU a call",
              values: [0.1, 1, 10, 100, 1000, 10_000, 100_000],
              format: ",",
            },
          },
          color: colorOf(points.map(({ name }) => name)),
        },
      },
    },
  );
}
