import { assert, assertEquals, assertGreater, assertMatch, assertThrows } from "@std/assert";
import { abi, tables } from "../../../ffi/abi/mod.ts";
import { decodeTcpInfo } from "../../../ffi/socket/tcp_info.ts";
import { type Layout, layoutOf } from "../../../ffi/socket/tcp_info_layout.ts";
import {
  AF_INET,
  createServer,
  OSError,
  SOCK_DGRAM,
  SOCK_STREAM,
  Socket,
  type TcpInfo,
  tcpInfo,
} from "../../../ffi/socket/mod.ts";
import { until } from "../../support/deadline.ts";
import { isQemu } from "../../support/os.ts";
import { linuxOnly, needsProgram, skipIf, skipUnless, windowsOnly } from "../../support/skip.ts";
import { Connection, untilReadable } from "../../support/sockets.ts";

const needsTcpInfo = skipUnless(layoutOf(abi) !== undefined, "the system does not report it");
const notQemu = skipIf(isQemu, "qemu passes on four bytes of it");

Deno.test("tcpInfo() returns the state of a connection", needsTcpInfo, () => {
  using socket = new Socket(AF_INET, SOCK_STREAM);
  assertEquals(tcpInfo(socket).state, "CLOSED");
  using server = createServer({ hostname: "127.0.0.1", port: 0 });
  assertEquals(tcpInfo(server).state, "LISTEN");
  using connection = new Connection();
  assertEquals(tcpInfo(connection.client).state, "ESTABLISHED");
  connection.client.shutdown("write");
  untilReadable(connection.server);
  assertEquals(tcpInfo(connection.server).state, "CLOSE-WAIT");
  assertMatch(tcpInfo(connection.client).state, /^FIN-WAIT-[12]$/);
});

Deno.test("tcpInfo() returns sensible numbers", { ...needsTcpInfo, ...notQemu }, () => {
  using connection = new Connection();
  connection.client.send(new Uint8Array(1_000));
  untilReadable(connection.server);
  connection.server.recv(new Uint8Array(1_000));
  const info = tcpInfo(connection.client);
  for (const [name, value] of Object.entries(info)) {
    if (name !== "state") assert(value >= 0, name);
  }
  assert(info.roundTripMilliseconds < 10_000);
  assertGreater(info.sendMssBytes, 500);
  assertGreater(info.retransmitTimeoutMilliseconds, 10);
  assertGreater(info.congestionWindowSegments ?? info.congestionWindowBytes!, 1);
});

Deno.test("tcpInfo() counts bytes and segments", { ...linuxOnly, ...notQemu }, async () => {
  using connection = new Connection();
  connection.client.send(new Uint8Array(1_000));
  await untilAcknowledged(connection);
  connection.server.recv(new Uint8Array(1_000));
  const { sentBytes, acknowledgedBytes, sentDataSegments, ...sent } = tcpInfo(connection.client);
  assertEquals(sentBytes ?? 1_000, 1_000); // Since Linux 4.19.
  assertEquals([acknowledgedBytes, sentDataSegments], [1_001, 1]); // SYN counts as a byte.
  assertEquals([sent.unsentBytes, sent.totalRetransmittedSegments], [0, 0]);
  assertEquals(sent.maxPacingRateBytesPerSecond, Infinity);
  assertEquals(sent.slowStartThresholdSegments, Infinity);
  const { receivedBytes, receivedDataSegments } = tcpInfo(connection.server);
  assertEquals([receivedBytes, receivedDataSegments], [1_000, 1]);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assertGreater(tcpInfo(connection.client).sinceDataSentMilliseconds!, 40);
});

Deno.test("tcpInfo() agrees with ss", {
  ...linuxOnly,
  ...notQemu,
  ...needsProgram("ss"),
}, async () => {
  using connection = new Connection();
  connection.client.send(new Uint8Array(1_000));
  await untilAcknowledged(connection);
  const { localAddress } = connection.client;
  assert("port" in localAddress);
  const { stdout } = await new Deno.Command("ss", {
    args: ["-tinH", "src", `127.0.0.1:${localAddress.port}`],
  }).output();
  const text = new TextDecoder().decode(stdout);
  const number = (name: string) => Number(new RegExp(`\\b${name}:([\\d.]+)`).exec(text)?.[1]);
  const info = tcpInfo(connection.client);
  assertEquals(info.roundTripMilliseconds, number("rtt"));
  assertEquals(info.minRoundTripMilliseconds, number("minrtt"));
  assertEquals(info.retransmitTimeoutMilliseconds, number("rto"));
  assertEquals(info.sendMssBytes, number("mss"));
  assertEquals(info.pathMtuBytes, number("pmtu"));
  assertEquals(info.congestionWindowSegments, number("cwnd"));
});

