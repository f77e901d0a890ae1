import type { PeerName } from "../peers.ts";
import { type Command, runForFigures, startInBackground } from "../process.ts";
import type { Figures } from "../results.ts";
import { type Context, runsOf, type Section } from "../section.ts";

const CASES = [
  { name: "a timer", work: "timer", isShared: false },
  { name: "a timer, busy processor", work: "timer", isShared: true },
  { name: "Deno's sockets", work: "exchange", isShared: false },
  { name: "Deno's sockets, busy processor", work: "exchange", isShared: true },
];

/** Programs are confined to the first processor, and a loop keeps it busy beside them. */
const CONFINED: Command = ["taskset", "-c", "0"];
const BUSY_LOOP: Command = [...CONFINED, "sh", "-c", "while :; do :; done"];

/** How the rest of an event loop fares beside a descriptor that is always ready. */
export function fairness({ peers, isQuick }: Context): Section {
  return {
    title: "Fairness: the event loop beside bytes that are always there, awaited one by one",
    metrics: [
      { name: "ticks", title: "ticks of 10 ms", unit: "%", better: "more" },
      { name: "gap", title: "longest gap", unit: "ms", better: "less" },
      { name: "awaits", title: "awaits", unit: "per second", better: "more" },
      { name: "exchanges", title: "exchanges", unit: "per second", better: "more" },
    ],
    rounds: 3,
    notes: [],
    workloads: CASES.map(({ name, work, isShared }) => ({
      name,
      parameters: { work, isShared: String(isShared) },
      runs: runsOf(
        peers,
        ["readiness", "readinessAsync", "readinessAwait", "deno"],
        (peer) => measure(peer, work, isShared),
      ),
    })),
  };

  async function measure(peer: PeerName, work: string, isShared: boolean): Promise<Figures> {
    const command = await peers.command(peer, "fairness", isQuick ? 200 : 2000, work);
    if (!isShared) return await runForFigures(command);
    await using _ = startInBackground(BUSY_LOOP);
    return await runForFigures([...CONFINED, ...command]);
  }
}
