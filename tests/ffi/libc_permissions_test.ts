/**
 * Which files the package opens under each kind of permission. Deno takes a bare name for a file in
 * the current folder if there is any scope or `--deny-ffi` rule, so none may be opened then.
 *
 * @module
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { ProcessDescriptor, pseudoTerminal } from "../../ffi/fd/mod.ts";
import { DEADLINE } from "../support/deadline.ts";
import { fakeLibrary, needsFakes } from "../support/fake_library.ts";
import { isQemu, isWindows } from "../support/os.ts";
import { libcPath, libraries, libraryPaths } from "../support/platform.ts";
import { needs, type Skip, skipIf } from "../support/skip.ts";
import { type Outcome, runProgram } from "../support/subprocess.ts";

const bareNames = [...new Set(libraries.flat())].filter((place) => !/[/\\]/.test(place));

/** A folder that is the current one, with a file under each name that the package could open. */
const folder = Deno.makeTempDirSync({ prefix: "libraries_" });
addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
const library = fakeLibrary("loaded");
for (const name of bareNames) {
  if (needsFakes.ignore) Deno.writeTextFileSync(`${folder}/${name}`, "not a library");
  else Deno.copyFileSync(library, `${folder}/${name}`);
}

/** Uses the package in that folder, and prints what it opened by a name that is not a path. */
const USE = `
  const { dlopen } = Deno;
  const opened = new Set();
  Deno.dlopen = (path, calls) => {
    if (!/[\\\\/]/.test(path)) opened.add(path);
    return dlopen(path, calls);
  };
  Deno.chdir(${JSON.stringify(folder)});
  try {
    const [left, right] = sockets.socketpair();
    try { right.connect(left.localAddress) } catch {}
    try { sockets.interfaceName(99_999) } catch {}
    left.close();
    right.close();
    new selectors.DefaultSelector().close();
    console.log("used", [...opened].join());
  } catch (error) {
    console.log(error.name, [...opened].join());
  }
`;

const paths = libraryPaths.flat().join();
const needsLibcPath = needs("libc at one of its usual places", isWindows || libcPath !== undefined);

interface Case {
  readonly flags: readonly string[];
  readonly result: string;
  readonly skip?: Skip;
}

const cases: readonly Case[] = [
  { flags: ["--allow-ffi", "--deny-ffi=/x.so"], result: "used", skip: needsLibcPath },
  { flags: ["--allow-all", "--deny-ffi=/x.so"], result: "used", skip: needsLibcPath },
  { flags: [`--allow-ffi=${paths}`], result: "used", skip: needsLibcPath },
  { flags: [`--allow-ffi=${paths}`, "--deny-ffi=/x.so"], result: "used", skip: needsLibcPath },
  { flags: ["--allow-all", `--deny-ffi=${paths}`], result: "NotCapable" },
  { flags: [`--allow-ffi=${bareNames.join() || "libc.so"}`], result: "NotCapable" },
  { flags: ["--allow-ffi=."], result: "NotCapable" },
  { flags: ["--deny-ffi"], result: "NotCapable" },
  { flags: [], result: "NotCapable" },
];

function use(flags: readonly string[]): Promise<Outcome> {
  return runProgram(USE, flags.includes("--allow-all") ? flags : ["--allow-read", ...flags]);
}

for (const { flags, result, skip } of cases) {
  const name = flags.map((flag) => flag.replace(paths, "PATHS")).join(" ") || "no permission";
  Deno.test({
    name: `No library in the current folder is opened with ${name}`,
    ...skip,
    async fn() {
      const { stdout, stderr, code } = await use(flags);
      assertEquals([stderr, stdout, code], ["", result, 0]);
    },
  });
}

for (const flag of ["--allow-ffi", "--allow-all"]) {
  Deno.test(`No library in the current folder is loaded with ${flag}`, needsFakes, async () => {
    const { stdout, stderr, code } = await use([flag]);
    assertEquals([stderr, stdout.split(" ")[0], code], ["", "used", 0]);
  });
}

for (const flags of [[], ["--deny-ffi=/x.so"], ["--allow-ffi=/y.so"]]) {
  for (const answer of ["y", "A", "n"]) {
    Deno.test({
      name: `No library in the current folder is loaded after the answer ${answer} to a prompt, ` +
        `with ${flags.join() || "no permission"}`,
      ...needsFakes,
      ...needsLibcPath,
      ...skipIf(isQemu, "qemu runs the terminal's programs elsewhere"),
      async fn() {
        const screen = await prompt(flags, answer);
        assertStringIncludes(screen, answer === "n" ? "NotCapable" : "used");
        assertEquals(screen.includes("loaded a library"), false);
      },
    });
  }
}

/** Uses the package at a terminal, and returns all that the terminal shows. */
async function prompt(flags: readonly string[], answer: string): Promise<string> {
  const program = `${folder}/program.ts`;
  const modules = ["mod.ts", "ffi/socket/mod.ts"].map((path) =>
    import.meta.resolve(`../../${path}`)
  );
  Deno.writeTextFileSync(
    program,
    `import * as selectors from "${modules[0]}";
     import * as sockets from "${modules[1]}";
     ${USE}`,
  );
  using terminal = pseudoTerminal();
  const { manager, subsidiary } = terminal;
  subsidiary.setBlocking(true);
  using child = ProcessDescriptor.spawn(
    Deno.execPath(),
    ["run", "--no-config", "--quiet", "--allow-read", ...flags, program],
    { stdin: subsidiary, stdout: subsidiary, stderr: subsidiary },
  );
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(4096);
  let screen = "";
  for (const start = Date.now(); child.wait({ reap: false }) === null;) {
    if (Date.now() - start > DEADLINE) child.sendSignal("SIGKILL");
    read();
    // Deno drops what is typed until nothing was for a moment. The answer is repeated until taken.
    if (screen.includes("Allow?") && !/Granted|Denied/.test(screen)) {
      await pause(200);
      manager.write(new TextEncoder().encode(`${answer}\n`));
    }
    await pause(20);
  }
  read();
  child.wait();
  return screen;

  function read(): void {
    for (let size; (size = manager.read(buffer));) {
      screen += decoder.decode(buffer.subarray(0, size), { stream: true });
    }
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
