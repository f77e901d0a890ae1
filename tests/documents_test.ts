import { assertEquals } from "@std/assert";

const ROOT = new URL("..", import.meta.url);

/** Documents whose links, file names and tasks must exist. */
const DOCUMENTS = [
  "README.md",
  ".github/ARCHITECTURE.md",
  ".github/CONTRIBUTING.md",
  ".github/WINDOWS.md",
  "bench/README.md",
  "examples/README.md",
];

/** Files that are the reader's own. */
const OF_USERS = ["first.ts"];

const FOLDERS = [".ci/", ".github/", "backends/", "bench/", "examples/", "ffi/", "tests/"];
const fileNames = new Set(["mod.ts", ...FOLDERS.flatMap(listNames)]);

const { exports, tasks } = JSON.parse(read("deno.json"));

for (const document of DOCUMENTS) {
  const text = read(document);

  Deno.test(`${document}: every link leads to a file`, () => {
    const links = [...text.matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(([, link]) => link!)
      // GitHub's own pages begin with "../../".
      .filter((link) => !link.startsWith("https:") && !link.startsWith("../../"));
    assertEquals(links.filter((link) => !exists(new URL(link, new URL(document, ROOT)))), []);
  });

  Deno.test(`${document}: every path that it names exists`, () => {
    const paths = [
      ...text.matchAll(/`((?:\.ci|\.github|backends|bench|examples|ffi|tests)\/[^` ]*)`/g),
    ]
      .map(([, path]) => path!).filter((path) => !path.includes("NAME"));
    assertEquals(paths.filter((path) => !exists(new URL(path, ROOT))), []);
  });

  Deno.test(`${document}: every file that it names without a folder exists`, () => {
    const names = [...text.matchAll(/`([a-z_]+\.ts)`/g)].map(([, name]) => name!);
    assertEquals(names.filter((name) => !OF_USERS.includes(name) && !fileNames.has(name)), []);
  });

  Deno.test(`${document}: every task that it names exists`, () => {
    const names = [...text.matchAll(/deno task ([\w:]+)/g)].map(([, name]) => name!);
    assertEquals(names.filter((name) => !Object.hasOwn(tasks, name)), []);
  });
}

Deno.test("README.md: the tools are examples, and every published one is named", () => {
  const named = [...read("README.md").matchAll(/^\| `\/(\w+)` +\|/gm)].map(([, name]) => name!);
  assertEquals(named.filter((name) => !fileNames.has(`${name}.ts`)), []);
  const published = Object.values<string>(exports).filter((path) => path.startsWith("./examples/"));
  assertEquals(published.filter((path) => !named.includes(path.slice(11, -3))), []);
});

/** Lists the names of the files in a folder and those below it. */
function listNames(folder: string): string[] {
  return [...Deno.readDirSync(new URL(folder, ROOT))].flatMap(({ name, isDirectory }) =>
    isDirectory ? listNames(`${folder}${name}/`) : name
  );
}

function read(path: string): string {
  return Deno.readTextFileSync(new URL(path, ROOT));
}

function exists(url: URL): boolean {
  try {
    Deno.statSync(url);
    return true;
  } catch {
    return false;
  }
}
