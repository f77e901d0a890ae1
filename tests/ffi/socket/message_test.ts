import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import {
  AF_INET,
  AF_UNIX,
  type FileDescriptor,
  IP_RECVTTL,
  IP_TTL,
  IPPROTO_IP,
  MSG_PEEK,
  MSG_TRUNC,
  pipe,
  receiveMessage,
  SCM_RIGHTS,
  sendMessage,
  SO_PASSCRED,
  SO_RCVBUF,
  SO_RXQ_OVFL,
  SO_SNDBUF,
  SOCK_DGRAM,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  Socket,
  socketpair,
  SOL_SOCKET,
} from "../../../ffi/socket/mod.ts";
import { Descriptor, descriptorFlags, Pair, Pipe } from "../../support/descriptors.ts";
import { COUNT_DESCRIPTORS, runProgram } from "../../support/subprocess.ts";
import { assertSameBytes, datagrams, noise, places, untilReadable } from "../../support/sockets.ts";
import { libcPath } from "../../support/platform.ts";
import { messageErrors } from "./error_cases/message.ts";
import { testErrors } from "../../support/error_cases.ts";
import { linuxOnly, needs, skipIf } from "../../support/skip.ts";
import { isQemu, isWindows } from "../../support/os.ts";

const needsDescriptorPassing = skipIf(isWindows, "Windows has no SCM_RIGHTS");
const losesControlData = skipIf(isQemu, "qemu writes over the end of too small a control buffer");

testErrors(messageErrors);

for (const place of places) {
  Deno.test({
    name: `receiveMessage() returns the sender's address of a datagram (${place.name})`,
    ...place.skip,
    fn() {
      using left = datagrams(place);
      using right = datagrams(place);
      assertEquals(receiveMessage(right, new Uint8Array(9)), null);
      assertEquals(sendMessage(left, noise(3), { address: right.localAddress }), 3);
      untilReadable(right);
      const buffer = new Uint8Array(4);
      const message = receiveMessage(right, buffer)!;
      assertEquals([message.size, message.address], [3, left.localAddress]);
      assertEquals([message.truncated, message.controlTruncated, message.flags], [false, false, 0]);
      assertEquals([message.control, message.credentials, message.descriptors], [[], null, []]);
      assertEquals(buffer, new Uint8Array([...noise(3), 0]));
    },
  });

  Deno.test({
    name: `receiveMessage() reports that a datagram is larger than the buffers (${place.name})`,
    ...place.skip,
    fn() {
      using left = datagrams(place);
      using right = datagrams(place);
      for (const size of [5, 4, 0]) left.sendTo(new Uint8Array(size), right.localAddress);
      const received = () => {
        untilReadable(right);
        const { size, truncated } = receiveMessage(right, [new Uint8Array(3), new Uint8Array(1)])!;
        return [size, truncated];
      };
      assertEquals([received(), received(), received()], [[4, true], [4, false], [0, false]]);
    },
  });
}

Deno.test({
  name: "receiveMessage() returns the size of the whole datagram with MSG_TRUNC",
  ...linuxOnly,
  fn() {
    using left = datagrams();
    using right = datagrams();
    left.sendTo(new Uint8Array(5), right.localAddress);
    untilReadable(right);
    const { size, truncated } = receiveMessage(right, new Uint8Array(2), { flags: MSG_TRUNC })!;
    assertEquals([size, truncated], [5, true]);
  },
});

Deno.test("sendMessage() gathers, and receiveMessage() scatters, many buffers of different sizes", () => {
  using pair = new Pair();
  pair.left.setOption(SOL_SOCKET, SO_SNDBUF, 1 << 17); // macOS has 8 KiB.
  pair.right.setOption(SOL_SOCKET, SO_RCVBUF, 1 << 17);
  const bytes = noise(40_000);
  const sizes = [0, 1, 2, 63, 64, 65, 127, 0, 1000, 10_000, 28_678];
  let at = 0;
  const pieces = sizes.map((size) => bytes.subarray(at, at += size).slice());
  assertEquals([at, sendMessage(pair.left, pieces)], [40_000, 40_000]);
  const buffers = sizes.toReversed().map((size) => new Uint8Array(size));
  assertEquals(receiveMessage(pair.right, buffers)!.size, 40_000);
  assertSameBytes(new Uint8Array(buffers.flatMap((buffer) => [...buffer])), bytes);
});

