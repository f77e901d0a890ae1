import { assert, assertEquals, assertMatch } from "@std/assert";
import { Example, runExample } from "../support/example_process.ts";
import { runCommand } from "../support/command.ts";
import { until } from "../support/deadline.ts";
import { Lines } from "../support/lines.ts";
import { linuxOnly, needsProgram, type Skip, skipIf } from "../support/skip.ts";
import { libcPath } from "../support/platform.ts";
import { isQemu } from "../support/os.ts";
import { keepingPace } from "../support/pace.ts";
import { untilIdle } from "../support/usage.ts";
import { assertUsageErrors } from "./command_lines.ts";

function test(name: string, fn: () => Promise<void>, skip: Skip = {}): void {
  Deno.test({ name, ...linuxOnly, ...skip, fn });
}

/** A folder, removed at the end of a `using` block. */
class Folder implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "watch_" });

  write(name: string, text = ""): void {
    Deno.writeTextFileSync(`${this.path}/${name}`, text);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

const watch = (...args: string[]) => Example.start("watch", args);

Deno.test("watch.ts exits with 2 if the command line is wrong", async () => {
  const mistakes = ["", "/tmp --", "--every 0 /tmp", "--settle x /tmp", "-t 0 /tmp"];
  await assertUsageErrors("watch", mistakes);
});

test("watch.ts exits with 1 if a path is missing", async () => {
  const missing = await runExample("watch", ["/missing/path"]);
  assertEquals([missing.code, missing.stdout], [1, ""]);
  assertMatch(
    missing.stderr,
    /^watch\.ts: Cannot watch \/missing\/path with fd \d+: .*\(ENOENT\)\n$/,
  );
});

test("watch.ts prints changes, and exits with 0 at SIGINT and 143 at SIGTERM", async () => {
  for (const [signal, status] of [["SIGINT", 0], ["SIGTERM", 143]] as const) {
    using folder = new Folder();
    await using program = await watch(`${folder.path}/`);
    assertEquals(program.firstLine, `watching ${folder.path}/`);
    folder.write("a b", "text");
    await program.stdout.wait(`created ${folder.path}/a b`);
    await program.stdout.wait(`written ${folder.path}/a b`);
    Deno.renameSync(`${folder.path}/a b`, `${folder.path}/c`);
    await program.stdout.wait(`moved from ${folder.path}/a b`);
    await program.stdout.wait(`moved to ${folder.path}/c`);
    Deno.mkdirSync(`${folder.path}/d`);
    await program.stdout.wait(`created ${folder.path}/d/`);
    Deno.removeSync(`${folder.path}/c`);
    await program.stdout.wait(`deleted ${folder.path}/c`);
    const { code, stderr } = await program.stop(signal);
    assertEquals([code, stderr], [status, ""]);
  }
});

const RECURSIVE = { flags: ["--allow-ffi", "--allow-read"] };

test("watch.ts -r watches subfolders, including new and moved ones", async () => {
  using folder = new Folder();
  const { path } = folder;
  Deno.mkdirSync(`${path}/a/b`, { recursive: true });
  await using program = await Example.start("watch", ["-r", path], RECURSIVE);
  assertEquals(program.firstLine, `watching ${path}`);
  folder.write("a/b/old");
  await program.stdout.wait(`written ${path}/a/b/old`);
  Deno.mkdirSync(`${path}/a/c/d/e`, { recursive: true });
  await program.stdout.wait(`created ${path}/a/c/d/e/`);
  folder.write("a/c/d/e/new");
  await program.stdout.wait(/^(created|written) .*\/a\/c\/d\/e\/new$/);
  Deno.renameSync(`${path}/a`, `${path}/moved`);
  await program.stdout.wait(`moved to ${path}/moved/`);
  folder.write("moved/b/last");
  await program.stdout.wait(/^(created|written) .*\/moved\/b\/last$/);
  Deno.removeSync(`${path}/moved`, { recursive: true });
  await program.stdout.wait(`deleted ${path}/moved/`);
  // A folder that has been moved away is no longer watched.
  using elsewhere = new Folder();
  Deno.mkdirSync(`${path}/f`);
  await program.stdout.wait(`created ${path}/f/`);
  Deno.renameSync(`${path}/f`, `${elsewhere.path}/f`);
  await program.stdout.wait(`moved from ${path}/f/`);
  elsewhere.write("f/unseen");
  folder.write("end");
  await program.stdout.wait(`created ${path}/end`);
  assertEquals((await program.stop()).stdout.includes("unseen"), false);
});

test("watch.ts -r names the flag to add without permission to read folders", async () => {
  using folder = new Folder();
  const { code, stderr } = await runExample("watch", ["-r", folder.path], {
    flags: ["--allow-ffi", "--no-prompt"],
  });
  assertEquals(code, 1);
  assertMatch(stderr, /^watch\.ts: Requires read access .*--allow-read/);
});

test("watch.ts reports the changes that inotifywait reports", async () => {
  using folder = new Folder();
  const { path } = folder;
  Deno.mkdirSync(`${path}/sub`);
  const events = "create,modify,close_write,attrib,moved_from,moved_to,delete";
  const child = new Deno.Command("inotifywait", {
    args: ["-m", "-r", "-e", events, "--format", "%e %w%f", path],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const [theirs, status] = [new Lines(child.stdout), new Lines(child.stderr)];
  try {
    await status.wait(/Watches established/);
    await using program = await Example.start("watch", ["-r", path], RECURSIVE);
    folder.write("sub/file", "text");
    Deno.renameSync(`${path}/sub/file`, `${path}/file`);
    Deno.chmodSync(`${path}/file`, 0o600);
    Deno.removeSync(`${path}/file`);
    Deno.mkdirSync(`${path}/sub/new`);
    folder.write("end");
    await program.stdout.wait(`written ${path}/end`);
    await theirs.wait(`CLOSE_WRITE,CLOSE ${path}/end`);
    const { stdout } = await program.stop();
    const translated = theirs.text.replace(
      /^(\w+)(,ISDIR|,CLOSE)? (.*)$/gm,
      (_, event, kind, at) => `${INOTIFYWAIT[event]} ${at}${kind === ",ISDIR" ? "/" : ""}`,
    );
    assertEquals(stdout.replace(/^.*\n/, ""), translated);
  } finally {
    child.kill();
    await Promise.all([child.status, theirs.ended, status.ended]);
  }
}, needsProgram("inotifywait"));

/** The names that watch.ts has for the events of inotifywait. */
const INOTIFYWAIT: Record<string, string> = {
  ATTRIB: "attributes of",
  CLOSE_WRITE: "written",
  CREATE: "created",
  DELETE: "deleted",
  MODIFY: "modified",
  MOVED_FROM: "moved from",
  MOVED_TO: "moved to",
};

test("watch.ts -t exits with 2 after a time without a change, as inotifywait does", async () => {
  using folder = new Folder();
  const [ours, theirs] = await Promise.all([
    runExample("watch", ["-q", "-t", "0.5", folder.path]),
    runCommand(["inotifywait", "-q", "-t", "1", folder.path]),
  ]);
  assertEquals(ours, { code: 2, signal: null, stdout: "", stderr: "" });
  assertEquals(theirs.code, 2);
}, needsProgram("inotifywait"));

test("watch.ts -q prints only what the command prints and how it ended", async () => {
  using folder = new Folder();
  await using program = await Example.start(
    "watch",
    ["-q", "--every", "10", folder.path, "--", "echo", "it ran"],
  );
  folder.write("a");
  await program.stdout.wait("it ran");
  await program.stdout.wait("ended with 0");
  // The end of the program may end the command.
  const others = (await program.stop()).stdout.replace(
    /^(it ran|ended (with 0|by SIGTERM))\n/gm,
    "",
  );
  assertEquals(others, "");
});

test("watch.ts runs the command once after a burst, and prints how it ended", async () => {
  using folder = new Folder();
  await using program = await watch(folder.path, "--", "sh", "-c", "echo it ran; exit 3");
  program.kill("SIGSTOP"); // However long the burst takes here.
  for (let i = 0; i < 200; i++) folder.write(`${i}`);
  program.kill("SIGCONT");
  await program.stdout.wait("it ran");
  await program.stdout.wait("ended with 3");
  const { code, stdout } = await program.stop();
  assertEquals(code, 0);
  assertEquals(stdout.match(/it ran/g)?.length, 1);
  assertEquals(stdout.match(/^created /gm)?.length, 200);
});

test("watch.ts runs the command again if something changed while it ran", async () => {
  using folder = new Folder();
  using elsewhere = new Folder();
  await using program = await watch(
    "--settle",
    "1",
    folder.path,
    "--",
    "sh",
    "-c",
    `echo begun; until [ -e ${elsewhere.path}/go ]; do sleep 0.05; done; kill -USR1 $$`,
  );
  folder.write("a");
  await program.stdout.wait("begun");
  for (const name of ["b", "c"]) {
    folder.write(name);
    await program.stdout.wait(`written ${folder.path}/${name}`);
  }
  await untilIdle(program.pid); // It has seen that nothing changes any more.
  elsewhere.write("go");
  await program.stdout.wait("ended by SIGUSR1");
  await program.stdout.wait("begun");
  await program.stdout.wait("ended by SIGUSR1");
  const { stdout } = await program.stop();
  assertEquals(stdout.match(/begun/g)?.length, 2);
});

test("watch.ts --every runs the command at an interval", async () => {
  using folder = new Folder();
  await using program = await watch("--every", "20", folder.path, "--", "echo", "it ran");
  for (let i = 0; i < 3; i++) {
    await program.stdout.wait("it ran");
    await program.stdout.wait("ended with 0");
  }
});

test("watch.ts ends the command when it is ended", async () => {
  using folder = new Folder();
  await using program = await watch(
    "--settle=0",
    folder.path,
    "--",
    "sh",
    "-c",
    "echo $$; exec sleep 99",
  );
  folder.write("a");
  const pid = await program.stdout.wait(/^\d+$/);
  const { code, stdout } = await program.stop("SIGTERM");
  assertEquals(code, 143);
  assertMatch(stdout, /\nended by SIGTERM\n$/);
  assertEquals(await Deno.lstat(`/proc/${pid}`).catch(() => "gone"), "gone");
});

test("watch.ts goes on with the file that replaces a watched one", async () => {
  using folder = new Folder();
  folder.write("file");
  const path = `${folder.path}/file`;
  await using program = await watch(path, folder.path);
  for (const name of ["1", "2", "3"]) {
    folder.write(name, name);
    Deno.renameSync(`${folder.path}/${name}`, path);
    await program.stdout.wait(`moved to ${path}`);
    await program.stdout.wait(`deleted ${path}`);
    await program.stdout.wait(`created ${path}`);
  }
  Deno.writeTextFileSync(path, "more", { append: true });
  await program.stdout.wait(`modified ${path}`);
});

test("watch.ts exits with 1 if nothing is left to watch", async () => {
  using folder = new Folder();
  folder.write("file");
  await using program = await watch(`${folder.path}/file`);
  Deno.removeSync(`${folder.path}/file`);
  const { code, stdout, stderr } = await program.end();
  assertEquals([code, stderr], [1, "watch.ts: There is nothing left to watch\n"]);
  assertMatch(stdout, /\ngone .*\/file\n$/);
});

test("watch.ts exits with 1 if the command is missing", async () => {
  using folder = new Folder();
  await using program = await watch(folder.path, "--", "./no-such-command");
  folder.write("a");
  const { code, stderr } = await program.end();
  assertEquals(code, 1);
  assertMatch(stderr, /^watch\.ts: Cannot start \.\/no-such-command: .*\(ENOENT\)\n$/);
}, skipIf(isQemu, "qemu's child of posix_spawn() cannot report a failure"));

test("watch.ts needs no permission but --allow-ffi=<libc>", async () => {
  assert(libcPath !== undefined);
  using folder = new Folder();
  await using program = await Example.start("watch", [folder.path, "--", "echo", "it ran"], {
    flags: [`--allow-ffi=${libcPath}`],
  });
  folder.write("a");
  await program.stdout.wait("it ran");
});

Deno.test({
  name: "watch.ts goes on after vim has saved the only watched file",
  ...linuxOnly,
  ...needsProgram("vim"),
  async fn() {
    using folder = new Folder();
    folder.write("file", "text\n");
    const path = `${folder.path}/file`;
    await using program = await watch(path);
    for (let i = 0; i < 3; i++) {
      // In folders for temporary files vim would not rename the old file by default.
      const commands = ["set backupskip=", "normal Amore", "wq"].flatMap((line) => ["-c", line]);
      await runCommand(["vim", "-e", "-s", "-N", "-u", "NONE", "-i", "NONE", ...commands, path]);
      await program.stdout.wait(`moved ${path}`);
      await program.stdout.wait(`created ${path}`);
      Deno.writeTextFileSync(path, "more\n", { append: true });
      await program.stdout.wait(`written ${path}`);
    }
    assertEquals((await program.stop()).code, 0);
  },
});

test("watch.ts goes on with a file that is replaced a while after it has been moved", async () => {
  await keepingPace(800, async (step) => { // After a second it would be gone.
    using folder = new Folder();
    folder.write("file");
    const path = `${folder.path}/file`;
    await using program = await watch(path);
    step();
    Deno.renameSync(path, `${path}~`);
    await program.stdout.wait(`moved ${path}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
    folder.write("file", "new");
    step();
    await program.stdout.wait(`created ${path}`);
    Deno.removeSync(`${path}~`);
    Deno.writeTextFileSync(path, "more", { append: true });
    await program.stdout.wait(`modified ${path}`);
  });
});

test("watch.ts goes on when a file is moved and removed in one burst", async () => {
  using folder = new Folder();
  folder.write("file");
  folder.write("other");
  const path = `${folder.path}/file`;
  await using program = await watch(path, `${folder.path}/other`);
  program.kill("SIGSTOP");
  Deno.renameSync(path, `${path}~`);
  Deno.removeSync(`${path}~`);
  program.kill("SIGCONT");
  await program.stdout.wait(`gone ${path}`);
  folder.write("other", "text");
  await program.stdout.wait(`written ${folder.path}/other`);
  folder.write("file");
  assertEquals((await program.stop()).code, 0);
});

test("watch.ts watches all paths again after an overflow", async () => {
  using flooded = new Folder();
  using folder = new Folder();
  folder.write("file");
  const path = `${folder.path}/file`;
  const limit = Number(Deno.readTextFileSync("/proc/sys/fs/inotify/max_queued_events"));
  await using program = await watch(flooded.path, path);
  program.kill("SIGSTOP");
  // Creating and removing a file are three events: created, written, deleted.
  for (let i = 0; i * 3 <= limit; i++) {
    flooded.write("file");
    Deno.removeSync(`${flooded.path}/file`);
  }
  // These changes are lost.
  folder.write("new");
  Deno.renameSync(`${folder.path}/new`, path);
  program.kill("SIGCONT");
  await program.stdout.wait("overflow: some changes were lost");
  await program.stdout.wait(`watching ${flooded.path}, ${path}`);
  Deno.writeTextFileSync(path, "more", { append: true });
  await program.stdout.wait(`modified ${path}`);
  flooded.write("after");
  await program.stdout.wait(`created ${flooded.path}/after`);
});

for (const ending of ["SIGTERM", "the end of its reader"] as const) {
  test(`watch.ts ends the processes that the command started at ${ending}`, async () => {
    using folder = new Folder();
    const script = "sh -c 'sleep 99 & echo $! >&2; wait' & echo $! >&2; wait";
    const args = ["--settle", "0", folder.path, "--", "sh", "-c", script];
    const pipe = ["sh", "-c", '{ "$@"; echo "code $?" >&2; } | sed -u 3q', "sh"];
    await using program = await Example.start("watch", args, {
      through: (command) => ending === "SIGTERM" ? command : [...pipe, ...command],
    });
    folder.write("a");
    const pids = [await program.stderr.wait(/^\d+$/), await program.stderr.wait(/^\d+$/)];
    if (ending === "SIGTERM") assertEquals((await program.stop("SIGTERM")).code, 143);
    else {
      folder.write("b"); // The first three lines have been read.
      await program.stderr.wait("code 141");
    }
    for (const pid of pids) await until(() => !isRunning(pid), `process ${pid} has ended`);
  });
}

/** Whether a process is there that has not ended. */
function isRunning(pid: string): boolean {
  try {
    return !/^State:\s*Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}

test("watch.ts prints names without control characters", async () => {
  using folder = new Folder();
  await using program = await watch(folder.path);
  folder.write("a\x1b[2J\n\u009b2J");
  await program.stdout.wait(`created ${folder.path}/a\\x1b[2J\\x0a\\x9b2J`);
});
