import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { needsProgram, skipIf } from "../support/skip.ts";
import { isQemu } from "../support/os.ts";

const MAIN = new URL("../../bench/main.ts", import.meta.url).pathname;

async function bench(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-lock", "--allow-all", MAIN, ...args],
    env: { NO_COLOR: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

Deno.test({
  name: "bench --quick --only dispatch measures every peer and writes the results",
  ...skipIf(isQemu, "qemu ends the process at a select() of more than 1,024 bits"),
  ...needsProgram("cc"),
  async fn() {
    const folder = await Deno.makeTempDir();
    const { code, stdout, stderr } = await bench(
      ...["--quick", "--only", "dispatch", "--rounds", "1", "--no-pictures", "--out", folder],
    );
    assertEquals(code, 0, stderr);
    assertStringIncludes(stdout, "epoll, 1 of 1 ");
    const { date, machine, versions, sections } = JSON.parse(
      await Deno.readTextFile(`${folder}/results.json`),
    );
    assert(date && machine.cpu && versions.readiness && versions.c);
    for (const { peers } of sections[0].works) {
      for (const { cpu } of [peers.readiness, peers.c]) {
        assertEquals(cpu.length, 1);
        assert(cpu[0] > 0);
      }
    }
    await Deno.remove(folder, { recursive: true });
  },
});

Deno.test("bench --help tells how to run it", async () => {
  const { code, stdout } = await bench("--help");
  assertEquals(code, 0);
  assertStringIncludes(stdout, "--only SECTION");
});

for (
  const [name, args, complaint] of [
    ["an unknown section", ["--only", "nothing"], "There is no section nothing"],
    ["an unknown option", ["--fast"], "--fast"],
    ["a wrong number of rounds", ["--rounds", "0"], "received 0"],
  ] as const
) {
  Deno.test(`bench refuses ${name} and shows how to run it`, async () => {
    const { code, stderr } = await bench(...args);
    assertEquals(code, 2);
    assertStringIncludes(stderr, complaint);
    assertStringIncludes(stderr, "Usage: deno task bench");
  });
}
