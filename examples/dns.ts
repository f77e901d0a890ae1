/**
 * A DNS server that answers from a table, over UDP and TCP.
 *
 * It shows an async function for each query and for each connection; streams that are read in exact
 * pieces, and written by several functions at once (`support/dns_connection.ts`); and limits on
 * connections, on idleness and on pending queries.
 *
 *     deno run --allow-ffi jsr:@readiness/selectors/dns --record "192.0.2.1 www.example"
 *     dig -p 5353 @127.0.0.1 www.example
 *
 * @module
 */

import { setTimeout as delay } from "node:timers/promises";
import { OSError, whenReadable, whenWritable } from "@readiness/selectors";
import {
  type ControlMessage,
  type InternetAddress,
  IP_PKTINFO,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_RECVPKTINFO,
  receiveMessage,
  sendMessage,
  SOCK_DGRAM,
  Socket,
} from "@readiness/selectors/socket";
import { familyOf, formatAddress, peerOf } from "./support/addresses.ts";
import {
  exitWith,
  interruption,
  parseCommandLine,
  parseInteger,
  parsePort,
  run,
} from "./support/command_line.ts";
import { answer } from "./support/dns_answers.ts";
import { serveMessages } from "./support/dns_connection.ts";
import { InvalidRecord, RecordTable } from "./support/dns_table.ts";
import { bind } from "./support/listening.ts";
import { log, print } from "./support/output.ts";
import { closeQuietly } from "./support/registrations.ts";
import { hasNoRoom, rest } from "./support/shortage.ts";

const USAGE = `Usage: dns.ts [OPTIONS] [FILE...]

Answers DNS queries from a table, over UDP and TCP, until it is interrupted (Ctrl-C). A line of a
file is ADDRESS NAME..., as in /etc/hosts, or a record: NAME [TTL] TYPE DATA, of the type A, AAAA,
CNAME, MX, NS, PTR, SRV or TXT. Names are fully qualified, such as example.com.

Options:
  --record LINE      a line for the table, such as "example.com MX 10 mail.example.com"; may be
                     repeated
  --hostname HOST    the address to listen on (127.0.0.1)
  --port PORT        the port to listen on; 0 lets the system pick one (5353)
  --ttl SECONDS      how long clients may keep a record without a TTL (60)
  --delay MS         wait before each answer, to test a client (0)
  --idle SECONDS     close a TCP connection that has not sent a query for this long (10)
  --connections N    the most TCP connections; others wait until one ends (100)
  --verbose          log each query
  -h, --help         show this and exit

Of Deno's permissions, it needs --allow-ffi, and --allow-read for a file.`;

/** How many datagrams may wait for their answers. */
const MOST_DATAGRAMS = 1000;

/** What Windows says when an earlier datagram could not be delivered. */
const UNDELIVERED = "ECONNRESET";

/** How often to look for a port that both UDP and TCP have free. */
const TRIES = 20;

interface Settings {
  readonly delay: number;
  readonly idle: number;
  readonly connections: number;
  readonly verbose: boolean;
}

class Server {
  answered = 0;
  malformed = 0;
  /** Messages that are not queries, and datagrams that were too many. */
  ignored = 0;
  readonly #table: RecordTable;
  readonly #settings: Settings;
  readonly #interrupted: AbortSignal;
  readonly #connections = new Set<Socket>();
  /** Resolved when a connection ends. */
  #room = Promise.withResolvers<void>();
  #datagrams = 0;

  constructor(table: RecordTable, settings: Settings, interrupted: AbortSignal) {
    this.#table = table;
    this.#settings = settings;
    this.#interrupted = interrupted;
  }

