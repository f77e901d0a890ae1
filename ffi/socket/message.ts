import { abi } from "../abi/host.ts";
import { closeDescriptor, type HasFileno, nameOf, setCloseOnExec } from "../descriptor.ts";
import { platform } from "../platform/mod.ts";
import { lastErrno } from "../errno.ts";
import { ADDRESS_SIZE, describe, type SocketAddress } from "./address.ts";
import {
  type ControlMessage,
  type Credentials,
  decodeControl,
  decodeCredentials,
  encodeControl,
  encodeCredentials,
  spaceFor,
} from "./control.ts";
import { FileDescriptor, isInterrupted, transferLength } from "../fd/file_descriptor.ts";
import { MessageHeader } from "./message_header.ts";
import type { PacketAddress } from "./packet.ts";
import { assertFlags, assertInteger, encodeFor, senderOf, type Socket } from "./socket.ts";
import { assertDescriptor, need } from "../checks.ts";

const { MSG_CMSG_CLOEXEC, MSG_CTRUNC, MSG_NOSIGNAL, MSG_TRUNC, SOCK_STREAM, SOL_SOCKET, SO_TYPE } =
  abi.constants;
const { EINVAL } = abi.errno;

const { callNames, messageCalls: calls } = platform;

/** The room for control data unless told, descriptors aside. */
const CONTROL_SIZE = 256;

/** How many descriptors a message can bring at the most: Linux's limit, and above that of others. */
const MAX_DESCRIPTORS = 253;

/** What goes with a message. */
export interface SendMessageOptions<
  Address extends SocketAddress | PacketAddress = SocketAddress,
> {
  /** Whom to send to, of a socket that is not connected. */
  readonly address?: Address;
  /** Open descriptors that the receiver gets copies of; Unix sockets alone. They stay open here. */
  readonly descriptors?: readonly (number | HasFileno)[];
  /** The credentials to send, which take a privilege unless they are the process's own (Linux). */
  readonly credentials?: Credentials;
  /** Other control data. */
  readonly control?: readonly ControlMessage[];
  /** `MSG_DONTROUTE` and others, ORed. */
  readonly flags?: number;
}

/** What a message may bring along. */
export interface ReceiveMessageOptions {
  /** How many descriptors to take in, 253 at the most: none unless told. */
  readonly descriptors?: number;
  /** The room for other control data in bytes, headers included: 256 unless told. */
  readonly controlSize?: number;
  /** `MSG_PEEK` and others, ORed. */
  readonly flags?: number;
}

/** A message that was received. */
export interface ReceivedMessage<
  Address extends SocketAddress | PacketAddress = SocketAddress,
> extends Disposable {
  /** How many bytes were received; with the flag `MSG_TRUNC`, the whole datagram's size (Linux). */
  readonly size: number;
  /** The sender's address, as `recvFrom` tells it. */
  readonly address: Address;
  /**
   * The descriptors that came along, close-on-exec, and blocking or not as the sender's are. They
   * are the receiver's to close, or are closed at the end of a `using` block of the message, but
   * for those that were detached.
   */
  readonly descriptors: readonly FileDescriptor[];
  /** The sender's credentials, if `SO_PASSCRED` is set (Linux), or else `null`. */
  readonly credentials: Credentials | null;
  /** Other control data. */
  readonly control: readonly ControlMessage[];
  /** The flags that the system told: `MSG_TRUNC`, `MSG_CTRUNC`, `MSG_EOR`, … */
  readonly flags: number;
  /** Whether the message was larger than the buffers, so that its end is lost. */
  readonly truncated: boolean;
  /** Whether control data is lost: there was no room, or there were more descriptors than wanted. */
  readonly controlTruncated: boolean;
}

