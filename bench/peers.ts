/**
 * The implementations that are compared, and how to start their programs.
 *
 * @module
 */

import { type Command, run } from "./process.ts";
import { describePython, findPython } from "./python.ts";

/** The peers, with their names in tables and charts. */
export const PEERS = {
  readiness: "this package",
  readinessAsync: "this package, for await",
  readinessAwait: "this package, await",
  base: "base",
  baseAsync: "base, for await",
  baseAwait: "base, await",
  ffi: "bare FFI calls",
  ffiChecked: "bare FFI calls, checked",
  c: "C",
  cThreaded: "C, two threads",
  python: "CPython",
  deno: "Deno's own API",
  nodeInDeno: "Node's API in Deno",
  node: "Node",
  socat: "socat",
  socatLarge: "socat, 64 KiB",
  nmap: "nmap",
} as const;

/** The name of a peer in the code and in the results. */
export type PeerName = keyof typeof PEERS;

/** This package's peers, and those that run the same programs of another checkout. */
const BASES: Partial<Record<PeerName, PeerName>> = {
  readiness: "base",
  readinessAsync: "baseAsync",
  readinessAwait: "baseAwait",
};

/**
 * Returns which of this package's peers another peer is compared with.
 *
 * @param peer The other peer
 * @param present The peers that ran the workload
 */
export function counterpartOf(peer: PeerName, present: readonly string[]): PeerName {
  const own = Object.keys(BASES) as PeerName[];
  return own.find((name) => BASES[name] === peer) ??
    own.find((name) => present.includes(name)) ?? "readiness";
}

/** Which peers to look for. */
export interface PeerOptions {
  /** Only these. */
  only?: readonly string[] | undefined;
  /** The folder of another checkout of this package, to compare with. */
  base?: string | undefined;
}

const ROOT = new URL("../", import.meta.url).pathname;

/** The peers that this machine has. */
export class Peers implements Disposable {
  /** The version of each peer. */
  readonly versions: Partial<Record<PeerName, string>> = {};
  /** The peers that this machine lacks, and why. */
  readonly leftOut: Partial<Record<PeerName, string>> = {};
  /** Whether this machine has a C compiler, which the clients of servers need. */
  canCompile = false;
  readonly #options: PeerOptions;
  readonly #folder = Deno.makeTempDirSync({ prefix: "readiness_bench_" });
  readonly #compiled = new Map<string, Promise<string>>();
  #python = "";

  private constructor(options: PeerOptions) {
    this.#options = options;
  }

