import type { Results, SectionResult } from "../results.ts";
import { drawCost } from "./cost.ts";
import { drawEcho } from "./echo.ts";
import { drawGrowth } from "./growth.ts";

/** Draws charts of those sections that were run: SVG by name. */
export async function draw(results: Results): Promise<Map<string, string>> {
  const charts = new Map<string, string>();
  const calls = [...find("dispatch"), ...find("registration")];
  if (calls.length > 0) charts.set("cost", await drawCost(results, calls));
  for (const echo of find("echo")) charts.set("echo", await drawEcho(results, echo));
  for (const growth of find("growth")) charts.set("growth", await drawGrowth(results, growth));
  return charts;

  function find(name: string): SectionResult[] {
    return results.sections.filter(({ section, workloads }) =>
      section === name && workloads.length > 0
    );
  }
}
