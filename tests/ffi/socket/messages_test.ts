import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  AF_UNIX,
  type InternetAddress,
  IP_RECVTTL,
  IP_TTL,
  IPPROTO_IP,
  type MessageInfo,
  OSError,
  type OutgoingMessage,
  receiveMessages,
  sendMessages,
  SO_SNDBUF,
  SOCK_DGRAM,
  type Socket,
  socketpair,
  SOL_SOCKET,
} from "../../../ffi/socket/mod.ts";
import { receiveOneByOne, sendOneByOne } from "../../../ffi/socket/message_loop.ts";
import { isQemu } from "../../support/os.ts";
import { linuxOnly, skipIf } from "../../support/skip.ts";
import { datagrams, deaf, needsUnix, noise, places, untilReadable } from "../../support/sockets.ts";
import { COUNT_DESCRIPTORS, runProgram } from "../../support/subprocess.ts";

/** The two ways to move several messages: with one call, where there is one, and with many. */
const WAYS = [
  { name: "one call", receive: receiveMessages<Socket["localAddress"]>, send: sendMessages },
  {
    name: "a call for each",
    receive: (socket: Socket, buffers: readonly Uint8Array[]) =>
      receiveOneByOne(socket, buffers, 256, 0),
    send: (socket: Socket, messages: readonly OutgoingMessage[]) =>
      sendOneByOne(socket, messages.map(complete), 0),
  },
];

function complete({ data, address, control = [] }: OutgoingMessage) {
  return { data, address, control };
}

function buffersOf(count: number, size: number): Uint8Array<ArrayBuffer>[] {
  return Array.from({ length: count }, () => new Uint8Array(size));
}

/** Receives a number of messages, in as many calls as it takes until they are there. */
function receiveAll(
  receive: typeof WAYS[0]["receive"],
  socket: Socket,
  count: number,
): { bytes: number[]; message: MessageInfo }[] {
  const all: { bytes: number[]; message: MessageInfo }[] = [];
  while (all.length < count) {
    untilReadable(socket);
    const buffers = buffersOf(count, 100);
    for (const [i, message] of receive(socket, buffers)!.entries()) {
      all.push({ bytes: [...buffers[i]!.subarray(0, message.size)], message });
    }
  }
  return all;
}

for (const { name: way, receive, send } of WAYS) {
  for (const place of places) {
    Deno.test({
      name: `Messages keep their order, sizes and senders with ${way} (${place.name})`,
      ...place.skip,
      fn() {
        using left = datagrams(place);
        using other = datagrams(place);
        using right = datagrams(place);
        assertEquals(receive(right, buffersOf(2, 9)), null);
        const address = right.localAddress;
        const sizes = [3, 0, 100, 1];
        const messages = sizes.map((size) => ({ data: noise(size), address }));
        assertEquals(send(left, messages), 4);
        assertEquals(send(other, [{ data: noise(5), address }]), 1);
        const received = receiveAll(receive, right, 5);
        assertEquals(
          received.map(({ bytes }) => bytes),
          [...sizes, 5].map((size) => [...noise(size)]),
        );
        assertEquals(
          received.map(({ message }) => message.address),
          [...Array(4).fill(left.localAddress), other.localAddress],
        );
        for (
          const { message: { control, credentials, flags, truncated, controlTruncated } }
            of received
        ) {
          assertEquals([control, credentials, flags], [[], null, 0]);
          assertEquals([truncated, controlTruncated], [false, false]);
        }
      },
    });
  }

  Deno.test(`Bytes that do not fit a buffer are lost, with ${way}`, () => {
    using left = datagrams();
    using right = datagrams();
    for (const size of [5, 4, 2]) {
      left.sendTo(noise(size), right.localAddress);
      untilReadable(right);
    }
    const buffers = [new Uint8Array(3), new Uint8Array(9).subarray(2, 6), new Uint8Array(0)];
    const seen: unknown[] = [];
    while (seen.length < 3) {
      untilReadable(right);
      for (const { size, truncated } of receive(right, buffers.slice(seen.length))!) {
        seen.push([size, truncated]);
      }
    }
    assertEquals(seen, [[3, true], [4, false], [0, true]]);
    assertEquals([...buffers[0]!], [...noise(3)]);
    assertEquals([...new Uint8Array(buffers[1]!.buffer)], [0, 0, ...noise(4), 0, 0, 0]);
  });

  Deno.test({
    name: `Control data goes with each message, with ${way}`,
    ...linuxOnly,
    fn() {
      using left = datagrams();
      using right = datagrams();
      right.setOption(IPPROTO_IP, IP_RECVTTL!, 1);
      const address = right.localAddress;
      const ttl = (value: number) => [
        { level: IPPROTO_IP, type: IP_TTL, data: new Uint8Array(new Int32Array([value]).buffer) },
      ];
      send(left, [
        { data: noise(1), address, control: ttl(7) },
        { data: noise(2), address },
        { data: noise(0), address, control: ttl(9) },
      ]);
      const control = receiveAll(receive, right, 3).map(({ message }) => message.control);
      assertEquals(
        control.map(([{ level, type, data }]) => [level, type, data[0] === 64 || data[0]]),
        [
          [IPPROTO_IP, IP_TTL, 7],
          [IPPROTO_IP, IP_TTL, true],
          [IPPROTO_IP, IP_TTL, 9],
        ],
      );
    },
  });

  Deno.test({
    name: `Messages are sent until there is no more room, with ${way}`,
    ...needsUnix,
    fn() {
      const [left, right] = socketpair(AF_UNIX, SOCK_DGRAM);
      left.setOption(SOL_SOCKET, SO_SNDBUF, 8192);
      const messages = Array.from({ length: 1000 }, (_, i) => ({ data: noise(900 + i % 3) }));
      const sent = send(left, messages)!;
      assert(sent > 0 && sent < messages.length, `${sent} sent`);
      assertEquals(send(left, messages.slice(sent)), null);
      const sizes: number[] = [];
      for (let found; (found = receive(right, buffersOf(20, 1000))) !== null;) {
        sizes.push(...found.map(({ size }) => size));
      }
      assertEquals(sizes, messages.slice(0, sent).map(({ data }) => data.length));
      left.close();
      right.close();
    },
  });

  Deno.test(`The messages before a refused one are sent, with ${way}`, () => {
    using left = datagrams();
    using right = datagrams();
    const address = right.localAddress;
    const tooLarge = { data: new Uint8Array(70_000), address };
    assertEquals(
      send(left, [{ data: noise(3), address }, tooLarge, { data: noise(1), address }]),
      1,
    );
    const error = assertThrows(() => send(left, [tooLarge, { data: noise(1), address }]), OSError);
    assertEquals(error.code, "EMSGSIZE");
    const { port } = address as InternetAddress;
    assert(error.message.includes(`to 127.0.0.1:${port} on fd ${left.fileno()}`), error.message);
    assertEquals(receiveAll(receive, right, 1)[0]!.bytes, [...noise(3)]);
  });

  Deno.test({
    name: `An error after a message is not lost, with ${way}`,
    ...linuxOnly,
    fn() {
      using left = datagrams();
      using closed = deaf(SOCK_DGRAM);
      left.connect(closed.localAddress);
      left.send(noise(1));
      const error = assertThrows(() => {
        untilReadable(left);
        receive(left, buffersOf(3, 9));
      }, OSError);
      assertEquals(error.code, "ECONNREFUSED");
      assertEquals(receive(left, buffersOf(3, 9)), null);
    },
  });
}

