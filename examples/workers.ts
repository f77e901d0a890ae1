/**
 * An HTTP responder on several cores: a selector a Worker, all on one port, which the system shares
 * out among them (`SO_REUSEPORT`: Linux spreads the connections, other systems may not).
 *
 * What it shows: each Worker blocks in a `select` of its own, where no message reaches it, so the
 * main thread ends it by a flag in shared memory and a wake. What the Workers do is in
 * `http_worker.ts`.
 *
 * A Worker reads its modules from disk anew, under the program's permissions: hence `--allow-read`.
 *
 *     deno run --allow-ffi --allow-read=. examples/workers.ts
 *     curl http://127.0.0.1:8000/
 *
 * @module
 */

import { DefaultSelector, wake } from "@readiness/selectors";
import { type InternetAddress, SO_REUSEPORT, SOL_SOCKET } from "@readiness/selectors/socket";
import {
  exitWith,
  format,
  interruption,
  needsMoreThanWindows,
  parseCommandLine,
  parseInteger,
  parsePort,
  run,
} from "./support/command_line.ts";
import type { Report, Task } from "./support/http_worker.ts";
import { bind } from "./support/listening.ts";

const USAGE = `Usage: workers.ts [OPTIONS]

Answers HTTP requests on several cores, until it is interrupted (Ctrl-C). Then it prints how many
each Worker answered. Needs --allow-ffi, and --allow-read=. to load the Workers.

Options:
  --hostname HOST  the address to listen on (127.0.0.1)
  --port PORT      the port to listen on; 0 lets the system pick one (8000)
  --workers COUNT  how many Workers share the work (${navigator.hardwareConcurrency})
  --help           show this and exit`;

run(async () => {
  const { values: options } = parseCommandLine(USAGE, {
    hostname: { type: "string", default: "127.0.0.1" },
    port: { type: "string", default: "8000" },
    workers: { type: "string", default: `${navigator.hardwareConcurrency}` },
  });
  const wanted = { hostname: options.hostname, port: parsePort(options.port) };
  const length = parseInteger("count of workers", options.workers, 1, 1024);
  needsMoreThanWindows("SO_REUSEPORT");
  const address = claim(wanted);
  const isStopped = new Int32Array(new SharedArrayBuffer(4));
  const wakers: number[] = [];
  interruption().addEventListener("abort", () => {
    // The flag first: a Worker that is just not waiting sees it before it would wait again.
    Atomics.store(isStopped, 0, 1);
    wakers.forEach(wake);
  });

  const workers = Array.from({ length }, () => start({ address, isStopped }));
  wakers.push(...await Promise.all(workers.map(({ started }) => started)));
  console.log(`listening on ${format(address)} (${selectorName()}, ${length} workers)`);
  const counts = await Promise.all(workers.map(({ ended }) => ended));
  counts.forEach((count, i) => console.log(`worker ${i + 1}: ${count} requests`));
  Deno.exit(0);
});

/**
 * Finds out whether the port is free, and which one the system picks. Sockets that share a port
 * never find it taken by others that do, so this one asks for it alone, and shares it then.
 */
function claim(address: InternetAddress): InternetAddress {
  const socket = bind(address);
  socket.setOption(SOL_SOCKET, SO_REUSEPORT, 1);
  return socket.localAddress as InternetAddress; // It stays open, and so the port stays this program's.
}

/** Starts a Worker, which tells its waker as it begins and its count as it ends. */
function start(task: Task): { started: Promise<number>; ended: Promise<number> } {
  const started = Promise.withResolvers<number>();
  const ended = Promise.withResolvers<number>();
  const worker = new Worker(import.meta.resolve("./support/http_worker.ts"), { type: "module" });
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
