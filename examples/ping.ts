/**
 * Pings hosts over IPv4 and IPv6, as `ping` does, and many at once.
 *
 * It shows ICMP without a privilege where the system allows it, else raw sockets, else a message
 * about the missing privilege; one socket per address family for all hosts, with sequence numbers
 * that match answers to requests; control data that comes with a datagram (how many hops it may
 * still make); errors that other hosts report; and timers that are only the timeout of the
 * selector. What a packet holds is in `support/icmp.ts`.
 *
 *     deno run --allow-ffi jsr:@readiness/selectors/ping -c 3 127.0.0.1 ::1 localhost
 *
 * @module
 */

import { DefaultSelector, EVENT_READ, EVENT_WRITE, OSError } from "@readiness/selectors";
import { AF_INET6, MSG_ERRQUEUE, resolve } from "@readiness/selectors/socket";
import { familyOf } from "./support/addresses.ts";
import { exitWith, interruption, run } from "./support/command_line.ts";
import { IcmpSocket, setHops } from "./support/icmp.ts";
import { print, warn } from "./support/output.ts";
import { parsePingLine } from "./support/ping_command_line.ts";
import { describeSource, sendFrom } from "./support/ping_source.ts";
import { formatReason, formatTime, Host } from "./support/ping_statistics.ts";
import { despiteErrors } from "./support/probes.ts";

/** How many requests to send before answers have a turn. */
const BURST = 32;

/** How many packets to receive before signals and requests have a turn. */
const TURN = 256;

/** A request that waits for its answer. */
interface Request {
  readonly host: Host;
  readonly number: number;
  readonly time: number;
}

/** The socket of an address family, and the hosts to send the next request to. */
interface Family {
  readonly icmp: IcmpSocket;
  readonly isIpv6: boolean;
  readonly due: Host[];
}