Deno.test("sendMessage() and receiveMessage() use only the bytes of a view", () => {
  using pair = new Pair();
  const bytes = new Uint8Array([1, 2, 3, 4]);
  sendMessage(pair.left, [bytes.subarray(1, 2), bytes.subarray(2, 3)]);
  const buffer = new Uint8Array(5);
  receiveMessage(pair.right, [buffer.subarray(1, 2), buffer.subarray(3, 4)]);
  assertEquals(buffer, new Uint8Array([0, 2, 0, 3, 0]));
});

Deno.test("receiveMessage() fills small buffers that the garbage collector moves", async () => {
  const { stdout, stderr } = await runProgram(
    `
    const [left, right] = sockets.socketpair();
    let wrong = 0;
    for (let i = 0; i < 20_000; i++) {
      const sent = [new Uint8Array([i, i >> 8]), new Uint8Array([7])];
      const got = [new Uint8Array(1), new Uint8Array(2)];
      if (i % 100 === 0) gc({ type: "minor" });
      sockets.sendMessage(left, sent);
      if (i % 1000 === 0) gc();
      sockets.receiveMessage(right, got);
      if (got[0][0] !== (i & 255) || got[1][0] !== (i >> 8) || got[1][1] !== 7) wrong++;
    }
    console.log(wrong);
    `,
    ["--allow-ffi", "--v8-flags=--expose-gc"],
  );
  assertEquals([stdout, stderr], ["0", ""]);
});

Deno.test(
  "sendMessage() returns null when there is no room, receiveMessage() size 0 at the end",
  needsDescriptorPassing,
  () => {
    using pair = new Pair();
    pair.stuff();
    assertEquals(sendMessage(pair.left, new Uint8Array(1)), null);
    using ends = new Pipe();
    assertEquals(
      sendMessage(pair.left, new Uint8Array(1), { descriptors: [ends.reader] }),
      null,
    );
    pair.left.close();
    const buffer = new Uint8Array(1 << 20);
    let message;
    do {
      untilReadable(pair.right);
      message = receiveMessage(pair.right, buffer, { descriptors: 9 });
      assertEquals(message!.descriptors, []);
    } while (message!.size > 0);
    assertEquals(message!.truncated, false);
  },
);

const kinds = [
  { name: "stream", type: SOCK_STREAM },
  { name: "datagram", type: SOCK_DGRAM },
  { name: "sequenced packet", type: SOCK_SEQPACKET, skip: linuxOnly },
];

for (const { name, type, skip } of kinds) {
  Deno.test({
    name: `sendMessage() sends descriptors, in order, and they arrive close-on-exec (${name})`,
    ...needsDescriptorPassing,
    ...skip,
    fn() {
      const [left, right] = socketpair(AF_UNIX, type);
      using _left = left;
      using _right = right;
      using ends = new Pipe();
      const { reader, writer } = ends;
      sendMessage(left, new Uint8Array(1), { descriptors: [writer, reader.fileno()] });
      using message = receiveMessage(right, new Uint8Array(1), { descriptors: 5 })!;
      const [first, second] = message.descriptors;
      assertEquals([message.descriptors.length, message.controlTruncated], [2, false]);
      assertNotEquals(first.fileno(), writer.fileno());
      if (!linuxOnly.ignore) {
        for (const file of message.descriptors) {
          assertEquals(descriptorFlags(file.fileno()).closeOnExec, true);
        }
      }
      first.write(noise(5));
      const buffer = new Uint8Array(9);
      assertEquals(second.read(buffer), 5);
      assertEquals(buffer.subarray(0, 5), noise(5));
      for (const file of [writer, first]) file.close();
      untilReadable(reader); // Programs being started have copies.
      assertEquals(reader.read(buffer), 0);
    },
  });
}

Deno.test("receiveMessage() leaves a descriptor blocking or not, like the sender's", () => {
  if (linuxOnly.ignore) return;
  using pair = new Pair();
  using ends = new Pipe();
  ends.reader.setBlocking(true);
  sendMessage(pair.left, new Uint8Array(1), { descriptors: [ends.reader, ends.writer] });
  using message = receiveMessage(pair.right, new Uint8Array(1), { descriptors: 2 })!;
  assertEquals(
    message.descriptors.map((file) => descriptorFlags(file.fileno()).nonBlocking),
    [false, true],
  );
});

