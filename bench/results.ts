/**
 * What a run of the bench finds, as `results.json` has it.
 *
 * @module
 */

import type { Aim } from "./aims.ts";
import type { Machine } from "./machine.ts";
import { ratios, summarize, type Summary } from "./measure.ts";
import type { PeerName } from "./peers.ts";

/** One figure of a turn, such as the CPU time of a call. */
export interface Metric {
  /** What it is called in {@linkcode Numbers}. */
  readonly name: string;
  /** What it is, for people. */
  readonly title: string;
  readonly unit: "ns" | "µs" | "ms" | "bytes" | "a second";
  readonly better: "less" | "more";
}

/** The figures of one turn, by the name of the metric. */
export type Numbers = Record<string, number>;

/** The figures of each round. */
export type Rounds = Record<string, number[]>;

/** A piece of work, and what each peer needed for it. */
export interface WorkResult {
  readonly work: string;
  /** What the work is made of, such as the number of connections. */
  readonly parameters: Readonly<Record<string, string | number>>;
  readonly peers: Partial<Record<PeerName, Rounds>>;
}

/** The works of one kind. */
export interface SectionResult {
  readonly section: string;
  readonly title: string;
  /** The first one is what peers are compared by. */
  readonly metrics: readonly Metric[];
  readonly works: readonly WorkResult[];
  /** What is not as one would expect, such as a peer that cannot do a work. */
  readonly notes: readonly string[];
}

/** A whole run. */
export interface Results {
  readonly date: string;
  readonly machine: Machine;
  readonly versions: Partial<Record<PeerName, string>>;
  /** Peers that this machine lacks, and why. */
  readonly leftOut: Partial<Record<PeerName, string>>;
  readonly isQuick: boolean;
  readonly sections: readonly SectionResult[];
}

/** How many times of a peer's figure this package's is. */
export function ratioOf(work: WorkResult, metric: string, ours: PeerName, theirs: PeerName) {
  const [own, other] = [work.peers[ours]?.[metric], work.peers[theirs]?.[metric]];
  return own && other ? summarize(ratios(own, other)) : undefined;
}

/** The results as they are written, with what the rounds come to beside them. */
export function toJson(results: Results, aims: readonly Aim[]): string {
  const sections = results.sections.map((section) => ({
    ...section,
    works: section.works.map((work) => ({
      ...work,
      summary: Object.fromEntries(
        Object.keys(work.peers).map((peer) => [peer, summaryOf(section, work, peer as PeerName)]),
      ),
    })),
  }));
  return JSON.stringify({ ...results, sections, aims }, null, 2) + "\n";
}

function summaryOf(section: SectionResult, work: WorkResult, peer: PeerName) {
  return Object.fromEntries(section.metrics.map(({ name }) => {
    const summary: { value: Summary; ratio?: Summary } = {
      value: summarize(work.peers[peer]![name]),
    };
    if (peer !== "readiness") summary.ratio = ratioOf(work, name, "readiness", peer);
    return [name, summary];
  }));
}
