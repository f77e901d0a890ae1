import type { Circumstances, Section } from "../rounds.ts";
import { dispatch } from "./dispatch.ts";
import { echo } from "./echo.ts";
import { growth } from "./growth.ts";
import { latency } from "./latency.ts";
import { memory } from "./memory.ts";
import { registration } from "./registration.ts";
import { startup } from "./startup.ts";
import { turns } from "./turns.ts";

/** All that is measured, by name, in the order in which it is. */
export const SECTIONS: Readonly<Record<string, (circumstances: Circumstances) => Section>> = {
  dispatch,
  registration,
  echo,
  growth,
  memory,
  startup,
  latency,
  turns,
};