Deno.test(
  "ReceivedMessage closes its descriptors at the end of a using block, except detached ones",
  needsDescriptorPassing,
  () => {
    using pair = new Pair();
    using ends = new Pipe();
    sendMessage(pair.left, new Uint8Array(1), { descriptors: [ends.reader, ends.writer] });
    let files: readonly FileDescriptor[];
    let kept: Descriptor;
    {
      using message = receiveMessage(pair.right, new Uint8Array(1), { descriptors: 2 })!;
      files = message.descriptors;
      kept = new Descriptor(files[1].detach());
    }
    assertEquals(files.map((file) => file.fileno()), [-1, -1]);
    using copy = kept;
    assertEquals(copy.write(new Uint8Array(2)), 2);
  },
);

/** Sends copies of a pipe, and receives them with room for only some. */
const LEAKS = `
  ${COUNT_DESCRIPTORS}
  const [left, right] = sockets.socketpair();
  const ends = sockets.pipe();
  const byte = new Uint8Array(1);
  const exchange = (sent, options) => {
    sockets.sendMessage(left, byte, { descriptors: Array(sent).fill(ends.writer) });
    const message = sockets.receiveMessage(right, byte, options);
    return message;
  };
  exchange(1, { descriptors: 1 })[Symbol.dispose]();
  const before = countDescriptors();
`;

Deno.test({
  name: "receiveMessage() closes descriptors that were not asked for, and reports it",
  ...losesControlData,
  ...linuxOnly,
  async fn() {
    const { stdout, stderr } = await runProgram(`${LEAKS}
      for (const [sent, options] of [
        [1, {}], [253, {}], [3, { descriptors: 1 }], [253, { descriptors: 252 }],
        [2, { descriptors: 2 }], [253, { descriptors: 253, controlSize: 0 }],
        [2, { controlSize: 0 }], [2, { controlSize: 16 }], [2, { controlSize: 17 }],
        [2, { controlSize: 20 }], [2, { controlSize: 23 }], [3, { descriptors: 1, controlSize: 0 }],
      ]) {
        const message = exchange(sent, options);
        const during = countDescriptors() - before;
        message[Symbol.dispose]();
        const { descriptors, controlTruncated } = message;
        console.log(sent, descriptors.length, during, countDescriptors() - before, controlTruncated);
      }
    `);
    assertEquals([stderr, stdout.split("\n")], ["", [
      "1 0 0 0 true",
      "253 0 0 0 true",
      "3 1 1 0 true",
      "253 252 252 0 true",
      "2 2 2 0 false",
      "253 253 253 0 false",
      "2 0 0 0 true",
      "2 0 0 0 true",
      "2 0 0 0 true",
      "2 0 0 0 true",
      "2 0 0 0 true",
      "3 1 1 0 true",
    ]]);
  },
});

Deno.test({
  name: "receiveMessage() closes received descriptors when it fails",
  ...linuxOnly,
  async fn() {
    // Decoding the sender's address fails, after the system has returned it.
    const { stdout, stderr } = await runProgram(`${LEAKS}
      const { decode } = TextDecoder.prototype;
      const bound = new sockets.Socket(sockets.AF_UNIX, sockets.SOCK_DGRAM);
      const path = "\\0readiness-leak-" + Deno.pid;
      bound.bind({ path });
      const sender = new sockets.Socket(sockets.AF_UNIX, sockets.SOCK_DGRAM);
      sender.bind({ path: path + "-sender" });
      const now = countDescriptors();
      for (let i = 0; i < 10; i++) {
        const descriptors = [ends.writer, ends.reader];
        sockets.sendMessage(sender, byte, { address: { path }, descriptors });
        TextDecoder.prototype.decode = () => {
          Uint8Array.prototype.slice = () => { throw new Error("no address"); };
          throw new Error("not UTF-8");
        };
        try {
          sockets.receiveMessage(bound, byte, { descriptors: 2 });
        } catch (error) {
          TextDecoder.prototype.decode = decode;
          delete Uint8Array.prototype.slice;
          console.log(error.message, countDescriptors() - now);
        }
      }
    `);
    assertEquals([stderr, stdout.split("\n")], ["", Array(10).fill("no address 0")]);
  },
});

