/**
 * Receives the datagrams of a multicast group on several interfaces, or sends one through each.
 *
 * It shows how to join a group on an interface, by name, index or address; how to choose the
 * interface to send through and how far a datagram goes; and how control data names the interface
 * that a datagram arrived on, as all of them arrive at one socket.
 *
 *     deno run --allow-ffi jsr:@readiness/selectors/multicast --interface lo 239.1.2.3:7008
 *     deno run --allow-ffi jsr:@readiness/selectors/multicast --interface lo --send hello 239.1.2.3:7008
 *
 * @module
 */

import { DefaultSelector, EVENT_READ } from "@readiness/selectors";
import {
  AF_INET6,
  type Interface,
  interfaceName,
  joinGroup,
  type ReceivedMessage,
  receiveMessage,
  setMulticastHops,
  setMulticastInterface,
  SO_REUSEADDR,
  SOCK_DGRAM,
  Socket,
  SOL_SOCKET,
} from "@readiness/selectors/socket";
import { familyOf, formatAddress, parseAddress } from "./support/addresses.ts";
import {
  exitWith,
  interruption,
  parseCommandLine,
  parseCount,
  parseInteger,
  run,
} from "./support/command_line.ts";
import { print, printable, warnSeldom } from "./support/output.ts";
import { arrivalOf, receivePacketInfo } from "./support/packet_info.ts";
import { hasNoRoom, select } from "./support/shortage.ts";

const USAGE = `Usage: multicast.ts [OPTIONS] GROUP:PORT

Joins a group, such as 239.1.2.3:7008 or [ff02::1234%eth0]:7008, and prints what is sent to it,
until it is interrupted (Ctrl-C). With --send, it sends to the group instead.

Options:
  -i, --interface I  a name, an index or an IPv4 address; may be repeated (the system's choice)
  -s, --send TEXT    send this text through each interface, and exit
  -n, --count N      exit after this many datagrams
  --hops N           how many hops a datagram may make; 1 stays on the link (1)
  -h, --help         show this and exit`;

/** The multicast addresses. */
const GROUP = /^((22[4-9]|23\d)\.[\d.]+|ff..:.*)$/i;

/** IPv6 groups of an interface or a link. */
const LINK_LOCAL = /^ff.[12]:/i;

/** How many datagrams to read before signals have a turn. */
const TURN = 64;

const buffer = new Uint8Array(65_536);
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

run(async () => {
  const { values: options, positionals } = parseCommandLine(USAGE, {
    interface: { type: "string", short: "i", multiple: true },
    send: { type: "string", short: "s" },
    count: { type: "string", short: "n" },
    hops: { type: "string", default: "1" },
  }, true);
  if (positionals.length !== 1) exitWith(2, "There must be one group", USAGE);
  const { hostname, port } = parseAddress(positionals[0]);
  const [group, zone] = hostname.split("%") as [string, string?];
  const hops = parseInteger("number of hops", options.hops, 0, 255);
  const count = parseCount(options.count);
  if (zone !== undefined && options.interface !== undefined) {
    exitWith(2, "Cannot use both --interface and the zone of an address");
  }
  const names = options.interface ?? (zone === undefined ? ["0"] : [zone]);
  const interfaces: Interface[] = names.map((text) =>
    /^\d+$/.test(text) ? parseInteger("interface", text, 0, 0x7fff_ffff) : text
  );
  const family = familyOf(group);
  const address = { hostname: group, port };
  if (!GROUP.test(group)) {
    exitWith(
      2,
      `The group must be from 224.0.0.0 to 239.255.255.255 or ff00::/8, received ${group}`,
    );
  }

  using socket = new Socket(family, SOCK_DGRAM);
  if (options.send === undefined) await receive();
  else send(new TextEncoder().encode(options.send));

  function send(data: Uint8Array): void {
    setMulticastHops(socket, hops);
    for (const each of interfaces) {
      setMulticastInterface(socket, each);
      if (socket.sendTo(data, address) === null) exitWith(1, "Cannot send now: no room");
    }
  }

  async function receive(): Promise<void> {
    const interrupted = interruption();
    socket.setOption(SOL_SOCKET, SO_REUSEADDR, 1); // Other programs may join the group, too.
    receivePacketInfo(socket, family);
    socket.bind({ hostname: bindable(), port });
    for (const each of interfaces) joinGroup(socket, group, each);
    const joined = interfaces.map((each) => each === 0 ? "the system's choice" : each).join(", ");
    print(`joined ${formatAddress(address)} on ${printable(joined)}`);
    using selector = new DefaultSelector();
    selector.register(socket, EVENT_READ);
    try {
      for (let left = count; left > 0;) {
        await select(selector, null, { signal: interrupted });
        // Not until there are no more, which may never be the case.
        for (let i = 0; i < TURN && left > 0; i++) {
          const message = next();
          if (message === null) break;
          if (show(message)) left--;
        }
      }
    } catch (error) {
      if (!interrupted.aborted) throw error;
    }
  }

  function next(): ReceivedMessage | null {
    try {
      return receiveMessage(socket, buffer);
    } catch (error) {
      if (!hasNoRoom(error)) throw error;
      warnSeldom(error.message);
      return null;
    }
  }

  /**
   * Returns the address to bind to: the group, so that the socket receives nothing else, where
   * possible.
   */
  function bindable(): string {
    const any = family === AF_INET6 ? "::" : "0.0.0.0";
    if (Deno.build.os === "windows") return any; // It cannot bind to a group.
    if (!LINK_LOCAL.test(group)) return group;
    // Such a group belongs to one interface.
    return interfaces.length === 1 && interfaces[0] !== 0 ? `${group}%${interfaces[0]}` : any;
  }

  /** Prints a datagram, unless it is for another group at the same port. */
  function show({ size, address, control }: ReceivedMessage): boolean {
    const arrival = arrivalOf(control);
    const isOther = arrival !== undefined && arrival.destination !== canonical(group);
    if (isOther) return false;
    const text = decoder.decode(buffer.subarray(0, size));
    const via = arrival === undefined ? "?" : interfaceName(arrival.interface) ?? "?";
    const from = formatAddress(address);
    print(`${from} via ${printable(via)}: ${printable(JSON.stringify(text))}`);
    return true;
  }
});

/** Formats an IP address as the system does. */
function canonical(address: string): string {
  const url = new URL(`http://${address.includes(":") ? `[${address}]` : address}`);
  return url.hostname.replace(/^\[(.*)\]$/, "$1");
}
