/**
 * Sends messages between a server on Windows (`.ci/windows.sh`) and a client on Linux, and the
 * other way round, over loopback. Fails when the echo does not come back.
 *
 *     deno run --allow-all .ci/echo_between_systems.ts
 *
 * @module
 */

import { Example, type ExampleOptions, runExample } from "../tests/support/example_process.ts";

const systems: Readonly<Record<"Linux" | "Windows", ExampleOptions>> = {
  Linux: {},
  Windows: { through: ([_deno, ...args]) => [".ci/windows.sh", ...args] },
};
const words = ["across", "systems"];

for (const [on, from] of [["Windows", "Linux"], ["Linux", "Windows"]] as const) {
  await using server = await Example.start("echo", ["--port", "0"], systems[on]);
  const args = ["--port", `${server.port}`, ...words];
  const { code, stdout, stderr } = await runExample("echo_client", args, systems[from]);
  if (code !== 0 || stdout.trim().split(/\s+/).join() !== words.join()) {
    throw new Error(`No echo from ${on} to ${from}: ${stdout}${stderr}`);
  }
  console.log(`echo from ${on} to ${from}: ${server.firstLine.trim()}`);
}
Deno.exit();
