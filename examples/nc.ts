/**
 * Netcat: passes standard input to a connection, and what comes from it to standard output.
 *
 * What it shows: descriptors that are no sockets in one selector with one that is; neither side is
 * read while the other does not take (back-pressure, both ways); half-close at the end of the input;
 * regular files, which cannot be waited for; and giving standard input back as it was, as its flags
 * are shared with the shell.
 *
 *     deno run --allow-ffi examples/nc.ts -l 1234
 *     deno run --allow-ffi examples/nc.ts 127.0.0.1 1234
 *
 * @module
 */

import { DefaultSelector, EVENT_READ, EVENT_WRITE, OSError } from "@readiness/selectors";
import {
  AF_UNIX,
  FileDescriptor,
  MSG_PEEK,
  SO_REUSEADDR,
  SOCK_DGRAM,
  SOCK_STREAM,
  Socket,
  type SocketAddress,
  SOL_SOCKET,
} from "@readiness/selectors/socket";
import { familyOf, locate, parseRemotePort, resolving } from "./support/addresses.ts";
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
import { Flow, watch } from "./support/flow.ts";

const USAGE = `Usage: nc.ts [OPTIONS] [HOST] PORT
       nc.ts [OPTIONS] -U PATH

Connects, or with -l waits for one connection, and passes standard input to it and what it sends to
standard output. HOST is 127.0.0.1 unless told. Exits with 0 when both have ended; on a terminal,
when the peer has.

Options:
  -l, --listen        wait for a connection (or the first datagram); port 0 lets the system pick one
  -u, --udp           datagrams: each read from standard input is one; they have no end, see --wait
  -U, --unix          a Unix socket; on Linux @NAME is one without a file
  -N, --half-close    tell the peer that the input has ended, which is done unless --keep-open
  -k, --keep-open     do not, and wait for the peer to end
  -w, --wait SECONDS  give up connecting, and end when nothing has come or gone for so long
  -v, --verbose       tell where it listens and who is connected, on standard error
  --help              show this and exit

The file of a Unix socket that was listened on is removed if --allow-write=PATH is given to Deno.`;

/** How large a datagram is made of standard input, in bytes: nc's own choice. */
const DATAGRAM = 16 * 1024;

/** The room for a datagram that comes, in bytes: more than UDP's, and than Linux's default for Unix. */
const LARGEST_DATAGRAM = 256 * 1024;