/**
 * Sends a message with `sendmsg` (on Windows `WSASendMsg`): gathered from many buffers, with descriptors, credentials and
 * other control data.
 *
 * A stream may take a part of the bytes, as `send` does. What goes along goes with the first of them:
 * send the rest without it. If the result is `null`, nothing went.
 *
 * @param socket The socket
 * @param data The bytes, in one buffer or many, 1024 at the most on most systems
 * @param options What goes along, and to whom
 * @returns The number of bytes sent, or `null` if there is no room now
 * @throws {TypeError} If `data` is no `Uint8Array` and no array of these, a descriptor is neither a
 * number nor has one, or the address is of another family
 * @throws {RangeError} If an option is out of range, or a stream would lose control data, as it takes
 * that with a byte or more only
 * @throws {OSError} If the system refuses (`sendmsg`), such as with `EMSGSIZE`, with `EBADF` if a
 * descriptor is closed, or with `EPERM` if the credentials are somebody else's
 * @throws {Deno.errors.NotSupported} On Solaris; with descriptors, on Windows; with credentials,
 * elsewhere than on Linux
 *
 * @example Descriptors over a Unix socket
 * ```ts
 * import { pipe, receiveMessage, sendMessage, socketpair } from "@readiness/selectors/socket";
 * import { assertEquals } from "@std/assert";
 *
 * const [left, right] = socketpair();
 * const { reader, writer } = pipe();
 * sendMessage(left, new Uint8Array(1), { descriptors: [writer] });
 * writer.close(); // The copy in the message stays open.
 *
 * using message = receiveMessage(right, new Uint8Array(1), { descriptors: 1 })!;
 * message.descriptors[0].write(new TextEncoder().encode("hi"));
 * assertEquals(reader.read(new Uint8Array(9)), 2);
 * for (const file of [left, right, reader]) file.close();
 * ```
 */
export function sendMessage<Address extends SocketAddress | PacketAddress = SocketAddress>(
  socket: Socket<Address>,
  data: Uint8Array | readonly Uint8Array[],
  options: SendMessageOptions<Address> = {},
): number | null {
  needMessages("send");
  const { address, flags = 0 } = options;
  assertFlags(flags);
  const buffers = buffersOf(data);
  const control = encodeControl(controlOf(options));
  if (
    control.length > 0 && buffers.every(({ length }) => length === 0) &&
    socket.getOption(SOL_SOCKET, SO_TYPE) === SOCK_STREAM
  ) {
    throw new RangeError("Cannot send control data without a byte: a stream would lose it");
  }
  const name = address === undefined
    ? undefined
    : encodeFor(socket, address, "send a message from", callNames.sendmsg);
  const header = new MessageHeader(buffers, control, name);
  const to = address === undefined ? "to" : `to ${describe(address)} from`;
  for (;;) {
    const size = header.keepFor((bytes) =>
      calls().sendmsg(socket.fileno(), bytes, flags | (MSG_NOSIGNAL ?? 0))
    );
    if (size >= 0) return size;
    if (!isInterrupted(`send ${to}`, socket, callNames.sendmsg)) return null;
  }
}

/**
 * Receives a message with `recvmsg` (on Windows `WSARecvMsg`, for datagrams alone): scattered into many buffers, with descriptors, credentials and
 * other control data. What did not fit is lost, and the message says so.
 *
 * Descriptors that come although they were not asked for, or more of them, are closed; so are all of
 * them if anything fails.
 *
 * @param socket The socket
 * @param buffer Where the bytes go: one buffer, or many that are filled one after the other
 * @param options What may come along
 * @returns The message, of size 0 at the end of a stream, or `null` if none waits
 * @throws {TypeError} If `buffer` is no `Uint8Array` and no array of these
 * @throws {RangeError} If an option is out of range
 * @throws {OSError} If the system refuses (`recvmsg`), such as with `ECONNRESET`
 * @throws {Deno.errors.NotSupported} On Solaris; or if the sender's family is none of
 * IPv4, IPv6, Unix and packets, which loses the message
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
 * @example Whose message it is (Linux)
 * ```ts
 * import { receiveMessage, SO_PASSCRED, socketpair, SOL_SOCKET } from "@readiness/selectors/socket";
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
 */
