import type { PeerName } from "../peers.ts";
import { runForFigures, startInBackground } from "../process.ts";
import type { Figures } from "../results.ts";
import { type Context, runsOf, type Section } from "../section.ts";

/** The cost of passing bytes on from one TCP connection to another. */
export function proxy({ peers, isQuick }: Context): Section {
  const section = {
    title: "A TCP proxy: one connection, bytes one way, as many as it takes",
    metrics: [
      { name: "cpu", title: "CPU per GB", unit: "ms", better: "less" },
      { name: "throughput", title: "MB", unit: "per second", better: "more" },
    ],
    rounds: 5,
  } as const;
  if (!peers.canCompile) {
    const reason = "Left out: the client is in C, and this machine has no compiler";
    return { ...section, notes: [reason], workloads: [] };
  }
  return {
    ...section,
    notes: ["socat's buffer has 8 KiB by default, and that of this package's proxy 128 KiB"],
    workloads: [{
      name: "one way",
      parameters: {},
      runs: runsOf(peers, ["readiness", "socat", "socatLarge"], measure),
    }],
  };

  async function measure(peer: PeerName): Promise<Figures> {
    const client = await peers.compile("load/stream_client.c");
    const [from, to] = [freePort(), freePort()];
    const args = peer === "readiness" || peer === "base"
      ? ["--listen", `127.0.0.1:${from}`, "--to", `127.0.0.1:${to}`]
      : [`TCP-LISTEN:${from},bind=127.0.0.1,reuseaddr`, `TCP:127.0.0.1:${to}`];
    await using server = startInBackground(await peers.command(peer, "proxy", ...args));
    const times = isQuick ? [200, 300] : [400, 800];
    const command = [from, to, ...times, server.pid].map(String);
    const { answers: bytes, cpu, wall } = await runForFigures([client, ...command]);
    return { cpu: cpu! / bytes! * 1000, throughput: bytes! / wall! * 1000 };
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
