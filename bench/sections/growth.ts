import type { Circumstances, Section } from "../rounds.ts";
import { CPU_A_CALL } from "../words.ts";
import { fits, NO_SELECT, selectWork } from "./dispatch.ts";

/** Those that the limit of open files forbids are left out. */
const SIZES = [10, 100, 1000, 4000, 19_000, 100_000, 1_000_000];

/** How the cost of a `select(0)` with one ready descriptor grows with the registered ones. */
export function growth(circumstances: Circumstances): Section {
  const sizes = SIZES.filter((size) => fits(circumstances, size));
  return {
    title: "Growth: a select(0) with one ready descriptor",
    metrics: [CPU_A_CALL],
    rounds: 3,
    notes: [NO_SELECT],
    works: ["epoll", "poll", "select"].flatMap((backend) =>
      sizes.map((size) => selectWork(circumstances, backend, size, 1))
    ),
  };
}
