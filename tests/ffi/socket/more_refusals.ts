/**
 * Every wrong argument of what came after `Socket`: as `refusals.ts`.
 *
 * @module
 */

import {
  AF_INET,
  AF_INET6,
  AF_PACKET,
  AF_UNIX,
  type Credentials,
  ETH_P_IP,
  getOptionBytes,
  interfaceIndex,
  interfaceName,
  joinGroup,
  leaveGroup,
  type PacketAddress,
  peerCredentials,
  receiveMessage,
  sendMessage,
  setKeepAlive,
  setLinger,
  setMulticastHops,
  setMulticastInterface,
  setMulticastLoop,
  SO_TYPE,
  SOCK_DGRAM,
  SOCK_STREAM,
  Socket,
  SOL_SOCKET,
} from "../../../ffi/socket/mod.ts";
import { Descriptor, Pair } from "../../support/descriptors.ts";
import { needsRaw } from "../../support/privileges.ts";
import { needsIpv6, needsUnix } from "../../support/sockets.ts";
import { isWinsock, names } from "../../support/platform.ts";
import type { Refusal } from "./refusals.ts";
import { linuxOnly, skipIf } from "../../support/skip.ts";
import { isWindows, isWine } from "../../support/os.ts";

export { testRefusals } from "./refusals.ts";

const BYTES = new Uint8Array(4);

/** Calls a function with each of some wrong values. */
function each(values: readonly unknown[], call: (value: never) => unknown): (() => unknown)[] {
  return values.map((value) => () => call(value as never));
}

/** Calls a function with the left of two connected sockets. */
function connected(call: (socket: Socket) => unknown): () => unknown {
  return () => {
    using pair = new Pair();
    return call(pair.left);
  };
}

/** Calls a function with a socket of its own, for datagrams. */
function fresh(call: (socket: Socket) => unknown, family = AF_INET, type = SOCK_DGRAM) {
  return () => {
    using socket = new Socket(family, type);
    return call(socket);
  };
}

/** Calls a function with a socket that is closed. */
function closed(call: (socket: Socket) => unknown): () => unknown {
  return fresh((socket) => {
    socket.close();
    return call(socket);
  });
}

const NO_INTEGERS = [NaN, 1.5, Infinity, 2 ** 31, "1", 1n, null, true, {}] as const;
const own: Credentials = { pid: Deno.pid, uid: 0, gid: 0 };

