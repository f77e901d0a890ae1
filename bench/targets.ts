/**
 * The project's performance targets, compared with the results of a run.
 *
 * @module
 */

import { type PeerName, PEERS } from "./peers.ts";
import { ratioOf, type Results, type SectionResult, type WorkloadResult } from "./results.ts";
import { median, ratios } from "./statistics.ts";

/** A target, and what a run measured. */
export interface Target {
  readonly target: string;
  readonly limit: number;
  /** Which side of the limit is better. */
  readonly better: "less" | "more";
  readonly found: number;
  readonly isMet: boolean;
}

/** Limits of this package's figure divided by a peer's. */
interface Limits {
  readonly section: string;
  /** Which workloads; left out, every one of the section. */
  readonly workload?: string;
  /** Which metric; left out, the first of the section. */
  readonly metric?: string;
  /** Which of this package's peers; left out, the one with `select`. */
  readonly ours?: PeerName;
  readonly over: Partial<Record<PeerName, number>>;
}

const LIMITS: readonly Limits[] = [
  { section: "dispatch", workload: "epoll, 1 of 1", over: { ffi: 1.1, python: 0.4 } },
  { section: "dispatch", workload: "epoll, 1 of 1,000", over: { ffi: 1.1, python: 0.4 } },
  { section: "dispatch", workload: "epoll, 1,000 of 1,000", over: { cThreaded: 1.15 } },
  { section: "dispatch", workload: "poll, 1 of 1,000", over: { cThreaded: 1.1 } },
  { section: "registration", workload: "modify of events", over: { ffi: 1.15, python: 0.2 } },
  { section: "registration", workload: "register + unregister", over: { ffi: 1.2, python: 0.5 } },
  { section: "socket-calls", workload: "send + recv, 64 bytes", over: { ffi: 1.15 } },
  { section: "echo", over: { ffi: 1.1, python: 1, deno: 1, nodeInDeno: 1, node: 1 } },
  {
    section: "echo",
    workload: "64 bytes, 50 connections",
    ours: "readinessAwait",
    over: { deno: 1 },
  },
  {
    section: "echo",
    workload: "64 bytes, 1,000 connections",
    ours: "readinessAwait",
    over: { deno: 1 },
  },
  { section: "http", over: { ffi: 0.95, deno: 1 } },
  { section: "datagrams", workload: "64 datagrams in flight", over: { deno: 2 } },
  { section: "proxy", over: { socat: 1 } },
  { section: "portscan", over: { nmap: 1 } },
  { section: "memory", workload: "registration, epoll", over: { python: 1 } },
  { section: "latency", metric: "median", ours: "readinessAwait", over: { deno: 1.5 } },
  { section: "latency", metric: "p99", ours: "readinessAwait", over: { deno: 1.5 } },
  { section: "fairness", over: { deno: 0.5 } },
  { section: "fairness", ours: "readinessAsync", over: { deno: 0.5 } },
  { section: "fairness", ours: "readinessAwait", over: { deno: 0.5 } },
];

/** Returns the targets that the results of a run cover. */
export function targetsOf(results: Results): Target[] {
  const targets: Target[] = [];
  for (const limits of LIMITS) {
    const section = results.sections.find(({ section }) => section === limits.section);
    for (const workload of section?.workloads ?? []) {
      if (limits.workload !== undefined && workload.name !== limits.workload) continue;
      compare(section!, workload, limits);
    }
  }
  const many = ours("growth", "epoll, 1 of 19,000", "cpu");
  const few = ours("growth", "epoll, 1 of 10", "cpu");
  add("growth: epoll, 19,000 registered ÷ 10", many && few && median(ratios(many, few)), 1.2);
  const heap = ours("memory", "registration, epoll", "heap");
  add("memory: epoll, bytes per registration", heap && median(heap), 120);
  const loaded = ours("startup", "import and a first select", "wall");
  const empty = ours("startup", "an empty script", "wall");
  add(
    "startup: ms for the import and a first select",
    loaded && empty && median(loaded.map((time, round) => time - empty[round]!)),
    10,
  );
  return targets;

  function compare(section: SectionResult, workload: WorkloadResult, limits: Limits): void {
    const { metrics } = section;
    const { ours = "readiness", over } = limits;
    const metric = metrics.find(({ name }) => name === limits.metric) ?? metrics[0]!;
    const own = ours === "readiness" ? "" : `${PEERS[ours]} `;
    const unit = metric === metrics[0] ? "" : `${metric.title}, `;
    for (const [peer, limit] of Object.entries(over) as [PeerName, number][]) {
      const ratio = ratioOf(workload, metric.name, peer, ours);
      const target = `${section.section}: ${workload.name}, ${unit}${own}÷ ${PEERS[peer]}`;
      add(target, ratio?.median, limit, metric.better);
    }
  }

  function add(
    target: string,
    found: number | undefined,
    limit: number,
    better: "less" | "more" = "less",
  ): void {
    if (found === undefined) return;
    const isMet = better === "less" ? found <= limit : found >= limit;
    targets.push({ target, limit, better, found, isMet });
  }

  /** Returns this package's figures for a workload, one per round. */
  function ours(section: string, workload: string, metric: string): number[] | undefined {
    return results.sections.find((result) => result.section === section)
      ?.workloads.find(({ name }) => name === workload)?.peers.readiness?.[metric];
  }
}

/** Formats targets as a table. */
export function targetTable(targets: readonly Target[]): string {
  const width = Math.max(...targets.map(({ target }) => target.length));
  const lines = targets.map(({ target, limit, better, found, isMet }) =>
    [
      target.padEnd(width),
      found.toFixed(2).padStart(7),
      `${better === "less" ? "at most " : "at least"} ${limit.toFixed(2).padStart(6)}`,
      isMet ? "met" : "not met",
    ].join("  ")
  );
  return ["Targets: median of ours ÷ theirs", ...lines].join("\n");
}