/** Waits until the peer has 1,000 bytes, and the client knows. SYN counts as a byte. */
async function untilAcknowledged({ client, server }: Connection): Promise<void> {
  untilReadable(server);
  await until(() => (tcpInfo(client).acknowledgedBytes ?? 1_001) === 1_001, "the bytes are there");
}

/** Fills every field of the structure with its place in the list of fields. */
function filled(layout: Layout): [Uint8Array<ArrayBuffer>, Map<string, number>] {
  const bytes = new Uint8Array(new ArrayBuffer(512));
  const values = new Map(Object.keys(layout.fields).map((name, i) => [name, 3 + i]));
  for (const [name, value] of values) bytes[layout.fields[name]![0]] = value;
  return [bytes, values];
}

/** The units of some quantities on each system that reports them. */
const units: [system: string, field: string, quantity: keyof TcpInfo, divisor: number][] = [
  ["linux x86_64", "tcpi_rtt", "roundTripMilliseconds", 1_000],
  ["linux x86_64", "tcpi_last_data_recv", "sinceDataReceivedMilliseconds", 1],
  ["linux x86_64", "tcpi_snd_cwnd", "congestionWindowSegments", 1],
  ["linux x86_64", "tcpi_busy_time", "busyMilliseconds", 1_000],
  ["freebsd x86_64", "tcpi_rtt", "roundTripMilliseconds", 1_000],
  ["freebsd x86_64", "tcpi_last_data_recv", "sinceDataReceivedMilliseconds", 1_000],
  ["freebsd x86_64", "tcpi_snd_cwnd", "congestionWindowBytes", 1],
  ["freebsd x86_64", "tcpi_snd_rexmitpack", "totalRetransmittedSegments", 1],
  ["openbsd x86_64", "tcpi_last_data_sent", "sinceDataSentMilliseconds", 1_000],
  ["openbsd x86_64", "tcpi_snd_wnd", "sendWindowBytes", 1],
  ["darwin aarch64", "tcpi_srtt", "roundTripMilliseconds", 1],
  ["darwin aarch64", "tcpi_snd_cwnd", "congestionWindowBytes", 1],
  ["darwin aarch64", "tcpi_txretransmitbytes", "retransmittedBytes", 1],
];

for (const [system, field, quantity, divisor] of units) {
  Deno.test(`tcpInfo() on ${system}: ${quantity} is ${field} divided by ${divisor}`, () => {
    const layout = layoutOf(tables[system]!())!;
    const [bytes, values] = filled(layout);
    assertEquals(decodeTcpInfo(bytes, layout)[quantity], values.get(field)! / divisor);
  });
}

Deno.test("tcpInfo() has a name for every field of each system, but for flags", () => {
  const flags = ["tcpi_state", "tcpi_ca_state", "tcpi_options", "tcpi_flags", "tcpi_last_ack_sent"];
  for (const makeTable of Object.values(tables)) {
    const table = makeTable();
    const layout = layoutOf(table);
    if (layout === undefined) continue;
    const named = new Set([...layout.rows.map(([field]) => field), ...flags]);
    const unnamed = Object.keys(layout.fields).filter((field) => !named.has(field));
    assertEquals(unnamed, []);
  }
});

Deno.test("tcpInfo() leaves out what an older system does not report", () => {
  const layout = layoutOf(tables["linux x86_64"]!())!;
  const [bytes] = filled(layout);
  const info = decodeTcpInfo(bytes.subarray(0, 104), layout);
  assertEquals("pacingRateBytesPerSecond" in info, false);
  assertEquals("totalRetransmittedSegments" in info, true);
});

Deno.test("tcpInfo() throws OSError when the socket is not a TCP socket", needsTcpInfo, () => {
  using socket = new Socket(AF_INET, SOCK_DGRAM);
  const error = assertThrows(() => tcpInfo(socket), OSError);
  assertEquals(error.syscall, "getsockopt");
  socket.close();
  assertEquals(assertThrows(() => tcpInfo(socket), OSError).code, "EBADF");
});

Deno.test("tcpInfo() is not supported on Windows", windowsOnly, () => {
  using server = createServer({ hostname: "127.0.0.1", port: 0 });
  assertThrows(() => tcpInfo(server), Deno.errors.NotSupported, "TCP_INFO");
});