export const messageRefusals: readonly Refusal[] = [
  {
    name: "sendMessage() and receiveMessage() throw TypeError when they are given no bytes",
    error: TypeError,
    message: /^Cannot use a buffer: it must be a Uint8Array, received /,
    calls: [undefined, null, "text", 4, {}, new ArrayBuffer(4), [1], [BYTES, "text"], [undefined]]
      .flatMap((value) => [
        connected((socket) => sendMessage(socket, value as never)),
        connected((socket) => receiveMessage(socket, value as never)),
      ]),
  },
  {
    name: "sendMessage() and receiveMessage() throw RangeError when an option is no integer",
    error: RangeError,
    message: /^Cannot use a (mask of flags|number of descriptors|size of control data): it must be/,
    calls: NO_INTEGERS.flatMap((value) => [
      connected((socket) => sendMessage(socket, BYTES, { flags: value as never })),
      connected((socket) => receiveMessage(socket, BYTES, { flags: value as never })),
      connected((socket) => receiveMessage(socket, BYTES, { descriptors: value as never })),
      connected((socket) => receiveMessage(socket, BYTES, { controlSize: value as never })),
    ]),
  },
  {
    name: "receiveMessage() throws RangeError when an option is out of range",
    error: RangeError,
    message: /^Cannot (use a .+: it must be an integer from 0 to|receive 254 descriptors: )/,
    calls: [{ descriptors: -1 }, { controlSize: -1 }, { descriptors: 254 }].map((options) =>
      connected((socket) => receiveMessage(socket, BYTES, options))
    ),
  },
  {
    name: "sendMessage() throws TypeError when a descriptor is none",
    error: TypeError,
    message: /^Cannot send a descriptor: it must be a number or have a fileno\(\), received /,
    calls: [null, undefined, "3", 3n, {}, { fileno: () => "3" }].map((value) =>
      connected((socket) => sendMessage(socket, BYTES, { descriptors: [value as never] }))
    ),
  },
  {
    name: "sendMessage() throws RangeError when a descriptor is closed or out of range",
    error: RangeError,
    message: /^Cannot send (a closed descriptor|fd .+): it must be an integer from 0 to /,
    calls: [-1, 1.5, NaN, 2 ** 31, { fileno: () => -1 }].map((value) =>
      connected((socket) => sendMessage(socket, BYTES, { descriptors: [value] }))
    ),
  },
  {
    name: "sendMessage() throws OSError when somebody else has closed a descriptor",
    ...skipIf(isWindows, "Windows has no SCM_RIGHTS"),
    error: ["EBADF", names.sendmsg],
    message: /^Cannot send to fd \d+: /,
    calls: [connected((socket) => {
      using copy = Descriptor.dupHigh(socket.fileno());
      copy.close();
      sendMessage(socket, BYTES, { descriptors: [socket, copy.fd] });
    })],
  },
  {
    name: "sendMessage() throws OSError when there are more descriptors than a message takes",
    error: ["EINVAL", names.sendmsg],
    message: /^Cannot send to fd \d+: /,
    calls: [connected((socket) => {
      sendMessage(socket, BYTES, { descriptors: Array(254).fill(socket) });
    })],
    ...linuxOnly,
  },
  {
    name: "sendMessage() throws OSError when there are too many buffers",
    error: ["EMSGSIZE", names.sendmsg],
    message: /^Cannot send to fd \d+: /,
    calls: [connected((socket) => sendMessage(socket, Array(1025).fill(BYTES)))],
    ...linuxOnly,
  },
  {
    name: "sendMessage() throws RangeError when credentials are out of range",
    error: RangeError,
    message: /^Cannot use credentials: their (pid|uid|gid) must be an integer from 0 to 4294967295/,
    calls: [-1, 1.5, NaN, 2 ** 32, "0", undefined].flatMap((value) =>
      ["pid", "uid", "gid"].map((name) =>
        connected((socket) =>
          sendMessage(socket, BYTES, { credentials: { ...own, [name]: value as never } })
        )
      )
    ),
    ...linuxOnly,
  },
  {
    name: "sendMessage() throws OSError when there is no process of the credentials",
    error: ["ESRCH", names.sendmsg],
    message: /^Cannot send to fd \d+: /,
    calls: [connected((socket) => {
      sendMessage(socket, BYTES, { credentials: { ...own, pid: 0x7fff_fff0 } });
    })],
    ...needsRaw,
  },
  {
    name: "sendMessage() throws TypeError when control data is no bytes",
    error: TypeError,
    message: /^Cannot use a control message: its data must be a Uint8Array, received /,
    calls: [undefined, "text", 4, new ArrayBuffer(4)].map((data) =>
      connected((socket) =>
        sendMessage(socket, BYTES, { control: [{ level: 1, type: 1, data: data as never }] })
      )
    ),
  },
  {
    name: "sendMessage() throws RangeError when control data is of no level or type",
    error: RangeError,
    message: /^Cannot use a control message's (level|type): it must be an integer from /,
    calls: NO_INTEGERS.flatMap((value) => [
      connected((socket) =>
        sendMessage(socket, BYTES, { control: [{ level: value as never, type: 1, data: BYTES }] })
      ),
      connected((socket) =>
        sendMessage(socket, BYTES, { control: [{ level: 1, type: value as never, data: BYTES }] })
      ),
    ]),
  },
  {
    name: "sendMessage() throws OSError when the system does not know the control data",
    error: ["EINVAL", names.sendmsg],
    message: /^Cannot send to fd \d+: /,
    calls: [connected((socket) => {
      sendMessage(socket, BYTES, { control: [{ level: SOL_SOCKET, type: 12345, data: BYTES }] });
    })],
    ...linuxOnly,
  },
  {
    name: "sendMessage() throws TypeError when the address is of another family",
    ...needsUnix,
    error: TypeError,
    message: /^Cannot use (a path|a hostname|an interface) as the address of a socket of family /,
    calls: [
      fresh((socket) => sendMessage(socket, BYTES, { address: { path: "/tmp/socket" } })),
      fresh(
        (socket) => sendMessage(socket, BYTES, { address: { hostname: "::1", port: 1 } }),
        AF_UNIX,
      ),
      fresh((socket) =>
        sendMessage(socket, BYTES, { address: { interface: 1, protocol: 1 } as never })
      ),
    ],
  },
  {
    name: "sendMessage() throws OSError when the name does not resolve",
    error: ["EAI_NONAME", "getaddrinfo"],
    message: /^Cannot resolve "": /,
    calls: [fresh((socket) => sendMessage(socket, BYTES, { address: { hostname: "", port: 1 } }))],
  },
  {
    name: "sendMessage() throws RangeError when the port is out of range",
    error: RangeError,
    message: /^Cannot use an address: its port must be an integer from 0 to 65535, received /,
    calls: [-1, 65_536, 1.5].map((port) =>
      fresh((socket) => sendMessage(socket, BYTES, { address: { hostname: "127.0.0.1", port } }))
    ),
  },
  {
    name: "sendMessage() throws OSError when the datagram is too long",
    error: ["EMSGSIZE", names.sendmsg],
    message: /^Cannot send to 127\.0\.0\.1:9 from fd \d+: /,
    calls: [fresh((socket) => {
      const data = [new Uint8Array(40_000), new Uint8Array(30_000)];
      sendMessage(socket, data, { address: { hostname: "127.0.0.1", port: 9 } });
    })],
  },
  {
    name: "sendMessage() throws OSError when it is closed",
    error: ["EBADF", names.sendmsg],
    message: /^Cannot send to a closed descriptor: /,
    calls: [closed((socket) => sendMessage(socket, BYTES))],
  },
  {
    name: "receiveMessage() throws OSError when it is closed",
    error: ["EBADF", names.recvmsg],
    message: /^Cannot receive from a closed descriptor: /,
    calls: [closed((socket) => receiveMessage(socket, BYTES, { descriptors: 3 }))],
  },
];

