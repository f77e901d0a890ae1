/**
 * Drawing with Vega-Lite. The specifiers are strings, not literals, so that only a run that draws
 * charts downloads the packages.
 *
 * @module
 */

import { type PeerName, PEERS } from "../peers.ts";
import type { Results } from "../results.ts";

const VEGA: string = "npm:vega@6.4.0";
const VEGA_LITE: string = "npm:vega-lite@6.5.0";

/** A Vega-Lite specification, or a part of one. */
export type Specification = Record<string, unknown>;

const COLORS: Record<PeerName, string> = {
  readiness: "#d55e00",
  readinessAsync: "#f0a35e",
  readinessAwait: "#f7cfa8",
  base: "#8c564b",
  baseAsync: "#c49c94",
  baseAwait: "#e3d0cb",
  ffi: "#e0c341",
  ffiChecked: "#f0e2a0",
  c: "#333333",
  cThreaded: "#999999",
  python: "#3f7fbf",
  deno: "#00876c",
  nodeInDeno: "#7cc6a4",
  node: "#b39ddb",
  socat: "#7f7f7f",
  socatLarge: "#bbbbbb",
  nmap: "#7f7f7f",
};

/**
 * Renders a chart as SVG.
 *
 * @param title The title
 * @param explanation How to read the chart, in a few lines
 * @param results The results, whose machine, versions and date appear below the title
 * @param specification The parts of the specification that charts do not share
 */
export async function render(
  title: string,
  explanation: string[],
  results: Results,
  specification: Specification,
): Promise<string> {
  const [vega, vegaLite] = await Promise.all([import(VEGA), import(VEGA_LITE)]);
  // Without a canvas, Vega overestimates the width of text.
  vega.textMetrics.width = (item: { fontSize?: number }, text: unknown) =>
    0.53 * (item.fontSize ?? 12) * String(text).length;
  const { spec } = vegaLite.compile({
    background: "white",
    padding: 16,
    title: {
      text: title,
      subtitle: [...explanation, ...origin(results)],
      anchor: "start",
      fontSize: 18,
      subtitleFontSize: 12,
      subtitleColor: "#555555",
      subtitlePadding: 6,
      offset: 18,
    },
    config: {
      font: "system-ui, 'Segoe UI', Helvetica, Arial, sans-serif",
      axis: {
        labelFontSize: 12,
        titleFontSize: 12,
        titleFontWeight: "normal",
        gridColor: "#e8e8e8",
      },
      header: { labelFontSize: 14, labelFontWeight: "bold", labelAnchor: "start", title: null },
      legend: {
        labelFontSize: 13,
        title: null,
        orient: "top",
        symbolSize: 160,
        columns: 4,
        labelLimit: 300,
        offset: 12,
      },
      view: { stroke: null },
      facet: { spacing: 24 },
    },
    ...specification,
  });
  const svg = await new vega.View(vega.parse(spec), { renderer: "none" }).toSVG();
  return `<!-- deno-fmt-ignore-file -->\n${svg}\n`;
}

/** Returns the encoding that gives each peer its own color. */
export function colorOf(peers: Iterable<PeerName>): Specification {
  const present = new Set(peers);
  const names = (Object.keys(PEERS) as PeerName[]).filter((name) => present.has(name));
  return {
    field: "peer",
    type: "nominal",
    scale: { domain: names.map((name) => PEERS[name]), range: names.map((name) => COLORS[name]) },
  };
}

/** Returns lines with the machine, the versions and the date. */
function origin({ date, machine, versions, isQuick }: Results): string[] {
  const known = new Set([versions.readiness, versions.c, versions.python, versions.node]);
  return [
    `${machine.cores} × ${machine.cpu}, ${machine.system}`,
    [...known].filter((version) => version !== undefined).join(" · "),
    date + (isQuick ? " · a quick run: too short to quote" : ""),
  ];
}