  /** Looks for the peers. */
  static async find(options: PeerOptions = {}): Promise<Peers> {
    const peers = new Peers(options);
    const { base } = options;
    const deno = `Deno ${Deno.version.deno}, V8 ${Deno.version.v8}`;
    const own = Object.keys(BASES) as PeerName[];
    for (const name of [...own, "ffi", "ffiChecked", "deno", "nodeInDeno"] as const) {
      await peers.#try(name, () => deno);
    }
    if (base !== undefined) {
      for (const name of ["base", "baseAsync"] as const) {
        await peers.#try(name, () => describeCheckout(base));
      }
      await peers.#try("baseAwait", async () => {
        await Deno.stat(`${base}/bench/peers/readiness/echo_await.ts`);
        return await describeCheckout(base);
      });
    }
    const compiler = run(["cc", "--version"]).then((text) => `${text.split("\n")[0]}, -O2`);
    peers.canCompile = await compiler.then(() => true, () => false);
    for (const name of ["c", "cThreaded"] as const) await peers.#try(name, () => compiler);
    await peers.#try("node", async () => {
      const version = await run(["node", "--version"]);
      // Deno may stand in for a missing Node under its name.
      if (!version.startsWith("v")) throw new Error(`node is ${version.split("\n")[0]}`);
      return `Node ${version}`;
    });
    const versionOf = async (program: string) =>
      /version \S+/.exec(await run([program, "-V"]))?.[0] ?? "of an unknown version";
    for (const name of ["socat", "socatLarge"] as const) {
      await peers.#try(name, () => versionOf("socat"));
    }
    await peers.#try("nmap", () => versionOf("nmap"));
    await peers.#try("python", async () => {
      peers.#python = await findPython();
      return await describePython(peers.#python);
    });
    return peers;
  }

  /** Returns whether this machine has a peer. */
  has(name: PeerName): boolean {
    return this.versions[name] !== undefined;
  }

  /** Returns those of some peers that this machine has, the base's beside this package's. */
  select(names: readonly PeerName[]): PeerName[] {
    return names
      .flatMap((name) => [name, BASES[name] ?? []].flat())
      .filter((name) => this.has(name));
  }

  /**
   * Returns the command that starts a peer's program.
   *
   * @param name The peer
   * @param program The program's name, without folder and extension
   * @param args Its arguments
   */
  async command(name: PeerName, program: string, ...args: unknown[]): Promise<Command> {
    const rest = args.map(String);
    const { base } = this.#options;
    const peer = `${ROOT}bench/peers`;
    const net = "--allow-net=127.0.0.1";
    switch (name) {
      case "readiness":
        return deno("--allow-ffi", ...ownProgram(ROOT, program), ...rest);
      case "readinessAsync":
        return deno("--allow-ffi", ...ownProgram(ROOT, program), ...rest, "async");
      case "readinessAwait":
        return deno("--allow-ffi", ...ownProgram(ROOT, program, "_await"), ...rest);
      case "base":
        return deno("--allow-ffi", ...ownProgram(`${base}/`, program), ...rest);
      case "baseAsync":
        return deno("--allow-ffi", ...ownProgram(`${base}/`, program), ...rest, "async");
      case "baseAwait":
        return deno("--allow-ffi", ...ownProgram(`${base}/`, program, "_await"), ...rest);
      case "ffi":
        return deno("--allow-ffi", `${peer}/ffi/${program}.ts`, ...rest);
      case "ffiChecked":
        return deno("--allow-ffi", `${peer}/ffi/${program}_checked.ts`, ...rest);
      case "c":
        return [await this.compile(`peers/c/${program}.c`), ...rest];
      case "cThreaded":
        return [await this.compile(`peers/c/${program}.c`, "-DTHREADED"), ...rest];
      case "python":
        return [this.#python, `${peer}/python/${program}.py`, ...rest];
      case "deno":
        return deno(
          ...["--allow-ffi", net, "--unstable-net", ...FLAGS[program] ?? []],
          `${peer}/deno/${program}.ts`,
          ...rest,
        );
      case "nodeInDeno":
        return deno(net, `${peer}/node/${program}.mjs`, ...rest);
      case "node":
        return ["node", `${peer}/node/${program}.mjs`, ...rest];
      case "socat":
        return ["socat", ...rest];
      case "socatLarge":
        return ["socat", "-b65536", ...rest];
      case "nmap":
        return ["nmap", ...rest];
    }
  }

  /**
   * Compiles a program in C, once.
   *
   * @param source Its path within the folder of the bench
   * @param flags What to add to the compiler's command line
   * @returns The path of the program
   */
  compile(source: string, ...flags: string[]): Promise<string> {
    const name = [source.replace(/\.c$/, ""), ...flags].join("").replaceAll("/", "_");
    const program = `${this.#folder}/${name}`;
    let compiled = this.#compiled.get(name);
    if (compiled === undefined) {
      const path = `${ROOT}bench/${source}`;
      compiled = run(["cc", "-O2", "-pthread", ...flags, "-o", program, path]).then(() => program);
      this.#compiled.set(name, compiled);
    }
    return compiled;
  }

  /** Removes the compiled programs. */
  [Symbol.dispose](): void {
    Deno.removeSync(this.#folder, { recursive: true });
  }

  async #try(name: PeerName, find: () => string | Promise<string>): Promise<void> {
    if (this.#options.only?.includes(name) === false) return;
    try {
      this.versions[name] = await find();
    } catch (error) {
      this.leftOut[name] = (error as Error).message;
    }
  }
}

/** The flags of Deno for some programs. */
const FLAGS: Record<string, string[]> = {
  memory: ["--v8-flags=--expose-gc"],
  fairness: ["--allow-net=127.0.0.1"],
};

/** Programs of this package that are examples, with their arguments. */
const EXAMPLES: Record<string, string[]> = {
  http: ["http.ts", "--port", "0"],
  datagrams: ["udp_echo.ts", "127.0.0.1:0"],
  proxy: ["proxy.ts"],
  portscan: ["portscan.ts"],
};

/** Returns the flags and the script of a program in a checkout of this package. */
function ownProgram(root: string, program: string, suffix = ""): string[] {
  const [example, ...args] = EXAMPLES[program] ?? [];
  if (example !== undefined) return [`${root}examples/${example}`, ...args];
  return [...FLAGS[program] ?? [], `${root}bench/peers/readiness/${program}${suffix}.ts`];
}

function deno(...args: string[]): Command {
  return [Deno.execPath(), "run", "--quiet", "--no-lock", "--no-prompt", ...args];
}

async function describeCheckout(folder: string): Promise<string> {
  const commit = run(["git", "-C", folder, "log", "-1", "--format=%h %s"]);
  return await commit.catch(() => folder); // Not a repository, or there is no Git.
}
