/**
 * What a section of the bench consists of: workloads, and how each peer runs them.
 *
 * @module
 */

import type { PeerName, Peers } from "./peers.ts";
import type { Figures, Metric } from "./results.ts";

/** A piece of work, and how each peer does it once, in a fresh process. */
export interface Workload {
  readonly name: string;
  readonly parameters: Readonly<Record<string, string | number>>;
  readonly runs: Partial<Record<PeerName, () => Promise<Figures>>>;
}

/** Workloads with the same metrics. */
export interface Section {
  readonly title: string;
  readonly metrics: readonly Metric[];
  readonly rounds: number;
  readonly notes: readonly string[];
  readonly workloads: readonly Workload[];
}

/** What a section needs to know to choose its workloads. */
export interface Context {
  readonly peers: Peers;
  /** Whether to measure only for as long as it takes to see that it works. */
  readonly isQuick: boolean;
  /** The limit of open files per process. */
  readonly openFiles: number;
}

/** CPU time per call, the metric of most sections. */
export const CPU_PER_CALL: Metric = {
  name: "cpu",
  title: "CPU per call",
  unit: "ns",
  better: "less",
};

/** Returns the runs of those peers that this machine has. */
export function runsOf(
  peers: Peers,
  names: readonly PeerName[],
  run: (name: PeerName) => Promise<Figures>,
): Workload["runs"] {
  return Object.fromEntries(
    peers.select(names).map((name) => [name, () => run(name)]),
  );
}

/** Returns whether a process can open so many descriptors besides its own. */
export function canOpen({ openFiles }: Context, descriptors: number): boolean {
  return descriptors + 500 <= openFiles;
}
