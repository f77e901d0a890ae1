import {
  AF_INET,
  AF_INET6,
  AF_NETLINK,
  AF_UNIX,
  SOCK_DGRAM,
  SOCK_RAW,
  type SocketAddress,
} from "../../../../ffi/socket/mod.ts";
import { BYTES, type ErrorCase, LOOPBACK, withSocket } from "../../../support/error_cases.ts";
import { isLinux } from "../../../support/os.ts";
import { linuxOnly } from "../../../support/skip.ts";
import { needsIpv6, needsUnix } from "../../../support/sockets.ts";

/** Returns each of the calls that take an address. */
function withAddress(address: unknown, family = AF_INET): (() => unknown)[] {
  return [
    withSocket((socket) => socket.bind(address as SocketAddress), family, SOCK_DGRAM),
    withSocket((socket) => socket.connect(address as SocketAddress), family, SOCK_DGRAM),
    withSocket((socket) => socket.sendTo(BYTES, address as SocketAddress), family, SOCK_DGRAM),
  ];
}

export const addressErrors: readonly ErrorCase[] = [
  {
    name: "Socket throws TypeError when the address is not an address",
    error: TypeError,
    message:
      /^Cannot use an address: it must have a hostname \(string\) and a port \(number\), a path \(string\), or a family \(number\) and bytes \(Uint8Array\)$/,
    calls: [
      undefined,
      null,
      "127.0.0.1:80",
      80,
      {},
      { hostname: "127.0.0.1" },
      { port: 80 },
      { hostname: "127.0.0.1", port: "80" },
      { hostname: 2130706433, port: 80 },
      { path: 5 },
      { path: new Uint8Array(5) },
      { family: AF_INET },
      { bytes: new Uint8Array(5) },
      { family: "2", bytes: new Uint8Array(5) },
      { family: AF_INET, bytes: [1, 2, 3] },
    ].flatMap((address) => withAddress(address)),
  },
  {
    name: "Socket throws RangeError when the port is out of range",
    error: RangeError,
    message: /^Cannot use an address: its port must be an integer from 0 to 65535, received /,
    calls: [-1, 65_536, 80.5, NaN, Infinity].flatMap((port) =>
      withAddress({ hostname: "127.0.0.1", port })
    ),
  },
  {
    name: "Socket throws TypeError when the address is of another family",
    ...needsUnix,
    error: TypeError,
    message:
      /^Cannot use (a path|a hostname|bytes of family \d+) as the address of a socket of family \d+$/,
    calls: [
      ...withAddress({ family: AF_UNIX, bytes: new Uint8Array(5) }, AF_INET),
      ...withAddress({ family: AF_INET, bytes: new Uint8Array(14) }, AF_UNIX),
      ...withAddress({ family: 258, bytes: new Uint8Array(14) }, AF_INET),
      ...withAddress({ path: "/tmp/socket" }, AF_INET),
      ...withAddress(LOOPBACK, AF_UNIX),
      ...needsIpv6.ignore ? [] : withAddress({ path: "/tmp/socket" }, AF_INET6),
    ],
  },
  {
    name: "Socket throws TypeError when its family has other addresses (AF_NETLINK)",
    error: TypeError,
    message: /^Cannot use a (path|hostname) as the address of a socket of family 16$/,
    calls: [{ path: "/tmp/socket" }, LOOPBACK].flatMap((address) => [
      withSocket((socket) => socket.bind(address), AF_NETLINK, SOCK_RAW),
      withSocket((socket) => socket.connect(address), AF_NETLINK, SOCK_RAW),
      withSocket((socket) => socket.sendTo(BYTES, address), AF_NETLINK, SOCK_RAW),
    ]),
    ...linuxOnly,
  },
  {
    name: "Socket throws RangeError when an address of another family has too many bytes",
    error: RangeError,
    message: /^Cannot use an address of family 16 and 127 bytes: the limit is 126$/,
    calls: [{ family: 16, bytes: new Uint8Array(127) }].flatMap((address) => [
      withSocket((socket) => socket.bind(address), AF_NETLINK, SOCK_RAW),
      withSocket((socket) => socket.connect(address), AF_NETLINK, SOCK_RAW),
      withSocket((socket) => socket.sendTo(BYTES, address), AF_NETLINK, SOCK_RAW),
    ]),
    ...linuxOnly,
  },
  {
    name: "Socket throws RangeError when the path is empty",
    ...needsUnix,
    error: RangeError,
    message: /^Cannot use an address: its path must not be empty$/,
    calls: withAddress({ path: "" }, AF_UNIX).slice(isLinux ? 1 : 0), // Linux chooses a name.
  },
  {
    name: "Socket throws RangeError when the path contains a NUL",
    ...needsUnix,
    error: RangeError,
    message: /^Cannot use an address: its path must contain a NUL only at the beginning$/,
    calls: withAddress({ path: "/tmp/a\0b" }, AF_UNIX),
  },
  {
    name: "Socket throws RangeError when the path is too long",
    error: RangeError,
    message: /^Cannot use a path of (109|110|1000) bytes: the limit is 108$/,
    calls: ["/" + "a".repeat(108), "/a" + "é".repeat(54), "/" + "b".repeat(999)].flatMap(
      (path) => withAddress({ path }, AF_UNIX),
    ),
    ...linuxOnly,
  },
  {
    name: "Socket throws RangeError when the abstract name is too long",
    error: RangeError,
    message: /^Cannot use a path of 109 bytes: the limit is 108$/,
    calls: withAddress({ path: "\0" + "a".repeat(108) }, AF_UNIX),
    ...linuxOnly,
  },
  {
    name: "Socket throws RangeError when an address has too many bytes",
    error: RangeError,
    message: /^Cannot use an address of family 2 and (15|127) bytes: the limit is 14$/,
    calls: [15, 127].flatMap((size) =>
      withAddress({ family: AF_INET, bytes: new Uint8Array(size) })
    ),
  },
  {
    name: "Socket throws RangeError when the path is not well-formed",
    ...needsUnix,
    error: RangeError,
    message: /^Cannot use an address: its path must be well-formed Unicode$/,
    calls: withAddress({ path: "/tmp/\ud800" }, AF_UNIX),
  },
  {
    name: "Socket throws RangeError when the hostname is not well-formed",
    error: RangeError,
    message: /^Cannot use an address: its hostname must be well-formed Unicode$/,
    calls: withAddress({ hostname: "localhost\udc00", port: 80 }),
  },
  {
    name: "Socket throws RangeError when the hostname contains a NUL",
    error: RangeError,
    message: /^Cannot use an address: its hostname must not contain a NUL$/,
    calls: withAddress({ hostname: "127.0.0.1\0.example.org", port: 80 }),
  },
  {
    name: "Socket throws OSError when the name cannot be resolved",
    error: ["EAI_NONAME", "getaddrinfo"],
    message: /^Cannot resolve "": .+ \(EAI_NONAME\)$/,
    calls: withAddress({ hostname: "", port: 80 }),
  },
];
