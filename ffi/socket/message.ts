import { abi } from "../abi/mod.ts";
import { assertArray, assertInteger, need, readFlags, readOptions } from "../checks.ts";
import {
  closeAll,
  closeQuietly,
  descriptorOf,
  type HasFileno,
  setCloseOnExec,
} from "../descriptor.ts";
import { lastErrno } from "../errno.ts";
import { FileDescriptor, isInterrupted, transferLength } from "../fd/file_descriptor.ts";
import { platform } from "../platform/mod.ts";
import { describeAddress, type SocketAddress } from "./address.ts";
import {
  type ControlMessage,
  type Credentials,
  decodeControl,
  decodeCredentials,
  encodeControl,
  encodeCredentials,
  spaceFor,
} from "./control.ts";
import { MessageHeader } from "./message_header.ts";
import { senderOf } from "./names.ts";
import type { PacketAddress } from "./packet.ts";
import type { RawAddress } from "./raw_address.ts";
import { ADDRESS_SIZE } from "./sockaddr.ts";
import { type AnySocket, encodeFor, type Socket } from "./socket.ts";

const { MSG_CMSG_CLOEXEC, MSG_CTRUNC, MSG_NOSIGNAL, MSG_TRUNC, SOCK_STREAM, SOL_SOCKET, SO_TYPE } =
  abi.constants;
const { EINVAL } = abi.errno;

const { callNames, messageCalls: calls } = platform;

/** Default room for control data other than descriptors, in bytes. */
export const CONTROL_SIZE = 256;

/** The most descriptors that a message can carry: Linux's limit, the highest of all systems. */
const MAX_DESCRIPTORS = 253;

/**
 * Options of {@linkcode sendMessage}.
 *
 * @category Messages
 */
export interface SendMessageOptions<
  Address extends SocketAddress | PacketAddress = SocketAddress,
> {
  /** The receiver's address, for a socket that is not connected. */
  readonly address?: Address | RawAddress;
  /** Open descriptors to send copies of; only over Unix sockets. They stay open here. */
  readonly descriptors?: readonly (number | HasFileno)[];
  /** Credentials to send (Linux). Any but the process's own need a privilege. */
  readonly credentials?: Credentials;
  /** Other control messages to send. */
  readonly control?: readonly ControlMessage[];
  /** `MSG_DONTROUTE` and others, ORed. */
  readonly flags?: number;
}

/**
 * A message for `sendMessages`.
 *
 * @category Messages
 */
export interface OutgoingMessage<Address extends SocketAddress | PacketAddress = SocketAddress> {
  /** The bytes. */
  readonly data: Uint8Array;
  /** The receiver's address, for a socket that is not connected. */
  readonly address?: Address | RawAddress;
  /** Control messages to send. */
  readonly control?: readonly ControlMessage[];
}

/**
 * Options of {@linkcode receiveMessage}.
 *
 * @category Messages
 */
export interface ReceiveMessageOptions {
  /** The most descriptors to receive, from 0 (the default) to 253. */
  readonly descriptors?: number;
  /** Room for other control data in bytes, including headers; 256 by default. */
  readonly controlSize?: number;
  /** `MSG_PEEK` and others, ORed. */
  readonly flags?: number;
}

/**
 * What is known about a received message.
 *
 * @category Messages
 */
export interface MessageInfo<Address extends SocketAddress | PacketAddress = SocketAddress> {
  /** The number of bytes received; with `MSG_TRUNC`, the size of the whole datagram (Linux). */
  readonly size: number;
  /** The sender's address, as {@linkcode Socket.recvFrom} returns it. */
  readonly address: Address;
  /** The sender's credentials if `SO_PASSCRED` is set (Linux), or `null`. */
  readonly credentials: Credentials | null;
  /** Other control messages. */
  readonly control: readonly ControlMessage[];
  /** The flags that the system returned: `MSG_TRUNC`, `MSG_CTRUNC`, `MSG_EOR`, … */
  readonly flags: number;
  /** Whether the message was larger than the buffers, so that its end is lost. */
  readonly truncated: boolean;
  /** Whether control data did not fit, or more descriptors came than were asked for. */
  readonly controlTruncated: boolean;
}

/**
 * A received message.
 *
 * @category Messages
 */
export interface ReceivedMessage<
  Address extends SocketAddress | PacketAddress = SocketAddress,
> extends MessageInfo<Address>, Disposable {
  /**
   * The received descriptors, close-on-exec, and blocking or not like the sender's. Close them, or
   * let a `using` block of the message close all that were not detached.
   */
  readonly descriptors: readonly FileDescriptor[];
}

