/**
 * Runs the tests on another system, and says how many passed and failed there, and how many were
 * skipped for which reason. Fails when a test fails, when none runs, when one is skipped for no
 * reason, when a name in the list of skips is no test's, and when the system does not come up or
 * stops answering.
 *
 *     deno task test:arm64 [PATH...]
 *     deno task test:windows [PATH...]
 *
 * @module
 */

import { onWindows } from "../tests/support/skips_on_windows.ts";
import { underQemu } from "../tests/support/skips_under_qemu.ts";
import { underWine } from "../tests/support/skips_under_wine.ts";

const systems = { arm64: underQemu, windows: [...onWindows, ...underWine] };

/** How long a system may say nothing, in milliseconds. It says a line for each test. */
const SILENCE = 10 * 60_000;

const [system = "", ...paths] = Deno.args;
if (!Object.hasOwn(systems, system)) {
  console.error(`Say on which system: ${Object.keys(systems).join(" or ")}`);
  Deno.exit(2);
}
const root = new URL("..", import.meta.url);
const skips = systems[system as keyof typeof systems].flatMap(([, names]) => names);

// CI is not set there: what those machines lack is skipped, and counted below. Test files run one
// after the other: closed descriptors' numbers, which some tests use, are not to be given to others.
const child = new Deno.Command("env", {
  args: [
    ...["-u", "CI", "bash", `.ci/${system}.sh`],
    ...["test", "--allow-all", "--doc", "--no-lock", "--no-check"],
    ...["--preload", "tests/support/show_skip_reasons.ts", ...paths],
  ],
  cwd: root,
  env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
  stdin: "null",
  stdout: "piped",
}).spawn();

let output = "";
let isSilent = false;
const giveUp = () => {
  isSilent = true;
  child.kill();
};
let timer = setTimeout(giveUp, SILENCE);
for await (const piece of child.stdout.pipeThrough(new TextDecoderStream())) {
  clearTimeout(timer);
  timer = setTimeout(giveUp, SILENCE);
  await Deno.stdout.write(new TextEncoder().encode(piece));
  output += piece;
}
clearTimeout(timer);
const { code } = await child.status;

const tests = [
  ...output.matchAll(
    /^(.*?)(?: \[skipped: (.*)\])? \.\.\. (ok|FAILED|ignored) \(/gm,
  ),
];
const skipped = Map.groupBy(
  tests.filter(([, , , end]) => end === "ignored"),
  ([, , why]) => why ?? "for no reason",
);
// Deno's own count: there may be steps among the lines.
const [, passed = "0", failed = "0", ignored = "0"] =
  /^(?:ok|FAILED) \| (\d+) passed.*? \| (\d+) failed(?:.*? \| (\d+) ignored)?.*$/m.exec(output) ??
    [];

console.log(
  `\n${system}: ${passed} passed, ${failed} failed, ${ignored} skipped, for these reasons:`,
);
for (const [why, tests] of [...skipped].sort(([, a], [, b]) => b.length - a.length)) {
  console.log(`${String(tests.length).padStart(7)}: ${why}`);
}

const names = new Set(tests.map(([, name]) => name));
const wrongs = [
  ...isSilent ? [`it said nothing for ${SILENCE / 60_000} minutes, and was ended`] : [],
  ...code === 0 ? [] : [`Deno ended with ${code}`],
  ...passed === "0" ? ["no test ran"] : [],
  ...skipped.has("for no reason") ? ["a test was skipped for no reason"] : [],
  ...paths.length > 0
    ? []
    : skips.filter((name) => !name.startsWith("the examples ") && !names.has(name))
      .map((name) => `there is no test to skip: ${name}`),
];
for (const wrong of wrongs) console.error(`${system}: ${wrong}`);
Deno.exit(wrongs.length > 0 ? 1 : 0);
