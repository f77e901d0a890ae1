/**
 * Netcat: sends standard input over a connection, and prints what comes back.
 *
 * It shows a socket and other descriptors in one selector; back-pressure both ways (neither side is
 * read while the other does not take more); half-close at the end of the input; regular files,
 * which are always ready and which epoll refuses; and how to restore the flags of standard input,
 * which the shell shares.
 *
 *     deno run --allow-ffi examples/nc.ts -l 1234
 *     deno run --allow-ffi examples/nc.ts 127.0.0.1 1234
 *
 * @module
 */

import { DefaultSelector, EVENT_READ, EVENT_WRITE, OSError } from "@readiness/selectors";
import { FileDescriptor } from "@readiness/selectors/fd";
import {
  AF_UNIX,
  MSG_PEEK,
  SO_REUSEADDR,
  SOCK_DGRAM,
  SOCK_STREAM,
  Socket,
  type SocketAddress,
  SOL_SOCKET,
} from "@readiness/selectors/socket";
import { familyOf, formatAddress, lookUp, parseRemotePort, peerOf } from "./support/addresses.ts";
import {
  exitOnWindows,
  exitWith,
  interruption,
  parseCommandLine,
  parseInteger,
  parsePort,
  run,
} from "./support/command_line.ts";
import { Flow } from "./support/flow.ts";
import { warn } from "./support/output.ts";
import { lookUpService } from "./support/services.ts";
import { watch } from "./support/watching.ts";

const USAGE = `Usage: nc.ts [OPTIONS] [HOST] PORT
       nc.ts [OPTIONS] -U PATH

Connects, or with -l waits for a connection, sends standard input over it, and prints what it
receives. HOST is 127.0.0.1 if left out. PORT is a number, or a name in /etc/services. Exits with 0
when both sides have ended; on a terminal, when the peer has.

Options:
  -l, --listen        wait for a connection (or a datagram); port 0 lets the system pick one
  -u, --udp           send datagrams, one per read from standard input; they have no end, see --wait
  -U, --unix          use a Unix socket; on Linux, @NAME is one without a file
  -N, --half-close    close the sending side at the end of the input, which is the default
  --keep-open         keep the sending side open, and wait for the peer to end
  -k, --keep-listening
                      with -l, wait for another connection when one ends; with -lu, receive from
                      all senders
  -w, --wait SECONDS  give up connecting after this long, and end after this long without data
  -v, --verbose       print the addresses, on standard error
  -h, --help          show this and exit

With --allow-write=PATH, it removes the file of a Unix socket that it listened on.`;

/** The largest datagram to read from standard input, in bytes; nc has the same. */
const DATAGRAM = 16 * 1024;

/**
 * Room for a received datagram, in bytes: UDP has less, and so has Linux by default for Unix
 * sockets.
 */
const LARGEST_DATAGRAM = 256 * 1024;

