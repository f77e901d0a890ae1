import { assertEquals } from "@std/assert";
import { fakeLibrary, needsFakes } from "../support/fake_library.ts";
import { isQemu } from "../support/os.ts";

/** How many sequences of steps are tried. */
const RUNS = isQemu ? 10 : 100;

const ROOT = new URL("../../", import.meta.url);
const WAITS = ["epoll_wait", "epoll_pwait2", "poll", "ppoll", "select", "pselect"];

/** Rules for tests/fakes/faulty_libc.c. */
const FAULTS = {
  "calls are interrupted": [...WAITS, "read", "write"].map((call) => `${call}=EINTR/3`),
  "waits fail": WAITS.map((call) => `${call}=ENOMEM/5`),
  "nothing more can be watched": ["epoll_ctl=ENOSPC/9"],
  "memory and descriptors run out": [
    "epoll_ctl=ENOMEM/5",
    ...["epoll_create1", "dup3", "eventfd"].map((call) => `${call}=EMFILE/3`),
  ],
};

for (const name of ["EpollSelector", "PollSelector", "SelectSelector"]) {
  for (const [what, rules] of Object.entries(FAULTS)) {
    Deno.test({
      name: `${name} does what the model predicts when ${what}`,
      ...needsFakes,
      async fn() {
        const seed = `${Math.trunc(Math.random() * 2 ** 31)}`;
        const { code, stderr } = await new Deno.Command(Deno.execPath(), {
          args: [
            ...["run", "--quiet", "--no-lock", "--no-check", "--allow-all"],
            ...["tests/backends/faulty_model.ts", name, `${RUNS}`],
          ],
          cwd: ROOT,
          env: {
            FAULTY_LIBC: fakeLibrary("faulty_libc"),
            FAULTS: rules.join(" "),
            FAULT_SEED: seed,
            NO_COLOR: "1",
          },
        }).output();
        assertEquals([new TextDecoder().decode(stderr), code], ["", 0], `FAULT_SEED is ${seed}`);
      },
    });
  }
}
