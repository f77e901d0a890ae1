/**
 * Counts the tests, and fails when one was skipped that should have run, or when the tests cover
 * too little of the code.
 *
 *     deno run --allow-read .ci/check_results.ts JUNIT.xml COVERAGE.txt
 *
 * @module
 */

/** The lowest coverage of the lines that can run on this machine, in percent. */
const COVERAGE_FLOOR = 96;

/** Reasons to skip a test in CI too: it is about another system, or about a kqueue emulation. */
const MAY_BE_SKIPPED = [
  "it is about Windows",
  "Linux has the error queue",
  "this system has no kqueue",
  "LIBKQUEUE is not set",
];

const [junit, coverage] = Deno.args.map((path) => Deno.readTextFileSync(path));

const tests = [...junit!.matchAll(/<testcase name="([^"]*)"[^>]*?(?:\/>|>(.*?)<\/testcase>)/gs)];
const skipped = tests.filter(([, , body]) => body?.includes("<skipped"));
const failed = tests.filter(([, , body]) => body?.includes("<failure"));
const lines = Number(coverage!.match(/All files.*\|\s*([\d.]+)\s*\|/)?.[1]);

const problems = skipped
  .filter(([, name]) => !MAY_BE_SKIPPED.some((reason) => name!.includes(`[skipped: ${reason}`)))
  .map(([, name]) => `skipped: ${name}`);
if (tests.length === skipped.length) problems.push("no test ran");
if (!(lines >= COVERAGE_FLOOR)) problems.push(`coverage is below ${COVERAGE_FLOOR} % of lines`);

for (const problem of problems) console.error(problem);
console.log(`${lines} % of lines covered`);
console.log(
  `${tests.length - skipped.length - failed.length} passed, ` +
    `${failed.length + problems.length} failed, ${skipped.length} skipped`,
);
Deno.exit(problems.length > 0 ? 1 : 0);