/**
 * Sends a message with `sendmsg` (`WSASendMsg` on Windows): bytes gathered from several buffers,
 * with descriptors, credentials and other control messages.
 *
 * On a stream the system may take only a part of the bytes, as with `send`. The control messages go
 * with the first byte: send the rest without them. Nothing was sent if the result is `null`.
 *
 * @param socket The socket
 * @param data The bytes, in one buffer or several, up to 1024 on most systems
 * @param options The address and the control messages
 * @returns The number of bytes sent, or `null` if there is no room now
 * @throws {TypeError} If `data` is neither a `Uint8Array` nor an array of them, a descriptor is
 * neither a number nor an object that has one, or the address is of another family
 * @throws {RangeError} If an option is out of range, or there are control messages but no bytes: a
 * stream would lose them
 * @throws {OSError} If the system refuses (`sendmsg`), such as with `EMSGSIZE`, with `EBADF` if a
 * descriptor is closed, or with `EPERM` if the credentials are another process's
 * @throws {Deno.errors.NotSupported} On Solaris; with descriptors, on Windows; with credentials, on
 * a system other than Linux
 *
 * @example Descriptors over a Unix socket
 * ```ts
 * import { pipe, receiveMessage, sendMessage, socketpair } from "@readiness/selectors/socket";
 * import { assertEquals } from "@std/assert";
 *
 * const [left, right] = socketpair();
 * const { reader, writer } = pipe();
 * sendMessage(left, new Uint8Array(1), { descriptors: [writer] });
 * writer.close(); // The copy stays open.
 *
 * using message = receiveMessage(right, new Uint8Array(1), { descriptors: 1 })!;
 * message.descriptors[0]!.write(new TextEncoder().encode("hi"));
 * assertEquals(reader.read(new Uint8Array(9)), 2);
 * for (const file of [left, right, reader]) file.close();
 * ```
 *
 * @category Messages
 */
export function sendMessage<Address extends SocketAddress | PacketAddress = SocketAddress>(
  socket: Socket<Address>,
  data: Uint8Array | readonly Uint8Array[],
  options?: SendMessageOptions<Address>,
): number | null {
  needMessages("send");
  const own = readOptions("Cannot send a message", options, [
    "address",
    "descriptors",
    "credentials",
    "control",
    "flags",
  ]);
  const { address } = own;
  const flags = readFlags("Cannot send a message: the flags", own.flags);
  const buffers = buffersOf(data);
  const control = encodeControl(controlOf(own));
  if (control.length > 0 && buffers.every(({ length }) => length === 0)) {
    assertNotStream(socket);
  }
  const name = address === undefined
    ? undefined
    : encodeFor(socket, address, "send on", callNames.sendmsg);
  const action = address === undefined ? "send on" : `send to ${describeAddress(address)} on`;
  // No code of the caller may run between the header, which has addresses, and the call.
  const fd = socket.fileno();
  const header = new MessageHeader(buffers, control, name);
  for (;;) {
    const size = header.keepFor((bytes) => calls().sendmsg(fd, bytes, flags | (MSG_NOSIGNAL ?? 0)));
    if (size >= 0) return size;
    if (!isInterrupted(action, socket, callNames.sendmsg)) return null;
  }
}

/**
 * Receives a message with `recvmsg` (on Windows `WSARecvMsg`, only for datagrams): bytes scattered
 * into several buffers, with descriptors, credentials and other control messages. What does not fit
 * is lost, and the result reports it.
 *
 * Descriptors beyond the number that you asked for are closed. All are closed if anything fails.
 *
 * @param socket The socket
 * @param buffer One buffer, or several that are filled one after the other
 * @param options The room for control messages
 * @returns The message, of size 0 at the end of a stream, or `null` if there is none now
 * @throws {TypeError} If `buffer` is neither a `Uint8Array` nor an array of them
 * @throws {RangeError} If an option is out of range
 * @throws {OSError} If the system refuses (`recvmsg`), such as with `ECONNRESET`
 * @throws {Deno.errors.NotSupported} On Solaris
 *
 * @example A datagram that is larger than the buffer
 * ```ts
 * import { AF_UNIX, receiveMessage, SOCK_DGRAM, socketpair } from "@readiness/selectors/socket";
 * import { assertEquals } from "@std/assert";
 *
 * const [left, right] = socketpair(AF_UNIX, SOCK_DGRAM);
 * left.send(new Uint8Array(5));
 * const message = receiveMessage(right, [new Uint8Array(2), new Uint8Array(1)])!;
 * assertEquals([message.size, message.truncated], [3, true]);
 * left.close();
 * right.close();
 * ```
 *
 * @example The credentials of the sender (Linux)
 * ```ts
 * import {
 *   receiveMessage,
 *   SO_PASSCRED,
 *   socketpair,
 *   SOL_SOCKET,
 * } from "@readiness/selectors/socket";
 * import { assertEquals } from "@std/assert";
 *
 * const [left, right] = socketpair();
 * if (Deno.build.os === "linux") {
 *   right.setOption(SOL_SOCKET, SO_PASSCRED, 1);
 *   left.send(new Uint8Array(1));
 *   assertEquals(receiveMessage(right, new Uint8Array(1))?.credentials?.pid, Deno.pid);
 * }
 * left.close();
 * right.close();
 * ```
 *
 * @category Messages
 */