run(async () => {
  const { names, count, interval, timeout, deadline, size, ttl, source, quiet, family } =
    parsePingLine();
  const interrupted = interruption();
  const hosts = (await Promise.all(names.map(findHost))).filter((host) => host !== null);
  if (hosts.length === 0) Deno.exit(2);
  using selector = new DefaultSelector<Family>();
  const requests = new Map<number, Request>(); // In the order in which they were sent.
  const families = new Map<number, Family>();
  let sequence = 0;
  let strays = 0;
  let malformed = 0;

  for (const { address } of hosts) {
    const family = familyOf(address);
    if (families.has(family)) continue;
    const isIpv6 = family === AF_INET6;
    const icmp = new IcmpSocket(family, size);
    if (ttl !== undefined) setHops(icmp.socket, isIpv6, ttl);
    if (source !== undefined) useSource(() => sendFrom(icmp.socket, source));
    if (MSG_ERRQUEUE !== undefined) icmp.reportErrors();
    families.set(family, { icmp, isIpv6, due: [] });
  }
  for (const family of families.values()) {
    selector.register(family.icmp.socket, EVENT_READ, family);
  }
  for (const host of hosts) {
    const from = source && useSource(() => describeSource(host.address, source));
    print(host.header(size, from));
  }

  const start = performance.now();
  const end = start + deadline;
  const isTimed = end < Infinity;
  let round = 0;
  try {
    while (!isDone()) {
      if (hasNextRound() && performance.now() >= start + round * interval) {
        for (const host of hosts) {
          if (!isFinished(host)) families.get(familyOf(host.address))!.due.push(host);
        }
        round++;
        for (const family of families.values()) send(family);
      }
      const ready = await selector.selectAsync(untilNext(), { signal: interrupted });
      for (const [{ data: family }, events] of ready) {
        if (events & EVENT_READ) receive(family);
        if (events & EVENT_WRITE) send(family);
      }
      giveUp();
    }
  } catch (error) {
    if (!interrupted.aborted) throw error;
  }
  for (const host of hosts) print(host.summary());
  if (malformed > 0) print(`${malformed} malformed packets`);
  if (strays > 0) print(`${strays} late or duplicate answers`);
  const least = isTimed && count < Infinity ? count : 1;
  if (Deno.exitCode === 0 && hosts.some(({ received }) => received < least)) Deno.exitCode = 1;

  /** Resolves a name once. The other hosts are pinged if it cannot be resolved. */
  async function findHost(name: string): Promise<Host | null> {
    try {
      const [address] = await resolve(name, { family, signal: interrupted });
      return new Host(name, address.hostname);
    } catch (error) {
      if (interrupted.aborted) Deno.exit(130); // As in a shell.
      if (!(error instanceof OSError)) throw error;
      fail(error.message);
      return null;
    }
  }

  function isDone(): boolean {
    if (performance.now() >= end || isTimed && !hasNextRound()) return true;
    const isSending = hasNextRound() || families.values().some(({ due }) => due.length > 0);
    return !isSending && requests.size === 0;
  }

  function hasNextRound(): boolean {
    return isTimed ? !hosts.every(isFinished) : round < count;
  }

  /** Returns whether a host is pinged no more, although there is time. */
  function isFinished({ errors, received }: Host): boolean {
    return isTimed && (errors > 0 || received >= count);
  }

  /** Returns the time until the next request is due or the oldest one is given up. */
  function untilNext(): number {
    if (isDone()) return 0; // No request of the last round could be sent.
    const [oldest] = requests.values();
    const next = hasNextRound() ? start + round * interval : Infinity;
    const late = oldest === undefined ? Infinity : oldest.time + timeout;
    return Math.max(Math.min(next, late, end) - performance.now(), 0);
  }

  /** Sends a few of the requests that are due, as far as there is room. */
  function send(family: Family): void {
    const { icmp, due } = family;
    for (let i = 0; i < BURST && due.length > 0; i++) {
      const [host] = due;
      sequence = (sequence + 1) & 0xffff;
      try {
        const time = despiteErrors(() => icmp.send(host.address, sequence));
        if (time === null) break;
        host.count(time);
        requests.set(sequence, { host, number: host.sent, time });
      } catch (error) {
        if (!(error instanceof OSError)) throw error;
        host.count(performance.now());
        host.errors++;
        fail(error.message);
      }
      due.shift();
    }
    const events = due.length > 0 ? EVENT_READ | EVENT_WRITE : EVENT_READ;
    selector.modify(icmp.socket, events, family);
  }

  function receive({ icmp, isIpv6 }: Family): void {
    // Not until there are no more, which may never be the case.
    for (let i = 0; i < TURN; i++) {
      const report = icmp.receiveError();
      if (report === null) break;
      const { sequence, error: { offender, type, code } } = report;
      const request = requests.get(sequence);
      if (request === undefined || offender === null) continue;
      requests.delete(sequence);
      request.host.errors++;
      const from = "hostname" in offender ? offender.hostname : "";
      const reason = formatReason(isIpv6, type, code);
      note(`From ${from} icmp_seq=${request.number} ${reason}`);
    }
    for (let i = 0; i < TURN; i++) {
      const answer = despiteErrors(() => icmp.receive());
      if (answer === null) return;
      if (answer === "malformed") malformed++;
      if (typeof answer === "string") continue;
      const request = requests.get(answer.sequence);
      if (request === undefined) {
        strays++;
        continue;
      }
      requests.delete(answer.sequence);
      const { host, number, time } = request;
      const took = Math.max(answer.time - time, 0); // The system's clock can be set back.
      host.take(took);
      const from = answer.from === host.address ? host.label : answer.from;
      const hops = answer.hops === undefined ? "" : ` ttl=${answer.hops}`;
      const bytes = `${answer.size} bytes from ${from}`;
      note(`${bytes}: icmp_seq=${number}${hops} time=${formatTime(took)} ms`);
    }
  }

  /** Gives the requests up whose answers are late. */
  function giveUp(): void {
    for (const [sequence, { time }] of requests) {
      if (performance.now() < time + timeout) return;
      requests.delete(sequence);
    }
  }

  /** Takes a step, or exits as ping does if that fails because the source is wrong. */
  function useSource<T>(step: () => T): T {
    try {
      return step();
    } catch (error) {
      if (!(error instanceof OSError)) throw error;
      exitWith(2, `Cannot ping from ${source}: ${error.message}`);
    }
  }

  function note(line: string): void {
    if (!quiet) print(line);
  }

  function fail(message: string): void {
    warn(message);
    Deno.exitCode = 2;
  }
});
