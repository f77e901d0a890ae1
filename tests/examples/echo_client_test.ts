import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { AF_INET, SOCK_STREAM, Socket } from "../../ffi/socket/mod.ts";
import type { Outcome } from "../support/subprocess.ts";
import {
  Example,
  needsUnusedHostname,
  runExample,
  unusedHostname,
} from "../support/example_process.ts";
import { skipIf } from "../support/skip.ts";
import { isWindows } from "../support/os.ts";
import { assertUsageErrors, WRONG_PORTS } from "./command_lines.ts";

const client = (port: number, ...messages: string[]) =>
  runExample("echo_client", ["--port", `${port}`, ...messages]);

Deno.test("echo_client.ts prints what comes back and exits with 0", async () => {
  await using server = await Example.start("echo", ["--port", "0"]);
  const { code, stdout, stderr } = await client(server.port, "hello", "Zürich 🏔", "");
  assertEquals([code, stdout, stderr], [0, "hello\nZürich 🏔\n\n", ""]);
});

Deno.test("echo_client.ts sends hello and world by default", async () => {
  await using server = await Example.start("echo", ["--port", "0"]);
  assertEquals((await client(server.port)).stdout, "hello\nworld\n");
});

Deno.test(
  "echo_client.ts gets a megabyte back",
  skipIf(isWindows, "a Windows command line has 32,767 characters at most"),
  async () => {
    await using server = await Example.start("echo", ["--port", "0"]);
    const messages = Array.from({ length: 12 }, (_, i) => `${i % 10}`.repeat(90_000));
    const { code, stdout } = await client(server.port, ...messages);
    assertEquals(code, 0);
    assertEquals(stdout === messages.join("\n") + "\n", true);
  },
);

Deno.test({
  name: "echo_client.ts connects to port 1234 by default",
  ...needsUnusedHostname,
  async fn() {
    const hostname = unusedHostname();
    await using _server = await Example.start("echo", ["--hostname", hostname]);
    const { code, stdout } = await runExample("echo_client", ["--hostname", hostname, "hello"]);
    assertEquals([code, stdout], [0, "hello\n"]);
  },
});

Deno.test("echo_client.ts exits with 1 if the connection is refused", async () => {
  // Bound but not listening, so that nothing else listens there.
  using bound = new Socket(AF_INET, SOCK_STREAM);
  bound.bind({ hostname: "127.0.0.1", port: 0 });
  const { port } = bound.localAddress as Deno.NetAddr;
  const { code, stdout, stderr } = await client(port);
  assertEquals([code, stdout], [1, ""]);
  assertMatch(stderr, new RegExp(`^echo_client\\.ts: Cannot connect to 127\\.0\\.0\\.1:${port}: `));
  assertStringIncludes(stderr, "ECONNREFUSED");
});

Deno.test("echo_client.ts exits with 1 if the server closes early", async () => {
  const { code, stdout, stderr } = await clientOf((hello) => hello.subarray(0, 3));
  assertEquals([code, stdout], [1, "hel"]);
  assertEquals(stderr, "echo_client.ts: The server closed after 3 of 12 bytes\n");
});

Deno.test("echo_client.ts exits with 1 if the answer differs", async () => {
  const { code, stdout, stderr } = await clientOf((hello) => hello.map((byte) => byte ^ 32));
  assertEquals([code, stdout], [1, ""]);
  assertEquals(stderr, "echo_client.ts: The answer differs from the message\n");
});

Deno.test("echo_client.ts exits with 1 if the answer is longer", async () => {
  const { code, stderr } = await clientOf((hello) => new Uint8Array([...hello, ...hello]));
  assertEquals(code, 1);
  assertEquals(stderr, "echo_client.ts: The answer differs from the message\n");
});

Deno.test("echo_client.ts exits with 2 if an option is wrong", async () => {
  await assertUsageErrors("echo_client", ["--verbose", ...WRONG_PORTS]);
});

/** Runs the client with a server that takes its 12 bytes, answers something, and closes. */
async function clientOf(answer: (hello: Uint8Array) => Uint8Array): Promise<Outcome> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const outcome = client(listener.addr.port);
  const connection = await listener.accept();
  const hello = new Uint8Array(12);
  for (let at = 0; at < hello.length;) at += await connection.read(hello.subarray(at)) ?? 0;
  await connection.write(answer(hello));
  connection.close();
  return await outcome;
}