export const multicastRefusals: readonly Refusal[] = [
  {
    name: "joinGroup() and leaveGroup() throw RangeError when the group is no numeric address",
    error: RangeError,
    message: /^Cannot use the group ".*": it must be a numeric IPv4 address$/s,
    calls: ["", "nonsense", "239.1.2", "ff02::1", "239.1.2.3\0", "localhost"].flatMap((group) => [
      fresh((socket) => joinGroup(socket, group)),
      fresh((socket) => leaveGroup(socket, group)),
    ]),
  },
  {
    name: "joinGroup() throws RangeError when the group is no IPv6 address",
    error: RangeError,
    message: /^Cannot use the group ".*": it must be a numeric IPv6 address$/,
    calls: ["", "nonsense", "239.1.2.3", "ff02::1%lo"].map((group) =>
      fresh((socket) => joinGroup(socket, group), AF_INET6)
    ),
    ...needsIpv6,
  },
  {
    name: "joinGroup() throws TypeError when the group is no string",
    error: TypeError,
    message: /^Cannot use a group: it must be a string, received /,
    calls: each([undefined, null, 5, {}], (group) => fresh((socket) => joinGroup(socket, group))()),
  },
  {
    name: "joinGroup() throws OSError when the address is no group's",
    error: ["EINVAL", "setsockopt"],
    message: /^Cannot set option \d+ of level \d+ of fd \d+: /,
    calls: [
      fresh((socket) => joinGroup(socket, "192.0.2.1")),
      ...needsIpv6.ignore ? [] : [fresh((socket) => joinGroup(socket, "::1", 1), AF_INET6)],
    ],
  },
  {
    name: "joinGroup() throws OSError when there is no such interface",
    error: ["ENODEV", "if_nametoindex"],
    message: /^Cannot find the interface "nonsense": /,
    calls: [
      fresh((socket) => joinGroup(socket, "239.1.2.3", "nonsense")),
      fresh((socket) => setMulticastInterface(socket, "nonsense")),
      fresh((socket) => joinGroup(socket, "ff02::1", "nonsense"), AF_INET6),
    ],
    ...linuxOnly,
    ...needsIpv6,
  },
  {
    name: "joinGroup() throws OSError when no interface has the index or the address",
    error: ["ENODEV", "setsockopt"],
    message: /^Cannot set option \d+ of level \d+ of fd \d+: /,
    calls: [
      fresh((socket) => joinGroup(socket, "239.1.2.3", 54_321)),
      fresh((socket) => joinGroup(socket, "239.1.2.3", "203.0.113.7")),
    ],
    ...linuxOnly,
  },
  {
    name: "leaveGroup() throws OSError when the socket has not joined",
    ...skipIf(isWine, "Wine says EINVAL"),
    error: ["EADDRNOTAVAIL", "setsockopt"],
    message: /^Cannot set option \d+ of level \d+ of fd \d+: /,
    calls: [
      fresh((socket) => leaveGroup(socket, "239.1.2.3", "127.0.0.1")),
      ...needsIpv6.ignore ? [] : [fresh((socket) => leaveGroup(socket, "ff02::99", 1), AF_INET6)],
    ],
  },
  {
    name: "joinGroup() and setMulticastInterface() throw RangeError when the index is none",
    error: RangeError,
    message: /^Cannot use an interface's index: it must be an integer from 0 to 2147483647/,
    calls: [-1, 1.5, NaN, 2 ** 31].flatMap((index) => [
      fresh((socket) => joinGroup(socket, "239.1.2.3", index)),
      fresh((socket) => setMulticastInterface(socket, index)),
    ]),
  },
  {
    name: "joinGroup() and setMulticastInterface() throw TypeError when the interface is none",
    error: TypeError,
    message: /^Cannot use an interface: it must be an index or a name, received /,
    calls: [null, 1n, {}].flatMap((on) => [
      fresh((socket) => joinGroup(socket, "239.1.2.3", on as never)),
      fresh((socket) => setMulticastInterface(socket, on as never)),
    ]),
  },
  {
    name: "setMulticastHops() throws RangeError when the hops are out of range",
    error: RangeError,
    message: /^Cannot use a hop limit: it must be an integer from 0 to 255, received /,
    calls: each(
      [-1, 256, 1.5, NaN, "1", null],
      (hops) => fresh((socket) => setMulticastHops(socket, hops))(),
    ),
  },
  {
    name: "multicast throws TypeError when the socket is of another family",
    ...needsUnix,
    error: TypeError,
    message: /^Cannot use multicast with a socket of family \d+$/,
    calls: [
      (socket: Socket) => joinGroup(socket, "239.1.2.3"),
      (socket: Socket) => leaveGroup(socket, "239.1.2.3"),
      (socket: Socket) => setMulticastInterface(socket, 0),
      (socket: Socket) => setMulticastHops(socket, 0),
      (socket: Socket) => setMulticastLoop(socket, true),
    ].map((call) => fresh(call, AF_UNIX)),
  },
  {
    name: "multicast throws OSError when the socket is closed",
    error: ["EBADF", "getsockname"],
    message: /a closed descriptor: /,
    calls: [
      closed((socket) => joinGroup(socket, "239.1.2.3")),
      closed((socket) => setMulticastHops(socket, 0)),
    ],
  },
];

