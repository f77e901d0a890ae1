import { assertEquals } from "@std/assert";
import { runCommand } from "./command.ts";
import { inTime } from "./deadline.ts";
import { Lines } from "./lines.ts";
import { inNetworkOf, inOwnNetwork } from "./privileges.ts";

/**
 * A network namespace, which lasts until the end of an `await using` block, and not longer than
 * this process: it is that of a program that ends with its standard input.
 */
export class Namespace implements AsyncDisposable {
  readonly #holder: Deno.ChildProcess;

  private constructor(holder: Deno.ChildProcess) {
    this.#holder = holder;
  }

  /**
   * Makes a namespace, which has the loopback interface alone.
   *
   * @param prepare Lines for `sh`, which run there first
   */
  static async create(prepare = ""): Promise<Namespace> {
    const [program, ...args] = inOwnNetwork(prepare, ["sh", "-c", "echo ready; exec cat"]);
    const holder = new Deno.Command(program!, { args, stdin: "piped", stdout: "piped" }).spawn();
    await new Lines(holder.stdout).wait("ready");
    return new Namespace(holder);
  }

  /** The id of a process in it, which `ip link set NAME netns PID` takes. */
  get pid(): number {
    return this.#holder.pid;
  }

  /** The command inside the namespace. */
  readonly through = (command: readonly string[]): readonly string[] =>
    inNetworkOf(this.pid, command);

  /** Runs lines for `sh` in it, and returns what they print. */
  async run(script: string): Promise<string> {
    const { code, stdout, stderr } = await runCommand(this.through(["sh", "-ec", script]));
    assertEquals([code, stderr], [0, ""], script);
    return stdout;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#holder.stdin.close();
    await inTime(this.#holder.status, "the end of a network namespace");
  }
}
