import { assert, assertEquals, assertGreater } from "@std/assert";
import {
  FileDescriptor,
  IN_ALL_EVENTS,
  IN_ATTRIB,
  IN_CLOSE_NOWRITE,
  IN_CLOSE_WRITE,
  IN_CREATE,
  IN_DELETE,
  IN_DELETE_SELF,
  IN_IGNORED,
  IN_ISDIR,
  IN_MASK_ADD,
  IN_MODIFY,
  IN_MOVE_SELF,
  IN_MOVED_FROM,
  IN_MOVED_TO,
  IN_ONESHOT,
  IN_ONLYDIR,
  IN_OPEN,
  IN_Q_OVERFLOW,
  InotifyDescriptor,
  type InotifyEvent,
} from "../../../ffi/fd/mod.ts";
import { BORN, Descriptor, descriptorFlags } from "../../support/descriptors.ts";
import { COUNT_DESCRIPTORS, runProgram } from "../../support/subprocess.ts";
import { untilReadable } from "../../support/sockets.ts";
import { type ErrorCase, testErrors } from "../../support/error_cases.ts";
import { linuxOnly } from "../../support/skip.ts";

function test(name: string, fn: () => void | Promise<void>): void {
  Deno.test({ name, ...linuxOnly, fn });
}

/** A directory and its watcher, removed at the end of a `using` block. */
class Watched implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "inotify_" });
  readonly inotify = new InotifyDescriptor();

  /** Reads all pending events. */
  read(): InotifyEvent[] {
    const events: InotifyEvent[] = [];
    for (let more; (more = this.inotify.readEvents()).length > 0;) events.push(...more);
    return events;
  }

  [Symbol.dispose](): void {
    this.inotify.close();
    Deno.removeSync(this.path, { recursive: true });
  }
}

function watching(call: (inotify: InotifyDescriptor, path: string) => unknown): () => unknown {
  return () => {
    using watched = new Watched();
    return call(watched.inotify, watched.path);
  };
}

function closed(): InotifyDescriptor {
  const inotify = new InotifyDescriptor();
  inotify.close();
  return inotify;
}

export const errorCases: readonly ErrorCase[] = [
  {
    name: "InotifyDescriptor.watch() throws TypeError when the path is not a string",
    error: TypeError,
    message: /^Cannot watch a path: it must be a string, received /,
    calls: [undefined, null, 3, new URL("file:///tmp")].map((path) =>
      watching((inotify) => inotify.watch(path as never, IN_CREATE))
    ),
  },
  {
    name: "InotifyDescriptor.watch() throws RangeError when the path contains a NUL",
    error: RangeError,
    message: /^Cannot watch a path: it must not contain a NUL$/,
    calls: [watching((inotify, path) => inotify.watch(`${path}\0x`, IN_CREATE))],
  },
  {
    name: "InotifyDescriptor.watch() throws RangeError when the mask is 0 or not a 32-bit integer",
    error: RangeError,
    message: /^Cannot watch .+: the mask must (be a 32-bit integer, received .+|not be 0)$/,
    calls: [0, 1.5, NaN, 2 ** 32, -(2 ** 31) - 1, "1", 1n, undefined].map((mask) =>
      watching((inotify, path) => inotify.watch(path, mask as never))
    ),
  },
  {
    name: "InotifyDescriptor.watch() throws OSError when there is no such file",
    error: ["ENOENT", "inotify_add_watch"],
    message: /^Cannot watch .+\/missing with fd \d+: /,
    calls: [watching((inotify, path) => inotify.watch(`${path}/missing`, IN_CREATE))],
  },
  {
    name:
      "InotifyDescriptor.watch() throws OSError with IN_ONLYDIR when the file is not a directory",
    error: ["ENOTDIR", "inotify_add_watch"],
    message: /^Cannot watch /,
    calls: [watching((inotify, path) => {
      Deno.writeTextFileSync(`${path}/file`, "");
      inotify.watch(`${path}/file`, IN_MODIFY | IN_ONLYDIR);
    })],
  },
  {
    name: "InotifyDescriptor.watch() throws OSError when it is closed",
    error: ["EBADF", "inotify_add_watch"],
    message: /^Cannot watch \/tmp with a closed descriptor: /,
    calls: [() => closed().watch("/tmp", IN_CREATE)],
  },
  {
    name: "InotifyDescriptor.unwatch() throws RangeError when the watch is not a 32-bit integer",
    error: RangeError,
    message:
      /^Cannot remove a watch: it must be an integer from -2147483648 to 2147483647, received /,
    calls: [1.5, NaN, 2 ** 31, "1", null].map((wd) =>
      watching((inotify) => inotify.unwatch(wd as never))
    ),
  },
  {
    name: "InotifyDescriptor.unwatch() throws OSError when there is no such watch",
    error: ["EINVAL", "inotify_rm_watch"],
    message: /^Cannot remove watch 77 from fd \d+: /,
    calls: [watching((inotify) => inotify.unwatch(77))],
  },
  {
    name: "InotifyDescriptor.readEvents() throws OSError when it is closed",
    error: ["EBADF", "read"],
    message: /^Cannot read from a closed descriptor: /,
    calls: [() => closed().readEvents()],
  },
  {
    name: "InotifyDescriptor.read() throws OSError when the buffer is too small",
    error: ["EINVAL", "read"],
    message: /^Cannot read from fd \d+: /,
    calls: [watching((inotify, path) => {
      inotify.watch(path, IN_CREATE);
      Deno.writeTextFileSync(`${path}/file`, "");
      inotify.read(new Uint8Array(16));
    })],
  },
];
testErrors(errorCases.map((errorCase) => ({ ...errorCase, ...linuxOnly })));

