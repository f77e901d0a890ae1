/**
 * An HTTP server on several cores: each Worker has a selector, and all of them listen on one port.
 * The system distributes the connections (`SO_REUSEPORT`: Linux spreads them, other systems may
 * not). Or all of them share one listening socket, and `EXCLUSIVE` lets each connection wake one.
 *
 * It shows how to end threads that block: each Worker blocks in a `select`, where no message
 * reaches it, so the main thread sets a flag in shared memory and wakes it. The Workers' code is in
 * `support/http_worker.ts`.
 *
 * A Worker loads its modules from disk with the program's permissions, hence `--allow-read`.
 *
 *     deno run --allow-ffi --allow-read=. examples/workers.ts
 *     curl http://127.0.0.1:8000/
 *
 * @module
 */

import { DefaultSelector, wake } from "@readiness/selectors";
import { type InternetAddress, SO_REUSEPORT, SOL_SOCKET } from "@readiness/selectors/socket";
import { formatAddress } from "./support/addresses.ts";
import {
  exitOnWindows,
  exitWith,
  interruption,
  parseCommandLine,
  parseInteger,
  parsePort,
  run,
} from "./support/command_line.ts";
import type { Report, Task } from "./support/http_worker.ts";
import { bind } from "./support/listening.ts";
import { print, program } from "./support/output.ts";

/** Each Worker takes some 10 MB, and more of them than processors do not answer faster. */
const MOST_WORKERS = Math.max(64, navigator.hardwareConcurrency);

const USAGE = `Usage: workers.ts [OPTIONS]

Answers HTTP requests on several cores, until it is interrupted (Ctrl-C). Then it prints how many
each Worker answered.

Options:
  --hostname HOST  the address to listen on (127.0.0.1)
  --port PORT      the port to listen on; 0 lets the system pick one (8000)
  --workers COUNT  the number of Workers, at most ${MOST_WORKERS} (${navigator.hardwareConcurrency})
  --share          let all Workers accept from one socket, as they do without SO_REUSEPORT
  -h, --help       show this and exit

Of Deno's permissions, it needs --allow-ffi, and --allow-read=. to load the Workers.`;

run(async () => {
  const { values: options } = parseCommandLine(USAGE, {
    hostname: { type: "string", default: "127.0.0.1" },
    port: { type: "string", default: "8000" },
    workers: { type: "string", default: `${navigator.hardwareConcurrency}` },
    share: { type: "boolean", default: false },
  });
  const wanted = { hostname: options.hostname, port: parsePort(options.port) };
  const length = parseInteger("number of workers", options.workers, 1, MOST_WORKERS);
  exitOnWindows("SO_REUSEPORT");
  const isShared = options.share || SO_REUSEPORT === undefined;
  const socket = bind(wanted); // Stays open, to keep the port.
  const address = socket.localAddress as InternetAddress;
  if (isShared) socket.listen();
  // Sockets that share a port do not fail when another program shares it, too. So this one has
  // bound it alone, and shares it from now on.
  else socket.setOption(SOL_SOCKET, SO_REUSEPORT, 1);
  const shared = isShared ? socket.fileno() : undefined;
  const isStopped = new Int32Array(new SharedArrayBuffer(4));
  const wakers: number[] = [];
  const interrupted = interruption();
  interrupted.addEventListener("abort", () => {
    // The flag first: a Worker that is not waiting right now sees it before it waits again.
    Atomics.store(isStopped, 0, 1);
    wakers.forEach(wake);
  });

  const workers = Array.from({ length }, () => start({ address, shared, isStopped }));
  await Promise.all(workers.map(async ({ started }) => {
    const waker = await started;
    wakers.push(waker);
    if (interrupted.aborted) wake(waker); // It may have started to wait before the flag was set.
  }));
  print(`listening on ${formatAddress(address)} (${selectorName()}, ${length} workers)`);
  const counts = await Promise.all(workers.map(({ ended }) => ended));
  counts.forEach((count, i) => print(`worker ${i + 1}: ${count} requests`));
  Deno.exit();
});

/** Starts a Worker, which reports its waker when it starts and its count when it ends. */
function start(task: Task): { started: Promise<number>; ended: Promise<number> } {
  const started = Promise.withResolvers<number>();
  const ended = Promise.withResolvers<number>();
  const worker = new Worker(import.meta.resolve("./support/http_worker.ts"), {
    type: "module",
    name: program, // For its messages.
  });
  worker.onmessage = ({ data: report }: MessageEvent<Report>) => {
    if ("waker" in report) started.resolve(report.waker);
    else ended.resolve(report.count);
  };
  worker.onerror = (event) => exitWith(1, event.message);
  worker.postMessage(task);
  return { started: started.promise, ended: ended.promise };
}

function selectorName(): string {
  using selector = new DefaultSelector();
  return selector.constructor.name;
}
