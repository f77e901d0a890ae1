/**
 * Has the peers take turns: each work is done by one peer after the other, and all that several
 * times over.
 *
 * @module
 */

import { type PeerName, PEERS, type Peers } from "./peers.ts";
import type { Metric, Numbers, SectionResult, WorkResult } from "./results.ts";

/** A piece of work, and how each peer does it. */
export interface Work {
  readonly work: string;
  readonly parameters: Readonly<Record<string, string | number>>;
  readonly turns: Partial<Record<PeerName, () => Promise<Numbers>>>;
}

/** Works of one kind. */
export interface Section {
  readonly title: string;
  readonly metrics: readonly Metric[];
  readonly rounds: number;
  readonly notes: readonly string[];
  readonly works: readonly Work[];
}

/** What a section is to be made for. */
export interface Circumstances {
  readonly peers: Peers;
  readonly isQuick: boolean;
  /** How many files a process can have open. */
  readonly openFiles: number;
}

/**
 * Runs a section.
 *
 * @param name The section's name
 * @param section What is to be done
 * @param progress Is told what is being done
 */
export async function runSection(
  name: string,
  section: Section,
  progress: (text: string) => void,
): Promise<SectionResult> {
  const works: WorkResult[] = section.works.map(({ work, parameters }) => ({
    work,
    parameters,
    peers: {},
  }));
  let done = 0;
  const turns = section.works.reduce((sum, work) => sum + Object.keys(work.turns).length, 0);
  for (let round = 0; round < section.rounds; round++) {
    for (const [i, { work, turns: all }] of section.works.entries()) {
      const entries = Object.entries(all) as [PeerName, () => Promise<Numbers>][];
      // Nobody always comes first.
      const shift = round % entries.length;
      for (const [peer, turn] of [...entries.slice(shift), ...entries.slice(0, shift)]) {
        progress(
          `${name} ${++done}/${turns * section.rounds}: round ${round + 1}, ${work}, ${
            PEERS[peer]
          }`,
        );
        const numbers = await turn();
        const rounds = works[i].peers[peer] ??= {};
        for (const [metric, number] of Object.entries(numbers)) {
          (rounds[metric] ??= []).push(number);
        }
      }
    }
  }
  return {
    section: name,
    title: section.title,
    metrics: section.metrics,
    works,
    notes: section.notes,
  };
}

/** The turns of those peers that this machine has. */
export function turnsOf(
  peers: Peers,
  names: readonly PeerName[],
  turn: (name: PeerName) => Promise<Numbers>,
): Work["turns"] {
  return Object.fromEntries(
    names.filter((name) => peers.has(name)).map((name) => [name, () => turn(name)]),
  );
}
