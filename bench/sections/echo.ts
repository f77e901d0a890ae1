import { formatQuantity } from "../format.ts";
import type { PeerName } from "../peers.ts";
import { runForFigures, startServer } from "../process.ts";
import type { Figures, Metric } from "../results.ts";
import { canOpen, type Context, runsOf, type Section } from "../section.ts";

const METRICS: Metric[] = [
  { name: "cpu", title: "CPU per message", unit: "µs", better: "less" },
  { name: "throughput", title: "messages", unit: "per second", better: "more" },
];

const SERVERS: PeerName[] = [
  "readiness",
  "readinessAsync",
  "c",
  "python",
  "deno",
  "nodeInDeno",
  "node",
];

/** The cost of an echo server, by the number of connections and the size of a message. */
export function echo(context: Context): Section {
  const { peers, isQuick } = context;
  const connections = (isQuick ? [50, 1000] : [1, 50, 1000, 8000])
    .filter((count) => canOpen(context, count));
  const sizes = isQuick ? [64] : [64, 16 * 1024];
  return {
    title: "An echo server, with one message in flight on each connection",
    metrics: METRICS,
    rounds: 3,
    notes: peers.canCompile ? [] : ["Left out: the client is in C, and there is no compiler"],
    workloads: !peers.canCompile ? [] : sizes.flatMap((size) =>
      connections.map((count) => ({
        name: `${size === 64 ? "64 bytes" : "16 KB"}, ${formatQuantity(count, "connection")}`,
        parameters: { size, connections: count },
        runs: runsOf(peers, SERVERS, (name) => loadServer(context, name, count, size)),
      }))
    ),
  };
}

async function loadServer(
  { peers, isQuick }: Context,
  name: PeerName,
  connections: number,
  size: number,
): Promise<Figures> {
  const client = await peers.compile("load/echo_client.c");
  await using server = await startServer(await peers.command(name, "echo"));
  const [warmUp, window] = isQuick ? [200, 300] : [400, 800];
  const { messages, cpu, wall } = await runForFigures([
    client,
    ...[server.port, connections, size, warmUp, window, server.pid].map(String),
  ]);
  return { cpu: cpu! / messages! / 1000, throughput: messages! / wall! * 1e9 };
}
