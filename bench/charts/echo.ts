import { formatCount } from "../format.ts";
import { type PeerName, PEERS } from "../peers.ts";
import type { Results, SectionResult } from "../results.ts";
import { summarize } from "../statistics.ts";
import { colorOf, render } from "./vega.ts";

/** Draws the cost of an echo server per message, as bars. */
export async function drawEcho(results: Results, section: SectionResult): Promise<string> {
  const bars = section.workloads.flatMap(({ parameters, peers }) =>
    Object.entries(peers).map(([name, { cpu }]) => {
      const summary = summarize(cpu!);
      return {
        connections: formatCount(Number(parameters.connections)),
        size: Number(parameters.size) === 64 ? "messages of 64 bytes" : "messages of 16 KB",
        name: name as PeerName,
        peer: PEERS[name as PeerName],
        ...summary,
        label: summary.median.toFixed(1),
      };
    })
  );
  const order = [...new Set(bars.map(({ connections }) => connections))];
  return await render(
    "Cost of an echo server",
    [
      "CPU time of the server's whole process per message, user and system. Bars are medians,",
      "lines the range of the rounds. Less is better.",
    ],
    results,
    {
      data: { values: bars },
      facet: { field: "size", type: "nominal", sort: ["messages of 64 bytes"] },
      columns: 1,
      resolve: { scale: { y: "independent" }, axis: { x: "independent" } },
      spec: {
        width: 820,
        height: 220,
        encoding: {
          x: {
            field: "connections",
            type: "nominal",
            sort: order,
            axis: { labelAngle: 0, title: "connections, each with one message in flight" },
          },
          xOffset: { field: "peer", sort: Object.values(PEERS) },
        },
        layer: [
          {
            mark: { type: "bar" },
            encoding: {
              y: { field: "median", type: "quantitative", title: "µs of CPU per message" },
              color: colorOf(bars.map(({ name }) => name)),
            },
          },
          {
            mark: { type: "rule", color: "#111111" },
            encoding: { y: { field: "least", type: "quantitative" }, y2: { field: "most" } },
          },
          {
            mark: { type: "text", baseline: "bottom", dy: -4, fontSize: 10, color: "#333333" },
            encoding: { y: { field: "most", type: "quantitative" }, text: { field: "label" } },
          },
        ],
      },
    },
  );
}