run(async () => {
  const { values: options, positionals } = parseCommandLine(USAGE, {
    listen: { type: "boolean", short: "l", default: false },
    udp: { type: "boolean", short: "u", default: false },
    unix: { type: "boolean", short: "U", default: false },
    "half-close": { type: "boolean", short: "N", default: false },
    "keep-open": { type: "boolean", short: "k", default: false },
    wait: { type: "string", short: "w" },
    verbose: { type: "boolean", short: "v", default: false },
  }, true);
  const patience = options.wait === undefined
    ? Infinity
    : parseInteger("wait", options.wait, 1, 1_000_000) * 1000;
  if (options["half-close"] && options["keep-open"]) exitWith(2, "Say either -N or -k");
  const address = parseTarget();
  needsMoreThanWindows("selector for standard input, only for sockets");
  const type = options.udp ? SOCK_DGRAM : SOCK_STREAM;
  const interrupted = interruption();
  const input = new FileDescriptor(0);
  const output = new FileDescriptor(1);

  try {
    using socket = options.listen ? await accept() : await connect();
    const blocking = [input, output].filter((file) => file.isBlocking());
    try {
      blocking.forEach((file) => file.setBlocking(false));
      await talk(socket);
    } finally {
      blocking.forEach((file) => file.setBlocking(true));
    }
  } catch (error) {
    if (error instanceof RangeError) exitWith(2, error.message); // Such as a path that is too long.
    if (!interrupted.aborted) throw error;
    Deno.exit(130); // As a shell has it after Ctrl-C.
  }
  Deno.exit();

  function parseTarget(): SocketAddress {
    const [first, second] = positionals;
    if (positionals.length < 1 || positionals.length > (options.unix ? 1 : 2)) {
      exitWith(2, `Say where to ${options.listen ? "listen" : "connect to"}\n\n${USAGE}`);
    }
    if (options.unix) return { path: first.replace(/^@/, "\0") };
    const [hostname, port] = second === undefined ? ["127.0.0.1", first] : [first, second];
    if (options.listen) return { hostname, port: parsePort(port) };
    return locate({ hostname, port: parseRemotePort(port) });
  }

  function open(): Socket {
    return new Socket("path" in address ? AF_UNIX : familyOf(address.hostname), type);
  }

  async function connect(): Promise<Socket> {
    const socket = open();
    // Without a name of its own it could not be answered.
    if (options.unix && options.udp && Deno.build.os === "linux") {
      socket.bind({ path: `\0nc.ts-${crypto.randomUUID()}` });
    }
    if (!socket.connect(address) && !await becomes(socket, EVENT_WRITE, patience)) {
      exitWith(1, `No connection to ${display(address)} within ${options.wait} s`);
    }
    const error = socket.error();
    if (error !== null) exitWith(1, `No connection to ${display(address)}: ${error.message}`);
    tell(`connected to ${display(address)}`);
    return socket;
  }

  async function accept(): Promise<Socket> {
    const server = open();
    if (!options.unix) server.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
    resolving(() => server.bind(address));
    if (!options.udp) server.listen(1);
    tell(`listening on ${display(server.localAddress)}`);
    try {
      for (;;) {
        await becomes(server, EVENT_READ);
        const peer = options.udp ? adoptSender(server) : server.accept();
        if (peer !== null) return peer;
      }
    } finally {
      if (!options.udp) server.close();
      removeFile();
    }
  }

  /** Turns a socket to the one who sends the first datagram, which stays to be received. */
  function adoptSender(socket: Socket): Socket | null {
    const first = socket.recvFrom(new Uint8Array(1), MSG_PEEK);
    if (first === null) return null;
    tell(`connected to ${display(first.address) || "one without a name"}`);
    if (!("path" in first.address && first.address.path === "")) socket.connect(first.address);
    return socket;
  }

  async function talk(socket: Socket): Promise<void> {
    using selector = new DefaultSelector<(events: number) => void, FileDescriptor>();
    const end = () => {
      if (!options.udp && !options["keep-open"]) socket.shutdown("write");
    };
    const up = new Flow(input, socket, options.udp ? { room: DATAGRAM } : { end });
    const down = options.udp
      ? new Flow(socket, output, { room: LARGEST_DATAGRAM, isEndless: true })
      : new Flow(socket, output);
    const isPerson = Deno.stdin.isTerminal();
    const files = new Set<FileDescriptor>();
    let failure: OSError | undefined;

    while (!down.isDone || !up.isDone && !isPerson) {
      watch(selector, socket, up.sinkEvents | down.sourceEvents, serve);
      const steps = [
        ...observe(input, up.sourceEvents, fill),
        ...observe(output, down.sinkEvents, () => down.drain()),
      ];
      const timeout = steps.length > 0 ? 0 : patience;
      const ready = await selector.selectAsync(timeout, { signal: interrupted });
      if (ready.length === 0 && steps.length === 0) break; // Nothing came or went for so long.
      for (const step of steps) step();
      for (const [key, events] of ready) key.data(events);
    }
    if (failure !== undefined) throw failure;

    function serve(events: number): void {
      if (events & EVENT_WRITE) send(() => up.drain());
      if (events & EVENT_READ) down.fill();
    }

    function fill(): void {
      send(() => up.fill());
    }

    /** Sends. When the peer takes no more, what it sent before that is still to be received. */
    function send(step: () => void): void {
      try {
        step();
      } catch (error) {
        if (!(error instanceof OSError) || options.udp) throw error;
        failure = error;
        up.abandon();
      }
    }

    /** Watches a file, or gives the step to take at once when it is one that never has to wait. */
    function observe(file: FileDescriptor, events: number, step: () => void): (() => void)[] {
      try {
        if (!files.has(file)) watch(selector, file, events, step);
      } catch (error) {
        // What epoll says of regular files, and of /dev/null.
        if (!(error instanceof OSError) || error.code !== "EPERM") throw error;
        files.add(file);
      }
      return files.has(file) && events !== 0 ? [step] : [];
    }
  }

  /** Waits until a socket is ready, and tells whether that was in time. */
  async function becomes(socket: Socket, events: number, timeout?: number): Promise<boolean> {
    using selector = new DefaultSelector();
    selector.register(socket, events);
    return (await selector.selectAsync(timeout, { signal: interrupted })).length > 0;
  }

  function removeFile(): void {
    if (!("path" in address) || address.path.startsWith("\0")) return;
    const { state } = Deno.permissions.querySync({ name: "write", path: address.path });
    if (state === "granted") Deno.removeSync(address.path);
  }

  function tell(text: string): void {
    if (options.verbose) console.error(text);
  }
});

/** Writes an address as it is given on the command line. */
function display(address: SocketAddress): string {
  return format(address).replace(/^\0/, "@");
}
