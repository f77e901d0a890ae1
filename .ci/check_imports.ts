/**
 * Checks that the files of the package import each other along the arrows of the layout
 * (`.github/ARCHITECTURE.md`) and in no cycle, not even of types.
 *
 *     deno run --allow-read --allow-run .ci/check_imports.ts
 *
 * @module
 */

/** The files that each file imports, by their paths in the repository. */
export type Graph = ReadonlyMap<string, readonly string[]>;

/**
 * What the files of a folder may import. The longest matching path decides; the rest is forbidden.
 */
const RULES: Readonly<Record<string, Readonly<Record<string, boolean>>>> = {
  "mod.ts": { "backends/": true, "ffi/": true },
  "backends/": {
    "backends/": true,
    "ffi/": true,
    "ffi/fd/": false,
    "ffi/platform/winsock/": false,
    "ffi/socket/": false,
  },
  "ffi/": {
    "ffi/": true,
    "ffi/fd/": false,
    "ffi/platform/winsock/": false,
    "ffi/socket/": false,
  },
  "ffi/abi/": { "ffi/abi/": true },
  "ffi/platform/": {
    "ffi/abi/": true,
    "ffi/libc.ts": true,
    "ffi/memory.ts": true,
    "ffi/platform/": true,
  },
  "ffi/fd/": {
    "backends/ready.ts": true,
    "ffi/": true,
    "ffi/platform/winsock/": false,
    "ffi/socket/": false,
  },
  "ffi/socket/": {
    "backends/ready.ts": true,
    "ffi/": true,
    "ffi/fd/": false,
    "ffi/fd/file_descriptor.ts": true,
    "ffi/fd/pipe.ts": true,
    "ffi/platform/winsock/": false,
  },
  "examples/": {
    "examples/": true,
    "ffi/fd/mod.ts": true,
    "ffi/socket/mod.ts": true,
    "mod.ts": true,
  },
};

/** What of `deno info --json` is read here. */
interface Info {
  modules: {
    specifier: string;
    error?: string;
    dependencies?: { code?: { specifier: string }; type?: { specifier: string } }[];
  }[];
}

/**
 * Reads which files import which, with the imports of types alone.
 *
 * @param root The repository, whose URL ends in a slash
 * @returns The imports of each file of the package and the examples
 * @throws {Error} If Deno cannot read a file, or a file imports one that does not exist
 */
export async function readGraph(root: URL): Promise<Graph> {
  const graph = new Map<string, string[]>();
  for (const path of ["mod.ts", "backends/", "ffi/", "examples/"].flatMap(listFiles)) {
    if (graph.has(path)) continue; // It was imported by an earlier one
    for (const { specifier, error, dependencies = [] } of (await info(path)).modules) {
      if (error !== undefined) throw new Error(error);
      if (!specifier.startsWith(root.href)) continue;
      const imports = dependencies.flatMap(({ code, type }) => code ?? type ?? [])
        .filter((target) => target.specifier.startsWith(root.href))
        .map((target) => pathOf(target.specifier));
      graph.set(pathOf(specifier), imports);
    }
  }
  return graph;

  function pathOf(url: string): string {
    return url.slice(root.href.length);
  }

  function listFiles(path: string): string[] {
    if (!path.endsWith("/")) return path.endsWith(".ts") ? [path] : [];
    return [...Deno.readDirSync(new URL(path, root))]
      .map(({ name, isDirectory }) => isDirectory ? `${path}${name}/` : `${path}${name}`)
      .sort().flatMap(listFiles);
  }

  async function info(path: string): Promise<Info> {
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", path],
      cwd: root,
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    return JSON.parse(new TextDecoder().decode(stdout));
  }
}

/**
 * Finds the imports that the layout forbids.
 *
 * @param graph The imports of each file
 * @returns A message for each
 */
export function findForbidden(graph: Graph): string[] {
  return [...graph].flatMap(([file, imports]) => {
    const rule = RULES[longestPrefix(file, Object.keys(RULES))];
    if (rule === undefined) return [];
    return imports.filter((target) => !rule[longestPrefix(target, Object.keys(rule))])
      .map((target) => `${file} must not import ${target}`);
  });
}

/**
 * Finds the shortest cycle that each file is part of.
 *
 * @param graph The imports of each file
 * @returns A message for each cycle
 */
export function findCycles(graph: Graph): string[] {
  const cycles = new Map<string, string>();
  for (const file of graph.keys()) {
    const cycle = shortestCycle(graph, file);
    const key = cycle?.toSorted().join();
    if (key === undefined || cycles.has(key)) continue; // The same cycle, from another of its files
    cycles.set(key, `cycle of imports: ${[...cycle!, file].join(" -> ")}`);
  }
  return [...cycles.values()];
}

function longestPrefix(path: string, prefixes: string[]): string {
  return prefixes.filter((prefix) => path.startsWith(prefix))
    .reduce((a, b) => a.length > b.length ? a : b, "");
}

function shortestCycle(graph: Graph, file: string): string[] | undefined {
  const paths = [[file]];
  const seen = new Set<string>();
  for (const path of paths) {
    for (const target of graph.get(path.at(-1)!) ?? []) {
      if (target === file) return path;
      if (seen.has(target)) continue;
      seen.add(target);
      paths.push([...path, target]);
    }
  }
}

if (import.meta.main) {
  const graph = await readGraph(new URL("..", import.meta.url));
  const violations = [...findForbidden(graph), ...findCycles(graph)];
  for (const violation of violations) console.error(violation);
  console.log(`Imports of ${graph.size} files: ${violations.length} violations of the layout`);
  Deno.exit(violations.length > 0 ? 1 : 0);
}
