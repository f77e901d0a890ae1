import { abi } from "../../../../ffi/abi/mod.ts";
import {
  AF_INET6,
  AF_UNIX,
  joinGroup,
  joinSourceGroup,
  leaveGroup,
  leaveSourceGroup,
  setMulticastHops,
  setMulticastInterface,
  setMulticastLoop,
  type Socket,
} from "../../../../ffi/socket/mod.ts";
import { closed, each, type ErrorCase, withDatagrams } from "../../../support/error_cases.ts";
import { isQemu, isWine } from "../../../support/os.ts";
import { linuxOnly, skipIf, skipUnless } from "../../../support/skip.ts";
import { needsIpv6, needsUnix } from "../../../support/sockets.ts";

const needsSourceGroups = skipUnless(
  abi.sourceGroups !== undefined && !isWine && !isQemu,
  "the system has no groups of one sender, or Wine or qemu does not pass them on",
);

export const multicastErrors: readonly ErrorCase[] = [
  {
    name: "joinGroup() and leaveGroup() throw RangeError when the group is not a numeric address",
    error: RangeError,
    message: /^Cannot use a group: its address must be a numeric IPv4 address, received ".*"$/,
    calls: ["", "nonsense", "239.1.2", "ff02::1", "239.1.2.3\0", "localhost"].flatMap((group) => [
      withDatagrams((socket) => joinGroup(socket, group)),
      withDatagrams((socket) => leaveGroup(socket, group)),
    ]),
  },
  {
    name: "joinGroup() throws RangeError when the group is not an IPv6 address",
    error: RangeError,
    message: /^Cannot use a group: its address must be a numeric IPv6 address, received ".*"$/,
    calls: ["", "nonsense", "239.1.2.3", "%1", "239.1.2.3%1"].map((group) =>
      withDatagrams((socket) => joinGroup(socket, group), AF_INET6)
    ),
    ...needsIpv6,
  },
  {
    name: "joinGroup() throws RangeError when the group has the zone of another interface",
    error: RangeError,
    message: /^Cannot use the group ff02::1%1 on interface 2: its zone is another interface$/,
    calls: [withDatagrams((socket) => joinGroup(socket, "ff02::1%1", 2), AF_INET6)],
    ...needsIpv6,
  },
  {
    name: "joinGroup() throws OSError when no interface has the name of the zone",
    error: ["ENODEV", "if_nametoindex"],
    message: /^Cannot find the interface "(nonsense)?": /,
    calls: ["ff02::1%nonsense", "ff02::1%"].map((group) =>
      withDatagrams((socket) => joinGroup(socket, group), AF_INET6)
    ),
    ...linuxOnly,
    ...needsIpv6,
  },
  {
    name: "joinSourceGroup() throws RangeError when an address is not a numeric one of the family",
    error: RangeError,
    message:
      /^Cannot use a group: its (address|source) must be a numeric IPv4 address, received ".*"$/,
    calls: [["nonsense", "127.0.0.1"], ["232.1.2.3", "::1"], ["232.1.2.3", "localhost"]].map(
      ([group, source]) => withDatagrams((socket) => joinSourceGroup(socket, group!, source!)),
    ),
    ...needsSourceGroups,
  },
  {
    name: "joinSourceGroup() throws TypeError when the source is not a string",
    error: TypeError,
    message: /^Cannot use a group: its source must be a string, received /,
    calls: [undefined, null, 5].map((source) =>
      withDatagrams((socket) => joinSourceGroup(socket, "232.1.2.3", source as never))
    ),
    ...needsSourceGroups,
  },
  {
    name: "leaveSourceGroup() throws OSError when the socket has not joined",
    error: ["EADDRNOTAVAIL|EINVAL", "setsockopt"],
    message: /^Cannot set MCAST_LEAVE_SOURCE_GROUP of fd \d+: /,
    calls: [withDatagrams((socket) => leaveSourceGroup(socket, "232.1.2.3", "127.0.0.1", 1))],
    ...needsSourceGroups,
  },
  {
    name: "joinGroup() throws TypeError when the group is not a string",
    error: TypeError,
    message: /^Cannot use a group: its address must be a string, received /,
    calls: each(
      [undefined, null, 5, {}],
      (group) => withDatagrams((socket) => joinGroup(socket, group))(),
    ),
  },
  {
    name: "joinGroup() throws OSError when the address is not multicast",
    error: ["EINVAL", "setsockopt"],
    message: /^Cannot set (IP_ADD_MEMBERSHIP|IPV6_JOIN_GROUP) of fd \d+: /,
    calls: [
      withDatagrams((socket) => joinGroup(socket, "192.0.2.1")),
      ...needsIpv6.ignore ? [] : [withDatagrams((socket) => joinGroup(socket, "::1", 1), AF_INET6)],
    ],
  },
  {
    name: "joinGroup() and setMulticastInterface() throw OSError when no interface has the name",
    error: ["ENODEV", "if_nametoindex"],
    message: /^Cannot find the interface "nonsense": /,
    calls: [
      withDatagrams((socket) => joinGroup(socket, "239.1.2.3", "nonsense")),
      withDatagrams((socket) => setMulticastInterface(socket, "nonsense")),
      withDatagrams((socket) => joinGroup(socket, "ff02::1", "nonsense"), AF_INET6),
    ],
    ...linuxOnly,
    ...needsIpv6,
  },
  {
    name: "joinGroup() throws OSError when no interface has the index or the address",
    error: ["ENODEV", "setsockopt"],
    message: /^Cannot set IP_ADD_MEMBERSHIP of fd \d+: /,
    calls: [
      withDatagrams((socket) => joinGroup(socket, "239.1.2.3", 54_321)),
      withDatagrams((socket) => joinGroup(socket, "239.1.2.3", "203.0.113.7")),
    ],
    ...linuxOnly,
  },
  {
    name: "leaveGroup() throws OSError when the socket has not joined",
    ...skipIf(isWine, "Wine fails with EINVAL"),
    error: ["EADDRNOTAVAIL", "setsockopt"],
    message: /^Cannot set (IP_DROP_MEMBERSHIP|IPV6_LEAVE_GROUP) of fd \d+: /,
    calls: [
      withDatagrams((socket) => leaveGroup(socket, "239.1.2.3", "127.0.0.1")),
      ...needsIpv6.ignore
        ? []
        : [withDatagrams((socket) => leaveGroup(socket, "ff02::99", 1), AF_INET6)],
    ],
  },
  {
    name: "joinGroup() and setMulticastInterface() throw RangeError when the index is out of range",
    error: RangeError,
    message: /^Cannot use an interface: its index must be an integer from 0 to 2147483647/,
    calls: [-1, 1.5, NaN, 2 ** 31].flatMap((index) => [
      withDatagrams((socket) => joinGroup(socket, "239.1.2.3", index)),
      withDatagrams((socket) => setMulticastInterface(socket, index)),
    ]),
  },
  {
    name:
      "joinGroup() and setMulticastInterface() throw TypeError when the interface has the wrong type",
    error: TypeError,
    message: /^Cannot use an interface: it must be a number or a string, received /,
    calls: [null, 1n, {}].flatMap((on) => [
      withDatagrams((socket) => joinGroup(socket, "239.1.2.3", on as never)),
      withDatagrams((socket) => setMulticastInterface(socket, on as never)),
    ]),
  },
  {
    name: "setMulticastHops() throws RangeError when the hop limit is out of range",
    error: RangeError,
    message: /^Cannot set the hop limit: it must be an integer from 0 to 255, received /,
    calls: each(
      [-1, 256, 1.5, NaN, "1", null],
      (hops) => withDatagrams((socket) => setMulticastHops(socket, hops))(),
    ),
  },
  {
    name: "multicast functions throw TypeError when the socket has another family",
    ...needsUnix,
    error: TypeError,
    message: /^Cannot use multicast with a socket of family \d+$/,
    calls: [
      (socket: Socket) => joinGroup(socket, "239.1.2.3"),
      (socket: Socket) => leaveGroup(socket, "239.1.2.3"),
      ...needsSourceGroups.ignore
        ? []
        : [(socket: Socket) => joinSourceGroup(socket, "232.1.2.3", "127.0.0.1")],
      (socket: Socket) => setMulticastInterface(socket, 0),
      (socket: Socket) => setMulticastHops(socket, 0),
      (socket: Socket) => setMulticastLoop(socket, true),
    ].map((call) => withDatagrams(call, AF_UNIX)),
  },
  {
    name: "multicast functions throw OSError when the socket is closed",
    error: ["EBADF", "getsockname"],
    message: /a closed descriptor: /,
    calls: [
      closed((socket) => joinGroup(socket, "239.1.2.3")),
      closed((socket) => setMulticastHops(socket, 0)),
    ],
  },
];