Deno.test("With a call for each, the messages before a wrong address are sent", () => {
  using left = datagrams();
  using right = datagrams();
  const messages = [
    { data: noise(3), address: right.localAddress },
    { data: noise(3), address: { path: "/of/another/family" } },
  ];
  assertEquals(sendOneByOne(left, messages.map(complete), 0), 1);
  assertThrows(() => sendOneByOne(left, messages.slice(1).map(complete), 0), TypeError);
});

Deno.test({
  name: "receiveMessages() and sendMessages() keep no memory for other messages of 200 MB",
  ...linuxOnly,
  ...skipIf(isQemu, "qemu has no room on its stack for a control buffer of 200 MB"),
  async fn() {
    const { code, stdout, stderr } = await runProgram(
      `
      const { AF_INET, SOCK_DGRAM, Socket, receiveMessages, sendMessages } = sockets;
      using socket = new Socket(AF_INET, SOCK_DGRAM);
      socket.bind({ hostname: "127.0.0.1", port: 0 });
      const address = socket.localAddress;
      const send = (size) => sendMessages(socket, [{ data: new Uint8Array(size), address }]);
      try {
        send(200_000_000);
      } catch ({ code }) {
        console.log(code);
      }
      const controlSize = 200_000_000;
      console.log(receiveMessages(socket, [new Uint8Array(1)], { controlSize }));
      const isKept = () => Deno.memoryUsage().external > 100_000_000;
      for (let i = 0; i < 10_000 && isKept(); i++) {
        gc();
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      console.log(isKept(), send(1));
    `,
      ["--allow-all", "--v8-flags=--expose-gc"],
    );
    assertEquals([stderr, stdout, code], ["", "EMSGSIZE\nnull\nfalse 1", 0]);
  },
});

Deno.test(
  "receiveMessages() and sendMessages() take many messages, small and large in turns",
  needsUnix,
  () => {
    const [left, right] = socketpair(AF_UNIX, SOCK_DGRAM);
    for (const [count, size] of [[1, 1], [8, 60_000], [9, 10], [1, 60_001], [10, 0]] as const) {
      left.setOption(SOL_SOCKET, SO_SNDBUF, 1 << 20);
      const messages = Array.from(
        { length: count },
        (_, i) => ({ data: noise(size).fill(i, 0, 1) }),
      );
      const buffers = buffersOf(count, size + 1);
      let found = 0;
      for (let sent = 0; sent < count;) {
        sent += sendMessages(left, messages.slice(sent)) ?? 0;
        untilReadable(right);
        found += receiveMessages(right, buffers.slice(found))!.length;
      }
      assertEquals(found, count);
      for (const [i, { data }] of messages.entries()) {
        assertEquals(buffers[i]!.subarray(0, size), data, `${count} of ${size}: ${i}`);
      }
    }
    left.close();
    right.close();
  },
);

