/**
 * The project's performance targets, compared with the results of a run.
 *
 * @module
 */

import { type PeerName, PEERS } from "./peers.ts";
import { ratioOf, type Results, type WorkloadResult } from "./results.ts";
import { ratios, summarize } from "./statistics.ts";

/** A target, and what a run measured. */
export interface Target {
  readonly target: string;
  /** The target is met by this figure and by every smaller one. */
  readonly limit: number;
  readonly found: number;
  readonly isMet: boolean;
}

/** Returns the targets that the results of a run cover. */
export function targetsOf(results: Results): Target[] {
  const targets: Target[] = [];

  for (const workload of ["epoll, 1 of 1", "epoll, 1 of 1,000"]) {
    compare("dispatch", workload, { c: 1.35, python: 1 / 2.5 });
  }
  compare("dispatch", "epoll, 1,000 of 1,000", { c: 1.3, python: 1 / 4 });
  compare("dispatch", "poll, 1 of 1,000", { c: 1.1, python: 1 });
  compare("registration", "modify of events", { c: 1.4, python: 1 / 5 });
  compare("registration", "register + unregister", { c: 1.25, python: 1 / 2 });
  for (const { name } of workloads("echo")) {
    compare("echo", name, { c: 1.2, python: 1, deno: 1, nodeInDeno: 1, node: 1 });
  }
  const many = ours("growth", "epoll, 1 of 19,000");
  const few = ours("growth", "epoll, 1 of 10");
  add(
    "growth: epoll, 19,000 registered ÷ 10 registered",
    many && few && summarize(ratios(many, few)).median,
    1.2,
  );
  const heap = ours("memory", "epoll");
  add("memory: epoll, bytes per registration", heap && summarize(heap).median, 250);
  compare("memory", "epoll", { python: 1 });
  const loaded = ours("startup", "import and a first select");
  const empty = ours("startup", "an empty script");
  add(
    "startup: ms for the import and a first select",
    loaded && empty && summarize(loaded.map((time, round) => time - empty[round]!)).median,
    10,
  );
  return targets;

  function workloads(section: string): readonly WorkloadResult[] {
    return results.sections.find((result) => result.section === section)?.workloads ?? [];
  }

  function metricOf(section: string): string {
    return results.sections.find((result) => result.section === section)!.metrics[0]!.name;
  }

  function add(target: string, found: number | undefined, limit: number): void {
    if (found !== undefined) targets.push({ target, limit, found, isMet: found <= limit });
  }

  /** Adds targets for our figure divided by each peer's. */
  function compare(
    section: string,
    workload: string,
    limits: Partial<Record<PeerName, number>>,
  ): void {
    const result = workloads(section).find(({ name }) => name === workload);
    if (result === undefined) return;
    for (const [peer, limit] of Object.entries(limits) as [PeerName, number][]) {
      const ratio = ratioOf(result, metricOf(section), "readiness", peer);
      add(`${section}: ${workload}, ÷ ${PEERS[peer]}`, ratio?.median, limit);
    }
  }

  /** Returns this package's figures for a workload, one per round. */
  function ours(section: string, workload: string): number[] | undefined {
    const result = workloads(section).find(({ name }) => name === workload);
    return result?.peers.readiness?.[metricOf(section)];
  }
}

/** Formats targets as a table. */
export function targetTable(targets: readonly Target[]): string {
  const width = Math.max(...targets.map(({ target }) => target.length));
  const lines = targets.map(({ target, limit, found, isMet }) =>
    [
      target.padEnd(width),
      found.toFixed(2).padStart(7),
      `at most ${limit.toFixed(2).padStart(6)}`,
      isMet ? "met" : "not met",
    ].join("  ")
  );
  return ["Targets: median of ours ÷ theirs", ...lines].join("\n");
}
