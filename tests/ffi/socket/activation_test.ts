import { assertEquals, assertMatch } from "@std/assert";
import { runProgram } from "../../support/subprocess.ts";
import { linuxOnly } from "../../support/skip.ts";

const ROOT = new URL("../../../", import.meta.url);

/** Prints the passed descriptors, then what is left of the variables. */
const PROGRAM = `
  import { FileDescriptor, listenFds, Socket } from "${ROOT}ffi/socket/mod.ts";
  const flags = (fd) => {
    const text = Deno.readTextFileSync("/proc/self/fdinfo/" + fd);
    const bits = parseInt(/flags:\\s*(\\d+)/.exec(text)[1], 8);
    return (bits & 0o4000 ? "N" : "-") + (bits & 0o2000000 ? "C" : "-");
  };
  try {
    for (const { name, descriptor } of listenFds()) {
      const kind = descriptor instanceof Socket ? "Socket" : "FileDescriptor";
      console.log(name, kind, descriptor.fileno(), flags(descriptor.fileno()));
    }
  } catch (error) {
    console.log(error.name + ": " + error.message);
  }
  const left = ["FDS", "PID", "FDNAMES"].map((name) => Deno.env.get("LISTEN_" + name));
  const open = [...Deno.readDirSync("/proc/self/fd")].map(({ name }) => {
    try { return Deno.readLinkSync("/proc/self/fd/" + name); } catch {}
  });
  console.log("open", open.includes("/dev/zero") || open.includes("/dev/full"));
  console.log("left", JSON.stringify(left), listenFds().length);
`;

/** Whether one of the descriptors of the last run was still open at its end. */
let passedStillOpen = false;

/** Runs the program with descriptors from 3 up. A shell opens them and knows its LISTEN_PID. */
async function run(variables: string, redirections = ""): Promise<string[]> {
  const script = `exec env ${variables} "$0" eval --no-config "$1" ${redirections}`;
  const { stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", script, Deno.execPath(), PROGRAM],
    env: { NO_COLOR: "1" },
  }).output();
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  assertEquals(new TextDecoder().decode(stderr), "");
  assertEquals(lines.pop(), "left [null,null,null] 0");
  passedStillOpen = lines.pop() === "open true";
  return lines;
}

Deno.test({
  name: "listenFds() returns none without the variables",
  ...linuxOnly,
  async fn() {
    for (const variables of ["A=1", "LISTEN_FDS=1", "LISTEN_PID=$$", "LISTEN_FDNAMES=a"]) {
      assertEquals(await run(variables, "3</dev/null"), []);
    }
  },
});

Deno.test({
  name:
    "listenFds() returns the passed descriptors with their names, non-blocking and close-on-exec",
  ...linuxOnly,
  async fn() {
    assertEquals(
      await run(
        "LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=one:two LISTEN_PIDFDID=5",
        "3</dev/zero 4</dev/zero",
      ),
      ["one FileDescriptor 3 NC", "two FileDescriptor 4 NC"],
    );
    assertEquals(
      await run("LISTEN_PID=$$ LISTEN_FDS=1", "3</dev/zero"),
      ["unknown FileDescriptor 3 NC"],
    );
    assertEquals(await run("LISTEN_PID=$$ LISTEN_FDS=0 LISTEN_FDNAMES="), []);
  },
});

Deno.test({
  name: "listenFds() returns none that are for another process, and removes the variables",
  ...linuxOnly,
  async fn() {
    assertEquals(await run("LISTEN_PID=1 LISTEN_FDS=1", "3</dev/zero"), []);
  },
});

Deno.test({
  name: "listenFds() throws RangeError when a variable is wrong",
  ...linuxOnly,
  async fn() {
    for (
      const [variables, message] of [
        ["LISTEN_PID=$$ LISTEN_FDS=one", /^RangeError: .*LISTEN_FDS must be an integer from 0 to /],
        ["LISTEN_PID=$$ LISTEN_FDS=-1", /^RangeError: .*LISTEN_FDS .* received "-1"$/],
        ["LISTEN_PID=$$ LISTEN_FDS=", /^RangeError: .*LISTEN_FDS .* received ""$/],
        ["LISTEN_PID=$$ LISTEN_FDS=99999", /^RangeError: .*LISTEN_FDS /],
        ["LISTEN_PID=me LISTEN_FDS=1", /^RangeError: .*LISTEN_PID .* received "me"$/],
        [
          "LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=a:b",
          /^RangeError: .*LISTEN_FDS is 1, but LISTEN_FDNAMES has 2 names$/,
        ],
      ] as const
    ) assertMatch((await run(variables, "3</dev/zero")).join("\n"), message, variables);
  },
});

Deno.test({
  name: "listenFds() throws when a descriptor is not open, or Deno's own",
  ...linuxOnly,
  async fn() {
    const [error] = await run("LISTEN_PID=$$ LISTEN_FDS=60000", "3</dev/zero");
    assertMatch(error, /^BadResource: Cannot take over fd \d+: it is Deno's own, so LISTEN_FDS /);
    const { stdout } = await runProgram(
      `Deno.env.set("LISTEN_PID", String(Deno.pid)); Deno.env.set("LISTEN_FDS", "5000");
      try { sockets.listenFds(); } catch (error) { console.log(error.message); }`,
    );
    assertMatch(stdout, /^Cannot take over fd \d+: /);
  },
});

Deno.test({
  name: "listenFds() closes the passed descriptors when it fails",
  ...linuxOnly,
  async fn() {
    for (
      const variables of [
        "LISTEN_FDS=2 LISTEN_FDNAMES=one", // Too few names.
        "LISTEN_FDS=60000", // Some of them are Deno's own, and some not open.
        "LISTEN_FDS=3", // The third is not open, or Deno's own.
      ]
    ) {
      const lines = await run(`LISTEN_PID=$$ ${variables}`, "3</dev/zero 4</dev/full");
      assertEquals(lines.length, 1, lines.join());
      assertEquals(passedStillOpen, false, variables);
    }
    assertEquals(await run("LISTEN_PID=$$ LISTEN_FDS=1", "3</dev/zero 4</dev/full"), [
      "unknown FileDescriptor 3 NC",
    ]);
    assertEquals(passedStillOpen, true);
  },
});

Deno.test({
  name: "listenFds() needs no permission for the environment",
  ...linuxOnly,
  async fn() {
    const { stdout, stderr } = await runProgram(
      `console.log(sockets.listenFds().length)`,
      ["--allow-ffi"],
      { LISTEN_FDS: "1", LISTEN_PID: "1" },
    );
    assertEquals([stdout, stderr], ["0", ""]);
  },
});
