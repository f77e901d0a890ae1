/**
 * Receives the datagrams of a multicast group on several interfaces, or sends one through each.
 *
 * It shows how to join a group on an interface, by name, index or address; how to choose the
 * interface to send through and how far a datagram goes; and how control data names the interface
 * that a datagram arrived on, as all of them arrive at one socket.
 *
 *     deno run --allow-ffi examples/multicast.ts --interface lo 239.1.2.3:7008
 *     deno run --allow-ffi examples/multicast.ts --interface lo --send hello 239.1.2.3:7008
 *
 * @module
 */

import { DefaultSelector, EVENT_READ } from "@readiness/selectors";
import {
  AF_INET6,
  type ControlMessage,
  type Interface,
  interfaceName,
  IP_PKTINFO,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_PKTINFO,
  IPV6_RECVPKTINFO,
  joinGroup,
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
  parseInteger,
  run,
} from "./support/command_line.ts";
import { print, printable } from "./support/output.ts";

const USAGE = `Usage: multicast.ts [OPTIONS] GROUP:PORT

Joins a group, such as 239.1.2.3:7008 or [ff02::1234]:7008, and prints what is sent to it, until it
is interrupted (Ctrl-C); or sends to it.

Options:
  -i, --interface I  a name, an index or an IPv4 address; may be repeated (the system's choice)
  -s, --send TEXT    send this text through each interface, and exit
  -n, --count N      exit after this many datagrams
  --hops N           how many hops a datagram may make; 1 stays on the link (1)
  -h, --help         show this and exit`;

run(async () => {
  const { values: options, positionals } = parseCommandLine(USAGE, {
    interface: { type: "string", short: "i", multiple: true },
    send: { type: "string", short: "s" },
    count: { type: "string", short: "n" },
    hops: { type: "string", default: "1" },
  }, true);
  if (positionals.length !== 1) exitWith(2, "There must be one group", USAGE);
  const group = parseAddress(positionals[0]);
  const hops = parseInteger("number of hops", options.hops, 0, 255);
  const count = options.count === undefined
    ? Infinity
    : parseInteger("count", options.count, 1, 1_000_000_000);
  const interfaces: Interface[] = (options.interface ?? ["0"]).map((text) =>
    /^\d+$/.test(text) ? parseInteger("interface", text, 0, 0x7fff_ffff) : text
  );
  const isIpv6 = familyOf(group.hostname) === AF_INET6;
  if (!isIpv6 && !/^[\d.]+$/.test(group.hostname)) exitWith(2, "The group must be an IP address");

  using socket = new Socket(familyOf(group.hostname), SOCK_DGRAM);
  if (options.send === undefined) await receive();
  else send(new TextEncoder().encode(options.send));

  function send(data: Uint8Array): void {
    setMulticastHops(socket, hops);
    for (const each of interfaces) {
      setMulticastInterface(socket, each);
      if (socket.sendTo(data, group) === null) exitWith(1, "Cannot send now: no room");
    }
  }

  async function receive(): Promise<void> {
    const interrupted = interruption();
    // Other programs may join the group, too. Bound to it, the socket receives nothing else.
    socket.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
    if (isIpv6) socket.setOption(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    else if (IP_PKTINFO !== undefined) socket.setOption(IPPROTO_IP, IP_PKTINFO, 1);
    // Windows cannot bind to a group.
    const any = isIpv6 ? "::" : "0.0.0.0";
    socket.bind(Deno.build.os === "windows" ? { hostname: any, port: group.port } : group);
    for (const each of interfaces) joinGroup(socket, group.hostname, each);
    const names = interfaces.map((each) => each === 0 ? "the system's choice" : each).join(", ");
    print(`joined ${formatAddress(group)} on ${printable(names)}`);
    using selector = new DefaultSelector();
    selector.register(socket, EVENT_READ);
    const buffer = new Uint8Array(65_536);
    for (let received = 0; received < count;) {
      try {
        await selector.selectAsync(null, { signal: interrupted });
      } catch (error) {
        if (interrupted.aborted) return;
        throw error;
      }
      for (let message; received < count && (message = receiveMessage(socket, buffer));) {
        received++;
        const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(
          buffer.subarray(0, message.size),
        );
        const via = message.control.map(nameOf).find((name) => name !== undefined);
        const from = formatAddress(message.address);
        print(`${from} via ${printable(via ?? "?")}: ${printable(JSON.stringify(text))}`);
      }
    }
  }
});

/**
 * The name of the interface in control data. Its index follows an address, but for IPv4 it comes
 * first except on Windows.
 */
function nameOf({ level, type, data }: ControlMessage): string | undefined {
  const isIpv4 = level === IPPROTO_IP && type === IP_PKTINFO;
  const isIpv6 = level === IPPROTO_IPV6 && type === IPV6_PKTINFO;
  if (!isIpv4 && !isIpv6 || data.length < (isIpv4 ? 8 : 20)) return undefined;
  const view = new DataView(data.buffer, data.byteOffset);
  const at = !isIpv4 ? 16 : Deno.build.os === "windows" ? 4 : 0;
  return interfaceName(view.getUint32(at, true));
}
