import { assert, assertEquals, assertNotEquals } from "@std/assert";
import {
  AF_INET,
  AF_INET6,
  IP_RECVERR,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_RECVERR,
  MSG_ERRQUEUE,
  queuedError,
  receiveMessage,
  SO_EE_ORIGIN_ICMP,
  SO_EE_ORIGIN_ICMP6,
  SO_EE_ORIGIN_LOCAL,
  SOCK_DGRAM,
  Socket,
} from "../../../ffi/socket/mod.ts";
import { EVENT_READ, ready } from "../../../mod.ts";
import { deaf, needsIpv6, places } from "../../support/sockets.ts";
import { linuxOnly, skipIf } from "../../support/skip.ts";
import { isLinux } from "../../support/os.ts";

const ECONNREFUSED = 111;
const EMSGSIZE = 90;

const families = [
  {
    name: "IPv4",
    family: AF_INET,
    hostname: "127.0.0.1",
    option: [IPPROTO_IP, IP_RECVERR],
    error: { origin: SO_EE_ORIGIN_ICMP, type: 3, code: 3 },
    skip: linuxOnly,
  },
  {
    name: "IPv6",
    family: AF_INET6,
    hostname: "::1",
    option: [IPPROTO_IPV6, IPV6_RECVERR],
    error: { origin: SO_EE_ORIGIN_ICMP6, type: 1, code: 4 },
    skip: { ...linuxOnly, ...needsIpv6 },
  },
] as const;

for (const { name, family, hostname, option, error, skip } of families) {
  Deno.test({
    name: `queuedError() returns why a datagram was not delivered, and by whom (${name})`,
    ...skip,
    async fn() {
      using closed = deaf(SOCK_DGRAM, places.find((place) => place.family === family));
      const address = closed.localAddress;
      using socket = new Socket(family, SOCK_DGRAM);
      const [level, optionName] = option;
      socket.setOption(level, optionName, 1);
      socket.sendTo(new Uint8Array([7, 8, 9]), address);
      await ready(socket, EVENT_READ);
      const buffer = new Uint8Array(16);
      using message = receiveMessage(socket, buffer, { flags: MSG_ERRQUEUE });
      assert(message !== null);
      assertNotEquals(message.flags & MSG_ERRQUEUE, 0);
      assertEquals(message.address, address);
      assertEquals(buffer.subarray(0, message.size), new Uint8Array([7, 8, 9]));
      assertEquals(queuedError(message), {
        errno: ECONNREFUSED,
        ...error,
        info: 0,
        data: 0,
        offender: { hostname, port: 0 },
      });
      assertEquals(receiveMessage(socket, buffer, { flags: MSG_ERRQUEUE }), null);
      assertEquals(socket.error(), null);
    },
  });
}

/** A `struct sock_extended_err` for a packet that was too large for this host's interface. */
const TOO_LARGE = new Uint8Array(32);
new DataView(TOO_LARGE.buffer).setUint32(0, EMSGSIZE, true);
TOO_LARGE[4] = SO_EE_ORIGIN_LOCAL;
new DataView(TOO_LARGE.buffer).setUint32(8, 1500, true);

Deno.test("queuedError() returns an error of this host, without an offender", linuxOnly, () => {
  const expected = {
    errno: EMSGSIZE,
    origin: SO_EE_ORIGIN_LOCAL,
    type: 0,
    code: 0,
    info: 1500,
    data: 0,
    offender: null,
  };
  for (const size of [32, 16, 20]) {
    // At an odd place of its buffer.
    const data = new Uint8Array(size + 1).subarray(1);
    data.set(TOO_LARGE.subarray(0, size));
    const control = [{ level: IPPROTO_IP, type: IP_RECVERR, data }];
    assertEquals(queuedError({ control }), expected);
  }
});

Deno.test("queuedError() returns null if there is no whole error", () => {
  assertEquals(queuedError({ control: [] }), null);
  const data = TOO_LARGE;
  assertEquals(queuedError({ control: [{ level: IPPROTO_IP, type: 2, data }] }), null);
  assertEquals(queuedError({ control: [{ level: 1, type: IP_RECVERR, data }] }), null);
  const short = data.subarray(0, 15);
  assertEquals(
    queuedError({ control: [{ level: IPPROTO_IP, type: IP_RECVERR, data: short }] }),
    null,
  );
});

Deno.test({
  name: "queuedError() returns null on systems without the error queue",
  ...skipIf(isLinux, "Linux has the error queue"),
  fn() {
    assertEquals(queuedError({ control: [{ level: 0, type: 11, data: TOO_LARGE }] }), null);
  },
});
