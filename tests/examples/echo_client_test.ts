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

const client = (port: number, ...messages: string[]) =>
  runExample("echo_client", ["--port", `${port}`, ...messages]);

Deno.test("echo_client.ts prints what comes back and exits with 0", async () => {
  await using server = await Example.start("echo", ["--port", "0"]);
  const { code, stdout, stderr } = await client(server.port, "hello", "Zürich 🏔", "");
  assertEquals([code, stdout, stderr], [0, "hello\nZürich 🏔\n\n", ""]);
});

Deno.test("echo_client.ts sends hello and world unless told", async () => {
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
  name: "echo_client.ts talks to port 1234 unless told",
  ...needsUnusedHostname,
  async fn() {
    const hostname = unusedHostname();
    await using _server = await Example.start("echo", ["--hostname", hostname]);
    const { code, stdout } = await runExample("echo_client", ["--hostname", hostname, "hello"]);
    assertEquals([code, stdout], [0, "hello\n"]);
  },
});

Deno.test("echo_client.ts exits with 1 and says so when the connection is refused", async () => {
  // Bound, so that nobody else listens there, but not listening.
  using bound = new Socket(AF_INET, SOCK_STREAM);
  bound.bind({ hostname: "127.0.0.1", port: 0 });
  const { port } = bound.localAddress as Deno.NetAddr;
  const { code, stdout, stderr } = await client(port);
  assertEquals([code, stdout], [1, ""]);
  assertMatch(stderr, new RegExp(`^echo_client\\.ts: No connection to 127\\.0\\.0\\.1:${port}: `));
  assertStringIncludes(stderr, "ECONNREFUSED");
});

Deno.test("echo_client.ts exits with 1 and says so when the server closes early", async () => {
  const { code, stdout, stderr } = await clientOf((hello) => hello.subarray(0, 3));
  assertEquals([code, stdout], [1, "hel"]);
  assertEquals(stderr, "echo_client.ts: The server closed after 3 of 12 bytes\n");
});

Deno.test("echo_client.ts exits with 1 and says so when something else comes back", async () => {
  const { code, stdout, stderr } = await clientOf((hello) => hello.map((byte) => byte ^ 32));
  assertEquals([code, stdout], [1, ""]);
  assertEquals(stderr, "echo_client.ts: What came back is not what was sent\n");
});

Deno.test("echo_client.ts exits with 1 and says so when more comes back", async () => {
  const { code, stderr } = await clientOf((hello) => new Uint8Array([...hello, ...hello]));
  assertEquals(code, 1);
  assertEquals(stderr, "echo_client.ts: What came back is not what was sent\n");
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
