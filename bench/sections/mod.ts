import type { Context, Section } from "../section.ts";
import { datagrams } from "./datagrams.ts";
import { dispatch } from "./dispatch.ts";
import { echo } from "./echo.ts";
import { fairness } from "./fairness.ts";
import { growth } from "./growth.ts";
import { http } from "./http.ts";
import { latency } from "./latency.ts";
import { memory } from "./memory.ts";
import { portscan } from "./portscan.ts";
import { proxy } from "./proxy.ts";
import { registration } from "./registration.ts";
import { socketCalls } from "./socket_calls.ts";
import { startup } from "./startup.ts";

/** The sections by name, in the order in which they run. */
export const SECTIONS: Readonly<Record<string, (context: Context) => Section>> = {
  dispatch,
  registration,
  "socket-calls": socketCalls,
  echo,
  http,
  datagrams,
  proxy,
  portscan,
  growth,
  memory,
  startup,
  latency,
  fairness,
};
