/**
 * The workload of `dispatch` and `growth`.
 *
 * @module
 */

import { formatCount } from "../format.ts";
import type { PeerName } from "../peers.ts";
import { runForFigures } from "../process.ts";
import { type Context, runsOf, type Workload } from "../section.ts";

/** The selectors that this package, C and CPython all have on Linux. */
export const BACKENDS = ["epoll", "poll", "select"];

/** Returns the notes of a section with such workloads. */
export function selectNotes({ peers }: Context): string[] {
  return peers.has("python") ? ["CPython's select accepts no descriptors above 1,023"] : [];
}

/**
 * Returns the workload of calling `select(0)` with some descriptors ready.
 *
 * @param context The context of the section
 * @param backend The selector
 * @param registered The number of registered descriptors
 * @param ready The number of ready descriptors
 */
export function selectWorkload(
  { peers, isQuick }: Context,
  backend: string,
  registered: number,
  ready: number,
): Workload {
  const names: PeerName[] = ["readiness", "ffi", "c", "cThreaded"];
  if (backend !== "select" || registered <= 1000) names.push("python");
  const ms = isQuick ? 10 : 200;
  return {
    name: `${backend}, ${formatCount(ready)} of ${formatCount(registered)}`,
    parameters: { backend, registered, ready },
    runs: runsOf(
      peers,
      names,
      async (name) =>
        runForFigures(await peers.command(name, "dispatch", backend, registered, ready, ms)),
    ),
  };
}
