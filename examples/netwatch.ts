/**
 * Prints network links, addresses and routes, and then each change of them.
 *
 * It shows a netlink socket, which has an address of a family of its own; messages that are read
 * attribute by attribute (`support/netlink.ts`); and what to do when the system says that messages
 * were lost, or does not send one: list everything again, and print the difference.
 *
 *     deno run --allow-ffi jsr:@readiness/selectors/netwatch
 *
 * It needs Linux, but no privilege.
 *
 * @module
 */

import { OSError, whenReadable, whenWritable } from "@readiness/selectors";
import {
  AF_NETLINK,
  NLM_F_DUMP,
  NLM_F_MULTI,
  NLMSG_DONE,
  RTM_GETADDR,
  RTM_GETLINK,
  RTM_GETROUTE,
  RTMGRP_IPV4_IFADDR,
  RTMGRP_IPV4_ROUTE,
  RTMGRP_IPV6_IFADDR,
  RTMGRP_IPV6_ROUTE,
  RTMGRP_LINK,
} from "@readiness/selectors/socket";
import { exitWith, interruption, parseCommandLine, run } from "./support/command_line.ts";
import {
  MalformedMessage,
  type NetlinkMessage,
  NetlinkSocket,
  throwIfError,
} from "./support/netlink.ts";
import { type Entry, EntryReader, KINDS } from "./support/network_entries.ts";
import { print, warn } from "./support/output.ts";

const USAGE = `Usage: netwatch.ts [OPTIONS] [KIND...]

Prints the network links, addresses and routes of this machine, and then each change of them, until
it is interrupted (Ctrl-C). A KIND is link, address or route; all of them by default.

Options:
  -l, --list  print what there is, and exit
  -a, --all   also print the routes to this machine's own addresses (the table local)
  -h, --help  show this and exit

It needs Linux, but no privilege.`;

const GROUPS = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE |
  RTMGRP_IPV6_ROUTE;

/**
 * How long to wait before everything is listed again, in milliseconds. There is no
 * message for routes that go with a link or an address, and they may go a little later.
 */
const SETTLING = 100;

class Watcher implements Disposable {
  readonly #netlink = new NetlinkSocket(GROUPS);
  readonly #reader = new EntryReader();
  readonly #entries = new Map<string, Entry>();
  readonly #isWanted: (entry: Entry) => boolean;
  readonly #interrupted: AbortSignal;
  /** The keys that a list has had so far, while one is made. */
  #listed: Set<string> | null = null;
  /** When to list everything again. */
  #deadline = Infinity;
  #isQuiet = false;

  constructor(isWanted: (entry: Entry) => boolean, interrupted: AbortSignal) {
    this.#isWanted = isWanted;
    this.#interrupted = interrupted;
  }

  /** Prints what there is. */
  async list(): Promise<void> {
    this.#isQuiet = true;
    await this.#update();
    this.#isQuiet = false;
    for (const entry of this.#entries.values()) if (this.#isWanted(entry)) print(entry.text);
  }

  /** Prints changes, until it is interrupted. */
  async watch(): Promise<never> {
    for (;;) {
      if (performance.now() >= this.#deadline) await this.#update();
      for (const message of await this.#receive()) this.#take(message);
    }
  }

  [Symbol.dispose](): void {
    this.#netlink[Symbol.dispose]();
  }

  /** Lists everything. What is not in the lists is gone. */
  async #update(): Promise<void> {
    this.#deadline = Infinity;
    const listed = this.#listed = new Set();
    for (const type of [RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE]) await this.#request(type);
    this.#listed = null;
    for (const [key, entry] of this.#entries) if (!listed.has(key)) this.#remove(entry);
  }

  /** Asks for the entries of a kind. Notifications come between them. */
  async #request(type: number): Promise<void> {
    const anyFamily = new Uint8Array(4);
    const { socket } = this.#netlink;
    const sequence = await whenWritable(
      socket,
      () => this.#netlink.send(type, NLM_F_DUMP, anyFamily),
    );
    for (let isDone = false; !isDone;) {
      for (const message of await this.#receive()) {
        const isAnswer = this.#netlink.isAnswer(message, sequence);
        if (isAnswer) throwIfError(message, "Cannot list the network configuration");
        isDone ||= isAnswer && message.type === NLMSG_DONE;
        this.#take(message);
      }
    }
  }

  /** Receives messages, or none if some were lost or it is time for a list. */
  async #receive(): Promise<NetlinkMessage[]> {
    const signals = [this.#interrupted];
    if (this.#deadline !== Infinity && this.#listed === null) {
      signals.push(AbortSignal.timeout(Math.max(this.#deadline - performance.now(), 0)));
    }
    const signal = AbortSignal.any(signals);
    try {
      return await whenReadable(this.#netlink.socket, () => this.#netlink.receive(), { signal });
    } catch (error) {
      if (this.#interrupted.aborted) throw error;
      if (signal.aborted) return [];
      if (!(error instanceof OSError) || error.code !== "ENOBUFS") throw error;
      warn("Too many changes at once; listing everything again");
      this.#settle();
      return [];
    }
  }

  #take(message: NetlinkMessage): void {
    const entry = this.#reader.read(message);
    if (entry === null) return;
    const known = this.#entries.get(entry.key);
    if (entry.isRemoval) {
      if (known !== undefined) this.#remove(known);
    } else {
      this.#listed?.add(entry.key);
      this.#entries.set(entry.key, entry);
      if (known?.text === entry.text) return;
      this.#print(known === undefined ? "added" : "changed", entry);
    }
    const isListed = (message.flags & NLM_F_MULTI) !== 0;
    if (entry.isDisruptive && !isListed) this.#settle();
  }

  #remove(entry: Entry): void {
    this.#entries.delete(entry.key);
    this.#listed?.delete(entry.key);
    this.#print("removed", entry);
  }

  #settle(): void {
    if (this.#deadline === Infinity) this.#deadline = performance.now() + SETTLING;
  }

  #print(change: string, entry: Entry): void {
    if (this.#isQuiet || !this.#isWanted(entry)) return;
    print(`${new Date().toISOString().slice(11, 23)} ${change} ${entry.text}`);
  }
}

run(async () => {
  const { values: options, positionals: kinds } = parseCommandLine(USAGE, {
    list: { type: "boolean", short: "l", default: false },
    all: { type: "boolean", short: "a", default: false },
  }, true);
  for (const kind of kinds) {
    if (!KINDS.some((known) => kind === known)) {
      exitWith(2, `A kind must be link, address or route, received ${kind}`, USAGE);
    }
  }
  if (AF_NETLINK === undefined) {
    exitWith(1, `${Deno.build.os} does not have netlink: run this program on Linux`);
  }
  const interrupted = interruption();
  const isWanted = ({ kind, isLocal }: Entry) =>
    (kinds.length === 0 || kinds.some((wanted) => wanted === kind)) && (options.all || !isLocal);
  using watcher = new Watcher(isWanted, interrupted);
  try {
    await watcher.list();
    if (options.list) return;
    print("watching for changes");
    await watcher.watch();
  } catch (error) {
    if (error instanceof MalformedMessage) exitWith(1, `Cannot read a message: ${error.message}`);
    if (!interrupted.aborted) throw error;
  }
});
