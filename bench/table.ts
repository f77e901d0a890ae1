/**
 * Results as text.
 *
 * @module
 */

import { formatFigure } from "./format.ts";
import { type PeerName, PEERS } from "./peers.ts";
import {
  type Metric,
  ratioOf,
  type Results,
  type SectionResult,
  type WorkloadResult,
} from "./results.ts";
import { summarize, type Summary } from "./statistics.ts";

/** Formats the date, the machine and the versions of the peers. */
export function heading(results: Results): string {
  const { machine, versions, leftOut } = results;
  const lines = [
    `${results.date}${results.isQuick ? ", a quick run: too short to quote" : ""}`,
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

/** Formats a section as a table with a line for each peer of each workload. */
export function table(section: SectionResult): string {
  const [first, ...others] = section.metrics as [Metric, ...Metric[]];
  const header = ["", "", titleOf(first), "ours ÷ theirs", "spread", ...others.map(titleOf)];
  const rows = [header, ...section.workloads.flatMap((result) => rowsOf(result, first, others))];
  const widths = header.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) =>
    row.map((cell, column) =>
      column < 2 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)
    ).join("  ").trimEnd()
  );
  return [section.title, ...lines, ...section.notes.map((note) => `(${note}.)`)].join("\n");
}

function titleOf({ title, unit }: Metric): string {
  return unit === "per second" ? `${title} ${unit}` : `${title} (${unit})`;
}

function rowsOf(workload: WorkloadResult, first: Metric, others: Metric[]): string[][] {
  const { name, peers } = workload;
  return (Object.keys(peers) as PeerName[]).sort(byOrder).map((peer, i) => {
    const value = ({ name }: Metric) => {
      const rounds = peers[peer]![name];
      return rounds === undefined ? "" : formatFigure(summarize(rounds).median);
    };
    const ratio = ratioOf(workload, first.name, peer);
    return [
      i === 0 ? name : "",
      PEERS[peer],
      value(first),
      ratio === undefined ? "" : ratio.median.toFixed(2),
      ratio === undefined ? "" : spread(ratio),
      ...others.map(value),
    ];
  });
}

function spread({ least, most }: Summary): string {
  return `${least.toFixed(2)} to ${most.toFixed(2)}`;
}

function byOrder(a: PeerName, b: PeerName): number {
  const order = Object.keys(PEERS);
  return order.indexOf(a) - order.indexOf(b);
}
