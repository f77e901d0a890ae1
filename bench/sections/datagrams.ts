import { formatQuantity } from "../format.ts";
import type { Context, Section } from "../section.ts";
import { serverWorkloads } from "./server_workloads.ts";

const SIZE = 64;

/** The throughput of an echo server for datagrams, by the number of datagrams in flight. */
export function datagrams(context: Context): Section {
  return {
    title: `An echo server for datagrams of ${SIZE} bytes`,
    metrics: [
      { name: "throughput", title: "datagrams", unit: "per second", better: "more" },
      { name: "cpu", title: "CPU per datagram", unit: "µs", better: "less" },
    ],
    rounds: 3,
    ...serverWorkloads(
      context,
      ["readiness", "ffi", "c", "cThreaded", "python", "deno", "nodeInDeno", "node"],
      (context.isQuick ? [64] : [1, 64]).map((inFlight) => ({
        name: `${formatQuantity(inFlight, "datagram")} in flight`,
        parameters: { inFlight },
        program: "datagrams",
        client: "datagram_client.c",
        protocol: SIZE,
        inFlight,
      })),
    ),
  };
}
