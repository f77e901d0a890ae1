import { ratios, summarize } from "../measure.ts";
import { type PeerName, PEERS } from "../peers.ts";
import type { Results, SectionResult, WorkResult } from "../results.ts";
import { duration } from "../words.ts";
import { colorOf, render, type Specification } from "./vega.ts";

/** Draws what calls cost beside what they cost in C, as bars. */
export async function drawCost(results: Results, sections: SectionResult[]): Promise<string> {
  const bars = sections.flatMap((section) => section.works.flatMap(barsOf));
  const color = colorOf(bars.map(({ name }) => name));
  const groups = Map.groupBy(bars, ({ group }) => group);
  return await render(
    "What a call costs, as times of what it costs in C",
    [
      "CPU time, user and system, of the whole process: medians, with lines from the least to the",
      "most of the rounds. Less is better.",
    ],
    results,
    { vconcat: [...groups].map(([title, bars]) => panel(title, bars, color)), spacing: 24 },
  );
}

interface Bar {
  readonly group: string;
  readonly work: string;
  readonly name: PeerName;
  readonly peer: string;
  readonly ratio: number;
  readonly least: number;
  readonly most: number;
  readonly label: string;
}

/** Works that C does not do have no bars. */
function barsOf({ work, peers, parameters }: WorkResult): Bar[] {
  const over = peers.c?.cpu;
  if (over === undefined) return [];
  return Object.entries(peers).map(([name, { cpu }]) => {
    const { median, least, most } = summarize(ratios(cpu, over));
    return {
      group: parameters.backend === undefined
        ? "Registrations, epoll"
        : `select(0), ${parameters.backend}: ready descriptors of registered ones`,
      work: work.replace(/^\w+, /, ""),
      name: name as PeerName,
      peer: PEERS[name as PeerName],
      ratio: median,
      least,
      most,
      label: duration(summarize(cpu).median),
    };
  });
}

function panel(title: string, bars: Bar[], color: Specification): Specification {
  const order = [...new Set(bars.map(({ work }) => work))];
  return {
    title: { text: title, fontSize: 14, anchor: "start", offset: 8 },
    data: { values: bars },
    width: 820,
    height: 140,
    encoding: {
      x: {
        field: "work",
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
