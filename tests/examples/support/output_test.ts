import { assertEquals, assertMatch } from "@std/assert";
import { printable } from "../../../examples/support/output.ts";
import { inTime } from "../../support/deadline.ts";
import { isWindows } from "../../support/os.ts";
import { linuxOnly, needsProgram, skipIf } from "../../support/skip.ts";

const needsPython = needsProgram("python3");
const skipOnWindows = skipIf(isWindows, "it uses sh");

Deno.test("printable() escapes control characters, and leaves other text as it is", () => {
  assertEquals(printable("Zürich 🏔\u00a0"), "Zürich 🏔\u00a0");
  assertEquals(printable("a\0\t\n\r\x1b[2J\x7f"), "a\\x00\\x09\\x0a\\x0d\\x1b[2J\\x7f");
  assertEquals(printable("\u0080\u009b2J\u009d"), "\\x80\\x9b2J\\x9d");
  assertEquals(printable("\u2028\u202e\u2066"), "\\u2028\\u202e\\u2066");
});

const OUTPUT = new URL("../../../examples/support/output.ts", import.meta.url).href;

/** A program that prints many lines. */
const PRINTS = `
  import { print } from "${OUTPUT}";
  for (let i = 0; i < 20_000; i++) print(\`line \${i}\`);
  console.error("done");
`;

/** Runs a program with Deno after some lines of `sh`, which has the command as "$@". */
function spawn(script: string, source: string): Deno.ChildProcess {
  const url = `data:application/typescript,${encodeURIComponent(source)}`;
  return new Deno.Command("sh", {
    args: ["-c", script, "sh", Deno.execPath(), "run", url],
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

Deno.test(
  "print() ends the program quietly when nobody reads its output",
  skipOnWindows,
  async () => {
    const child = spawn('exec "$@"', PRINTS);
    const reader = child.stdout.getReader();
    await inTime(reader.read(), "a line");
    await reader.cancel();
    const { code } = await inTime(child.status, "the end");
    assertEquals([code, await new Response(child.stderr).text()], [141, ""]);
  },
);

Deno.test(
  "print() ends the program with a message when the output is full",
  linuxOnly,
  async () => {
    const { code, stderr } = await inTime(
      spawn('exec "$@" > /dev/full', PRINTS).output(),
      "the end",
    );
    const message = new TextDecoder().decode(stderr);
    assertEquals(code, 1);
    assertMatch(message, /^.*: Cannot write the output: No space left on device.*\n$/);
  },
);

Deno.test("print() waits for room in a non-blocking pipe", needsPython, async () => {
  const { code, stdout, stderr } = await inTime(
    spawn(`python3 -c '${SLOW_READER}' "$@"`, PRINTS).output(),
    "the end",
  );
  const [count, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assertEquals([code, count, errors], [0, "20000\n", "done\n"]);
});

const SLOW_READER = `
import os, subprocess, sys, time
reader, writer = os.pipe()
os.set_blocking(writer, False)
child = subprocess.Popen(sys.argv[1:], stdout=writer)
os.close(writer)
time.sleep(0.5)
with open(reader, "rb") as lines:
    print(sum(line == b"line %d\\n" % i for i, line in enumerate(lines)))
sys.exit(child.wait())
`;
