import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { format } from "../../../examples/support/command_line.ts";
import { runExample } from "../../support/example_process.ts";
import { skipIf } from "../../support/skip.ts";
import { isWindows } from "../../support/os.ts";

/** On Windows it says so before it asks for a permission, or looks at its address. */
const needsReusePort = (name: string) =>
  skipIf(isWindows && name === "workers", "Windows has no SO_REUSEPORT");

const WORKERS = { flags: ["--allow-ffi", "--allow-read=."] };
const PROGRAMS = {
  echo: { mistakes: ["--backend nonsense", "--verbose=yes", "extra"] },
  echo_client: { mistakes: ["--verbose"] },
  chat: { mistakes: ["--idle 0", "--idle 1.5", "--idle soon", "extra"] },
  workers: { mistakes: ["--workers 0", "--workers 1025", "--workers two", "extra"] },
};
const MISTAKES = ["--nonsense", "--port", "--port x", "--port 65536", "--port=-1", "--port=", "-x"];

for (const [name, { mistakes }] of Object.entries(PROGRAMS)) {
  Deno.test(`${name}.ts --help prints the usage and exits with 0, without any permission`, async () => {
    const { code, stdout, stderr } = await runExample(name, ["--help"], { flags: [] });
    assertEquals([code, stderr], [0, ""]);
    assertMatch(stdout, new RegExp(`^Usage: ${name}\\.ts \\[OPTIONS\\]`));
    for (const option of ["--hostname HOST", "--port PORT", "--help"]) {
      assertStringIncludes(stdout, `\n  ${option} `);
    }
  });

  Deno.test(`${name}.ts exits with 2 and says why when an option is wrong`, async () => {
    for (const mistake of [...mistakes, ...MISTAKES]) {
      const { code, stdout, stderr } = await runExample(name, mistake.split(" "), WORKERS);
      assertEquals([mistake, code, stdout], [mistake, 2, ""]);
      assertMatch(stderr, new RegExp(`^${name}\\.ts: [A-Z]`));
      assertEquals(stderr.includes("    at "), false, stderr);
    }
  });

  Deno.test(
    `${name}.ts exits with 1 and names the flag when it has no permission`,
    needsReusePort(name),
    async () => {
      const { code, stdout, stderr } = await runExample(name, ["--port", "0"], { flags: [] });
      assertEquals([code, stdout], [1, ""]);
      assertMatch(stderr, new RegExp(`^${name}\\.ts: Cannot open libc .*--allow-ffi`));
    },
  );
}

for (const name of ["echo", "chat", "workers"]) {
  Deno.test(
    `${name}.ts exits with 1 and says so when the port is in use`,
    needsReusePort(name),
    async () => {
      using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const { port } = taken.addr;
      const { code, stdout, stderr } = await runExample(name, ["--port", `${port}`], WORKERS);
      assertEquals([code, stdout], [1, ""]);
      assertMatch(
        stderr,
        new RegExp(`^${name}\\.ts: Cannot bind .*127.0.0.1:${port}.*\\(EADDRINUSE\\)`),
      );
    },
  );

  Deno.test(
    `${name}.ts exits with 1 and says so when the address is not this machine's`,
    needsReusePort(name),
    async () => {
      const { code, stderr } = await runExample(name, ["--hostname", "192.0.2.1"], WORKERS);
      assertEquals(code, 1);
      assertMatch(stderr, new RegExp(`^${name}\\.ts: Cannot bind .*EADDRNOTAVAIL`));
    },
  );
}

Deno.test("format() writes an address as a person would", () => {
  assertEquals(format({ hostname: "127.0.0.1", port: 1234 }), "127.0.0.1:1234");
  assertEquals(format({ hostname: "::1", port: 1234 }), "[::1]:1234");
  assertEquals(format({ path: "/run/echo.sock" }), "/run/echo.sock");
});
