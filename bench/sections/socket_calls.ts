import { runForFigures } from "../process.ts";
import { type Context, CPU_PER_CALL, runsOf, type Section } from "../section.ts";

const CASES = [
  { operation: "stream", name: "send + recv, 64 bytes" },
  { operation: "nothing", name: "recv of nothing" },
  { operation: "datagram", name: "sendTo + recvFrom, 64 bytes" },
];

/** The cost of the sockets' calls. */
export function socketCalls({ peers, isQuick }: Context): Section {
  const ms = isQuick ? 10 : 200;
  return {
    title: "Socket calls",
    metrics: [CPU_PER_CALL],
    rounds: 5,
    notes: [],
    workloads: CASES.map(({ operation, name }) => ({
      name,
      parameters: { operation },
      runs: runsOf(
        peers,
        ["readiness", "ffi", "c", "cThreaded", "python"],
        async (peer) => runForFigures(await peers.command(peer, "socket_calls", operation, ms)),
      ),
    })),
  };
}
