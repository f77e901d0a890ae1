/**
 * Writes results as tables of text.
 *
 * @module
 */

import { type PeerName, PEERS } from "./peers.ts";
import {
  type Metric,
  ratioOf,
  type Results,
  type SectionResult,
  type WorkResult,
} from "./results.ts";
import { summarize, type Summary } from "./measure.ts";
import { figure } from "./words.ts";

/** Where the numbers come from, in a few lines. */
export function heading(results: Results): string {
  const { machine, versions, leftOut } = results;
  const lines = [
    `${results.date}${results.isQuick ? ", a quick run: too short to be quoted" : ""}`,
    `${machine.cores} × ${machine.cpu}, ${machine.memory}, ${machine.system}, ` +
    `${machine.openFiles} open files, load ${machine.load.toFixed(1)} at the start`,
  ];
  for (const [peer, version] of Object.entries(versions)) {
    lines.push(`${PEERS[peer as PeerName]}: ${version}`);
  }
  for (const [peer, reason] of Object.entries(leftOut)) {
    lines.push(`left out: ${PEERS[peer as PeerName]}: ${reason}`);
  }
  return lines.join("\n");
}

/** A section as a table: a line for each peer of each work. */
export function table(section: SectionResult): string {
  const [first, ...others] = section.metrics;
  const rows = section.works.flatMap((work) => rowsOf(work, first, others));
  rows.unshift(["", "", titleOf(first), "ours ÷ theirs", "spread", ...others.map(titleOf)]);
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const lines = rows.map((row) =>
    row.map((cell, column) =>
      column < 2 ? cell.padEnd(widths[column]) : cell.padStart(widths[column])
    ).join("  ").trimEnd()
  );
  return [section.title, ...lines, ...section.notes.map((note) => `(${note}.)`)].join("\n");
}

function titleOf({ title, unit }: Metric): string {
  return unit === "a second" ? `${title} ${unit}` : `${title} (${unit})`;
}

function rowsOf(work: WorkResult, first: Metric, others: Metric[]): string[][] {
  return (Object.keys(work.peers) as PeerName[]).sort(byOrder).map((peer, i) => {
    const value = (metric: Metric) => figure(summarize(work.peers[peer]![metric.name]).median);
    const ratio = peer === "readiness" ? undefined : ratioOf(work, first.name, "readiness", peer);
    return [
      i === 0 ? work.work : "",
      PEERS[peer],
      value(first),
      ratio === undefined ? "" : ratio.median.toFixed(2),
      ratio === undefined ? "" : spread(ratio),
      ...others.map(value),
    ];
  });
}

/** From the least to the most. */
export function spread({ least, most }: Summary): string {
  return `${least.toFixed(2)} to ${most.toFixed(2)}`;
}

function byOrder(a: PeerName, b: PeerName): number {
  const order = Object.keys(PEERS);
  return order.indexOf(a) - order.indexOf(b);
}