test("InotifyDescriptor() makes a descriptor, non-blocking and close-on-exec", () => {
  using inotify = new InotifyDescriptor();
  assert(inotify instanceof FileDescriptor);
  assertEquals(descriptorFlags(inotify.fileno()), BORN);
  assertEquals(inotify.readEvents(), []);
});

test("InotifyDescriptor.readEvents() returns what happened in a directory, in order", () => {
  using watched = new Watched();
  const wd = watched.inotify.watch(watched.path, IN_CREATE | IN_CLOSE_WRITE | IN_DELETE);
  Deno.writeTextFileSync(`${watched.path}/Zürich 🏔`, "a");
  Deno.mkdirSync(`${watched.path}/directory`);
  Deno.removeSync(`${watched.path}/Zürich 🏔`);
  untilReadable(watched.inotify);
  assertEquals(watched.read(), [
    { wd, mask: IN_CREATE, cookie: 0, name: "Zürich 🏔" },
    { wd, mask: IN_CLOSE_WRITE, cookie: 0, name: "Zürich 🏔" },
    { wd, mask: IN_CREATE | IN_ISDIR, cookie: 0, name: "directory" },
    { wd, mask: IN_DELETE, cookie: 0, name: "Zürich 🏔" },
  ]);
});

test("InotifyDescriptor.readEvents() returns both events of a rename with the same cookie", () => {
  using watched = new Watched();
  Deno.writeTextFileSync(`${watched.path}/old`, "");
  const wd = watched.inotify.watch(watched.path, IN_MOVED_FROM | IN_MOVED_TO);
  Deno.renameSync(`${watched.path}/old`, `${watched.path}/new`);
  const [from, to] = watched.read();
  assert(from !== undefined && to !== undefined);
  assertEquals([from.wd, from.mask, from.name], [wd, IN_MOVED_FROM, "old"]);
  assertEquals([to.wd, to.mask, to.name], [wd, IN_MOVED_TO, "new"]);
  assertGreater(from.cookie, 0);
  assertEquals(to.cookie, from.cookie);
});

test("InotifyDescriptor.readEvents() returns a watched file's own events without a name", () => {
  using watched = new Watched();
  const path = `${watched.path}/file`;
  Deno.writeTextFileSync(path, "");
  const mask = IN_MODIFY | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF;
  const wd = watched.inotify.watch(path, mask);
  Deno.writeTextFileSync(path, "a");
  Deno.renameSync(path, `${path}2`);
  Deno.chmodSync(`${path}2`, 0o600);
  Deno.removeSync(`${path}2`);
  const events = watched.read();
  assertEquals(
    events.map((event) => event.mask),
    [IN_MODIFY, IN_MOVE_SELF, IN_ATTRIB, IN_DELETE_SELF, IN_IGNORED],
  );
  assert(events.every((event) => event.wd === wd && event.name === ""));
});

