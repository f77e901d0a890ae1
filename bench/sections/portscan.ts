import type { PeerName } from "../peers.ts";
import { run } from "../process.ts";
import type { Figures } from "../results.ts";
import { type Context, runsOf, type Section } from "../section.ts";

/** The time to scan ports of loopback, of which nearly all are closed. */
export function portscan({ peers, isQuick }: Context): Section {
  const count = isQuick ? 1000 : 10_000;
  return {
    title: "A port scanner: a whole process, for ports of loopback, nearly all closed",
    metrics: [{ name: "wall", title: "time", unit: "ms", better: "less" }],
    rounds: 7,
    notes: [],
    workloads: [{
      name: `${count.toLocaleString("en-US")} ports`,
      parameters: { count },
      runs: runsOf(peers, ["readiness", "nmap"], time),
    }],
  };

  async function time(peer: PeerName): Promise<Figures> {
    const ports = `-p1-${count}`;
    const args = peer === "nmap" ? ["-sT", ports, "--max-retries", "0"] : [ports];
    const command = await peers.command(peer, "portscan", ...args, "127.0.0.1");
    const start = performance.now();
    await run(command, [0, 1]); // 1: No port is open.
    return { wall: performance.now() - start };
  }
}
