import { type PeerName, PEERS } from "../peers.ts";
import type { Results, SectionResult } from "../results.ts";
import { summarize } from "../statistics.ts";
import { colorOf, render } from "./vega.ts";

/** Draws the cost of a call by the number of registered descriptors, as lines. */
export async function drawGrowth(results: Results, section: SectionResult): Promise<string> {
  const points = section.workloads.flatMap(({ parameters, peers }) =>
    Object.entries(peers).map(([name, { cpu }]) => ({
      ...parameters,
      name: name as PeerName,
      peer: PEERS[name as PeerName],
      cost: summarize(cpu!).median / 1000,
    }))
  );
  return await render(
    "Cost of a select as registrations grow",
    [
      "CPU time of a call that finds one descriptor ready, user and system. Medians.",
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
              title: "µs of CPU per call",
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