run(async () => {
  const { values: options, positionals } = parseCommandLine(USAGE, {
    listen: { type: "boolean", short: "l", default: false },
    udp: { type: "boolean", short: "u", default: false },
    unix: { type: "boolean", short: "U", default: false },
    "half-close": { type: "boolean", short: "N", default: false },
    "keep-open": { type: "boolean", default: false },
    "keep-listening": { type: "boolean", short: "k", default: false },
    wait: { type: "string", short: "w" },
    verbose: { type: "boolean", short: "v", default: false },
  }, true);
  const patience = options.wait === undefined
    ? Infinity
    : parseInteger("wait", options.wait, 1, 1_000_000) * 1000;
  if (options["half-close"] && options["keep-open"]) {
    exitWith(2, "Cannot use both --half-close and --keep-open");
  }
  if (options["keep-listening"] && !options.listen) exitWith(2, "Cannot use -k without -l");
  const address = parseTarget();
  exitOnWindows("selectors for standard input");
  const type = options.udp ? SOCK_DGRAM : SOCK_STREAM;
  const interrupted = interruption();
  const input = new FileDescriptor(0);
  const output = new FileDescriptor(1);
  let isInputOpen = true;
  let isRemoved = false;

  try {
    if (options.listen) await serve();
    else {
      using socket = await connect();
      await talk(socket);
    }
  } catch (error) {
    if (error instanceof RangeError) exitWith(2, error.message); // Such as a path that is too long.
    if (!interrupted.aborted) throw error;
    Deno.exit(interrupted.reason === "SIGINT" ? 130 : 143); // As a shell has it.
  }
  Deno.exit();

  function parseTarget(): SocketAddress {
    const [first, second] = positionals;
    if (positionals.length < 1 || positionals.length > (options.unix ? 1 : 2)) {
      exitWith(
        2,
        `There must be ${options.unix ? "one path" : "a host and a port, or a port"}`,
        USAGE,
      );
    }
    if (options.unix) return { path: first.replace(/^@/, "\0") };
    const [hostname, port] = second === undefined ? ["127.0.0.1", first] : [first, second];
    const service = /^\d/.test(port) ? undefined : lookUpService(port, options.udp ? "udp" : "tcp");
    const number = service === undefined ? port : `${service}`;
    if (options.listen) return { hostname, port: parsePort(number) };
    return lookUp({ hostname, port: parseRemotePort(number) });
  }

  function open(): Socket {
    return new Socket("hostname" in address ? familyOf(address.hostname) : AF_UNIX, type);
  }

  async function connect(): Promise<Socket> {
    const socket = open();
    // Without an address, it would receive no answers.
    if (options.unix && options.udp && Deno.build.os === "linux") {
      socket.bind({ path: `\0nc.ts-${crypto.randomUUID()}` });
    }
    const target = formatAddress(address);
    if (!socket.connect(address) && !await becomes(socket, EVENT_WRITE, patience)) {
      exitWith(1, `Cannot connect to ${target}: no answer within ${options.wait} s`);
    }
    const error = socket.error();
    if (error !== null) exitWith(1, `Cannot connect to ${target}: ${error.message}`);
    note(`connected to ${target}`);
    return socket;
  }

  /** Listens, and talks to one peer, or to one after the other. */
  async function serve(): Promise<void> {
    using server = open();
    if (!options.unix) server.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
    server.bind(address);
    try {
      if (!options.udp) server.listen(1);
      note(`listening on ${formatAddress(server.localAddress)}`);
      if (options.udp) {
        if (options["keep-listening"]) isInputOpen = false; // There are several peers.
        else while (!adoptSender(server)) await becomes(server, EVENT_READ);
        return await talk(server);
      }
      while (options["keep-listening"]) {
        using peer = await accept(server);
        await talk(peer).catch(noteEnd);
      }
      using peer = await accept(server);
      server.close();
      removeFile();
      await talk(peer);
    } finally {
      removeFile();
    }
  }

  async function accept(server: Socket): Promise<Socket> {
    for (let peer;;) {
      await becomes(server, EVENT_READ);
      if ((peer = server.accept()) === null) continue;
      note(`connected to ${peerOf(peer)}`);
      return peer;
    }
  }

  /** Prints how a connection ended. The end of the output is an end of the program. */
  function noteEnd(error: unknown): void {
    if (!(error instanceof OSError) || error.syscall === "write") throw error;
    warn(error.message);
  }

  /** Connects a socket to the sender of the first datagram, which it still receives afterwards. */
  function adoptSender(socket: Socket): boolean {
    const first = socket.recvFrom(new Uint8Array(1), MSG_PEEK);
    if (first === null) return false;
    note(`connected to ${formatAddress(first.address)}`);
    if (!("path" in first.address && first.address.path === "")) socket.connect(first.address);
    return true;
  }

  /** Talks to a peer, while standard input and output do not block: restores them at the end. */
  async function talk(socket: Socket): Promise<void> {
    const blocking = [input, output].filter((file) => file.isBlocking());
    try {
      blocking.forEach((file) => file.setBlocking(false));
      await exchange(socket);
    } finally {
      blocking.forEach((file) => file.setBlocking(true));
    }
  }

  async function exchange(socket: Socket): Promise<void> {
    using selector = new DefaultSelector<(events: number) => void, FileDescriptor>();
    const end = () => {
      isInputOpen = false;
      if (!options.udp && !options["keep-open"]) socket.shutdown("write");
    };
    const up = new Flow(input, socket, { end, ...options.udp ? { room: DATAGRAM } : {} });
    const down = options.udp
      ? new Flow(socket, output, { room: LARGEST_DATAGRAM, isEndless: true })
      : new Flow(socket, output);
    const endsWithPeer = Deno.stdin.isTerminal() || options["keep-listening"];
    const files = new Set<FileDescriptor>();
    let failure: OSError | undefined;
    if (!isInputOpen) up.abandon();

    while (!down.isDone || !up.isDone && !endsWithPeer) {
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

    /** Sends. If the peer takes no more, what it sent before is still received. */
    function send(step: () => void): void {
      try {
        step();
      } catch (error) {
        if (!(error instanceof OSError) || options.udp) throw error;
        failure = error;
        up.abandon();
      }
    }

    /** Watches a file, or returns the step to take at once if the file is always ready. */
    function observe(file: FileDescriptor, events: number, step: () => void): (() => void)[] {
      try {
        if (!files.has(file)) watch(selector, file, events, step);
      } catch (error) {
        // epoll refuses regular files and /dev/null.
        if (!(error instanceof OSError) || error.code !== "EPERM") throw error;
        files.add(file);
      }
      return files.has(file) && events !== 0 ? [step] : [];
    }
  }

  /** Waits until a socket is ready. Returns whether it was in time. */
  async function becomes(socket: Socket, events: number, timeout?: number): Promise<boolean> {
    using selector = new DefaultSelector();
    selector.register(socket, events);
    return (await selector.selectAsync(timeout, { signal: interrupted })).length > 0;
  }

  /** Removes the file of a Unix socket, once, if there is permission. */
  function removeFile(): void {
    if (!("path" in address) || address.path.startsWith("\0") || isRemoved) return;
    const { state } = Deno.permissions.querySync({ name: "write", path: address.path });
    if (state === "granted") Deno.removeSync(address.path);
    isRemoved = true;
  }

  function note(text: string): void {
    if (options.verbose) warn(text);
  }
});
