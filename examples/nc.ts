/**
 * Netcat: sends standard input over a connection, and prints what comes back, as OpenBSD's `nc`
 * does.
 *
 * It shows a socket and other descriptors in one selector; back-pressure both ways (neither side is
 * read while the other does not take more); half-close at the end of the input; regular files,
 * which are always ready and which epoll refuses; and how to restore the flags of standard input,
 * which the shell shares. How both directions run is in `support/conversation.ts`.
 *
 *     deno run --allow-ffi jsr:@readiness/selectors/nc -l 1234
 *     deno run --allow-ffi jsr:@readiness/selectors/nc 127.0.0.1 1234
 *     deno run --allow-ffi jsr:@readiness/selectors/nc -zv 127.0.0.1 20-80
 *
 * @module
 */

import { DefaultSelector, EVENT_READ, EVENT_WRITE, OSError } from "@readiness/selectors";
import {
  AF_INET6,
  AF_UNIX,
  type InternetAddress,
  MSG_PEEK,
  resolve,
  SO_REUSEADDR,
  SOCK_DGRAM,
  SOCK_STREAM,
  Socket,
  type SocketAddress,
  SOL_SOCKET,
} from "@readiness/selectors/socket";
import { familyOf, formatAddress } from "./support/addresses.ts";
import { exitOnWindows, exitWith, interruption, run } from "./support/command_line.ts";
import { Conversation } from "./support/conversation.ts";
import { parseNetcatLine } from "./support/nc_command_line.ts";
import { notice, printable, warn } from "./support/output.ts";
import { reasonOf } from "./support/reasons.ts";
import { lookUpPort } from "./support/services.ts";

/** How long to wait for the answer that a datagram's port is closed, in milliseconds. */
const REFUSAL = 1000;

