import { formatQuantity } from "../format.ts";
import { canOpen, type Context, type Section } from "../section.ts";
import { serverWorkloads } from "./server_workloads.ts";

/** The throughput of an HTTP server on one processor, by the number of connections. */
export function http(context: Context): Section {
  const connections = (context.isQuick ? [50] : [1, 50, 500])
    .filter((count) => canOpen(context, count));
  return {
    title: "An HTTP server, with one request in flight on each connection",
    metrics: [
      { name: "throughput", title: "requests", unit: "per second", better: "more" },
      { name: "cpu", title: "CPU per request", unit: "µs", better: "less" },
    ],
    rounds: 5,
    ...serverWorkloads(
      context,
      ["readiness", "ffi", "ffiChecked", "c", "cThreaded", "deno", "nodeInDeno", "node"],
      connections.map((count) => ({
        name: formatQuantity(count, "connection"),
        parameters: { connections: count },
        program: "http",
        client: "tcp_client.c",
        protocol: "http",
        inFlight: count,
      })),
    ),
  };
}
