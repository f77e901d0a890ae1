import type { PeerName } from "../peers.ts";
import { run } from "../process.ts";
import type { Figures } from "../results.ts";
import { type Context, runsOf, type Section } from "../section.ts";

const CASES = [
  { program: "empty", name: "an empty script" },
  { program: "import_only", name: "import" },
  { program: "first_select", name: "import and a first select" },
];

/** The time of a whole process that does next to nothing. */
export function startup({ peers, isQuick }: Context): Section {
  return {
    title: "Startup: a whole process",
    metrics: [{ name: "wall", title: "time", unit: "ms", better: "less" }],
    rounds: isQuick ? 5 : 21,
    notes: [],
    workloads: CASES.map(({ program, name }) => ({
      name,
      parameters: { program },
      runs: runsOf(
        peers,
        program === "first_select" ? ["readiness", "ffi", "python"] : ["readiness", "python"],
        (peer) => time(peer, program),
      ),
    })),
  };

  async function time(peer: PeerName, program: string): Promise<Figures> {
    const command = await peers.command(peer, program);
    const start = performance.now();
    await run(command);
    return { wall: performance.now() - start };
  }
}
