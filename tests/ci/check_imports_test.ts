import { assertEquals, assertRejects } from "@std/assert";
import { pathToFileURL } from "node:url";
import { findCycles, findForbidden, readGraph } from "../../.ci/check_imports.ts";

/** Writes a package of such files into a temporary folder. */
class Package implements Disposable {
  readonly root: string = Deno.realPathSync(Deno.makeTempDirSync());
  readonly url: URL = pathToFileURL(`${this.root}/`);

  constructor(files: Record<string, string>) {
    for (const folder of ["backends", "examples", "ffi/fd", "ffi/socket"]) {
      Deno.mkdirSync(`${this.root}/${folder}`, { recursive: true });
    }
    for (const [path, text] of Object.entries(files)) {
      Deno.writeTextFileSync(`${this.root}/${path}`, text);
    }
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.root, { recursive: true });
  }
}

Deno.test("check_imports.ts finds a cycle of types", async () => {
  using files = new Package({
    "mod.ts": `export * from "./backends/a.ts";`,
    "backends/a.ts": `import type { B } from "./b.ts"; export type A = B | 1;`,
    "backends/b.ts": `export type B = import("../ffi/c.ts").C | 2;`,
    "ffi/c.ts": `import { type A } from "../backends/a.ts"; export type C = A | 3;`,
  });
  assertEquals(findCycles(await readGraph(files.url)), [
    "cycle of imports: backends/a.ts -> backends/b.ts -> ffi/c.ts -> backends/a.ts",
  ]);
});

Deno.test("check_imports.ts finds forbidden imports, of unreachable files too", async () => {
  using files = new Package({
    "mod.ts": `export * from "./ffi/socket/mod.ts"; import "./examples/tool.ts";`,
    "backends/ready.ts": `import "../ffi/fd/file_descriptor.ts";`,
    "examples/tool.ts": `import "../mod.ts"; import "../ffi/checks.ts";`,
    "ffi/checks.ts": ``,
    "ffi/fd/file_descriptor.ts": `import "../../backends/ready.ts"; import "../socket/mod.ts";`,
    "ffi/fd/terminal.ts": `import "./file_descriptor.ts";`,
    "ffi/socket/mod.ts": `import "../fd/file_descriptor.ts"; import "../fd/terminal.ts";`,
  });
  assertEquals(findForbidden(await readGraph(files.url)).sort(), [
    "backends/ready.ts must not import ffi/fd/file_descriptor.ts",
    "examples/tool.ts must not import ffi/checks.ts",
    "ffi/fd/file_descriptor.ts must not import ffi/socket/mod.ts",
    "ffi/socket/mod.ts must not import ffi/fd/terminal.ts",
    "mod.ts must not import examples/tool.ts",
  ]);
});

Deno.test("check_imports.ts accepts what the layout allows", async () => {
  using files = new Package({
    "mod.ts": `export * from "./backends/base.ts"; export * from "./ffi/errno.ts";`,
    "backends/base.ts": `import "../ffi/errno.ts";`,
    "ffi/errno.ts": ``,
  });
  const graph = await readGraph(files.url);
  assertEquals(graph.size, 3);
  assertEquals([...findForbidden(graph), ...findCycles(graph)], []);
});

Deno.test("check_imports.ts rejects an import of a file that does not exist", async () => {
  using files = new Package({ "mod.ts": `export * from "./missing.ts";` });
  await assertRejects(() => readGraph(files.url), Error, "missing.ts");
});