Deno.test("receiveMessages() takes no more memory for larger buffers than datagrams need", () => {
  using left = datagrams();
  using right = datagrams();
  left.sendTo(noise(3), right.localAddress);
  untilReadable(right);
  const buffer = new Uint8Array(1 << 29);
  const messages = receiveMessages(right, [buffer, buffer])!;
  assertEquals(messages.map(({ size, truncated }) => [size, truncated]), [[3, false]]);
  assertEquals([...buffer.subarray(0, 4)], [...noise(3), 0]);
});

Deno.test("receiveMessages() and sendMessages() accept empty lists", () => {
  using socket = datagrams();
  assertEquals(receiveMessages(socket, []), []);
  assertEquals(sendMessages(socket, []), 0);
});

Deno.test("receiveMessages() does not wait on a blocking socket", needsUnix, () => {
  const [left, right] = socketpair(AF_UNIX, SOCK_DGRAM);
  right.setBlocking(true);
  assertEquals(receiveMessages(right, buffersOf(2, 9)), null);
  left.send(noise(3));
  assertEquals(receiveMessages(right, buffersOf(2, 9))!.length, 1);
  left.close();
  right.close();
});

Deno.test("receiveMessages() closes the descriptors that come with messages", {
  ...skipIf(isQemu, "qemu writes over the end of too small a control buffer"),
  ...linuxOnly,
}, async () => {
  const { stdout, stderr } = await runProgram(`
    ${COUNT_DESCRIPTORS}
    const { AF_UNIX, SOCK_DGRAM } = sockets;
    const [left, right] = sockets.socketpair(AF_UNIX, SOCK_DGRAM);
    const before = countDescriptors();
    sockets.sendMessage(left, new Uint8Array(1), { descriptors: [0, 1] });
    sockets.sendMessage(left, new Uint8Array(2), { descriptors: [2] });
    const buffers = [new Uint8Array(9), new Uint8Array(9), new Uint8Array(9)];
    const messages = sockets.receiveMessages(right, buffers);
    console.log(messages.map(({ size, controlTruncated }) => [size, controlTruncated].join()).join(" "));
    console.log(countDescriptors() - before);
  `);
  assertEquals([stderr, stdout], ["", "1,true 2,true\n0"]);
});

Deno.test(
  "sendMessages() reads each property once, and code of the caller disturbs nothing",
  needsUnix,
  () => {
    const [left, right] = socketpair(AF_UNIX, SOCK_DGRAM);
    const reads: string[] = [];
    const second = {
      get data() {
        reads.push("data");
        sendMessages(left, [{ data: noise(7) }]);
        return noise(2);
      },
      get control() {
        reads.push("control");
        return [];
      },
    };
    assertEquals(sendMessages(left, [{ data: noise(1) }, second]), 2);
    assertEquals(reads, ["data", "control"]);
    const bytes = receiveAll(receiveMessages, right, 3).map(({ bytes }) => bytes);
    assertEquals(bytes, [[...noise(7)], [...noise(1)], [...noise(2)]]);
    left.close();
    right.close();
  },
);

Deno.test("receiveMessages() and sendMessages() refuse wrong arguments", () => {
  using socket = datagrams();
  const address = socket.localAddress;
  const data = noise(1);
  const wrong = (value: unknown) => value as never;
  assertThrows(
    () => receiveMessages(socket, wrong(data)),
    TypeError,
    "the buffers must be an array",
  );
  assertThrows(() => receiveMessages(socket, [data, wrong("")]), TypeError, "Uint8Array");
  assertThrows(
    () => receiveMessages(socket, [data], { controlSize: -1 }),
    RangeError,
    "controlSize",
  );
  assertThrows(() => receiveMessages(socket, [data], { flags: 0.5 }), RangeError, "flags");
  assertThrows(() => sendMessages(socket, wrong({ data })), TypeError, "must be an array");
  assertThrows(() => sendMessages(socket, [wrong(null)]), TypeError, "must be an object");
  assertThrows(() => sendMessages(socket, [wrong({ address })]), TypeError, "Uint8Array");
  assertThrows(() => sendMessages(socket, [{ data, address: wrong(null) }]), TypeError, "address");
  assertThrows(
    () => sendMessages(socket, [{ data, address, control: wrong({}) }]),
    TypeError,
    "array",
  );
  assertThrows(() => sendMessages(socket, [{ data, address }], 2 ** 32), RangeError, "flags");
  assertEquals(socket.recv(new Uint8Array(9)), null); // Nothing was sent.
  const closed = datagrams();
  closed.close();
  for (
    const call of [() => receiveMessages(closed, [data]), () => sendMessages(closed, [{ data }])]
  ) {
    assertEquals(assertThrows(call, OSError).code, "EBADF");
  }
});
