import { canOpen, type Context, CPU_PER_CALL, type Section } from "../section.ts";
import { BACKENDS, selectNotes, selectWorkload } from "./select_workload.ts";

const CASES = [
  { registered: 1, ready: 1 },
  { registered: 1000, ready: 1 },
  { registered: 1000, ready: 1000 },
];

/** The cost of `select(0)`, by the numbers of registered and of ready descriptors. */
export function dispatch(context: Context): Section {
  const cases = CASES.filter(({ registered }) => canOpen(context, registered));
  return {
    title: "select(0): ready of registered descriptors",
    metrics: [CPU_PER_CALL],
    rounds: 5,
    notes: selectNotes(context),
    workloads: BACKENDS.flatMap((backend) =>
      cases.map(({ registered, ready }) => selectWorkload(context, backend, registered, ready))
    ),
  };
}
