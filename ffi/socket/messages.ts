import { abi } from "../abi/mod.ts";
import {
  assertArray,
  assertInteger,
  describeValue,
  hasProperty,
  readFlags,
  readOptions,
} from "../checks.ts";
import { closeQuietly } from "../descriptor.ts";
import { lastErrno } from "../errno.ts";
import { isInterrupted, transferLength } from "../fd/file_descriptor.ts";
import { libcCalls } from "../libc.ts";
import { describeAddress, type SocketAddress } from "./address.ts";
import { decodeControl, decodeCredentials, encodeControl } from "./control.ts";
import {
  assertNotStream,
  CONTROL_SIZE,
  type MessageInfo,
  needMessages,
  type OutgoingMessage,
} from "./message.ts";
import { type OwnMessage, receiveOneByOne, sendOneByOne } from "./message_loop.ts";
import { MessageVector } from "./message_vector.ts";
import { senderOf } from "./names.ts";
import type { PacketAddress } from "./packet.ts";
import { type AnySocket, encodeFor, type Socket } from "./socket.ts";

const { MSG_CTRUNC, MSG_TRUNC } = abi.constants;
const { MSG_CMSG_CLOEXEC = 0, MSG_DONTWAIT = 0, MSG_NOSIGNAL = 0 } = abi.constants;
const { EINVAL } = abi.errno;

const calls = libcCalls({
  recvmmsg: {
    parameters: ["i32", "buffer", "u32", "i32", "pointer"],
    result: "i32",
    optional: true,
  },
  sendmmsg: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32", optional: true },
});

/** The most messages that Linux moves in one call. */
const MAX_COUNT = 1024;

/** The most memory for the messages of one call, unless a sent message is larger. */
const MAX_MEMORY = 1 << 22;

const NOTHING = new Uint8Array(new ArrayBuffer(0));

/**
 * Options of {@linkcode receiveMessages}.
 *
 * @category Messages
 */
export interface ReceiveMessagesOptions {
  /** Room for the control data of each message in bytes, including headers; 256 by default. */
  readonly controlSize?: number;
  /** `MSG_PEEK` and others, ORed. */
  readonly flags?: number;
}

/**
 * Receives the datagrams that are there, up to one for each buffer, with `recvmmsg`: one system
 * call for all of them on Linux, NetBSD and OpenBSD. On other systems it makes a call for each.
 *
 * If a call fails after the first datagram, those that came before it are returned. On Linux the
 * error then belongs to the next call. Descriptors that come with a message are closed:
 * {@linkcode receiveMessage} takes them. With `MSG_PEEK` each buffer gets the first datagram.
 *
 * @param socket The socket, for datagrams or packets
 * @param buffers A buffer for each datagram. What does not fit is lost, and `truncated` is `true`.
 * One call fills at most 1024 of them, fewer if they are large
 * @param options The room for control messages, and flags
 * @returns What is known about each datagram, in the order of the buffers; `null` if there is none
 * now
 * @throws {TypeError} If `buffers` is not an array of `Uint8Array`
 * @throws {RangeError} If an option is out of range
 * @throws {OSError} If the system refuses (`recvmmsg` or `recvmsg`), such as with `ECONNREFUSED`
 * @throws {Deno.errors.NotSupported} On Solaris
 *
 * @example Usage
 * ```ts
 * import {
 *   AF_INET,
 *   receiveMessages,
 *   sendMessages,
 *   SOCK_DGRAM,
 *   Socket,
 * } from "@readiness/selectors/socket";
 * import { assertEquals } from "@std/assert";
 *
 * using left = new Socket(AF_INET, SOCK_DGRAM);
 * using right = new Socket(AF_INET, SOCK_DGRAM);
 * right.bind({ hostname: "127.0.0.1", port: 0 });
 * const address = right.localAddress;
 * sendMessages(left, [
 *   { data: new Uint8Array(3), address },
 *   { data: new Uint8Array(5), address },
 * ]);
 * const buffers = Array.from({ length: 64 }, () => new Uint8Array(2048));
 * const messages = receiveMessages(right, buffers)!;
 * assertEquals(messages.map(({ size }) => size), [3, 5]);
 * ```
 *
 * @category Messages
 */
