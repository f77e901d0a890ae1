import { runForNumbers } from "../process.ts";
import { type Circumstances, type Section, turnsOf, type Work } from "../rounds.ts";
import type { PeerName } from "../peers.ts";
import { count, CPU_A_CALL } from "../words.ts";

const CASES = [[1, 1], [1000, 1], [1000, 1000], [19_000, 1]];

/** What a `select(0)` costs, by how many are registered and how many are ready. */
export function dispatch(circumstances: Circumstances): Section {
  return {
    title: "A select(0): ready descriptors of registered ones",
    metrics: [CPU_A_CALL],
    rounds: 5,
    notes: [NO_SELECT],
    works: ["epoll", "poll", "select"].flatMap((backend) =>
      CASES.filter(([registered]) => fits(circumstances, registered))
        .map(([registered, ready]) => selectWork(circumstances, backend, registered, ready))
    ),
  };
}

/** What cannot be compared. */
export const NO_SELECT = "CPython's select takes no descriptors above 1,023";

/** Whether a process can have as many files open, beside its own. */
export function fits({ openFiles }: Circumstances, registered: number): boolean {
  return registered + 500 <= openFiles;
}

/** Waits that find some descriptors ready. */
export function selectWork(
  { peers, isQuick }: Circumstances,
  backend: string,
  registered: number,
  ready: number,
): Work {
  const names: PeerName[] = backend === "select" && registered > 1000
    ? ["readiness", "c", "cThreaded"]
    : ["readiness", "c", "cThreaded", "python"];
  return {
    work: `${backend}, ${count(ready)} of ${count(registered)}`,
    parameters: { backend, registered, ready },
    turns: turnsOf(peers, names, async (name) =>
      runForNumbers(
        await peers.command(name, "dispatch", backend, registered, ready, isQuick ? 50 : 200),
      )),
  };
}
