/**
 * Compares this package with its peers: `deno task bench`. README.md explains the figures.
 *
 * @module
 */

import { type Options, parseCommandLine, USAGE } from "./command_line.ts";
import { describeMachine } from "./machine.ts";
import { Peers } from "./peers.ts";
import { Progress } from "./progress.ts";
import { type Results, type SectionResult, toJson } from "./results.ts";
import { runSection } from "./run_section.ts";
import { SECTIONS } from "./sections/mod.ts";
import { heading, table } from "./table.ts";
import { targetsOf, targetTable } from "./targets.ts";

if (import.meta.main) Deno.exit(await main(Deno.args));

/**
 * Runs the bench.
 *
 * @param args The command line
 * @param output Receives the tables, and complaints about the command line
 * @returns The exit code
 */
export async function main(
  args: readonly string[],
  output: Pick<Console, "log" | "error"> = console,
): Promise<number> {
  let options: Options;
  try {
    options = parseCommandLine(args);
  } catch (error) {
    output.error(`${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
  if (options.isHelp) {
    output.log(USAGE);
    return 0;
  }
  const results = await measure(options);
  const targets = targetsOf(results);
  output.log(heading(results));
  for (const section of results.sections) output.log(`\n${table(section)}`);
  if (targets.length > 0) output.log(`\n${targetTable(targets)}`);
  if (options.folder === undefined) return 0;

  const files = new Map([["results.json", toJson(results, targets)]]);
  if (options.hasCharts) {
    const { draw } = await import("./charts/mod.ts");
    for (const [name, svg] of await draw(results)) files.set(`${name}.svg`, svg);
  }
  await Deno.mkdir(options.folder, { recursive: true });
  output.log("");
  for (const [name, text] of files) {
    await Deno.writeTextFile(`${options.folder}/${name}`, text);
    output.log(`wrote ${options.folder}/${name}`);
  }
  return 0;
}

async function measure({ sections, peers, base, rounds, isQuick }: Options): Promise<Results> {
  using found = await Peers.find({ only: peers, base });
  const machine = describeMachine();
  const context = { peers: found, isQuick, openFiles: machine.openFiles };
  const progress = new Progress();
  const results: SectionResult[] = [];
  for (const name of sections) {
    const section = SECTIONS[name]!(context);
    results.push(
      await runSection(
        name,
        { ...section, rounds: rounds ?? (isQuick ? 2 : section.rounds) },
        (step) => progress.show(step),
      ),
    );
  }
  progress.end();
  return {
    date: new Date().toISOString().slice(0, 16).replace("T", " ") + " UTC",
    machine,
    versions: found.versions,
    leftOut: found.leftOut,
    isQuick,
    sections: results,
  };
}
