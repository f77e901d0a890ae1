import type { Results, SectionResult } from "../results.ts";
import { drawCost } from "./cost.ts";
import { drawEcho } from "./echo.ts";
import { drawGrowth } from "./growth.ts";

/** Draws what results have a picture: the name of each, and its SVG. */
export async function draw(results: Results): Promise<Map<string, string>> {
  const pictures = new Map<string, string>();
  const section = (name: string): SectionResult | undefined =>
    results.sections.find((result) => result.section === name && result.works.length > 0);
  const calls = [section("dispatch"), section("registration")].filter((found) =>
    found !== undefined
  );
  if (calls.length > 0) pictures.set("cost", await drawCost(results, calls));
  const echo = section("echo");
  if (echo !== undefined) pictures.set("echo", await drawEcho(results, echo));
  const growth = section("growth");
  if (growth !== undefined) pictures.set("growth", await drawGrowth(results, growth));
  return pictures;
}
