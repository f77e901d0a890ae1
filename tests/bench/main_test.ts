import { linuxOnly } from "../support/skip.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { main } from "../../bench/main.ts";
import { isQemu } from "../support/os.ts";
import { needsProgram, skipIf } from "../support/skip.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** Runs the bench in this process. */
async function bench(...args: string[]) {
  const lines = { stdout: "", stderr: "" };
  const code = await main(args, {
    log: (text: string) => lines.stdout += `${text}\n`,
    error: (text: string) => lines.stderr += `${text}\n`,
  });
  return { code, ...lines };
}

Deno.test({
  name: "bench --quick --only dispatch measures every peer and writes the results",
  ...skipIf(isQemu, "qemu ends the process at a select() of more than 1,024 bits"),
  ...needsProgram("cc"),
  async fn() {
    const folder = await Deno.makeTempDir();
    const { code, stdout, stderr } = await bench(
      ...["--quick", "--only", "dispatch", "--rounds", "1", "--no-charts", "--out", folder],
    );
    assertEquals(code, 0, stderr);
    assertStringIncludes(stdout, "epoll, 1 of 1 ");
    const { date, machine, versions, sections } = JSON.parse(
      await Deno.readTextFile(`${folder}/results.json`),
    );
    assert(date && machine.cpu && versions.readiness && versions.c);
    assertEquals(sections[0].workloads.length, 9);
    for (const { peers } of sections[0].workloads) {
      for (const { cpu } of [peers.readiness, peers.c]) {
        assertEquals(cpu.length, 1);
        assert(cpu[0] > 0);
      }
    }
    await Deno.remove(folder, { recursive: true });
  },
});

Deno.test({
  name: "bench measures examples that are whole programs",
  ...linuxOnly,
  ...skipIf(isQemu, "the clients in C are for the machine, not for the emulated one"),
  ...needsProgram("cc"),
  async fn() {
    const { code, stdout, stderr } = await bench(
      ...["--quick", "--only", "proxy,portscan", "--rounds", "1", "--peers", "readiness,c"],
    );
    assertEquals(code, 0, stderr);
    assertMatch(stdout, /^one way +this package +\d/m);
    assertMatch(stdout, /^1,000 ports +this package +\d/m);
  },
});

Deno.test({
  name: "the programs in C compile without warnings",
  ...needsProgram("cc"),
  async fn() {
    const sources = ["bench/load", "bench/peers/c"].flatMap((folder) =>
      [...Deno.readDirSync(ROOT + folder)]
        .filter(({ name }) => name.endsWith(".c"))
        .map(({ name }) => `${ROOT}${folder}/${name}`)
    );
    assert(sources.length >= 7);
    const { success, stderr } = await new Deno.Command("cc", {
      args: ["-fsyntax-only", "-O2", "-Wall", "-Wextra", "-Werror", ...sources],
    }).output();
    assert(success, new TextDecoder().decode(stderr));
  },
});

Deno.test("bench --base compares with another checkout", linuxOnly, async () => {
  const { code, stdout } = await bench(
    ...["--base", ROOT, "--only", "registration", "--quick", "--rounds", "1"],
  );
  assertEquals(code, 0);
  const table = stdout.slice(stdout.indexOf("Registrations"));
  assertEquals(table.match(/^.* (?=this package|base)/gm)?.map((name) => name.trim()), [
    ...["register + unregister", "", "modify of events", "", "modify of data alone", ""],
  ]);
});

Deno.test("bench --help prints the usage", async () => {
  const { code, stdout } = await bench("--help");
  assertEquals(code, 0);
  assertStringIncludes(stdout, "--only SECTIONS");
});

for (
  const [name, args, complaint] of [
    ["an unknown section", ["--only", "dispatch,nothing"], "Unknown section: nothing"],
    ["an unknown peer", ["--peers", "nobody"], "Unknown peer: nobody"],
    ["an unknown option", ["--fast"], "--fast"],
    ["a number of rounds that is not positive", ["--rounds", "0"], "received 0"],
    ["a base that is not a checkout", ["--base", "/nowhere"], "received /nowhere"],
  ] as const
) {
  Deno.test(`bench refuses ${name} and prints the usage`, async () => {
    const { code, stderr } = await bench(...args);
    assertEquals(code, 2);
    assertStringIncludes(stderr, complaint);
    assertStringIncludes(stderr, "Usage: deno task bench");
  });
}

Deno.test("bench exits with the code of main()", async () => {
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-lock", "--allow-all", `${ROOT}bench/main.ts`, "--fast"],
    stderr: "null",
  }).output();
  assertEquals(code, 2);
});