export function receiveMessage<Address extends SocketAddress | PacketAddress = SocketAddress>(
  socket: Socket<Address>,
  buffer: Uint8Array | readonly Uint8Array[],
  options: ReceiveMessageOptions = {},
): ReceivedMessage<Address> | null {
  needMessages("receive");
  const { descriptors: wanted = 0, controlSize = CONTROL_SIZE, flags = 0 } = options;
  assertFlags(flags);
  assertInteger("a number of descriptors", wanted, 0);
  assertInteger("a size of control data", controlSize, 0);
  if (wanted > MAX_DESCRIPTORS) {
    throw new RangeError(
      `Cannot receive ${wanted} descriptors: a message brings ${MAX_DESCRIPTORS} at the most`,
    );
  }
  const control = new Uint8Array(
    new ArrayBuffer(controlSize + (wanted > 0 ? spaceFor(4 * wanted) : 0)),
  );
  const name = new Uint8Array(new ArrayBuffer(ADDRESS_SIZE));
  const buffers = buffersOf(buffer);
  const room = buffers.reduce((sum, { length }) => sum + length, 0);
  const header = new MessageHeader(buffers, control, name);
  let atOnce = MSG_CMSG_CLOEXEC ?? 0;
  for (;;) {
    const size = header.keepFor((bytes) =>
      calls().recvmsg(socket.fileno(), bytes, flags | atOnce, room)
    );
    if (size >= 0) return received(socket, header, control, name, size, wanted, atOnce !== 0);
    // Packet sockets refuse the flag, and never bring descriptors.
    if (atOnce !== 0 && lastErrno() === EINVAL) atOnce = 0;
    else if (!isInterrupted("receive from", socket, callNames.recvmsg)) return null;
    header.reset();
  }
}

function received<Address extends SocketAddress | PacketAddress>(
  socket: Socket<Address>,
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
  const close = (fds: number[]) => fds.splice(0).forEach(closeDescriptor);
  try {
    const unwanted = fds.splice(wanted);
    const isCut = unwanted.length > 0;
    close(unwanted);
    if (!areCloseOnExec) fds.forEach(setCloseOnExec);
    const flags = header.flags & ~(MSG_CMSG_CLOEXEC ?? 0); // Linux tells this one back.
    const descriptors = fds.map((fd) => new FileDescriptor(fd));
    return {
      size,
      address: senderOf(socket, name, header.nameSize) as Address,
      descriptors,
      credentials: credentials === null ? null : decodeCredentials(credentials),
      control: others,
      flags,
      truncated: (flags & MSG_TRUNC) !== 0,
      controlTruncated: isCut || (flags & MSG_CTRUNC) !== 0,
      [Symbol.dispose]: () => descriptors.forEach((descriptor) => descriptor.close()),
    };
  } catch (error) {
    close(fds);
    throw error;
  }
}

/** Refuses where the tables have no layout for messages. */
function needMessages(what: "send" | "receive"): void {
  if (abi.messages === undefined) {
    throw new Deno.errors.NotSupported(
      `Cannot ${what} a message: ${Deno.build.os} has no sendmsg and recvmsg that the package knows`,
    );
  }
}

function buffersOf(data: Uint8Array | readonly Uint8Array[]): readonly Uint8Array[] {
  const buffers = Array.isArray(data) ? data : [data];
  buffers.forEach(transferLength); // Refuses what is none.
  return buffers;
}

/** All of the control data that goes along. */
function controlOf(
  { descriptors = [], credentials, control = [] }: Omit<SendMessageOptions, "address">,
): ControlMessage[] {
  const messages = [...control];
  if (descriptors.length > 0) {
    const fds = new Int32Array(descriptors.map(descriptorOf));
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

function descriptorOf(file: number | HasFileno): number {
  const fd = typeof file === "number" ? file : file?.fileno?.();
  if (typeof fd !== "number") {
    throw new TypeError(
      `Cannot send a descriptor: it must be a number or have a fileno(), received ${String(file)}`,
    );
  }
  assertDescriptor(`Cannot send ${nameOf(fd)}: it`, fd);
  return fd;
}
