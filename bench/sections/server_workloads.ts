import type { PeerName } from "../peers.ts";
import { runForFigures, startServer } from "../process.ts";
import type { Figures } from "../results.ts";
import { type Context, runsOf, type Section } from "../section.ts";

/**
 * How many requests to keep in flight while a server warms up. With one, V8 would not have
 * optimized the server when the measurement begins; with many, not what it does once per wait.
 */
const BUSY = 8;

/** A server under the load of a client. */
export interface ServerCase {
  readonly name: string;
  readonly parameters: Readonly<Record<string, string | number>>;
  /** The name of the server's program. */
  readonly program: string;
  /** The source of the client in `load/`. */
  readonly client: string;
  /** The client's first argument. */
  readonly protocol: string | number;
  /** The number of connections, or of datagrams in flight. */
  readonly inFlight: number;
}

/**
 * Returns the workloads of servers; none without a compiler for their clients. Each measures the
 * CPU time per answer in microseconds (`cpu`), and the answers per second (`throughput`).
 */
export function serverWorkloads(
  context: Context,
  servers: readonly PeerName[],
  cases: readonly ServerCase[],
): Pick<Section, "notes" | "workloads"> {
  const { peers, isQuick } = context;
  if (!peers.canCompile) {
    return {
      notes: ["Left out: the client is in C, and this machine has no compiler"],
      workloads: [],
    };
  }
  return {
    notes: [],
    workloads: cases.map(({ name, parameters, ...rest }) => ({
      name,
      parameters,
      runs: runsOf(peers, servers, (peer) => measure(peer, rest)),
    })),
  };

  async function measure(
    peer: PeerName,
    { program, client, protocol, inFlight }: Omit<ServerCase, "name" | "parameters">,
  ): Promise<Figures> {
    const path = await peers.compile(`load/${client}`);
    await using server = await startServer(await peers.command(peer, program));
    const load = (inFlight: number, warmUp: number, window: number) => {
      const args = [protocol, server.port, inFlight, warmUp, window, server.pid].map(String);
      return runForFigures([path, ...args]);
    };
    const [warmUp, window] = isQuick ? [200, 300] : [400, 800];
    if (inFlight < BUSY) await load(BUSY, window, 1);
    const { answers, cpu, wall } = await load(inFlight, warmUp, window);
    return { cpu: cpu! / answers! / 1000, throughput: answers! / wall! * 1e9 };
  }
}