export function receiveMessage<Address extends SocketAddress | PacketAddress = SocketAddress>(
  socket: Socket<Address>,
  buffer: Uint8Array | readonly Uint8Array[],
  options?: ReceiveMessageOptions,
): ReceivedMessage<Address> | null {
  needMessages("receive");
  const own = readOptions("Cannot receive a message", options, [
    "descriptors",
    "controlSize",
    "flags",
  ]);
  const { descriptors: wanted = 0, controlSize = CONTROL_SIZE } = own;
  const flags = readFlags("Cannot receive a message: the flags", own.flags);
  assertInteger("Cannot receive a message: its descriptors", wanted, 0, MAX_DESCRIPTORS);
  assertInteger("Cannot receive a message: the controlSize", controlSize, 0);
  const control = new Uint8Array(
    new ArrayBuffer(controlSize + (wanted > 0 ? spaceFor(4 * wanted) : 0)),
  );
  const name = new Uint8Array(new ArrayBuffer(ADDRESS_SIZE));
  const buffers = buffersOf(buffer);
  const room = buffers.reduce((sum, { length }) => sum + length, 0);
  // No code of the caller may run between the header, which has addresses, and the call.
  const fd = socket.fileno();
  const header = new MessageHeader(buffers, control, name);
  let atOnce = MSG_CMSG_CLOEXEC ?? 0;
  for (;;) {
    const size = header.keepFor((bytes) => calls().recvmsg(fd, bytes, flags | atOnce, room));
    if (size >= 0) return received(fd, header, control, name, size, wanted, atOnce !== 0);
    // Packet sockets refuse the flag. They never receive descriptors.
    if (atOnce !== 0 && lastErrno() === EINVAL) atOnce = 0;
    else if (!isInterrupted("receive on", socket, callNames.recvmsg)) return null;
    header.reset();
  }
}

function received<Address extends SocketAddress | PacketAddress>(
  fd: number,
  header: MessageHeader,
  control: Uint8Array<ArrayBuffer>,
  name: Uint8Array<ArrayBuffer>,
  size: number,
  wanted: number,
  areCloseOnExec: boolean,
): ReceivedMessage<Address> {
  const { descriptors: fds, credentials, others } = decodeControl(
    control.subarray(0, header.controlSize),
  );
  const unwanted = fds.splice(wanted);
  closeQuietly(unwanted);
  try {
    if (!areCloseOnExec) fds.forEach(setCloseOnExec);
    const flags = header.flags & ~(MSG_CMSG_CLOEXEC ?? 0); // Linux returns this flag, too.
    const descriptors = fds.map((fd) => new FileDescriptor(fd));
    return {
      size,
      address: senderOf(fd, name, header.nameSize) as Address,
      descriptors,
      credentials: credentials === null ? null : decodeCredentials(credentials),
      control: others,
      flags,
      truncated: (flags & MSG_TRUNC) !== 0,
      controlTruncated: unwanted.length > 0 || (flags & MSG_CTRUNC) !== 0,
      [Symbol.dispose]: () =>
        closeAll(descriptors.map((file) => file.detach()).filter((fd) => fd >= 0)),
    };
  } catch (error) {
    closeQuietly(fds);
    throw error;
  }
}

/** Requires a socket that keeps control data without bytes. */
export function assertNotStream(socket: AnySocket): void {
  if (socket.getOption(SOL_SOCKET, SO_TYPE) === SOCK_STREAM) {
    throw new RangeError("Cannot send control data without bytes: a stream would lose it");
  }
}

/** Requires the calls that move messages. */
export function needMessages(action: "send" | "receive"): void {
  need(abi.messages, `Cannot ${action} a message`, "sendmsg and recvmsg that this package knows");
}

function buffersOf(data: Uint8Array | readonly Uint8Array[]): readonly Uint8Array[] {
  const buffers = Array.isArray(data) ? Array.from(data) : [data];
  buffers.forEach(transferLength); // Throws if one of them is not a Uint8Array.
  return buffers;
}

/** Returns all control messages to send. */
function controlOf(
  { descriptors = [], credentials, control = [] }: Omit<SendMessageOptions, "address">,
): ControlMessage[] {
  assertArray("Cannot send a message: its descriptors", descriptors);
  assertArray("Cannot send a message: its control messages", control);
  const messages = Array.from(control);
  if (descriptors.length > 0) {
    const attempt = "Cannot send a descriptor";
    const fds = Int32Array.from(Array.from(descriptors, (file) => descriptorOf(file, attempt)));
    messages.push({
      level: SOL_SOCKET,
      type: need(abi.messages!.constants.SCM_RIGHTS, "Cannot send descriptors", "SCM_RIGHTS"),
      data: new Uint8Array(fds.buffer),
    });
  }
  if (credentials !== undefined) {
    const { constants } = need(abi.credentials, "Cannot send credentials", "SCM_CREDENTIALS");
    messages.push({
      level: SOL_SOCKET,
      type: constants.SCM_CREDENTIALS,
      data: encodeCredentials(credentials),
    });
  }
  return messages;
}
