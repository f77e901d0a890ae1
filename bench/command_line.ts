/**
 * The command line of the bench.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { PEERS } from "./peers.ts";
import { SECTIONS } from "./sections/mod.ts";

/** The text that `--help` prints. */
export const USAGE = `Usage: deno task bench [OPTIONS]

Runs the same workloads with this package, C, CPython and others, and compares what they cost.

Options:
  --only SECTIONS  sections to run, separated by commas:
                   ${list(Object.keys(SECTIONS))}
  --peers PEERS    peers to run, separated by commas:
                   ${list(Object.keys(PEERS))}
  --base FOLDER    compare with another checkout of this package, instead of with the peers;
                   then --only is dispatch,registration,echo and --rounds is 15 by default
  --rounds N       how often each peer runs each workload (2 to 21, depending on the section)
  --quick          few and short runs, to see that the bench works
  --out FOLDER     where to write results.json and the charts (bench/ after a complete run)
  --no-charts      draw no charts, and load no library for them
  --help           show this and exit`;

/** A parsed command line. */
export interface Options {
  readonly sections: readonly string[];
  readonly peers: readonly string[] | undefined;
  readonly base: string | undefined;
  readonly rounds: number | undefined;
  readonly isQuick: boolean;
  /** Where to write results. */
  readonly folder: string | undefined;
  readonly hasCharts: boolean;
  readonly isHelp: boolean;
}

/**
 * Parses the command line.
 *
 * @throws {Error} If an option is unknown, or its value is out of range
 */
export function parseCommandLine(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string", multiple: true },
      peers: { type: "string", multiple: true },
      base: { type: "string" },
      rounds: { type: "string" },
      quick: { type: "boolean", default: false },
      out: { type: "string" },
      charts: { type: "boolean", default: true },
      help: { type: "boolean", default: false },
    },
    allowNegative: true,
  });
  const { base, rounds, quick, out, charts, help } = values;
  const only = names("section", values.only, SECTIONS);
  const peers = names("peer", values.peers, PEERS);
  if (rounds !== undefined && !/^[1-9]\d*$/.test(rounds)) {
    throw new Error(`--rounds must be a positive integer, received ${rounds}`);
  }
  if (base !== undefined && !isCheckout(base)) {
    throw new Error(`--base must be the folder of a checkout of this package, received ${base}`);
  }
  const isComplete = [only, peers, base, rounds].every((value) => value === undefined) && !quick;
  return {
    sections: only ?? (base === undefined ? Object.keys(SECTIONS) : BASE_SECTIONS),
    peers: peers ?? (base === undefined ? undefined : BASE_PEERS),
    base,
    rounds: rounds === undefined ? (base === undefined ? undefined : 15) : Number(rounds),
    isQuick: quick,
    folder: out ?? (isComplete ? new URL("./", import.meta.url).pathname : undefined),
    hasCharts: charts,
    isHelp: help,
  };
}

const BASE_SECTIONS = ["dispatch", "registration", "echo"];
const BASE_PEERS = [
  "readiness",
  "readinessAsync",
  "readinessAwait",
  "base",
  "baseAsync",
  "baseAwait",
];

/** Splits lists of names, and checks that there is such a section or peer. */
function names(
  kind: string,
  lists: readonly string[] | undefined,
  known: Readonly<Record<string, unknown>>,
): string[] | undefined {
  const names = lists?.flatMap((list) => list.split(","));
  const unknown = names?.find((name) => !Object.hasOwn(known, name));
  if (unknown !== undefined) throw new Error(`Unknown ${kind}: ${unknown}`);
  return names;
}

function isCheckout(folder: string): boolean {
  try {
    return Deno.statSync(`${folder}/bench/peers/readiness`).isDirectory;
  } catch {
    return false;
  }
}

function list(names: string[]): string {
  const half = Math.ceil(names.length / 2);
  return `${names.slice(0, half).join(", ")},\n${" ".repeat(19)}${names.slice(half).join(", ")}`;
}