export const interfaceRefusals: readonly Refusal[] = [
  {
    name: "interfaceIndex() throws TypeError when it is given no string",
    error: TypeError,
    message: /^Cannot use an interface: its name must be a string, received /,
    calls: each([undefined, null, 1, {}], (name) => interfaceIndex(name)),
  },
  {
    name: "interfaceIndex() throws RangeError when the name holds a NUL",
    error: RangeError,
    message: /^Cannot use an interface: its name must not hold a NUL$/,
    calls: [() => interfaceIndex("lo\0")],
  },
  {
    name: "interfaceIndex() throws OSError when there is no such interface",
    error: ["ENODEV", "if_nametoindex"],
    message: /^Cannot find the interface "/,
    calls: ["", "nonsense", "é", "x".repeat(1000)].map((name) => () => interfaceIndex(name)),
    ...linuxOnly,
  },
  {
    name: "interfaceName() throws RangeError when the index is none",
    error: RangeError,
    message: /^Cannot use an interface's index: it must be an integer from 0 to 2147483647/,
    calls: each([-1, ...NO_INTEGERS, undefined], (index) => interfaceName(index)),
  },
  {
    name: "interfaceName() throws OSError when there is no such interface",
    error: [isWinsock ? "EADDRNOTAVAIL" : "ENXIO", "if_indextoname"],
    message: /^Cannot find interface \d+: /,
    calls: [() => interfaceName(0), () => interfaceName(54_321)],
  },
];

