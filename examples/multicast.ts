/**
 * Receives what is sent to a multicast group, on several interfaces, or sends to it through each.
 *
 * What it shows: joining a group on an interface, by name, index or address; choosing the interface
 * that is sent through and how far it goes; and control data that tells through which interface a
 * datagram came, as all of them come to one socket.
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
import { familyOf, parseAddress } from "./support/addresses.ts";
import {
  exitWith,
  format,
  interruption,
  parseCommandLine,
  parseInteger,
  run,
} from "./support/command_line.ts";

const USAGE = `Usage: multicast.ts [OPTIONS] GROUP:PORT

Joins a group, such as 239.1.2.3:7008 or [ff02::1234]:7008, and prints what is sent to it, until it
is interrupted (Ctrl-C); or sends to it.

Options:
  -i, --interface I  a name, an index or an IPv4 address; give it several times for several of them
                     (the one that the system chooses)
  -s, --send TEXT    send this through each interface, and exit
  -n, --count N      exit when so many datagrams have come
  --hops N           how many routers what is sent may pass (1: it stays on the link)
  --help             show this and exit`;

run(async () => {
  const { values: options, positionals } = parseCommandLine(USAGE, {
    interface: { type: "string", short: "i", multiple: true },
    send: { type: "string", short: "s" },
    count: { type: "string", short: "n" },
    hops: { type: "string", default: "1" },
  }, true);
  if (positionals.length !== 1) exitWith(2, `Say which group: one\n\n${USAGE}`);
  const group = parseAddress(positionals[0]);
  const hops = parseInteger("number of hops", options.hops, 0, 255);
  const count = options.count === undefined
    ? Infinity
    : parseInteger("count", options.count, 1, 1_000_000_000);
  const interfaces: Interface[] = (options.interface ?? ["0"]).map((text) =>
    /^\d+$/.test(text) ? parseInteger("interface", text, 0, 0x7fff_ffff) : text
  );
  const isIpv6 = familyOf(group.hostname) === AF_INET6;
  if (!isIpv6 && !/^[\d.]+$/.test(group.hostname)) exitWith(2, "A group is given by its number");

  using socket = new Socket(familyOf(group.hostname), SOCK_DGRAM);
  if (options.send === undefined) await receive();
  else send(new TextEncoder().encode(options.send));

  function send(data: Uint8Array): void {
    setMulticastHops(socket, hops);
    for (const each of interfaces) {
      setMulticastInterface(socket, each);
      if (socket.sendTo(data, group) === null) exitWith(1, "There is no room to send it");
    }
  }

  async function receive(): Promise<void> {
    const interrupted = interruption();
    // Several programs may be in the group. Bound to it, the socket gets nothing else.
    socket.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
    if (isIpv6) socket.setOption(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    else if (IP_PKTINFO !== -1) socket.setOption(IPPROTO_IP, IP_PKTINFO, 1);
    // Windows does not bind to a group.
    const any = isIpv6 ? "::" : "0.0.0.0";
    socket.bind(Deno.build.os === "windows" ? { hostname: any, port: group.port } : group);
    for (const each of interfaces) joinGroup(socket, group.hostname, each);
    const names = interfaces.map((each) => each === 0 ? "the system's choice" : each).join(", ");
    console.log(`joined ${format(group)} on ${names}`);
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
        const text = new TextDecoder().decode(buffer.subarray(0, message.size));
        const via = message.control.map(nameOf).find((name) => name !== undefined);
        console.log(`${format(message.address)} via ${via ?? "?"}: ${JSON.stringify(text)}`);
      }
    }
  }
});

/**
 * The interface's name: its index is behind an address in the structure, but in IPv4's before two,
 * except on Windows.
 */
function nameOf({ level, type, data }: ControlMessage): string | undefined {
  const isIpv4 = level === IPPROTO_IP && type === IP_PKTINFO;
  const isIpv6 = level === IPPROTO_IPV6 && type === IPV6_PKTINFO;
  if (!isIpv4 && !isIpv6 || data.length < (isIpv4 ? 8 : 20)) return undefined;
  const view = new DataView(data.buffer, data.byteOffset);
  const at = !isIpv4 ? 16 : Deno.build.os === "windows" ? 4 : 0;
  return interfaceName(view.getUint32(at, true));
}
