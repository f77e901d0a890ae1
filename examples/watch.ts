/**
 * Watches files and folders, prints their changes, and can run a command after each.
 *
 * It shows several kinds of descriptors in one selector, each with the function to call as its
 * data: file changes (inotify), timers (timerfd) that wait until a burst of changes is over, and
 * the end of a process (pidfd). Signals come from Deno's own listener, which aborts the
 * asynchronous wait: a descriptor for signals does not see those sent to the process, as some of
 * Deno's threads do not block them.
 *
 *     deno run --allow-ffi jsr:@readiness/selectors/watch src -- make
 *     deno run --allow-ffi --allow-read=. jsr:@readiness/selectors/watch -r . -- make
 *
 * It needs Linux.
 *
 * @module
 */

import { DefaultSelector, EVENT_READ } from "@readiness/selectors";
import { ProcessDescriptor, TimerDescriptor } from "@readiness/selectors/fd";
import {
  exitWith,
  interruption,
  parseCommandLine,
  parseInteger,
  parseSeconds,
  run,
} from "./support/command_line.ts";
import { print, printable } from "./support/output.ts";
import { PathWatcher } from "./support/path_watcher.ts";

const USAGE = `Usage: watch.ts [OPTIONS] PATH... [-- COMMAND [ARGUMENT...]]

Prints changes of files and in folders, until it is interrupted (Ctrl-C). Runs the command, if
there is one, after a change, and prints how it ended; a command that changes watched files runs
again and again. Exits with 1 when nothing is left to watch. A path that has been gone for a second
is no longer watched.

Options:
  -r, --recursive  watch subfolders, including new ones
  -q, --quiet      print only what the command prints and how it ended
  -t SECONDS       exit with 2 if nothing has changed for this long
  --settle MS      run the command when nothing has changed for this long (100)
  --every MS       also run the command at this interval, whether or not something has changed
  -h, --help       show this and exit

Of Deno's permissions, it needs --allow-ffi, and with -r --allow-read=PATH.`;

/**
 * Ends a process and those that it has started (which `kill` alone does not find), given its ID.
 */
const END_TREE = `
  exec 2> /dev/null # Some may have ended by now.
  tree() ( echo $1; for child in $(cat /proc/$1/task/*/children); do tree $child; done )
  kill -TERM $(tree $1)`;

run(async () => {
  const separator = Deno.args.indexOf("--");
  const command = separator < 0 ? [] : Deno.args.slice(separator + 1);
  const { values: options, positionals } = parseCommandLine(USAGE, {
    recursive: { type: "boolean", short: "r", default: false },
    quiet: { type: "boolean", short: "q", default: false },
    timeout: { type: "string", short: "t" },
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

  const timeout = options.timeout === undefined
    ? Infinity
    : parseSeconds("timeout", options.timeout, 0.001, 1_000_000);

  const interrupted = interruption();
  using selector = new DefaultSelector<() => void>();
  using watcher = new PathWatcher(options.recursive);
  using settled = new TimerDescriptor();
  using beat = new TimerDescriptor();
  let child: ProcessDescriptor | undefined;
  let isDue = false;
  let changed = performance.now();

  for (const path of paths) watcher.add(path);
  selector.register(watcher.files, EVENT_READ, () => show(watcher.read()));
  selector.register(settled, EVENT_READ, () => {
    if (settled.readExpirations() !== null) start();
  });
  selector.register(beat, EVENT_READ, () => {
    if (beat.readExpirations() !== null) start();
  });
  if (every > 0) beat.start(every, every);
  addEventListener("unload", end); // Also if nobody reads the output any more.
  note(`watching ${watcher.paths.join(", ")}`);
  try {
    while (!watcher.isEmpty) {
      const left = changed + timeout - performance.now();
      if (left <= 0) Deno.exit(2);
      const pause = Math.min(left, watcher.timeout ?? Infinity);
      const ready = await selector.selectAsync(pause, { signal: interrupted });
      for (const [key] of ready) key.data();
      show(watcher.look());
    }
  } catch (error) {
    if (!interrupted.aborted) throw error;
  } finally {
    stop();
  }
  if (watcher.isEmpty) exitWith(1, "There is nothing left to watch");

  function show(changes: Iterable<string>): void {
    for (const change of changes) {
      note(change);
      settled.start(settle);
      changed = performance.now();
    }
  }

  function note(line: string): void {
    if (!options.quiet) print(printable(line));
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
    for (end(); child !== undefined;) {
      for (const [key] of selector.select()) if (key.fileobj === child) finish();
    }
  }

  function end(): void {
    if (child !== undefined) {
      ProcessDescriptor.spawn("sh", ["-c", END_TREE, "sh", `${child.pid}`]).close();
    }
  }
});
