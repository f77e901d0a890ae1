/**
 * Who is compared, and how each one's programs are started.
 *
 * @module
 */

import { type Command, run } from "./process.ts";

/** What the peers are called in the results and in pictures. */
export const PEERS = {
  readiness: "this package",
  readinessAsync: "this package, for await",
  c: "C",
  cThreaded: "C, two threads",
  python: "CPython selectors",
  deno: "Deno.listen",
  nodeInDeno: "node:net in Deno",
  node: "node:net in Node",
} as const;

/** A peer. */
export type PeerName = keyof typeof PEERS;

const HERE = new URL("./", import.meta.url).pathname;

/** The peers that this machine has. */
export class Peers implements Disposable {
  /** Their versions. */
  readonly versions: Partial<Record<PeerName, string>> = {};
  /** Those that this machine lacks, and why. */
  readonly leftOut: Partial<Record<PeerName, string>> = {};
  readonly #folder = Deno.makeTempDirSync({ prefix: "readiness_bench_" });
  readonly #compiled = new Map<string, Promise<string>>();
  #python = "";

  /** Finds them. */
  static async find(): Promise<Peers> {
    const peers = new Peers();
    const deno = `Deno ${Deno.version.deno}, V8 ${Deno.version.v8}`;
    for (const name of ["readiness", "readinessAsync", "deno", "nodeInDeno"] as const) {
      peers.versions[name] = deno;
    }
    for (const name of ["c", "cThreaded"] as const) {
      await peers.#try(name, async () => (await run(["cc", "--version"])).split("\n")[0] + ", -O2");
    }
    await peers.#try("node", async () => {
      const version = await run(["node", "--version"]);
      // Where there is no Node, Deno offers itself under the name.
      if (!version.startsWith("v")) throw new Error(`node is ${version.split("\n")[0]}`);
      return `Node ${version}`;
    });
    await peers.#try("python", async () => {
      peers.#python = await findPython();
      return await run([peers.#python, "-c", DESCRIBE_PYTHON]);
    });
    return peers;
  }

  /** Whether this machine has a peer. */
  has(name: PeerName): boolean {
    return this.versions[name] !== undefined;
  }

  /**
   * How a peer's program is started.
   *
   * @param name The peer
   * @param program The program's name, without folder and ending
   * @param args Its arguments
   */
  async command(name: PeerName, program: string, ...args: unknown[]): Promise<Command> {
    const rest = args.map(String);
    switch (name) {
      case "readiness":
        return [
          ...deno("--allow-ffi", ...V8_FLAGS[program] ?? []),
          `${HERE}peers/readiness/${program}.ts`,
          ...rest,
        ];
      case "readinessAsync":
        return [...deno("--allow-ffi"), `${HERE}peers/readiness/${program}.ts`, "async", ...rest];
      case "c":
        return [await this.compile(`peers/c/${program}.c`), ...rest];
      case "cThreaded":
        return [await this.compile(`peers/c/${program}.c`, "-DTHREADED"), ...rest];
      case "python":
        return [this.#python, `${HERE}peers/python/${program}.py`, ...rest];
      case "deno":
        return [
          ...deno("--allow-ffi", "--allow-net=127.0.0.1"),
          `${HERE}peers/deno/${program}.ts`,
          ...rest,
        ];
      case "nodeInDeno":
        return [...deno("--allow-net=127.0.0.1"), `${HERE}peers/node/${program}.mjs`, ...rest];
      case "node":
        return ["node", `${HERE}peers/node/${program}.mjs`, ...rest];
    }
  }

  /** Compiles a program in C, once. */
  compile(source: string, ...flags: string[]): Promise<string> {
    const name = [source.replace(/\.c$/, ""), ...flags].join("").replaceAll("/", "_");
    const program = `${this.#folder}/${name}`;
    let compiled = this.#compiled.get(name);
    if (compiled === undefined) {
      compiled = run(["cc", "-O2", "-pthread", ...flags, "-o", program, HERE + source])
        .then(() => program);
      this.#compiled.set(name, compiled);
    }
    return compiled;
  }

  /** Removes what was compiled. */
  [Symbol.dispose](): void {
    Deno.removeSync(this.#folder, { recursive: true });
  }

  async #try(name: PeerName, find: () => Promise<string>): Promise<void> {
    try {
      this.versions[name] = await find();
    } catch (error) {
      this.leftOut[name] = (error as Error).message;
    }
  }
}

/** What V8 has to be told for some programs. */
const V8_FLAGS: Record<string, string[]> = { memory: ["--v8-flags=--expose-gc"] };

function deno(...flags: string[]): string[] {
  return [Deno.execPath(), "run", "--quiet", "--no-lock", "--no-prompt", ...flags];
}

/** A build without profile-guided optimization is slower by a third or more. */
const DESCRIBE_PYTHON = `
import platform, sysconfig
options = sysconfig.get_config_var("CONFIG_ARGS") or ""
flags = sysconfig.get_config_var("PY_CORE_CFLAGS") or ""
profiled = "--enable-optimizations" in options or "-fprofile" in flags
print("CPython", platform.python_version() + ("" if profiled else ", built without --enable-optimizations"))
`;

/** Finds CPython: the one that BENCH_PYTHON names, or 3.13, or whatever `python3` is. */
async function findPython(): Promise<string> {
  const named = Deno.env.get("BENCH_PYTHON");
  const candidates: Command[] = named
    ? [[named]]
    : [["python3.13"], ["env", "PYENV_VERSION=3.13", "python3.13"], ["python3"]];
  const failures: string[] = [];
  for (const candidate of candidates) {
    try {
      return await run([...candidate, "-c", "import sys; print(sys.executable)"]);
    } catch (error) {
      failures.push((error as Error).message);
    }
  }
  throw new Error(failures.at(-1));
}
