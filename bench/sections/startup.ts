import type { PeerName } from "../peers.ts";
import { run } from "../process.ts";
import type { Numbers } from "../results.ts";
import { type Circumstances, type Section, turnsOf } from "../rounds.ts";

const WORKS = [
  ["empty", "an empty script"],
  ["import_only", "importing the module"],
  ["first_select", "importing it, and a first select"],
];

/** What it costs to begin, from start to end of a process. */
export function startup({ peers, isQuick }: Circumstances): Section {
  const turn = async (name: PeerName, program: string): Promise<Numbers> => {
    const command = await peers.command(name, program);
    const start = performance.now();
    await run(command);
    return { wall: performance.now() - start };
  };
  return {
    title: "Starting: a whole process",
    metrics: [{ name: "wall", title: "time", unit: "ms", better: "less" }],
    rounds: isQuick ? 5 : 21,
    notes: [],
    works: WORKS.map(([program, work]) => ({
      work,
      parameters: { program },
      turns: turnsOf(peers, ["readiness", "python"], (name) => turn(name, program)),
    })),
  };
}
