import { assertEquals } from "@std/assert";
import { inTime } from "./support/deadline.ts";
import { Lines } from "./support/lines.ts";

const ROOT = new URL("..", import.meta.url);

/** The programs of the README that run until they are stopped; `deno test --doc` runs the others. */
const [server, loop] = [...readme().matchAll(/```ts ignore\n(.*?)```/gs)].map(([, code]) => code!);

for (
  const [how, program] of Object.entries({
    "select()": server!,
    "for await": server!.replace(/^while .*/ms, loop!),
  })
) {
  Deno.test(`README.md: the first server echoes with ${how}`, async () => {
    const port = unusedPort();
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--check", "--quiet", "--no-prompt", "--allow-ffi", "-"],
      cwd: ROOT,
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const stdout = new Lines(child.stdout);
    try {
      const source = new Blob([program.replaceAll("1234", `${port}`)]).stream();
      await source.pipeTo(child.stdin);
      await stdout.wait(/^listening/);
      const replies = [port, port].map((port) => inTime(ask(port, "hello"), "the reply"));
      assertEquals(await Promise.all(replies), ["hello", "hello"]);
    } finally {
      child.kill("SIGKILL");
      await child.status;
      await stdout.ended;
    }
  });
}

Deno.test("README.md: the programs are there", () => {
  assertEquals(server?.includes("1234"), true);
  assertEquals(server?.includes("while"), true);
  assertEquals(loop?.startsWith("for await"), true);
});

function readme(): string {
  return Deno.readTextFileSync(new URL("README.md", ROOT)).replaceAll("\r\n", "\n");
}

function unusedPort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Sends a message, ends the sending side, and reads to the end. */
async function ask(port: number, message: string): Promise<string> {
  using connection = await Deno.connect({ port, hostname: "127.0.0.1" });
  await connection.write(new TextEncoder().encode(message));
  await connection.closeWrite();
  return await new Response(connection.readable).text();
}