run(async () => {
  const { options, patience, quit, family, path, host, ports, local } = parseNetcatLine();
  exitOnWindows("selectors for standard input");
  const protocol = options.udp ? "udp" : "tcp";
  const interrupted = interruption();
  const conversation = new Conversation({
    isDatagram: options.udp,
    halfClose: options["half-close"] || quit < Infinity,
    quit,
    endsWithPeer: Deno.stdin.isTerminal() || options["keep-listening"],
    patience,
    signal: interrupted,
  });
  let isRemoved = false;

  try {
    if (options.listen) await serve(path === undefined ? await findLocal(family) : { path });
    else if (!await connectToEach()) Deno.exit(1);
  } catch (error) {
    if (error instanceof RangeError) exitWith(2, error.message); // Such as a path that is too long.
    if (!interrupted.aborted) throw error;
    Deno.exit(interrupted.reason === "SIGINT" ? 130 : 143); // As in a shell.
  }
  Deno.exit();

  /** Connects to each port. Returns whether there was a connection. */
  async function connectToEach(): Promise<boolean> {
    if (path !== undefined) return await visit({ path });
    const addresses = await resolve(host, { family, signal: interrupted });
    let isAny = false;
    for (const port of ports) {
      for (const { hostname } of addresses) {
        if (!await visit({ hostname, port })) continue;
        isAny = true;
        break;
      }
    }
    return isAny;
  }

  /** Connects and talks. Returns whether there was a connection. */
  async function visit(address: SocketAddress): Promise<boolean> {
    using socket = open(address);
    const failure = await connect(socket, address);
    if (failure !== null) {
      noteFailure(address, failure);
      return false;
    }
    noteSuccess(address);
    if (!options.zero) await conversation.talk(socket);
    return true;
  }

  /** Connects. Returns why it failed, or `null`. */
  async function connect(socket: Socket, address: SocketAddress): Promise<string | null> {
    if (local !== undefined && "hostname" in address) {
      bind(socket, await findLocal(familyOf(address.hostname)));
    } else if (options.unix && options.udp && Deno.build.os === "linux") {
      // Without an address, it would receive no answers.
      socket.bind({ path: `\0nc.ts-${crypto.randomUUID()}` });
    }
    try {
      if (!socket.connect(address) && !await becomes(socket, EVENT_WRITE, patience)) {
        return `No answer within ${options.wait} s`;
      }
      if (options.udp && options.zero) {
        socket.send(new Uint8Array(1));
        await becomes(socket, EVENT_READ, REFUSAL);
      }
      const error = socket.error();
      if (error !== null) throw error;
      return null;
    } catch (error) {
      if (!(error instanceof OSError)) throw error;
      return reasonOf(error);
    }
  }

  /** Listens, and talks to one peer, or to one after the other. */
  async function serve(address: SocketAddress): Promise<void> {
    using server = open(address);
    bind(server, address);
    try {
      if (!options.udp) server.listen(1);
      note(`${options.udp ? "Bound" : "Listening"} on ${spaced(server.localAddress)}`);
      if (options.udp) {
        if (options["keep-listening"]) conversation.isInputOpen = false; // There are several peers.
        else while (!adoptSender(server)) await becomes(server, EVENT_READ);
        return await conversation.talk(server);
      }
      while (options["keep-listening"]) {
        using peer = await accept(server);
        await conversation.talk(peer).catch(noteEnd);
      }
      using peer = await accept(server);
      server.close();
      removeFile();
      await conversation.talk(peer);
    } finally {
      removeFile();
    }
  }

  async function accept(server: Socket): Promise<Socket> {
    for (let peer;;) {
      await becomes(server, EVENT_READ);
      if ((peer = server.accept()) === null) continue;
      note(`Connection received on ${options.unix ? path : spaced(peer.remoteAddress)}`);
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
    note(`Connection received on ${spaced(first.address)}`);
    if (!("path" in first.address && first.address.path === "")) socket.connect(first.address);
    return true;
  }

  function open(address: SocketAddress): Socket {
    const family = "hostname" in address ? familyOf(address.hostname) : AF_UNIX;
    return new Socket(family, options.udp ? SOCK_DGRAM : SOCK_STREAM);
  }

  function bind(socket: Socket, address: SocketAddress): void {
    if (path === undefined) socket.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
    socket.bind(address);
  }

  /** Returns the address to listen on or to connect from. */
  async function findLocal(family?: number): Promise<InternetAddress> {
    const { hostname = family === AF_INET6 ? "::" : "0.0.0.0", port = 0 } = local ?? {};
    const [address] = await resolve(hostname, { family, signal: interrupted });
    return { ...address, port };
  }

  /** Waits until a socket is ready. Returns whether it was in time. */
  async function becomes(socket: Socket, events: number, timeout?: number): Promise<boolean> {
    using selector = new DefaultSelector();
    selector.register(socket, events);
    return (await selector.selectAsync(timeout, { signal: interrupted })).length > 0;
  }

  /** Removes the file of a Unix socket, once, if there is permission. */
  function removeFile(): void {
    if (path === undefined || path.startsWith("\0") || isRemoved) return;
    const { state } = Deno.permissions.querySync({ name: "write", path });
    if (state === "granted") Deno.removeSync(path);
    isRemoved = true;
  }

  /** Formats the host to connect to. */
  function label({ hostname }: InternetAddress): string {
    return host === hostname ? hostname : `${printable(host)} (${hostname})`;
  }

  function noteFailure(address: SocketAddress, reason: string): void {
    const target = "hostname" in address
      ? `${label(address)} port ${address.port} (${protocol})`
      : formatAddress(address);
    if (!options.zero || options.verbose) {
      warn(`connect to ${target} failed: ${reason}`);
    }
  }

  function noteSuccess(address: SocketAddress): void {
    if (!("hostname" in address)) return;
    const service = options.numeric ? undefined : lookUpPort(address.port, protocol);
    note(
      `Connection to ${label(address)} ${address.port} port [${protocol}/${service ?? "*"}] ` +
        "succeeded!",
    );
  }

  function note(text: string): void {
    if (options.verbose) notice(text);
  }
});

/** Formats an address as nc does. */
function spaced(address: SocketAddress): string {
  return "hostname" in address ? `${address.hostname} ${address.port}` : formatAddress(address);
}