  /** Answers the queries in datagrams, until it is interrupted. */
  async serveDatagrams(socket: Socket<InternetAddress>): Promise<never> {
    const options = { signal: this.#interrupted };
    const buffer = new Uint8Array(0xffff);
    for (;;) {
      try {
        const { size, address, control } = await whenReadable(
          socket,
          () => receiveMessage(socket, buffer),
          options,
        );
        if (this.#datagrams === MOST_DATAGRAMS) this.ignored++;
        else void this.#serveDatagram(socket, buffer.slice(0, size), address, control);
      } catch (error) {
        if (!(error instanceof OSError)) throw error;
        if (error.code !== UNDELIVERED) await rest(error, options);
      }
    }
  }

  /** Accepts connections and answers the queries on them, until it is interrupted. */
  async serveConnections(listener: Socket<InternetAddress>): Promise<never> {
    const options = { signal: this.#interrupted };
    for (;;) {
      try {
        if (this.#connections.size === this.#settings.connections) await this.#room.promise;
        const connection = await whenReadable(listener, () => listener.accept(), options);
        void this.#serveConnection(connection);
      } catch (error) {
        if (!hasNoRoom(error)) throw error;
        await rest(error, options);
      }
    }
  }

  /** Closes all connections. */
  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  async #serveDatagram(
    socket: Socket<InternetAddress>,
    message: Uint8Array,
    address: InternetAddress,
    control: readonly ControlMessage[],
  ): Promise<void> {
    const peer = formatAddress(address);
    this.#datagrams++;
    try {
      const response = await this.#answer(peer, message, true);
      if (response === null) return;
      // The control messages have the address that was asked, from which the response is sent.
      await whenWritable(socket, () => sendMessage(socket, response, { address, control }));
    } catch (error) {
      this.#noteFailure(peer, error);
    } finally {
      this.#datagrams--;
    }
  }

  async #serveConnection(connection: Socket): Promise<void> {
    const peer = this.#settings.verbose ? peerOf(connection) : "";
    const { idle, delay } = this.#settings;
    this.#connections.add(connection);
    try {
      const answer = (message: Uint8Array) => this.#answer(peer, message, false);
      await serveMessages(connection, idle + delay, answer);
    } catch (error) {
      this.#noteFailure(peer, error);
    } finally {
      closeQuietly(connection);
      this.#connections.delete(connection);
      this.#room.resolve();
      this.#room = Promise.withResolvers();
    }
  }

  async #answer(
    peer: string,
    message: Uint8Array,
    isDatagram: boolean,
  ): Promise<Uint8Array | null> {
    const answered = answer(this.#table, message, isDatagram);
    if (answered === null) {
      this.ignored++;
      return null;
    }
    const wait = this.#settings.delay;
    if (wait > 0) await delay(wait, undefined, { signal: this.#interrupted });
    if (answered.isMalformed) this.malformed++;
    else this.answered++;
    if (this.#settings.verbose) log(peer, answered.note);
    return answered.response;
  }

  /** Notes why a query has no answer, or why a connection ended. Others go on. */
  #noteFailure(peer: string, error: unknown): void {
    if (this.#interrupted.aborted) return;
    if (!(error instanceof OSError || error instanceof Deno.errors.TimedOut)) throw error;
    if (this.#settings.verbose) log(peer, error.message);
  }
}

run(async () => {
  const { values: options, positionals } = parseCommandLine(USAGE, {
    record: { type: "string", multiple: true, default: [] },
    hostname: { type: "string", default: "127.0.0.1" },
    port: { type: "string", default: "5353" },
    ttl: { type: "string", default: "60" },
    delay: { type: "string", default: "0" },
    idle: { type: "string", default: "10" },
    connections: { type: "string", default: "100" },
    verbose: { type: "boolean", default: false },
  }, true);
  const address = { hostname: options.hostname, port: parsePort(options.port) };
  const table = new RecordTable(parseInteger("TTL", options.ttl, 0, 0x7fff_ffff));
  const settings = {
    delay: parseInteger("delay", options.delay, 0, 1_000_000),
    idle: parseInteger("idle time", options.idle, 1, 1_000_000) * 1000,
    connections: parseInteger("number of connections", options.connections, 1, 1_000_000),
    verbose: options.verbose,
  };
  for (const path of positionals) addLines(table, path, readLines(path));
  addLines(table, "--record", options.record);
  if (table.size === 0) exitWith(2, "There must be a record", USAGE);
  const interrupted = interruption();
  const server = new Server(table, settings, interrupted);
  const [listener, datagrams] = openSockets(address);
  listener.listen();

  print(`listening on ${formatAddress(listener.localAddress)} (UDP and TCP)`);
  try {
    await Promise.all([server.serveDatagrams(datagrams), server.serveConnections(listener)]);
  } catch (error) {
    if (!interrupted.aborted) throw error;
  }
  server.close();
  listener.close();
  datagrams.close();
  print(`${server.answered} answered, ${server.malformed} malformed, ${server.ignored} ignored`);
});

function readLines(path: string): string[] {
  try {
    return Deno.readTextFileSync(path).split(/\r?\n/);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    const [reason] = (error as Error).message.split(": readfile "); // Which names the file again.
    exitWith(1, `Cannot read ${path}: ${reason}`);
  }
}

function addLines(table: RecordTable, source: string, lines: readonly string[]): void {
  for (const [i, line] of lines.entries()) {
    try {
      table.add(line);
    } catch (error) {
      if (!(error instanceof InvalidRecord)) throw error;
      exitWith(2, `Line ${i + 1} of ${source}: ${error.message}`);
    }
  }
}

/** Binds a TCP and a UDP socket to the same port. */
function openSockets(address: InternetAddress): [Socket<InternetAddress>, Socket<InternetAddress>] {
  for (let tries = 1;; tries++) {
    const listener = bind(address) as Socket<InternetAddress>;
    const { localAddress } = listener;
    const datagrams = new Socket<InternetAddress>(familyOf(localAddress.hostname), SOCK_DGRAM);
    try {
      datagrams.bind(localAddress);
      reportDestinations(datagrams);
      return [listener, datagrams];
    } catch (error) {
      listener.close();
      datagrams.close();
      if (address.port !== 0 || tries === TRIES) throw error;
    }
  }
}

/** Reports the address to which a datagram was sent, where a socket has several. */
function reportDestinations(socket: Socket<InternetAddress>): void {
  const { hostname } = socket.localAddress;
  if (hostname === "::") socket.setOption(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
  if (hostname === "0.0.0.0" && IP_PKTINFO !== undefined) {
    socket.setOption(IPPROTO_IP, IP_PKTINFO, 1);
  }
}
