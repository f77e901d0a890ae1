import type { Skips } from "./show_skip_reasons.ts";

/** What qemu gets wrong. */
export const underQemu: Skips = [
  ["qemu ends the process at a select() of more than 1,024 bits", [
    "SelectSelector.select() takes descriptors above 1023",
    "SelectSelector.unregister() of the highest lets the sets shrink",
    "SelectSelector.select() takes 5000 descriptors",
    "bench --quick --only dispatch measures every peer and writes the results",
  ]],
  ["qemu's child of posix_spawn() cannot tell that it failed: it does not share memory", [
    "ProcessDescriptor.spawn() throws OSError when there is no such program",
    "ProcessDescriptor.spawn() throws OSError when it is no program",
    "ProcessDescriptor.spawn() leaves nothing behind when there is no such program",
    "watch.ts exits with 1 when there is no such command",
  ]],
  ["qemu says nothing of control data that there is no room for, and writes over the end of it", [
    "receiveMessage() closes descriptors that were not asked for, and says so",
    "receiveMessage() says that there was no room for credentials",
  ]],
  ["qemu passes no control data on with no bytes", [
    "sendMessage() sends control data with a datagram of no bytes",
  ]],
  ["qemu has no IPV6_MULTICAST_IF", [
    "joinGroup() has a socket receive what is sent to a group (IPv6, lo)",
    "joinGroup() has a socket receive what is sent to a group (IPv6, 1)",
    "setMulticastHops(), setMulticastLoop() and setMulticastInterface() set the options of IPv6",
    "multicast.ts receives IPv6 by an interface's name and index",
  ]],
  ["qemu has no SO_RXQ_OVFL", [
    "receiveMessage() tells how many datagrams the system dropped before",
    "udp_echo.ts counts the datagrams that the system dropped, and answers the others",
  ]],
  ["qemu has no PACKET_STATISTICS", [
    "sniff.ts prints the packets of a port, once each, of IPv4, IPv6, UDP and TCP",
    "sniff.ts counts malformed packets, and goes on",
    "sniff.ts exits when it has printed as many packets as it is told",
  ]],
  ["qemu has no TIOCSBRK", [
    "Terminal.sendBreak() is over when it says, and when the terminal is closed meanwhile",
    "serial.ts sends a break, and goes on",
    "the examples with .sendBreak(",
  ]],
];
