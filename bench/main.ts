/**
 * Compares this package with its peers. Run it as `deno task bench`; README.md tells what the
 * numbers mean.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { type Aim, aimsOf, aimsTable } from "./aims.ts";
import { describeMachine } from "./machine.ts";
import { Peers } from "./peers.ts";
import { Progress } from "./progress.ts";
import { type Results, type SectionResult, toJson } from "./results.ts";
import { type Circumstances, runSection } from "./rounds.ts";
import { SECTIONS } from "./sections/mod.ts";
import { heading, table } from "./table.ts";

const USAGE = `Usage: deno task bench [OPTIONS]

Has this package, C, CPython and others do the same work in turns, and compares them.

Options:
  --only SECTION  one of ${Object.keys(SECTIONS).join(", ")};
                  can be given several times
  --rounds N      how often everybody has a turn (3 to 21, by section)
  --quick         short turns, two rounds and less work, to see that it runs
  --out FOLDER    where results.json and pictures go (bench/ after a whole run, else nowhere)
  --no-pictures   draw none, and load no library for it
  --help          show this and exit`;

const options = parseCommandLine();
if (options.help) {
  console.log(USAGE);
  Deno.exit();
}
const names = options.only ?? Object.keys(SECTIONS);
const isWhole = options.only === undefined && options.rounds === undefined && !options.quick;
const folder = options.out ?? (isWhole ? new URL("./", import.meta.url).pathname : undefined);

const results = await measure();
const aims = aimsOf(results);
print(results, aims);
if (folder !== undefined) await write(folder, results, aims);

function parseCommandLine() {
  try {
    const { values } = parseArgs({
      options: {
        only: { type: "string", multiple: true },
        rounds: { type: "string" },
        quick: { type: "boolean", default: false },
        out: { type: "string" },
        pictures: { type: "boolean", default: true },
        help: { type: "boolean", default: false },
      },
      allowNegative: true,
    });
    for (const name of values.only ?? []) {
      if (!Object.hasOwn(SECTIONS, name)) throw new Error(`There is no section ${name}`);
    }
    if (values.rounds !== undefined && !/^[1-9]\d*$/.test(values.rounds)) {
      throw new Error(`--rounds takes a whole number from 1, received ${values.rounds}`);
    }
    return values;
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    Deno.exit(2);
  }
}

async function measure(): Promise<Results> {
  using peers = await Peers.find();
  const machine = describeMachine();
  const circumstances: Circumstances = {
    peers,
    isQuick: options.quick,
    openFiles: machine.openFiles,
  };
  const progress = new Progress();
  const sections: SectionResult[] = [];
  for (const name of names) {
    const section = SECTIONS[name](circumstances);
    const rounds = Number(options.rounds ?? (options.quick ? 2 : section.rounds));
    sections.push(
      await runSection(name, { ...section, rounds }, (text) => progress.show(text)),
    );
  }
  progress.end();
  return {
    date: new Date().toISOString().slice(0, 16).replace("T", " ") + " UTC",
    machine,
    versions: peers.versions,
    leftOut: peers.leftOut,
    isQuick: options.quick,
    sections,
  };
}

function print(results: Results, aims: Aim[]): void {
  console.log(heading(results));
  for (const section of results.sections) console.log("\n" + table(section));
  if (aims.length > 0) console.log("\n" + aimsTable(aims));
}

async function write(folder: string, results: Results, aims: Aim[]): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(`${folder}/results.json`, toJson(results, aims));
  console.log(`\nwritten: ${folder}/results.json`);
  if (!options.pictures) return;
  const { draw } = await import("./pictures/mod.ts");
  for (const [name, svg] of await draw(results)) {
    await Deno.writeTextFile(`${folder}/${name}.svg`, svg);
    console.log(`written: ${folder}/${name}.svg`);
  }
}