Deno.test({
  name: "receiveMessage() reports lost descriptors when the process has too many open",
  ...linuxOnly,
  async fn() {
    const { stdout, stderr } = await runProgram(`${LEAKS}
      const full = [];
      try { for (;;) full.push(sockets.pipe()); } catch { full.pop().reader.close(); }
      sockets.sendMessage(left, byte, { descriptors: Array(20).fill(ends.writer) });
      using message = sockets.receiveMessage(right, byte, { descriptors: 20 });
      console.log(message.descriptors.length < 20, message.controlTruncated);
    `);
    assertEquals([stderr, stdout], ["", "true true"]);
  },
});

Deno.test("receiveMessage() with MSG_PEEK leaves the message and its descriptors in the queue", () => {
  if (linuxOnly.ignore) return;
  using pair = new Pair();
  using ends = new Pipe();
  sendMessage(pair.left, noise(2), { descriptors: [ends.writer] });
  for (const flags of [MSG_PEEK, 0]) {
    using message = receiveMessage(pair.right, new Uint8Array(2), { descriptors: 1, flags })!;
    assertEquals([message.size, message.descriptors.length], [2, 1]);
  }
  assertEquals(receiveMessage(pair.right, new Uint8Array(2)), null);
});

Deno.test({
  name: "sendMessage() sends credentials, and receiveMessage() returns them",
  ...linuxOnly,
  fn() {
    using pair = new Pair();
    const own = { pid: Deno.pid, uid: Deno.uid()!, gid: Deno.gid()! };
    const byte = new Uint8Array(1);
    sendMessage(pair.left, byte, { credentials: own });
    assertEquals(receiveMessage(pair.right, byte)!.credentials, null);
    pair.right.setOption(SOL_SOCKET, SO_PASSCRED, 1);
    pair.left.send(byte);
    assertEquals(receiveMessage(pair.right, byte)!.credentials, own);
    using ends = new Pipe();
    sendMessage(pair.left, byte, { credentials: own, descriptors: [ends.reader] });
    using both = receiveMessage(pair.right, byte, { descriptors: 1 })!;
    assertEquals([both.credentials, both.descriptors.length], [own, 1]);
    assertEquals([both.control, both.controlTruncated], [[], false]);
    if (own.uid === 0) {
      sendMessage(pair.left, byte, { credentials: { ...own, uid: 4_294_967_294, gid: 5 } });
      assertEquals(receiveMessage(pair.right, byte)!.credentials, {
        ...own,
        uid: 4_294_967_294,
        gid: 5,
      });
    }
  },
});

Deno.test({
  name: "receiveMessage() reports that there was no room for credentials",
  ...losesControlData,
  ...linuxOnly,
  fn() {
    using pair = new Pair();
    pair.right.setOption(SOL_SOCKET, SO_PASSCRED, 1);
    const byte = new Uint8Array(1);
    sendMessage(pair.left, byte);
    const { credentials, controlTruncated } = receiveMessage(pair.right, byte, {
      controlSize: 20,
    })!;
    assertEquals([credentials, controlTruncated], [null, true]);
  },
});

Deno.test({
  name:
    "sendMessage() sends other control messages, and receiveMessage() returns them: a time to live",
  ...linuxOnly,
  fn() {
    using left = datagrams();
    using right = datagrams();
    right.setOption(IPPROTO_IP, IP_RECVTTL, 1);
    const int = (value: number) => new Uint8Array(new Int32Array([value]).buffer);
    const control = [{ level: IPPROTO_IP, type: IP_TTL, data: int(7) }];
    sendMessage(left, new Uint8Array(1), { address: right.localAddress, control });
    untilReadable(right);
    assertEquals(receiveMessage(right, new Uint8Array(1))!.control, control);
  },
});

Deno.test({
  name: "receiveMessage() returns how many datagrams the system dropped before",
  ...skipIf(isQemu, "qemu has no SO_RXQ_OVFL"),
  ...linuxOnly,
  fn() {
    using left = datagrams();
    using right = datagrams();
    right.setOption(SOL_SOCKET, SO_RXQ_OVFL, 1);
    const flood = 2000;
    for (let i = 0; i < flood; i++) left.sendTo(new Uint8Array(1000), right.localAddress);
    let received = 0;
    while (right.recv(new Uint8Array(1000)) !== null) received++;
    left.sendTo(new Uint8Array(1), right.localAddress);
    untilReadable(right);
    const [{ level, type, data }] = receiveMessage(right, new Uint8Array(1))!.control;
    assertEquals([level, type], [SOL_SOCKET, SO_RXQ_OVFL]);
    const dropped = new DataView(data.buffer).getUint32(0, true);
    assert(dropped > 0);
    assertEquals(received + dropped, flood);
  },
});

