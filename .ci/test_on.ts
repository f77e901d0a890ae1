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

/** The tests that use the numbers of closed descriptors. */
const NUMBERED = ["tests/backends", "tests/ffi"];

/**
 * The tests of examples that do not run under qemu, where a process takes seconds to start. On a
 * busy machine every_example took 5 minutes, nc and traceroute over 3, ping 4, workers 7 and proxy
 * 10, and a program of workers once did not start in 2. faults and handover were not timed.
 */
const SLOW = [
  ...["every_example", "faults", "handover", "nc", "ping", "proxy", "traceroute", "workers"],
].map((name) => `tests/examples/${name}_test.ts`);

/**
 * What `deno test` runs on each system, in turn. Test files run one after the other where some use
 * the numbers of closed descriptors, which must not be given to others meanwhile: on Windows every
 * handle is reused at once, and qemu has no descriptors above 1,023 for select().
 */
const RUNS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  arm64: [
    ["--parallel", `--ignore=${[...NUMBERED, ...SLOW].join()}`],
    NUMBERED,
  ],
  windows: [[]],
};

/** How long a system may print nothing, in milliseconds. It prints a line for each test. */
const SILENCE = 10 * 60_000;

const [system = "", ...paths] = Deno.args;
if (!Object.hasOwn(RUNS, system)) {
  console.error(`Name a system: ${Object.keys(RUNS).join(" or ")}`);
  Deno.exit(2);
}

/** Runs `deno test`, passes on what it prints, and returns that and what went wrong. */
async function test(args: readonly string[]): Promise<{ output: string; problems: string[] }> {
  // Without CI in the environment, tests skip what those machines lack, and say why.
  const child = new Deno.Command("env", {
    args: [
      ...["-u", "CI", "bash", `.ci/${system}.sh`],
      ...["test", "--allow-all", "--doc", "--no-lock", "--no-check"],
      ...["--preload", "tests/support/show_skip_reasons.ts", ...args],
    ],
    cwd: new URL("..", import.meta.url),
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
    stdin: "null",
    stdout: "piped",
  }).spawn();

  let output = "";
  const problems: string[] = [];
  const end = () => {
    problems.push(`nothing printed for ${SILENCE / 60_000} minutes`);
    child.kill();
  };
  let timer = setTimeout(end, SILENCE);
  for await (const piece of child.stdout.pipeThrough(new TextDecoderStream())) {
    clearTimeout(timer);
    timer = setTimeout(end, SILENCE);
    await Deno.stdout.write(new TextEncoder().encode(piece));
    output += piece;
  }
  clearTimeout(timer);
  const { code } = await child.status;
  if (code !== 0) problems.push(`Deno exited with ${code}`);
  return { output, problems };
}

/** Deno's own count: some of the lines are of steps. */
function count(output: string): [passed: number, failed: number, skipped: number] {
  const [, passed = 0, failed = 0, skipped = 0] =
    /^(?:ok|FAILED) \| (\d+) passed.*? \| (\d+) failed(?:.*? \| (\d+) ignored)?.*$/m.exec(output) ??
      [];
  return [Number(passed), Number(failed), Number(skipped)];
}

const NO_REASON = "no reason given";
const reasons = new Map<string, number>();
const counts = [0, 0, 0];
const problems: string[] = [];

for (const args of paths.length > 0 ? [paths] : RUNS[system]!) {
  const run = await test(args);
  problems.push(...run.problems);
  count(run.output).forEach((number, i) => counts[i]! += number);
  for (
    const [, reason = NO_REASON] of run.output.matchAll(
      /^.*?(?: \[skipped: (.*)\])? \.\.\. ignored \(/gm,
    )
  ) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
}

const [passed, failed, skipped] = counts;
console.log(`\n${system}: ${passed} passed, ${failed} failed, ${skipped} skipped:`);
for (const [reason, number] of [...reasons].sort(([, a], [, b]) => b - a)) {
  console.log(`${String(number).padStart(7)}: ${reason}`);
}
if (passed === 0) problems.push("no test ran");
if (reasons.has(NO_REASON)) problems.push("a test was skipped without a reason");
for (const problem of problems) console.error(`${system}: ${problem}`);
Deno.exit(problems.length > 0 ? 1 : 0);
