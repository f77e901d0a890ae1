import { assertEquals } from "@std/assert";
import { needsDup2 } from "../support/descriptors.ts";
import { isQemu } from "../support/os.ts";
import { backends } from "./modelled_backends.ts";

/** How many sequences of steps are tried; `deno task fuzz` tries more. */
const RUNS = isQemu ? 20 : 200;

for (const { name, skip } of backends) {
  Deno.test({
    name: `${name} does what the model predicts, whatever the steps`,
    ...needsDup2,
    ...skip,
    // In a process of its own: where others start programs, a closed file lives on in the child
    // until it runs the program, and epoll goes on watching it.
    async fn() {
      const { code, stderr } = await new Deno.Command(Deno.execPath(), {
        args: [
          ...["run", "--quiet", "--no-lock", "--no-check", "--allow-all"],
          ...["tests/backends/fuzz.ts", "--runs", `${RUNS}`, name],
        ],
        cwd: new URL("../../", import.meta.url),
        env: { NO_COLOR: "1" },
      }).output();
      assertEquals([new TextDecoder().decode(stderr), code], ["", 0]);
    },
  });
}
