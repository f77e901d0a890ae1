import { failNext, needsErrno } from "../../support/failing_calls.ts";
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { abi } from "../../../ffi/abi/mod.ts";
import {
  AF_INET,
  AF_NETLINK,
  AF_PACKET,
  AF_UNIX,
  AF_VSOCK,
  ETH_P_ALL,
  interfaceIndex,
  NETLINK_ROUTE,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  OSError,
  type RawAddress,
  receiveMessage,
  RTM_GETLINK,
  RTM_NEWLINK,
  sendMessage,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_STREAM,
  Socket,
  type SocketAddress,
  VMADDR_CID_ANY,
  VMADDR_PORT_ANY,
} from "../../../ffi/socket/mod.ts";
import { needsRaw } from "../../support/privileges.ts";
import { linuxOnly, needs } from "../../support/skip.ts";
import { untilReadable } from "../../support/sockets.ts";

/** The address of the kernel: the rest of a `struct sockaddr_nl` of zeros. */
const kernel: RawAddress = { family: AF_NETLINK, bytes: new Uint8Array(10) };

function netlink(): Socket<RawAddress> {
  return new Socket<RawAddress>(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
}

/** Encodes a request for all links. */
function linksRequest(): Uint8Array {
  const request = new DataView(new ArrayBuffer(32));
  request.setUint32(0, 32, true);
  request.setUint16(4, RTM_GETLINK, true);
  request.setUint16(6, NLM_F_REQUEST | NLM_F_DUMP, true);
  return new Uint8Array(request.buffer);
}

Deno.test("Socket.recvFrom() returns a datagram of netlink and its sender", linuxOnly, () => {
  using socket = netlink();
  assertEquals(socket.sendTo(linksRequest(), kernel), 32);
  const buffer = new Uint8Array(65_536);
  const { size, address } = socket.recvFrom(buffer)!;
  assertEquals(address, kernel);
  assert(size > 32);
  assertEquals(new DataView(buffer.buffer).getUint16(4, true), RTM_NEWLINK);
});

Deno.test("receiveMessage() returns a message of netlink and its sender", linuxOnly, () => {
  using socket = netlink();
  assertEquals(sendMessage(socket, linksRequest(), { address: kernel }), 32);
  using message = receiveMessage(socket, new Uint8Array(65_536))!;
  assertEquals(message.address, kernel);
});

Deno.test("Socket.bind() and connect() take addresses of netlink", linuxOnly, () => {
  using socket = netlink();
  assertEquals(socket.localAddress, kernel);
  socket.bind(kernel);
  const { family, bytes } = socket.localAddress;
  assertEquals([family, bytes.length], [AF_NETLINK, 10]);
  const id = new DataView(bytes.buffer, bytes.byteOffset).getUint32(2, true);
  assert(id > 0); // The kernel has chosen it.
  assertEquals(socket.connect(kernel), true);
  assertEquals(socket.remoteAddress, kernel);
});

Deno.test("Socket.bind() takes an address of vsock", {
  ...linuxOnly,
  ...needs("vsock", canMake(AF_VSOCK, SOCK_STREAM)),
}, () => {
  const any = new DataView(new ArrayBuffer(14)); // The rest of a struct sockaddr_vm.
  any.setUint32(2, VMADDR_PORT_ANY, true);
  any.setUint32(6, VMADDR_CID_ANY, true);
  using socket = new Socket<RawAddress>(AF_VSOCK, SOCK_STREAM);
  socket.bind({ family: AF_VSOCK, bytes: new Uint8Array(any.buffer) });
  const { family, bytes } = socket.localAddress;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  assertEquals([family, view.getUint32(6, true)], [AF_VSOCK, VMADDR_CID_ANY]);
  assert(view.getUint32(2, true) !== VMADDR_PORT_ANY);
});

Deno.test("A raw address of a packet socket reads back in its typed form", needsRaw, () => {
  using socket = new Socket<SocketAddress>(AF_PACKET, SOCK_DGRAM);
  const rest = new DataView(new ArrayBuffer(18)); // Of a struct sockaddr_ll.
  rest.setUint16(0, ETH_P_ALL);
  rest.setInt32(2, interfaceIndex("lo"), true);
  socket.bind({ family: AF_PACKET, bytes: new Uint8Array(rest.buffer) });
  const address: object = socket.localAddress;
  assert("interface" in address && "protocol" in address);
  assertEquals([address.interface, address.protocol], [interfaceIndex("lo"), ETH_P_ALL]);
});

Deno.test("A raw address of IPv4 leads to its receiver", () => {
  using receiver = new Socket(AF_INET, SOCK_DGRAM);
  receiver.bind({
    family: AF_INET,
    bytes: new Uint8Array([0, 0, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]),
  });
  const { localAddress } = receiver;
  assert("port" in localAddress);
  assertEquals(localAddress.hostname, "127.0.0.1");
  const { port } = localAddress;
  const bytes = new Uint8Array([port >> 8, port & 255, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
  using sender = new Socket(AF_INET, SOCK_DGRAM);
  sender.sendTo(new Uint8Array(3), { family: AF_INET, bytes });
  untilReadable(receiver);
  assertEquals(receiver.recvFrom(new Uint8Array(9))?.size, 3);
});

Deno.test("A failed call names a raw address by its family", linuxOnly, () => {
  using socket = netlink();
  const error = assertThrows(() => socket.bind({ ...kernel, bytes: new Uint8Array(1) }), OSError);
  assertMatch(
    error.message,
    /^Cannot bind fd \d+ to an address of family 16: Invalid argument \(EINVAL\)$/,
  );
});

Deno.test({
  name: "A socket whose family has no names has an address without bytes",
  ...linuxOnly,
  ...needsErrno,
  fn() {
    // Sockets of the kernel's ciphers (AF_ALG) refuse getsockname() so.
    using socket = netlink();
    failNext("getsockname", abi.errno.EOPNOTSUPP!);
    assertEquals(socket.localAddress, { family: AF_NETLINK, bytes: new Uint8Array() });
    using adopted = Socket.fromFd(socket.fileno());
    failNext("getsockname", abi.errno.EOPNOTSUPP!);
    adopted.bind(kernel);
    adopted.detach();
  },
});

Deno.test("Socket.bind() to an empty path lets Linux choose an abstract name", linuxOnly, () => {
  using server = new Socket(AF_UNIX, SOCK_STREAM);
  server.bind({ path: "" });
  const { localAddress } = server;
  assert("path" in localAddress);
  assertMatch(localAddress.path, /^\0[0-9a-f]{5}$/);
  server.listen();
  using client = new Socket(AF_UNIX, SOCK_STREAM);
  assertEquals(client.connect(localAddress), true);
});

function canMake(family: number, type: number): boolean {
  try {
    new Socket(family, type).close();
    return true;
  } catch {
    return false;
  }
}
