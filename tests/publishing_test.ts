// The package as a registry has it: complete, and with tools that run without a clone.

import { assertEquals, assertMatch } from "@std/assert";
import { inTime } from "./support/deadline.ts";
import { isQemu, isWine } from "./support/os.ts";
import { Registry } from "./support/registry.ts";
import { skipIf } from "./support/skip.ts";

const ROOT = new URL("..", import.meta.url);
const LIBRARY = ["mod.ts", "ffi/socket/mod.ts", "ffi/fd/mod.ts"].map((path) => `./${path}`);

const isEmulated = skipIf(isQemu || isWine, "emulated, each of its processes takes seconds");

Deno.test("the published package has tools that run without a clone", isEmulated, async () => {
  await using registry = new Registry();
  using home = new Home(registry.url);
  const publishing = ["publish", "--allow-dirty", "--no-check", "--token", "x", "--no-provenance"];
  const published = await home.deno(publishing, ROOT);
  assertEquals(published.code, 0, published.stderr);

  // JSR refuses a package that depends on a version of itself, which a dry run does not.
  const decoder = new TextDecoder();
  for (const [path, bytes] of registry.files) {
    if (!path.endsWith(".ts")) continue;
    assertEquals(/^(import|export)?.* from "jsr:/m.exec(decoder.decode(bytes)), null, path);
  }

  const { name, exports } = registry.config;
  const tools = Object.entries(exports).filter(([, path]) => !LIBRARY.includes(path));
  for (const [entry, path] of tools) {
    assertEquals(path, `./examples/${entry.slice(2)}.ts`);
    const specifier = `jsr:${name}/${entry.slice(2)}`;
    const { code, stdout, stderr } = await home.deno(["run", "--no-prompt", specifier, "--help"]);
    assertEquals(code, 0, stderr);
    assertMatch(stdout, RegExp(`^Usage: ${entry.slice(2)}\\.ts `));
    const source = decoder.decode(registry.files.get(path.slice(1)));
    assertEquals(source.includes(`deno run --allow-ffi ${specifier}`), true, specifier);
  }

  const command = Deno.build.os === "windows" ? "echo.cmd" : "echo";
  const install = ["install", "--global", "--allow-ffi", "--root", home.path, `jsr:${name}/echo`];
  const installed = await home.deno(install);
  assertEquals(installed.code, 0, installed.stderr);
  const { code, stdout } = await home.run(`${home.path}/bin/${command}`, ["--help"]);
  assertEquals([code, stdout.split(" ", 2)], [0, ["Usage:", "echo.ts"]]);
});

/** An empty folder in which Deno keeps its cache and its commands, removed after the test. */
class Home implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "publishing_" });
  readonly #registry: string;

  constructor(registry: string) {
    this.#registry = registry;
  }

  deno(args: string[], cwd: string | URL = this.path) {
    return this.run(Deno.execPath(), args, cwd);
  }

  /** Runs a program that takes JSR's packages from the registry. */
  async run(program: string, args: string[], cwd: string | URL = this.path) {
    const command = new Deno.Command(program, {
      args,
      cwd,
      env: {
        DENO_DIR: `${this.path}/cache`,
        DENO_NO_UPDATE_CHECK: "1",
        JSR_URL: this.#registry,
        NO_COLOR: "1",
      },
    });
    const { code, stdout, stderr } = await inTime(command.output(), args.join(" "));
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}
