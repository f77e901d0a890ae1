import { assertEquals } from "@std/assert";
import { inTime } from "./support/deadline.ts";
import { Lines } from "./support/lines.ts";
import { linuxOnly } from "./support/skip.ts";
import { unusedPort } from "./support/sockets.ts";

const ROOT = new URL("..", import.meta.url);

/** The servers of the README; `deno test --doc` runs its other programs. */
const [server, loop, awaited, handover] = [...readme().matchAll(/```ts ignore\n(.*?)```/gs)].map((
  [, code],
) => code!);

for (
  const [how, source] of Object.entries({
    "select()": server!,
    "for await": replaceLoop(server!),
    "whenReadable()": awaited!,
  })
) {
  Deno.test(`README.md: the first server echoes with ${how}`, async () => {
    await using program = await Program.start(source);
    const replies = ["hello", "world"].map((message) =>
      inTime(ask(program.port, message), "a reply")
    );
    assertEquals(await Promise.all(replies), ["hello", "world"]);
  });
}

Deno.test("README.md: node:http takes a socket over", linuxOnly, async () => {
  await using program = await Program.start(handover!);
  const response = await fetch(`http://127.0.0.1:${program.port}`);
  assertEquals(await response.text(), "hello\n");
});

Deno.test("README.md: the servers pass the type checker", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    const programs = [server!, replaceLoop(server!), awaited!, handover!];
    const paths = programs.map((source, i) => {
      const path = `${folder}/${i}.ts`;
      Deno.writeTextFileSync(path, source);
      return path;
    });
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "--quiet", "--config", "deno.json", ...paths],
      cwd: ROOT,
      env: { NO_COLOR: "1" },
    }).output();
    assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

function replaceLoop(source: string): string {
  return source.replace(/^while .*/ms, loop!);
}

/** A program of the README, on a port that is free instead of 1234. */
class Program implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #stdout: Lines;

  private constructor(readonly port: number) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", "--quiet", "--no-prompt", "--allow-ffi", "-"],
      cwd: ROOT,
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#stdout = new Lines(this.#child.stdout);
  }

  static async start(source: string): Promise<Program> {
    const program = new Program(unusedPort());
    try {
      await new Blob([source.replaceAll("1234", `${program.port}`)]).stream()
        .pipeTo(program.#child.stdin);
      await program.#stdout.wait(/^listening/);
      return program;
    } catch (error) {
      await program[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
    await this.#stdout.ended;
  }
}

function readme(): string {
  return Deno.readTextFileSync(new URL("README.md", ROOT)).replaceAll("\r\n", "\n");
}

/** Sends a message, ends the sending side, and reads to the end. */
async function ask(port: number, message: string): Promise<string> {
  using connection = await Deno.connect({ port, hostname: "127.0.0.1" });
  await connection.write(new TextEncoder().encode(message));
  await connection.closeWrite();
  return await new Response(connection.readable).text();
}
