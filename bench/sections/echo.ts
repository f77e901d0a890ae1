import type { PeerName } from "../peers.ts";
import { runForNumbers, startServer } from "../process.ts";
import type { Metric, Numbers } from "../results.ts";
import { type Circumstances, type Section, turnsOf } from "../rounds.ts";
import { count } from "../words.ts";

const METRICS: Metric[] = [
  { name: "cpu", title: "CPU a message", unit: "µs", better: "less" },
  { name: "throughput", title: "messages", unit: "a second", better: "more" },
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

/** What an echo server costs, by connections and the size of a message. */
export function echo(circumstances: Circumstances): Section {
  const { peers, isQuick, openFiles } = circumstances;
  const connections = (isQuick ? [50, 1000] : [1, 50, 1000, 8000])
    .filter((number) => number + 500 <= openFiles);
  const sizes = isQuick ? [64] : [64, 16 * 1024];
  const names = peers.has("c") ? SERVERS : [];
  return {
    title: "An echo server, one message under way on each connection",
    metrics: METRICS,
    rounds: 3,
    notes: peers.has("c") ? [] : ["Left out: the load comes from a client in C"],
    works: sizes.flatMap((size) =>
      connections.map((number) => ({
        work: `${size === 64 ? "64 bytes" : "16 KB"}, ${count(number)} ${
          number === 1 ? "connection" : "connections"
        }`,
        parameters: { size, connections: number },
        turns: turnsOf(peers, names, (name) => loadServer(circumstances, name, number, size)),
      }))
    ),
  };
}

async function loadServer(
  { peers, isQuick }: Circumstances,
  name: PeerName,
  connections: number,
  size: number,
): Promise<Numbers> {
  await using server = await startServer(await peers.command(name, "echo"));
  const { messages, cpu, wall } = await runForNumbers([
    await peers.compile("load/load.c"),
    ...[server.port, connections, size, isQuick ? 200 : 400, isQuick ? 300 : 800, server.pid]
      .map(String),
  ]);
  return { cpu: cpu / messages / 1000, throughput: messages / wall * 1e9 };
}