export function receiveMessages<Address extends SocketAddress | PacketAddress = SocketAddress>(
  socket: Socket<Address>,
  buffers: readonly Uint8Array[],
  options?: ReceiveMessagesOptions,
): MessageInfo<Address>[] | null {
  needMessages("receive");
  assertArray("Cannot receive messages: the buffers", buffers);
  const own = readOptions("Cannot receive messages", options, ["controlSize", "flags"]);
  const { controlSize = CONTROL_SIZE } = own;
  assertInteger("Cannot receive messages: the controlSize", controlSize, 0);
  // A blocking socket would wait for all of them.
  const flags = readFlags("Cannot receive messages: the flags", own.flags) | MSG_DONTWAIT;
  const list = Array.from(buffers);
  if (list.length === 0) return [];
  const fd = socket.fileno();
  // No code of the caller runs from here on, as it could change the buffers.
  const size = list.reduce((most, buffer) => Math.max(most, roomIn(buffer)), 0);
  if (!hasBulkCalls()) return receiveOneByOne(socket, list, controlSize, flags);
  const vector = fit(incoming, list.length, size, controlSize);
  incoming = kept(vector);
  const count = Math.min(list.length, vector.count);
  for (let i = 0; i < count; i++) vector.expect(i, roomIn(list[i]!), controlSize);
  let atOnce = MSG_CMSG_CLOEXEC;
  for (;;) {
    const { headers } = vector;
    const received = calls().recvmmsg!(fd, headers, count, flags | atOnce, null);
    if (received >= 0) {
      const messages: MessageInfo<Address>[] = [];
      for (let i = 0; i < received; i++) messages.push(take(fd, vector, i, list[i]!));
      return messages;
    }
    // Packet sockets refuse the flag. They never receive descriptors.
    if (atOnce !== 0 && lastErrno() === EINVAL) atOnce = 0;
    else if (!isInterrupted("receive on", socket, "recvmmsg")) return null;
  }
}

/**
 * Sends datagrams with `sendmmsg`: one system call for all of them on Linux, NetBSD and OpenBSD.
 * On other systems it makes a call for each.
 *
 * The system may take only the first ones: wait until the socket is writable, and send the rest. If
 * the system refuses a message that is not the first, those before it are sent; sending the rest
 * then throws the error.
 *
 * @param socket The socket, for datagrams or packets
 * @param messages The datagrams, in order. One call sends at most 1024 of them, fewer if they are
 * large
 * @param flags `MSG_DONTROUTE` and others, ORed
 * @returns How many were sent, or `null` if there is no room now for any
 * @throws {TypeError} If `messages` is not an array of messages, or an address is of another family
 * @throws {RangeError} If a part of an address is out of range, or `flags` is not a 32-bit integer
 * @throws {OSError} If the system refuses the first (`sendmmsg` or `sendmsg`), such as with
 * `EMSGSIZE`, or a name cannot be resolved (`getaddrinfo`)
 * @throws {Deno.errors.NotSupported} On Solaris
 *
 * @example Usage
 * ```ts
 * import { AF_UNIX, sendMessages, SOCK_DGRAM, socketpair } from "@readiness/selectors/socket";
 * import { assertEquals } from "@std/assert";
 *
 * const [left, right] = socketpair(AF_UNIX, SOCK_DGRAM);
 * const lines = ["one", "two"].map((line) => ({ data: new TextEncoder().encode(line) }));
 * assertEquals(sendMessages(left, lines), 2);
 * assertEquals(right.recv(new Uint8Array(9)), 3);
 * left.close();
 * right.close();
 * ```
 *
 * @category Messages
 */
export function sendMessages<Address extends SocketAddress | PacketAddress = SocketAddress>(
  socket: Socket<Address>,
  messages: readonly OutgoingMessage<Address>[],
  flags?: number,
): number | null {
  needMessages("send");
  assertArray("Cannot send messages: they", messages);
  const bits = readFlags("Cannot send messages: the flags", flags);
  if (messages.length === 0) return 0;
  const own = Array.from(messages, readMessage);
  if (!hasBulkCalls()) return sendOneByOne(socket, own, bits);
  const list = own.slice(0, MAX_COUNT).map((message) => encode(socket, message));
  const fd = socket.fileno();
  // No code of the caller runs from here on, as it could send other messages meanwhile.
  const vector = fit(
    outgoing,
    list.length,
    list.reduce((most, { data }) => Math.max(most, data.length), 0),
    list.reduce((most, { control }) => Math.max(most, control.length), 0),
  );
  outgoing = kept(vector);
  const count = Math.min(list.length, vector.count);
  for (let i = 0; i < count; i++) {
    const { data, name, control } = list[i]!;
    vector.put(i, data, name, control);
  }
  for (;;) {
    const sent = calls().sendmmsg!(fd, vector.headers, count, bits | MSG_NOSIGNAL);
    if (sent >= 0) return sent;
    const errno = lastErrno(); // Before a getter of the address can change it.
    const { address } = own[0]!;
    const action = address === undefined ? "send on" : `send to ${describeAddress(address)} on`;
    if (!isInterrupted(action, socket, "sendmmsg", errno)) return null;
  }
}

