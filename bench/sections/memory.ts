import { formatCount } from "../format.ts";
import { runForFigures } from "../process.ts";
import { canOpen, type Context, runsOf, type Section } from "../section.ts";

/** The memory of a registration in the process, without the kernel's. */
export function memory(context: Context): Section {
  const { peers } = context;
  const registered = canOpen(context, 18_000) ? 18_000 : 500;
  return {
    title: `Memory per registration, with ${formatCount(registered)} of them`,
    metrics: [
      { name: "heap", title: "heap", unit: "bytes", better: "less" },
      { name: "rss", title: "resident", unit: "bytes", better: "less" },
    ],
    rounds: 3,
    notes: [],
    workloads: ["epoll", "poll"].map((backend) => ({
      name: backend,
      parameters: { backend, registered },
      runs: runsOf(
        peers,
        ["readiness", "python"],
        async (peer) => runForFigures(await peers.command(peer, "memory", backend, registered)),
      ),
    })),
  };
}
