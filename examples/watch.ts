/**
 * Watches files and folders, prints their changes, and can run a command after each.
 *
 * It shows several kinds of descriptors in one selector, each with the function to call as its
 * data: file changes (inotify), timers (timerfd) that wait until a burst of changes is over, and
 * the end of a process (pidfd). Signals come from Deno's own listener, which aborts the
 * asynchronous wait: a descriptor for signals does not see those sent to the process, as some of
 * Deno's threads do not block them.
 *
 *     deno run --allow-ffi examples/watch.ts src -- make
 *
 * It needs Linux.
 *
 * @module
 */

import { DefaultSelector, EVENT_READ, OSError } from "@readiness/selectors";
import {
  IN_ATTRIB,
  IN_CLOSE_WRITE,
  IN_CREATE,
  IN_DELETE,
  IN_DELETE_SELF,
  IN_IGNORED,
  IN_ISDIR,
  IN_MODIFY,
  IN_MOVE_SELF,
  IN_MOVED_FROM,
  IN_MOVED_TO,
  IN_Q_OVERFLOW,
  InotifyDescriptor,
  type InotifyEvent,
  ProcessDescriptor,
  TimerDescriptor,
} from "@readiness/selectors/fd";
import {
  exitWith,
  interruption,
  parseCommandLine,
  parseInteger,
  run,
} from "./support/command_line.ts";
import { print, printable } from "./support/output.ts";

const USAGE = `Usage: watch.ts [OPTIONS] PATH... [-- COMMAND [ARGUMENT...]]

Prints changes of files and in folders, but not in their subfolders. Runs the command, if there is
one, after a change, and prints how it ended; a command that changes watched files runs again and
again. Runs until it is interrupted (Ctrl-C); exits with 1 when nothing is left to watch.

Options:
  --settle MS  run the command when nothing has changed for this long (100)
  --every MS   also run the command at this interval, whether or not something has changed
  -h, --help   show this and exit`;

/** The names of the changes. Reading is not one, or a command that reads would run itself again. */
const NAMES = new Map([
  [IN_CREATE, "created"],
  [IN_MODIFY, "modified"],
  [IN_CLOSE_WRITE, "written"],
  [IN_ATTRIB, "attributes of"],
  [IN_MOVED_FROM, "moved from"],
  [IN_MOVED_TO, "moved to"],
  [IN_DELETE, "deleted"],
  [IN_DELETE_SELF, "deleted"],
  [IN_MOVE_SELF, "moved"],
]);
const CHANGES = [...NAMES.keys()].reduce((mask, bit) => mask | bit);

run(async () => {
  const separator = Deno.args.indexOf("--");
  const command = separator < 0 ? [] : Deno.args.slice(separator + 1);
  const { values: options, positionals } = parseCommandLine(USAGE, {
    settle: { type: "string", default: "100" },
    every: { type: "string" },
  }, true);
  const paths = positionals.slice(0, positionals.length - command.length);
  if (paths.length === 0) exitWith(2, "There must be a path", USAGE);
  if (separator >= 0 && command.length === 0) {
    exitWith(2, "There must be a command after --", USAGE);
  }
  const settle = parseInteger("time to settle", options.settle, 0, 3_600_000);
  const every = options.every === undefined
    ? 0
    : parseInteger("interval", options.every, 1, 1_000_000_000);

  const interrupted = interruption();
  using selector = new DefaultSelector<() => void>();
  using files = new InotifyDescriptor();
  using settled = new TimerDescriptor();
  using beat = new TimerDescriptor();
  const watches = new Map<number, string>();
  let child: ProcessDescriptor | undefined;
  let isDue = false;

  for (const path of paths) watch(path);
  selector.register(files, EVENT_READ, showChanges);
  selector.register(settled, EVENT_READ, () => {
    if (settled.readExpirations() !== null) start();
  });
  selector.register(beat, EVENT_READ, () => {
    if (beat.readExpirations() !== null) start();
  });
  if (every > 0) beat.start(every, every);
  print(`watching ${printable([...watches.values()].join(", "))}`);
  try {
    while (watches.size > 0) {
      const ready = await selector.selectAsync(null, { signal: interrupted });
      for (const [key] of ready) key.data();
    }
  } catch (error) {
    if (!interrupted.aborted) throw error;
  } finally {
    stop();
  }
  if (watches.size === 0) exitWith(1, "There is nothing left to watch");

  function watch(path: string): void {
    watches.set(files.watch(path, CHANGES), path);
  }

  function showChanges(): void {
    for (const event of files.readEvents()) {
      if ((event.mask & IN_Q_OVERFLOW) !== 0) print("overflow: some changes were dropped");
      const path = watches.get(event.wd);
      if (path !== undefined) showChange(event, path);
      settled.start(settle);
    }
  }

  function showChange({ wd, mask, name }: InotifyEvent, path: string): void {
    const full = name === "" ? path : `${path.replace(/\/+$/, "")}/${name}`;
    for (const [bit, what] of NAMES) {
      const slash = (mask & IN_ISDIR) !== 0 ? "/" : "";
      if ((mask & bit) !== 0) print(`${what} ${printable(full)}${slash}`);
    }
    if ((mask & IN_IGNORED) !== 0) watches.delete(wd);
    if ((mask & IN_MOVE_SELF) !== 0) files.unwatch(wd);
    // Editors replace the file with a new one, so the path is watched again.
    if ((mask & (IN_IGNORED | IN_MOVE_SELF)) !== 0) {
      try {
        watch(path);
      } catch (error) {
        if (!(error instanceof OSError) || error.code !== "ENOENT") throw error;
        print(`gone ${printable(path)}`);
      }
    }
  }

  /** Runs the command, or runs it again when it ends if it is running already. */
  function start(): void {
    if (command.length === 0) return;
    isDue = child !== undefined;
    if (isDue) return;
    child = ProcessDescriptor.spawn(command[0], command.slice(1));
    selector.register(child, EVENT_READ, finish);
  }

  function finish(): void {
    const status = child!.wait();
    if (status === null) return;
    const { code, signal } = status;
    print(signal === null ? `ended with ${code}` : `ended by ${signal}`);
    selector.unregister(child!);
    child!.close();
    child = undefined;
    if (isDue) start();
  }

  /** Ends the command if it is running, and waits for its end. */
  function stop(): void {
    isDue = false;
    for (child?.sendSignal("SIGTERM"); child !== undefined;) {
      for (const [key] of selector.select()) if (key.fileobj === child) finish();
    }
  }
});
