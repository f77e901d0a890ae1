/**
 * What the project wants to be true, held against a run.
 *
 * @module
 */

import { ratios, summarize } from "./measure.ts";
import { type PeerName, PEERS } from "./peers.ts";
import { ratioOf, type Results, type WorkResult } from "./results.ts";

/** An aim, and how far a run came. */
export interface Aim {
  readonly aim: string;
  readonly limit: number;
  readonly found: number;
  readonly isReached: boolean;
}

/** Those aims that a run says something of. */
export function aimsOf(results: Results): Aim[] {
  const works = (section: string): readonly WorkResult[] =>
    results.sections.find((result) => result.section === section)?.works ?? [];
  const aims: Aim[] = [];

  function state(aim: string, found: number | undefined, limit: number): void {
    if (found !== undefined) aims.push({ aim, limit, found, isReached: found <= limit });
  }

  /** How many times of a peer's figure ours is at the most. */
  function beside(section: string, name: string, limits: Partial<Record<PeerName, number>>): void {
    const work = works(section).find(({ work }) => work === name);
    if (work === undefined) return;
    for (const [peer, limit] of Object.entries(limits) as [PeerName, number][]) {
      const ratio = ratioOf(work, metricOf(section), "readiness", peer);
      state(`${section}: ${name}, over ${PEERS[peer]}`, ratio?.median, limit);
    }
  }

  function metricOf(section: string): string {
    return results.sections.find((result) => result.section === section)!.metrics[0].name;
  }

  /** One work's figures and another's, of ours. */
  function own(section: string, ...names: string[]): number[][] | undefined {
    const rounds = names.map((name) =>
      works(section).find(({ work }) => work === name)?.peers.readiness?.[metricOf(section)]
    );
    return rounds.every((round) => round !== undefined) ? rounds : undefined;
  }

  beside("dispatch", "epoll, 1 of 1", { c: 1.35, python: 1 / 2.5 });
  beside("dispatch", "epoll, 1 of 1,000", { c: 1.35, python: 1 / 2.5 });
  beside("dispatch", "epoll, 1,000 of 1,000", { c: 1.3, python: 1 / 4 });
  beside("dispatch", "poll, 1 of 1,000", { c: 1.1, python: 1 });
  beside("registration", "modify of events", { c: 1.4, python: 1 / 5 });
  beside("registration", "register + unregister", { c: 1.25, python: 1 / 2 });
  for (const { work } of works("echo")) {
    beside("echo", work, { c: 1.2, python: 1, deno: 1, nodeInDeno: 1, node: 1 });
  }
  const grown = own("growth", "epoll, 1 of 19,000", "epoll, 1 of 10");
  state(
    "growth: epoll, 19,000 registered over 10",
    grown && summarize(ratios(grown[0], grown[1])).median,
    1.2,
  );
  const memory = own("memory", "epoll");
  state("memory: epoll, bytes a registration", memory && summarize(memory[0]).median, 250);
  beside("memory", "epoll", { python: 1 });
  const start = own("startup", "importing it, and a first select", "an empty script");
  state(
    "startup: ms for the import and a first select",
    start && summarize(start[0].map((time, round) => time - start[1][round])).median,
    10,
  );
  return aims;
}

/** The aims as lines of text. */
export function aimsTable(aims: readonly Aim[]): string {
  const width = Math.max(...aims.map(({ aim }) => aim.length));
  const lines = aims.map(({ aim, limit, found, isReached }) =>
    `${aim.padEnd(width)}  ${found.toFixed(2).padStart(7)}  at most ${
      limit.toFixed(2).padStart(6)
    }` +
    `  ${isReached ? "reached" : "not reached"}`
  );
  return ["Aims: medians of ours ÷ theirs", ...lines].join("\n");
}