test("InotifyDescriptor.readEvents() reads names of 255 bytes and thousands of events", () => {
  using watched = new Watched();
  watched.inotify.watch(watched.path, IN_CREATE | IN_DELETE);
  const names = Array.from({ length: 1000 }, (_, i) => `${i}`.padEnd(255, "x"));
  for (const name of names) {
    Deno.writeTextFileSync(`${watched.path}/${name}`, "");
    Deno.removeSync(`${watched.path}/${name}`);
  }
  assertEquals(watched.read().map((event) => event.name), names.flatMap((name) => [name, name]));
});

test("InotifyDescriptor.readEvents() decodes bytes that are not UTF-8 as U+FFFD", () => {
  using watched = new Watched();
  watched.inotify.watch(watched.path, IN_CREATE);
  new Deno.Command("sh", { args: ["-c", `touch "$1/$(printf 'a\\377b')"`, "sh", watched.path] })
    .outputSync();
  assertEquals(watched.read().map((event) => event.name), ["a\ufffdb"]);
});

test("InotifyDescriptor.readEvents() keeps a byte order mark at the beginning of a name", () => {
  using watched = new Watched();
  watched.inotify.watch(watched.path, IN_CREATE);
  Deno.writeTextFileSync(`${watched.path}/\ufeffname`, "");
  assertEquals(watched.read().map((event) => event.name), ["\ufeffname"]);
});

test("InotifyDescriptor.readEvents() reports that the kernel dropped events", () => {
  using watched = new Watched();
  const room = Number(Deno.readTextFileSync("/proc/sys/fs/inotify/max_queued_events"));
  watched.inotify.watch(watched.path, IN_OPEN | IN_CLOSE_NOWRITE);
  for (let i = 0; i < room; i++) Descriptor.open(watched.path).close();
  const events = watched.read();
  // Another process may open the directory while this one reads.
  assertEquals(events[room], { wd: -1, mask: IN_Q_OVERFLOW, cookie: 0, name: "" });
});

test("InotifyDescriptor.watch() replaces the mask of a watched path, or adds to it", () => {
  using watched = new Watched();
  const { inotify, path } = watched;
  const wd = inotify.watch(path, IN_CREATE);
  assertEquals(inotify.watch(path, IN_DELETE), wd);
  Deno.writeTextFileSync(`${path}/a`, "");
  assertEquals(watched.read(), []);
  assertEquals(inotify.watch(path, IN_CREATE | IN_MASK_ADD), wd);
  Deno.removeSync(`${path}/a`);
  Deno.writeTextFileSync(`${path}/b`, "");
  assertEquals(watched.read().map((event) => event.mask), [IN_DELETE, IN_CREATE]);
});

test("InotifyDescriptor.watch() takes a mask with the highest bit", () => {
  using watched = new Watched();
  for (const mask of [IN_ONESHOT + IN_CREATE, IN_ONESHOT | IN_CREATE]) {
    watched.inotify.watch(watched.path, mask);
    Deno.writeTextFileSync(`${watched.path}/${mask}`, "");
    Deno.writeTextFileSync(`${watched.path}/${mask}2`, "");
    assertEquals(watched.read().map((event) => event.mask), [IN_CREATE, IN_IGNORED]);
  }
});

test("InotifyDescriptor.unwatch() removes a watch, whose last event follows", () => {
  using watched = new Watched();
  const wd = watched.inotify.watch(watched.path, IN_ALL_EVENTS);
  watched.inotify.unwatch(wd);
  Deno.writeTextFileSync(`${watched.path}/a`, "");
  assertEquals(watched.read(), [{ wd, mask: IN_IGNORED, cookie: 0, name: "" }]);
});

test("InotifyDescriptor, TimerDescriptor and EventDescriptor leave nothing open", async () => {
  const { stdout, stderr } = await runProgram(`
    ${COUNT_DESCRIPTORS}
    const use = () => {
      using inotify = new descriptors.InotifyDescriptor();
      try { inotify.watch("/missing", 1); } catch {}
      try { new descriptors.EventDescriptor({ initial: -1 }); } catch {}
      using timer = new descriptors.TimerDescriptor();
      using event = new descriptors.EventDescriptor();
    };
    use();
    const before = countDescriptors();
    for (let i = 0; i < 50; i++) use();
    console.log(countDescriptors() - before);
  `);
  assertEquals([stdout, stderr], ["0", ""]);
});
