/**
 * Runs the tests on another system, and prints how many passed, failed and were skipped there, and
 * why. Fails when a test fails, when none runs, when one is skipped without a reason, and when the
 * system does not start or stops answering.
 *
 *     deno task test:arm64 [PATH...]
 *     deno task test:windows [PATH...]
 *
 * @module
 */

const SYSTEMS = ["arm64", "windows"];

/** How long a system may print nothing, in milliseconds. It prints a line for each test. */
const SILENCE = 10 * 60_000;

const [system = "", ...paths] = Deno.args;
if (!SYSTEMS.includes(system)) {
  console.error(`Name a system: ${SYSTEMS.join(" or ")}`);
  Deno.exit(2);
}

// Without CI in the environment, tests skip what those machines lack: the reasons are counted below.
// Test files run one after the other: some tests use the numbers of closed descriptors, which must
// not be given to others meanwhile.
const child = new Deno.Command("env", {
  args: [
    ...["-u", "CI", "bash", `.ci/${system}.sh`],
    ...["test", "--allow-all", "--doc", "--no-lock", "--no-check"],
    ...["--preload", "tests/support/show_skip_reasons.ts", ...paths],
  ],
  cwd: new URL("..", import.meta.url),
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

const NO_REASON = "no reason given";
const skipped = Map.groupBy(
  output.matchAll(/^.*?(?: \[skipped: (.*)\])? \.\.\. ignored \(/gm),
  ([, reason]) => reason ?? NO_REASON,
);
// Deno's own count: some of the lines above are of steps.
const [, passed = "0", failed = "0", ignored = "0"] =
  /^(?:ok|FAILED) \| (\d+) passed.*? \| (\d+) failed(?:.*? \| (\d+) ignored)?.*$/m.exec(output) ??
    [];

console.log(`\n${system}: ${passed} passed, ${failed} failed, ${ignored} skipped:`);
for (const [reason, tests] of [...skipped].sort(([, a], [, b]) => b.length - a.length)) {
  console.log(`${String(tests.length).padStart(7)}: ${reason}`);
}

const problems = [
  ...isSilent ? [`nothing printed for ${SILENCE / 60_000} minutes: ended it`] : [],
  ...code === 0 ? [] : [`Deno exited with ${code}`],
  ...passed === "0" ? ["no test ran"] : [],
  ...skipped.has(NO_REASON) ? ["a test was skipped without a reason"] : [],
];
for (const problem of problems) console.error(`${system}: ${problem}`);
Deno.exit(problems.length > 0 ? 1 : 0);
