import type { PeerName } from "../peers.ts";
import { runForNumbers } from "../process.ts";
import { type Circumstances, type Section, turnsOf } from "../rounds.ts";
import { CPU_A_CALL } from "../words.ts";

const WORKS: [name: string, work: string, peers: PeerName[]][] = [
  ["register", "register + unregister", ["readiness", "c", "cThreaded", "python"]],
  ["events", "modify of events", ["readiness", "c", "cThreaded", "python"]],
  ["data", "modify of data alone", ["readiness", "python"]],
];

/** What it costs to change what is registered. */
export function registration({ peers, isQuick }: Circumstances): Section {
  return {
    title: "Registrations, epoll",
    metrics: [CPU_A_CALL],
    rounds: 7,
    notes: ["A modify of data alone is a mere store in C, and is left out there"],
    works: WORKS.map(([name, work, names]) => ({
      work,
      parameters: { operation: name },
      turns: turnsOf(
        peers,
        names,
        async (peer) =>
          runForNumbers(await peers.command(peer, "registration", name, isQuick ? 50 : 200)),
      ),
    })),
  };
}
