import type { PeerName } from "../peers.ts";
import { runForFigures } from "../process.ts";
import { type Context, CPU_PER_CALL, runsOf, type Section } from "../section.ts";

const CASES: { operation: string; name: string; peers: PeerName[] }[] = [
  {
    operation: "register",
    name: "register + unregister",
    peers: ["readiness", "ffi", "c", "cThreaded", "python"],
  },
  {
    operation: "events",
    name: "modify of events",
    peers: ["readiness", "ffi", "c", "cThreaded", "python"],
  },
  { operation: "data", name: "modify of data alone", peers: ["readiness", "python"] },
];

/** The cost of changing registrations. */
export function registration({ peers, isQuick }: Context): Section {
  const ms = isQuick ? 10 : 200;
  return {
    title: "Registrations, epoll",
    metrics: [CPU_PER_CALL],
    rounds: 5,
    notes: peers.has("c") ? ["In C, a modify of data alone is one store"] : [],
    workloads: CASES.map(({ operation, name, peers: names }) => ({
      name,
      parameters: { operation },
      runs: runsOf(
        peers,
        names,
        async (peer) => runForFigures(await peers.command(peer, "registration", operation, ms)),
      ),
    })),
  };
}
