/**
 * Counts the tests that ran, and fails when one was skipped that should have run, or when less of
 * the code was run than should be.
 *
 *     deno run --allow-read .ci/check_results.ts JUNIT.xml COVERAGE.txt
 *
 * @module
 */

/** Of the lines of what this machine can run, in percent. */
const COVERAGE_FLOOR = 95;

/** Why a test may be skipped even here: nothing on this machine can install a kqueue emulation. */
const MAY_BE_SKIPPED = /\[skipped: (LIBKQUEUE is not set|it is about Windows)/;

const [junit, coverage] = Deno.args.map((path) => Deno.readTextFileSync(path));

const tests = [...junit.matchAll(/<testcase name="([^"]*)"[^>]*?(?:\/>|>(.*?)<\/testcase>)/gs)];
const skipped = tests.filter(([, , body]) => body?.includes("<skipped"));
const failed = tests.filter(([, , body]) => body?.includes("<failure"));
const lines = Number(coverage.match(/All files.*\|\s*([\d.]+)\s*\|/)?.[1]);

const wrongs = skipped.filter(([, name]) => !MAY_BE_SKIPPED.test(name))
  .map(([, name]) => `skipped: ${name}`);
if (tests.length === skipped.length) wrongs.push("no test ran");
if (!(lines >= COVERAGE_FLOOR)) wrongs.push(`${lines} % of lines run, of ${COVERAGE_FLOOR} %`);

for (const wrong of wrongs) console.error(wrong);
console.log(`${lines} % of lines run`);
console.log(
  `${tests.length - skipped.length - failed.length} passed, ` +
    `${failed.length + wrongs.length} failed, ${skipped.length} skipped`,
);
Deno.exit(wrongs.length > 0 ? 1 : 0);
