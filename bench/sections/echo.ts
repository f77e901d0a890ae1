import { formatQuantity } from "../format.ts";
import { canOpen, type Context, type Section } from "../section.ts";
import { serverWorkloads } from "./server_workloads.ts";

/** The cost of an echo server, by the number of connections and the size of a message. */
export function echo(context: Context): Section {
  const { isQuick } = context;
  const connections = (isQuick ? [50, 1000] : [1, 50, 1000, 8000])
    .filter((count) => canOpen(context, count));
  const sizes = isQuick ? [64] : [64, 16 * 1024];
  return {
    title: "An echo server, with one message in flight on each connection",
    metrics: [
      { name: "cpu", title: "CPU per message", unit: "µs", better: "less" },
      { name: "throughput", title: "messages", unit: "per second", better: "more" },
    ],
    rounds: 3,
    ...serverWorkloads(
      context,
      [
        ...["readiness", "readinessAwait", "ffi", "c", "cThreaded"] as const,
        ...["python", "deno", "nodeInDeno", "node"] as const,
      ],
      sizes.flatMap((size) =>
        connections.map((count) => ({
          name: `${size === 64 ? "64 bytes" : "16 KB"}, ${formatQuantity(count, "connection")}`,
          parameters: { size, connections: count },
          program: "echo",
          client: "tcp_client.c",
          protocol: size,
          inFlight: count,
        }))
      ),
    ),
  };
}
