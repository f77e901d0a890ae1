import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("..", import.meta.url);

/** What of `deno doc --json` is read here. */
interface Documentation {
  nodes: Record<string, { symbols: Symbol[] }>;
}

interface Documented {
  kind?: string;
  jsDoc?: { doc?: string; tags?: { kind: string }[] };
}

interface Symbol {
  name: string;
  declarations: (Documented & {
    kind: string;
    def: { constructors?: Member[]; methods?: Member[]; properties?: Member[] };
  })[];
}

interface Member extends Documented {
  name: string;
  accessibility?: "private" | "protected" | "public";
  isStatic?: boolean;
}

const { exports } = JSON.parse(read("deno.json"));
/** Without the tools, which export nothing. */
const entryPoints = Object.entries<string>(exports)
  .filter(([, path]) => !path.startsWith("./examples/"));
const symbols = (await Promise.all(entryPoints.map(([, path]) => document(path)))).flat();

Deno.test("the documentation shows no member that users cannot call", () => {
  const shown = symbols.flatMap(({ name, declarations }) =>
    declarations.flatMap(({ def: { constructors = [], methods = [], properties = [] } }) =>
      [...constructors, ...methods, ...properties]
        .filter(({ accessibility }) => ["private", "protected"].includes(accessibility ?? ""))
        .map((member) => `${name}.${member.name}`)
    )
  );
  assertEquals(shown, []);
});

Deno.test("the documentation of each selector lists the methods that it inherits", () => {
  const [base] = symbols.find(({ name }) => name === "BaseSelector")!.declarations;
  const methods = base!.def.methods!
    .filter(({ name, isStatic }) => isStatic !== true && !name.startsWith("["))
    .map(({ name }) => name);
  assert(methods.includes("register") && methods.includes("select"));
  const selectors = symbols.filter(({ name }) =>
    name.endsWith("Selector") && name !== "BaseSelector"
  );
  assertEquals(selectors.length, 6);
  for (const { name, declarations } of selectors) {
    const text = declarations.map(({ jsDoc }) => jsDoc?.doc).join("\n");
    assertEquals(methods.filter((method) => !text.includes(`\`${method}()\``)), [], name);
  }
});

Deno.test("every symbol has a category", () => {
  const without = symbols.filter(({ declarations }) =>
    // A reference is documented where it leads.
    declarations.some(({ kind, jsDoc }) =>
      kind !== "reference" && !jsDoc?.tags?.some(({ kind }) => kind === "category")
    )
  );
  assertEquals(without.map(({ name }) => name), []);
});

Deno.test("every function, class and method has an example", () => {
  const names = new Set<string>();
  const shown = new Set<string>();
  const note = (name: string, { jsDoc }: Documented) => {
    names.add(name);
    if (jsDoc?.tags?.some(({ kind }) => kind === "example")) shown.add(name);
  };
  for (const { name, declarations } of symbols) {
    for (const declaration of declarations) {
      if (!["class", "function"].includes(declaration.kind)) continue;
      note(name, declaration);
      for (const method of declaration.def.methods ?? []) {
        // The language itself calls a method whose name is a symbol.
        if (method.kind === "method" && !method.name.startsWith("[")) {
          note(`${name}.${method.name}()`, method);
        }
      }
    }
  }
  assertEquals([...names.difference(shown)], []);
});

Deno.test("every entry point is linted and in the user's program", () => {
  const { imports } = JSON.parse(read("tests/user_project/deno.json"));
  const program = read("tests/user_project/main.ts");
  const check: string = JSON.parse(read("deno.json")).tasks.check.command;
  assert(/deno doc --lint [^&]* examples\/\*\.ts /.test(check), "The tools");
  for (const [name, path] of entryPoints) {
    const published = name.replace(/^\./, "@readiness/selectors");
    assertEquals(imports[published], path.replace(/^\./, "../.."));
    assert(program.includes(`from "${published}"`), published);
    assert(new RegExp(`deno doc --lint [^&]*${path.replace(/^\.\//, "")}( |$)`).test(check), path);
  }
});

async function document(path: string): Promise<Symbol[]> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", path],
    cwd: ROOT,
  }).output();
  const { nodes }: Documentation = JSON.parse(new TextDecoder().decode(stdout));
  return Object.values(nodes).flatMap(({ symbols }) => symbols);
}

function read(path: string): string {
  return Deno.readTextFileSync(new URL(path, ROOT));
}
