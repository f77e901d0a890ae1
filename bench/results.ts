/**
 * The results of a run, as `results.json` holds them.
 *
 * @module
 */

import type { Machine } from "./machine.ts";
import { counterpartOf, type PeerName } from "./peers.ts";
import { ratios, summarize, type Summary } from "./statistics.ts";
import type { Target } from "./targets.ts";

/** One figure of a run, such as the CPU time per call. */
export interface Metric {
  /** Its name in {@linkcode Figures}. */
  readonly name: string;
  /** Its name in tables. */
  readonly title: string;
  readonly unit: "ns" | "µs" | "ms" | "bytes" | "per second" | "%";
  readonly better: "less" | "more";
}

/** What one process measured, by the names of the metrics. */
export type Figures = Record<string, number>;

/** What every round measured, by the names of the metrics. */
export type Rounds = Record<string, number[]>;

/** A workload, and what each peer measured. */
export interface WorkloadResult {
  readonly name: string;
  /** What the workload consists of, such as the number of connections. */
  readonly parameters: Readonly<Record<string, string | number>>;
  readonly peers: Partial<Record<PeerName, Rounds>>;
}

/** The results of a section. */
export interface SectionResult {
  readonly section: string;
  readonly title: string;
  /** Peers are compared by the first one. */
  readonly metrics: readonly Metric[];
  readonly workloads: readonly WorkloadResult[];
  /** What a reader would not expect, such as a peer that cannot run a workload. */
  readonly notes: readonly string[];
}

/** The results of a run. */
export interface Results {
  readonly date: string;
  readonly machine: Machine;
  readonly versions: Partial<Record<PeerName, string>>;
  /** The peers that this machine lacks, and why. */
  readonly leftOut: Partial<Record<PeerName, string>>;
  readonly isQuick: boolean;
  readonly sections: readonly SectionResult[];
}

/** Returns our figure divided by theirs, over all rounds; `undefined` if either is missing. */
export function ratioOf(
  { peers }: WorkloadResult,
  metric: string,
  theirs: PeerName,
  ours: PeerName = counterpartOf(theirs, Object.keys(peers)),
): Summary | undefined {
  const [own, other] = [peers[ours]?.[metric], peers[theirs]?.[metric]];
  return ours !== theirs && own && other ? summarize(ratios(own, other)) : undefined;
}

/** Returns the results as JSON, with medians and ratios beside the figures of each round. */
export function toJson(results: Results, targets: readonly Target[]): string {
  const sections = results.sections.map((section) => ({
    ...section,
    workloads: section.workloads.map((workload) => ({
      ...workload,
      summary: Object.fromEntries(
        Object.keys(workload.peers).map((peer) => [
          peer,
          summaryOf(section, workload, peer as PeerName),
        ]),
      ),
    })),
  }));
  return JSON.stringify({ ...results, sections, targets }, null, 2) + "\n";
}

function summaryOf(section: SectionResult, workload: WorkloadResult, peer: PeerName) {
  const rounds = workload.peers[peer]!;
  const measured = section.metrics.filter(({ name }) => rounds[name] !== undefined);
  return Object.fromEntries(measured.map(({ name }) => {
    const value = summarize(rounds[name]!);
    const ratio = ratioOf(workload, name, peer);
    return [name, ratio === undefined ? { value } : { value, ratio }];
  }));
}
