import { assertEquals, assertThrows } from "@std/assert";
import { abi } from "../../../ffi/abi/mod.ts";
import {
  AF_INET,
  AF_INET6,
  interfaceIndex,
  interfaceName,
  joinSourceGroup,
  leaveSourceGroup,
  OSError,
  setMulticastInterface,
  SOCK_DGRAM,
  Socket,
} from "../../../ffi/socket/mod.ts";
import { isQemu, isWine } from "../../support/os.ts";
import { linuxOnly, skipUnless } from "../../support/skip.ts";
import { needsIpv6, untilReadable } from "../../support/sockets.ts";

const needsSourceGroups = skipUnless(
  abi.sourceGroups !== undefined && !isWine && !isQemu,
  "the system has no groups of one sender, or Wine or qemu does not pass them on",
);

/** The name of the loopback interface, which has the index 1 on every system. */
const LO = interfaceName(1);

for (const on of [LO, interfaceIndex(LO)]) {
  Deno.test(`joinSourceGroup() receives from one sender alone (${on})`, {
    ...needsSourceGroups,
    ...linuxOnly,
  }, () => {
    using member = new Socket(AF_INET, SOCK_DGRAM);
    member.bind({ hostname: "232.1.2.3", port: 0 });
    const { localAddress } = member;
    if (!("port" in localAddress)) throw new Error("no port");
    const send = (from: string, size: number) => {
      using sender = new Socket(AF_INET, SOCK_DGRAM);
      sender.bind({ hostname: from, port: 0 });
      setMulticastInterface(sender, LO);
      sender.sendTo(new Uint8Array(size), localAddress);
    };
    joinSourceGroup(member, "232.1.2.3", "127.0.0.2", on);
    send("127.0.0.1", 1);
    send("127.0.0.2", 2);
    untilReadable(member);
    assertEquals(member.recv(new Uint8Array(9)), 2);
    joinSourceGroup(member, "232.1.2.3", "127.0.0.1", on);
    leaveSourceGroup(member, "232.1.2.3", "127.0.0.2", on);
    send("127.0.0.2", 2);
    send("127.0.0.1", 1);
    untilReadable(member);
    assertEquals(member.recv(new Uint8Array(9)), 1);
    assertEquals(member.recv(new Uint8Array(9)), null);
  });
}

Deno.test("joinSourceGroup() joins for a sender once", needsSourceGroups, () => {
  using member = new Socket(AF_INET, SOCK_DGRAM);
  const args = ["232.1.2.3", "127.0.0.1", LO] as const;
  joinSourceGroup(member, ...args);
  assertEquals(
    assertThrows(() => joinSourceGroup(member, ...args), OSError).syscall,
    "setsockopt",
  );
  leaveSourceGroup(member, ...args);
});

Deno.test("joinSourceGroup() takes IPv6 groups, with the interface as the zone", {
  ...needsIpv6,
  ...needsSourceGroups,
  ...linuxOnly,
}, () => {
  using member = new Socket(AF_INET6, SOCK_DGRAM);
  joinSourceGroup(member, `ff32::1234%${LO}`, "::1");
  leaveSourceGroup(member, "ff32::1234", "::1", LO);
});
