import { formatDuration } from "../format.ts";
import { type PeerName, PEERS } from "../peers.ts";
import type { Results, SectionResult, WorkloadResult } from "../results.ts";
import { ratios, summarize } from "../statistics.ts";
import { colorOf, render, type Specification } from "./vega.ts";

/** Draws the cost of calls relative to C, as bars. */
export async function drawCost(results: Results, sections: SectionResult[]): Promise<string> {
  const bars = sections.flatMap((section) => section.workloads.flatMap(barsOf));
  const color = colorOf(bars.map(({ name }) => name));
  const groups = Map.groupBy(bars, ({ group }) => group);
  return await render(
    "Cost of a call, relative to C",
    [
      "CPU time of the whole process, user and system. Bars are medians, lines the range of the",
      "rounds. Less is better.",
    ],
    results,
    { vconcat: [...groups].map(([title, bars]) => panel(title, bars, color)), spacing: 24 },
  );
}

interface Bar {
  readonly group: string;
  readonly workload: string;
  readonly name: PeerName;
  readonly peer: string;
  readonly ratio: number;
  readonly least: number;
  readonly most: number;
  readonly label: string;
}

/** Returns a bar for each peer; none for workloads that C does not run. */
function barsOf({ name: workload, peers, parameters }: WorkloadResult): Bar[] {
  const over = peers.c?.cpu;
  if (over === undefined) return [];
  return Object.entries(peers).map(([name, { cpu }]) => {
    const { median, least, most } = summarize(ratios(cpu!, over));
    return {
      group: parameters.backend === undefined
        ? "Registrations, epoll"
        : `select(0), ${parameters.backend}: ready of registered descriptors`,
      workload: workload.replace(/^\w+, /, ""),
      name: name as PeerName,
      peer: PEERS[name as PeerName],
      ratio: median,
      least,
      most,
      label: formatDuration(summarize(cpu!).median),
    };
  });
}

function panel(title: string, bars: Bar[], color: Specification): Specification {
  const order = [...new Set(bars.map(({ workload }) => workload))];
  return {
    title: { text: title, fontSize: 14, anchor: "start", offset: 8 },
    data: { values: bars },
    width: 820,
    height: 140,
    encoding: {
      x: {
        field: "workload",
        type: "nominal",
        sort: order,
        axis: { labelAngle: 0, labelLimit: 300, title: null },
      },
      xOffset: { field: "peer", sort: Object.values(PEERS) },
    },
    layer: [
      {
        mark: { type: "bar" },
        encoding: { y: { field: "ratio", type: "quantitative", title: "times C" }, color },
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
  };
}
