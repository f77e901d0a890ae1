import { runForNumbers } from "../process.ts";
import { type Circumstances, type Section, turnsOf } from "../rounds.ts";
import { count } from "../words.ts";
import { fits } from "./dispatch.ts";

/** What a registration takes of the process's memory, beyond what it takes of the kernel's. */
export function memory(circumstances: Circumstances): Section {
  const { peers } = circumstances;
  const registered = fits(circumstances, 18_000) ? 18_000 : 500;
  return {
    title: `Memory a registration, at ${count(registered)}`,
    metrics: [
      { name: "heap", title: "heap", unit: "bytes", better: "less" },
      { name: "rss", title: "resident", unit: "bytes", better: "less" },
    ],
    rounds: 3,
    notes: ["What C keeps is what its program keeps, and is left out"],
    works: ["epoll", "poll"].map((backend) => ({
      work: backend,
      parameters: { backend, registered },
      turns: turnsOf(
        peers,
        ["readiness", "python"],
        async (name) => runForNumbers(await peers.command(name, "memory", backend, registered)),
      ),
    })),
  };
}
