import { type PeerName, PEERS } from "./peers.ts";
import type { Figures, SectionResult, WorkloadResult } from "./results.ts";
import type { Section } from "./section.ts";

/**
 * Runs a section round by round. Within a round every peer runs each workload once; the peer that
 * goes first changes from round to round.
 *
 * @param name The section's name
 * @param section The section
 * @param progress Receives the current step, as text
 */
export async function runSection(
  name: string,
  section: Section,
  progress: (text: string) => void,
): Promise<SectionResult> {
  const { title, metrics, notes, rounds } = section;
  const workloads: WorkloadResult[] = section.workloads.map(({ name, parameters }) => ({
    name,
    parameters,
    peers: {},
  }));
  const total = rounds *
    section.workloads.reduce((sum, { runs }) => sum + Object.keys(runs).length, 0);
  let done = 0;
  for (let round = 0; round < rounds; round++) {
    for (const [i, workload] of section.workloads.entries()) {
      for (const [peer, run] of rotate(Object.entries(workload.runs), round)) {
        const step = `round ${round + 1}, ${workload.name}, ${PEERS[peer as PeerName]}`;
        progress(`${name} ${++done}/${total}: ${step}`);
        add(await run(), workloads[i]!.peers[peer as PeerName] ??= {});
      }
    }
  }
  return { section: name, title, metrics, workloads, notes };
}

function rotate<T>(values: readonly T[], by: number): T[] {
  const start = by % values.length;
  return [...values.slice(start), ...values.slice(0, start)];
}

function add(figures: Figures, rounds: Record<string, number[]>): void {
  for (const [metric, figure] of Object.entries(figures)) (rounds[metric] ??= []).push(figure);
}
