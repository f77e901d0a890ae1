import type { ExampleOptions } from "./example_process.ts";
import { fakeLibrary } from "./fake_library.ts";
import { filePath } from "./sockets.ts";

/** The faults of a program that runs over tests/fakes/faulty_libc.c: none at first. */
export class Faults implements Disposable {
  /** What chooses the calls that fail. */
  readonly seed: number = Math.trunc(Math.random() * 2 ** 31);
  readonly #path = filePath();
  /** How many programs were started: calls fail at other times in each. */
  #programs = 0;

  constructor() {
    this.set([]);
  }

  /** Has calls fail from now on by these rules, such as `recv=EINTR/3` for every third one. */
  set(rules: readonly string[]): void {
    Deno.writeTextFileSync(`${this.#path}.next`, rules.join(" "));
    this.#removeMade(); // Before a call can fail by the new rules.
    Deno.renameSync(`${this.#path}.next`, this.#path);
  }

  /** The rules that have made a call fail, without the number. */
  get made(): string[] {
    try {
      return Deno.readTextFileSync(`${this.#path}.made`).trim().split("\n");
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      return [];
    }
  }

  /** Options that start an example over the faulty libc. */
  get options(): ExampleOptions & Required<Pick<ExampleOptions, "through">> {
    const imports = "--import-map=tests/support/faulty_imports.json";
    return {
      flags: ["--allow-ffi", "--allow-env", "--allow-read", imports],
      through: (command) => [
        "/usr/bin/env",
        `FAULTY_LIBC=${fakeLibrary("faulty_libc")}`,
        `FAULTS=${this.#path}`,
        `FAULT_SEED=${this.seed + this.#programs++}`,
        ...command,
      ],
    };
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#path);
    this.#removeMade();
  }

  #removeMade(): void {
    if (this.made.length > 0) Deno.removeSync(`${this.#path}.made`);
  }
}