Deno.test(
  "sendMessage() throws RangeError when a stream would lose the control data",
  needsDescriptorPassing,
  () => {
    using pair = new Pair();
    using ends = new Pipe();
    const options = { descriptors: [ends.reader] };
    assertThrows(
      () => sendMessage(pair.left, new Uint8Array(0), options),
      RangeError,
      "would lose",
    );
    assertThrows(() => sendMessage(pair.left, [], options), RangeError, "would lose");
    assertEquals(sendMessage(pair.left, []), 0);
  },
);

Deno.test("sendMessage() sends control data with a datagram of no bytes", {
  ...needsDescriptorPassing,
  ...skipIf(isQemu, "qemu passes no control data on with no bytes"),
}, () => {
  const [left, right] = socketpair(AF_UNIX, SOCK_DGRAM);
  using _left = left;
  using _right = right;
  using ends = new Pipe();
  assertEquals(sendMessage(left, [], { descriptors: [ends.reader] }), 0);
  using message = receiveMessage(right, [], { descriptors: 1 })!;
  assertEquals([message.size, message.descriptors.length], [0, 1]);
});

Deno.test(
  "sendMessage() also sends a descriptor as a control message",
  needsDescriptorPassing,
  () => {
    using pair = new Pair();
    const { reader, writer } = pipe();
    using _reader = reader;
    using _writer = writer;
    const data = new Uint8Array(new Int32Array([writer.fileno()]).buffer);
    sendMessage(pair.left, new Uint8Array(1), {
      control: [{ level: SOL_SOCKET, type: SCM_RIGHTS, data }],
    });
    using message = receiveMessage(pair.right, new Uint8Array(1), { descriptors: 1 })!;
    assertEquals(message.descriptors.length, 1);
  },
);

Deno.test({
  name: "receiveMessage() needs only the permission for libc",
  ...needs("libc at one of its usual places", libcPath !== undefined),
  async fn() {
    const { stdout, stderr } = await runProgram(
      `
      const [left, right] = sockets.socketpair();
      sockets.sendMessage(left, [new Uint8Array(2)], { descriptors: [left] });
      using message = sockets.receiveMessage(right, new Uint8Array(9), { descriptors: 1 });
      console.log(message.size, message.descriptors.length);
      `,
      [`--allow-ffi=${libcPath}`],
    );
    assertEquals([stdout, stderr], ["2 1", ""]);
  },
});

Deno.test(
  "sendMessage() throws NotCapable without permission, and the message names the flag",
  skipIf(isWindows, "Windows has no socket activation"),
  async () => {
    const { stdout } = await runProgram(
      `for (const call of [
      () => sockets.sendMessage(sockets.Socket.prototype, new Uint8Array(1)),
      () => sockets.interfaceIndex("lo"), () => sockets.interfaceName(1), sockets.listenFds,
    ]) try { call(); } catch (error) { console.log(error.name, /--allow-ffi/.test(error.message)); }`,
      [],
    );
    // The first call is missing its socket, so it may fail with another error.
    assertEquals(stdout.split("\n").slice(1), Array(3).fill("NotCapable true"));
  },
);

Deno.test(
  "sendMessage() does not raise SIGPIPE when the connection is broken",
  skipIf(isWindows, "the first send() to a closed peer succeeds on Windows"),
  async () => {
    const { stdout, code } = await runProgram(
      `const [left, right] = sockets.socketpair();
    right.close();
    try { sockets.sendMessage(left, new Uint8Array(1)); } catch (error) { console.log(error.code); }`,
    );
    assertEquals([stdout, code], ["EPIPE", 0]);
  },
);

Deno.test("receiveMessage() returns the peer's address on a stream", () => {
  using server = new Socket(AF_INET, SOCK_STREAM);
  server.bind({ hostname: "127.0.0.1", port: 0 });
  server.listen();
  using client = new Socket(AF_INET, SOCK_STREAM);
  client.connect(server.localAddress);
  untilReadable(server);
  using connection = server.accept()!;
  sendMessage(client, noise(3));
  untilReadable(connection);
  assertEquals(receiveMessage(connection, new Uint8Array(9))!.address, client.localAddress);
});
