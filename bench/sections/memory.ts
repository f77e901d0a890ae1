import { formatCount } from "../format.ts";
import { runForFigures } from "../process.ts";
import { canOpen, type Context, runsOf, type Section, type Workload } from "../section.ts";

/** The memory of a registration, and of an awaited descriptor, without the kernel's. */
export function memory(context: Context): Section {
  const { peers } = context;
  const count = canOpen(context, 18_000) ? 18_000 : 500;
  const registrations = ["epoll", "poll"].map((backend): Workload => ({
    name: `registration, ${backend}`,
    parameters: { backend, count },
    runs: runsOf(
      peers,
      ["readiness", "python"],
      async (peer) => runForFigures(await peers.command(peer, "memory", backend, count)),
    ),
  }));
  const wait: Workload = {
    name: "awaited descriptor",
    parameters: { count },
    runs: runsOf(
      peers,
      ["readinessAwait", "deno"],
      async (peer) => runForFigures(await peers.command(peer, "memory", count)),
    ),
  };
  return {
    title: `Memory per descriptor, with ${formatCount(count)} of them`,
    metrics: [
      { name: "heap", title: "heap", unit: "bytes", better: "less" },
      { name: "rss", title: "resident", unit: "bytes", better: "less" },
    ],
    rounds: 2,
    notes: [],
    workloads: [...registrations, wait],
  };
}
