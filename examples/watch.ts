/**
 * Watches files and folders, prints what happens to them and, if told to, runs a command each time.
 *
 * What it shows: four kinds of things in one selector, each with the function to call as its data:
 * files (inotify), timers (timerfd) that wait until a burst of changes is over, and a program's end
 * (pidfd). Signals come by Deno's own listener, which ends the asynchronous wait: Linux's descriptor
 * for signals sees none of those sent to the process, as Deno has threads that do not block them.
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

const USAGE = `Usage: watch.ts [OPTIONS] PATH... [-- COMMAND [ARGUMENT...]]

Prints what happens to files and in folders, not in the folders below them. Runs the command, if
there is one, when something has changed, and prints how it ended; one that changes what is watched
is run again and again. Goes on until it is interrupted (Ctrl-C); ends with 1 when nothing is left
to watch.

Options:
  --settle MS  how long nothing may change before the command is run (100)
  --every MS   run the command so often, too, whether or not something has changed
  --help       show this and exit`;

/** What each bit is called. Reading is no change: a command that reads would run itself again. */
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
  if (paths.length === 0) exitWith(2, `There is nothing to watch\n\n${USAGE}`);
  if (separator >= 0 && command.length === 0) exitWith(2, `There is no command\n\n${USAGE}`);
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
  selector.register(files, EVENT_READ, tell);
  selector.register(settled, EVENT_READ, () => {
    if (settled.readExpirations() !== null) start();
  });
  selector.register(beat, EVENT_READ, () => {
    if (beat.readExpirations() !== null) start();
  });
  if (every > 0) beat.start(every, every);
  console.log(`watching ${[...watches.values()].join(", ")}`);
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

  function tell(): void {
    for (const event of files.readEvents()) {
      if ((event.mask & IN_Q_OVERFLOW) !== 0) console.log("overflow: some changes were dropped");
      const path = watches.get(event.wd);
      if (path !== undefined) tellOf(event, path);
      settled.start(settle);
    }
  }

  function tellOf({ wd, mask, name }: InotifyEvent, path: string): void {
    const full = name === "" ? path : `${path.replace(/\/+$/, "")}/${name}`;
    for (const [bit, what] of NAMES) {
      if ((mask & bit) !== 0) console.log(`${what} ${full}${(mask & IN_ISDIR) !== 0 ? "/" : ""}`);
    }
    if ((mask & IN_IGNORED) !== 0) watches.delete(wd);
    if ((mask & IN_MOVE_SELF) !== 0) files.unwatch(wd);
    // Editors put a new file in the place of the old one: it is the path that is watched.
    if ((mask & (IN_IGNORED | IN_MOVE_SELF)) !== 0) {
      try {
        watch(path);
      } catch (error) {
        if (!(error instanceof OSError) || error.code !== "ENOENT") throw error;
        console.log(`gone ${path}`);
      }
    }
  }

  /** Runs the command; if it runs already, once more after that. */
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
    console.log(signal === null ? `ended with ${code}` : `ended by ${signal}`);
    selector.unregister(child!);
    child!.close();
    child = undefined;
    if (isDue) start();
  }

  /** Ends the command, if it runs, and waits for it. */
  function stop(): void {
    isDue = false;
    for (child?.sendSignal("SIGTERM"); child !== undefined;) {
      for (const [key] of selector.select()) if (key.fileobj === child) finish();
    }
  }
});