// The memory of the last calls. Nothing is kept in it between calls.
let incoming: MessageVector | undefined;
let outgoing: MessageVector | undefined;

/** Returns room for messages, the same as before if it is large enough. */
function fit(
  vector: MessageVector | undefined,
  wanted: number,
  size: number,
  controlSize: number,
): MessageVector {
  const most = Math.max(1, Math.floor(MAX_MEMORY / Math.max(size + controlSize, 1)));
  const count = Math.min(wanted, MAX_COUNT, most);
  if (vector === undefined) return new MessageVector(count, size, controlSize);
  const isFit = vector.count >= count && vector.size >= size && vector.controlSize >= controlSize;
  if (isFit) return vector;
  // Calls with many messages and calls with large ones may take turns.
  const room = [
    Math.max(count, vector.count),
    Math.max(size, vector.size),
    Math.max(controlSize, vector.controlSize),
  ] as const;
  const isSmall = room[0] * (room[1] + room[2]) <= MAX_MEMORY;
  return isSmall ? new MessageVector(...room) : new MessageVector(count, size, controlSize);
}

/** Returns the memory for the next call to use again: none if it is large. */
function kept(vector: MessageVector): MessageVector | undefined {
  return Math.max(vector.size, vector.controlSize) <= MAX_MEMORY ? vector : undefined;
}

/** Returns how much of a buffer a message can fill. */
function roomIn(buffer: Uint8Array): number {
  return Math.min(transferLength(buffer), MAX_MEMORY);
}

/** Returns whether libc moves several messages in a call, in a form that this package knows. */
function hasBulkCalls(): boolean {
  return abi.messages!.mmsghdr !== undefined && calls().recvmmsg !== null &&
    calls().sendmmsg !== null;
}

/** Takes a received message out of the memory of the call. */
function take<Address extends SocketAddress | PacketAddress>(
  fd: number,
  vector: MessageVector,
  i: number,
  buffer: Uint8Array,
): MessageInfo<Address> {
  const size = vector.sizeOf(i);
  const length = Math.min(size, roomIn(buffer));
  if (length > 0) buffer.set(vector.data(i, length));
  const { descriptors, credentials, others } = decodeControl(vector.controlOf(i));
  closeQuietly(descriptors);
  const flags = vector.flagsOf(i) & ~MSG_CMSG_CLOEXEC; // Linux returns this flag, too.
  return {
    size,
    address: senderOf(fd, vector.names[i]!, vector.nameSizeOf(i)) as Address,
    credentials: credentials === null ? null : decodeCredentials(credentials),
    control: others,
    flags,
    truncated: (flags & MSG_TRUNC) !== 0,
    controlTruncated: descriptors.length > 0 || (flags & MSG_CTRUNC) !== 0,
  };
}

/** Reads a message, each property once, so that no getter can return another value later. */
function readMessage<Address extends SocketAddress | PacketAddress>(
  message: OutgoingMessage<Address>,
): OwnMessage<Address> {
  if (typeof message !== "object" || message === null) {
    throw new TypeError(
      `Cannot send a message: it must be an object, received ${describeValue(message)}`,
    );
  }
  const { data } = message;
  transferLength(data); // Throws if it is not a Uint8Array.
  const address = hasProperty(message, "address") ? message.address : undefined;
  const control = hasProperty(message, "control") ? message.control : undefined;
  if (control !== undefined) assertArray("Cannot send a message: its control messages", control);
  return { data, address, control: control ?? [] };
}

/** Returns a message in C's form. */
function encode(
  socket: AnySocket,
  { data, address, control }: OwnMessage<SocketAddress | PacketAddress>,
) {
  const encoded = control.length === 0 ? NOTHING : encodeControl(control);
  if (encoded.length > 0 && data.length === 0) assertNotStream(socket);
  const name = address === undefined ? NOTHING : encodeFor(socket, address, "send on", "sendmmsg");
  return { data, name, control: encoded };
}
