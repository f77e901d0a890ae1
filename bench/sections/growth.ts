import { canOpen, type Context, CPU_PER_CALL, type Section } from "../section.ts";
import { BACKENDS, selectNotes, selectWorkload } from "./select_workload.ts";

/** The numbers of registered descriptors, as far as the limit of open files allows. */
const SIZES = [10, 100, 1000, 4000, 19_000, 100_000, 1_000_000];

/** The cost of `select(0)` with one ready descriptor, as registrations grow. */
export function growth(context: Context): Section {
  const largest = context.isQuick ? 4000 : Infinity;
  const sizes = SIZES.filter((size) => size <= largest && canOpen(context, size));
  return {
    title: "Growth: select(0) with one ready descriptor",
    metrics: [CPU_PER_CALL],
    rounds: 3,
    notes: selectNotes(context),
    workloads: BACKENDS.flatMap((backend) =>
      sizes.map((size) => selectWorkload(context, backend, size, 1))
    ),
  };
}