export const structureRefusals: readonly Refusal[] = [
  {
    name: "setLinger() throws RangeError when the seconds are out of range",
    error: RangeError,
    message: /^Cannot linger: it must be an integer from 0 to 32767 seconds or null, received /,
    calls: each(
      [-1, 32_768, 1.5, NaN, "1", undefined, true],
      (seconds) => fresh((socket) => setLinger(socket, seconds))(),
    ),
  },
  {
    name: "setKeepAlive() throws RangeError when a number is out of range",
    error: RangeError,
    message: /^Cannot use (idle|interval|count) of keep-alive: it must be an integer from 1 to /,
    calls: [0, -1, 1.5, NaN, "1", null].flatMap((value) =>
      ["idle", "interval", "count"].map((name) =>
        fresh((socket) => setKeepAlive(socket, { [name]: value }), AF_INET, SOCK_STREAM)
      )
    ),
  },
  {
    name: "setKeepAlive() throws OSError when the system takes no such number",
    error: ["EINVAL", "setsockopt"],
    message: /^Cannot set option \d+ of level \d+ of fd \d+: /,
    calls: [fresh((socket) => setKeepAlive(socket, { idle: 40_000 }), AF_INET, SOCK_STREAM)],
    ...linuxOnly,
  },
  {
    name: "getOptionBytes() throws RangeError when an argument is no integer or the size negative",
    error: RangeError,
    message: /^Cannot use (a level|an option|a size): it must be an integer from /,
    calls: [
      ...NO_INTEGERS.flatMap((value) => [
        fresh((socket) => getOptionBytes(socket, value as never, SO_TYPE, 4)),
        fresh((socket) => getOptionBytes(socket, SOL_SOCKET, value as never, 4)),
        fresh((socket) => getOptionBytes(socket, SOL_SOCKET, SO_TYPE, value as never)),
      ]),
      fresh((socket) => getOptionBytes(socket, SOL_SOCKET, SO_TYPE, -1)),
    ],
  },
  {
    name: "getOptionBytes() throws OSError when the system lacks the option",
    error: ["ENOPROTOOPT", "getsockopt"],
    message: /^Cannot get option -1 of level \d+ of fd \d+: /,
    calls: [fresh((socket) => getOptionBytes(socket, SOL_SOCKET, -1, 4))],
  },
  {
    name: "options that are structures throw OSError when the socket is closed",
    error: ["EBADF", "setsockopt"],
    message: /a closed descriptor: /,
    calls: [
      closed((socket) => setLinger(socket, 1)),
      closed((socket) => setKeepAlive(socket, null)),
    ],
  },
  {
    name: "peerCredentials() throws OSError when the socket is closed",
    error: ["EBADF", "getsockopt"],
    message: /a closed descriptor: /,
    calls: [closed((socket) => peerCredentials(socket))],
    ...linuxOnly,
  },
];

/** Calls a function with a packet socket. */
function packets(call: (socket: Socket<PacketAddress>) => unknown): () => unknown {
  return () => {
    using socket = new Socket<PacketAddress>(AF_PACKET, SOCK_DGRAM);
    return call(socket);
  };
}

export const packetRefusals: readonly Refusal[] = [
  {
    name: "Socket throws RangeError when a packet address is out of range",
    error: RangeError,
    message: /^Cannot use an address: its (interface|protocol|hardwareAddress) must be /,
    calls: [
      { interface: -1, protocol: 1 },
      { interface: 1.5, protocol: 1 },
      { interface: NaN, protocol: 1 },
      { interface: 2 ** 31, protocol: 1 },
      { interface: 1, protocol: -1 },
      { interface: 1, protocol: 65_536 },
      { interface: 1, protocol: "1" },
      { interface: 1 },
      { interface: 1, protocol: 1, hardwareAddress: "nonsense" },
      { interface: 1, protocol: 1, hardwareAddress: "02:00:" },
      { interface: 1, protocol: 1, hardwareAddress: "1:2:3:4:5:6:7:8:9" },
      { interface: 1, protocol: 1, hardwareAddress: "100:2" },
    ].flatMap((address) => [
      packets((socket) => socket.bind(address as PacketAddress)),
      packets((socket) => socket.sendTo(BYTES, address as PacketAddress)),
    ]),
    ...needsRaw,
  },
  {
    name: "Socket throws TypeError when the hardware address is no string",
    error: TypeError,
    message: /^Cannot use an address: its hardwareAddress must be a string, received /,
    calls: [
      packets((socket) => socket.bind({ interface: 1, protocol: 1, hardwareAddress: 5 as never })),
    ],
    ...needsRaw,
  },
  {
    name:
      "Socket throws TypeError when a packet socket is given another address, or it another one",
    error: TypeError,
    message:
      /^Cannot use (an interface|a hostname|a path) as the address of a socket of family \d+$/,
    calls: [
      packets((socket) => socket.bind({ hostname: "127.0.0.1", port: 1 } as never)),
      packets((socket) => socket.bind({ path: "/tmp/socket" } as never)),
      fresh((socket) => socket.bind({ interface: 1, protocol: 3 } as never)),
    ],
    ...needsRaw,
  },
  {
    name: "Socket.bind() throws OSError when no interface has the index",
    error: ["ENODEV", "bind"],
    message: /^Cannot bind interface 54321 to fd \d+: /,
    calls: [packets((socket) => socket.bind({ interface: 54_321, protocol: ETH_P_IP }))],
    ...needsRaw,
  },
];

/** All of them. */
export const moreRefusals: readonly Refusal[] = [
  ...messageRefusals,
  ...multicastRefusals,
  ...interfaceRefusals,
  ...structureRefusals,
  ...packetRefusals,
];
