import { abi } from "../abi/mod.ts";
import { assertInteger, describeValue, readFlags } from "../checks.ts";
import { errnoOf, nameOf } from "../descriptor.ts";
import { lastErrno, OSError } from "../errno.ts";
import { FileDescriptor, isInterrupted, transferLength } from "../fd/file_descriptor.ts";
import { platform } from "../platform/mod.ts";
import {
  describeAddress,
  encodeAddress,
  encodeAddressToBind,
  type SocketAddress,
} from "./address.ts";
import { socketCalls as calls } from "./calls.ts";
import { acceptSocket, createSocket, preventSigpipe } from "./create.ts";
import { stateOf } from "./inspect.ts";
import { familyOfSocket, localAddressOf, remoteAddressOf, senderOf } from "./names.ts";
import { nameOfOption } from "./option_name.ts";
import type { PacketAddress } from "./packet.ts";
import { adviceForBind } from "./privilege.ts";
import type { RawAddress } from "./raw_address.ts";
import { ADDRESS_SIZE, clearFamily } from "./sockaddr.ts";

const {
  MSG_NOSIGNAL,
  SHUT_RD,
  SHUT_RDWR,
  SHUT_WR,
  SO_ERROR,
  SO_TYPE,
  SOL_SOCKET,
  SOMAXCONN,
} = abi.constants;
const { EALREADY, EINPROGRESS, EINTR } = abi.errno;

/** The errno of a connect() that is in progress. */
const PENDING = platform.connectPendingErrno;

/** Prevents SIGPIPE where that is a flag of each `send`. */
const NO_SIGNAL = MSG_NOSIGNAL ?? 0;

const DIRECTIONS = { read: SHUT_RD, write: SHUT_WR, both: SHUT_RDWR };

// The sender's address of what is received: it is decoded before anything else can be received.
const SENDER = new Uint8Array(ADDRESS_SIZE);
const SENDER_SIZE = new Uint32Array(1);

// The address to connect to. Copying it costs less than a new array that Deno has to pin.
const PEER = new Uint8Array(ADDRESS_SIZE);

/** Passed to the constructor in place of the family, to adopt a descriptor. */
const ADOPT = Symbol("adopt");

/**
 * Encodes an address for the family of a socket. The class sets it, as it uses a private field.
 *
 * @param socket The socket
 * @param address The address
 * @param action What cannot be done if the socket is closed, such as `"bind"`
 * @param syscall The call that would do it
 * @param encode Encodes the address for a family
 * @returns The address in C's form
 */
export let encodeFor: (
  socket: AnySocket,
  address: SocketAddress | PacketAddress,
  action: string,
  syscall: string,
  encode?: typeof encodeAddress,
) => Uint8Array<ArrayBuffer>;

/** Connects. Returns 0, `EINPROGRESS`, or the errno of the refusal. The class sets it, too. */
export let connectFor: (socket: AnySocket, address: SocketAddress | PacketAddress) => number;

/**
 * A socket, non-blocking and close-on-exec from the start. Each method makes a system call.
 *
 * @example A server and a client on loopback
 * ```ts
 * import { DefaultSelector, EVENT_READ, EVENT_WRITE } from "@readiness/selectors";
 * import { AF_INET, SOCK_STREAM, Socket } from "@readiness/selectors/socket";
 * import { assertEquals } from "@std/assert";
 *
 * using server = new Socket(AF_INET, SOCK_STREAM);
 * server.bind({ hostname: "127.0.0.1", port: 0 });
 * server.listen();
 *
 * using client = new Socket(AF_INET, SOCK_STREAM);
 * using selector = new DefaultSelector();
 * if (!client.connect(server.localAddress)) {
 *   selector.register(client, EVENT_WRITE);
 *   selector.select();
 * }
 * assertEquals(client.error(), null);
 *
 * selector.register(server, EVENT_READ);
 * selector.select();
 * using connection = server.accept()!;
 * assertEquals(connection.remoteAddress, client.localAddress);
 * ```
 *
 * @example Hand a connection over to `node:net`
 * ```ts
 * import { Socket as NodeSocket } from "node:net";
 * import { socketpair } from "@readiness/selectors/socket";
 *
 * if (Deno.build.os === "linux") {
 *   const [left, right] = socketpair();
 *   const socket = new NodeSocket({ fd: left.detach() }); // It closes the descriptor.
 *   socket.on("data", (data) => {
 *     console.log(`${data}`); // hello
 *     socket.destroy();
 *   });
 *   right.send(new TextEncoder().encode("hello"));
 *   await new Promise((resolve) => socket.on("close", resolve));
 *   right.close();
 * }
 * ```
 *
 * @example An ICMP datagram socket, which needs no privilege in the groups that may ping
 * ```ts
 * import { AF_INET, IPPROTO_ICMP, OSError, SOCK_DGRAM, Socket } from "@readiness/selectors/socket";
 *
 * try {
 *   using socket = new Socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
 *   socket.sendTo(new Uint8Array([8, 0, 0, 0, 0, 0, 0, 1]), { hostname: "127.0.0.1", port: 0 });
 * } catch (error) {
 *   if (!(error instanceof OSError)) throw error;
 *   console.log(error.message); // Which privilege is missing, and how to get it.
 * }
 * ```
 *
 * @typeParam Address The type of its addresses, `PacketAddress` for a packet socket (Linux)
 *
 * @category Sockets
 */
export class Socket<Address extends SocketAddress | PacketAddress = SocketAddress>
  extends FileDescriptor {
  /** The address family, once it is known. It never changes. */
  #family: number | undefined;

  /** The error that {@linkcode Socket.error} returned last, where the system keeps it. */
  #reportedErrno = 0;

  static {
    encodeFor = (socket, address, action, syscall, encode = encodeAddress) => {
      const fd = socket.fileno();
      // Asking again about a closed socket throws the right error.
      if (fd < 0) familyOfSocket(fd, action, syscall);
      return encode(address, socket.#family ??= familyOfSocket(fd, action, syscall));
    };
    connectFor = (socket, address) => {
      const bytes = encodeFor(socket, address, "connect", "connect");
      const fd = socket.fileno();
      socket.#reportedErrno = 0;
      PEER.set(bytes);
      if (calls().connect(fd, PEER, bytes.length) === 0) return 0;
      const errno = lastErrno();
      // A signal does not end the attempt.
      return errno === PENDING || errno === EALREADY || errno === EINTR ? EINPROGRESS : errno;
    };
  }

  /**
   * Creates a socket.
   *
   * @param family The address family: `AF_INET`, `AF_INET6`, `AF_UNIX`, …
   * @param type The socket type: `SOCK_STREAM`, `SOCK_DGRAM`, …
   * @param protocol The protocol, such as `IPPROTO_ICMP`; 0 is the default of the type. Leave it 0
   * for a packet socket, and let `bind` choose the protocol together with the interface
   * @throws {RangeError} If an argument is not a 32-bit integer, such as `undefined`, the value of
   * a constant that the system lacks
   * @throws {OSError} If the system refuses (`socket`), such as with `EAFNOSUPPORT`. If a privilege
   * is missing (`EPERM`, `EACCES`), the message names it: raw and packet sockets need `CAP_NET_RAW`
   * on Linux and root elsewhere, ICMP datagram sockets a certain group on Linux
   * @throws {Deno.errors.NotCapable} Without FFI permission
   */
  constructor(family: number, type: number, protocol?: number);
  /** @ignore */
  constructor(family: number | typeof ADOPT, type: number, ...protocol: number[]) {
    // A protocol that is given but undefined is one that the system lacks.
    const number = protocol.length === 0 ? 0 : protocol[0]!;
    super(family === ADOPT ? type : createSocket(family, type, number));
    if (family !== ADOPT) this.#family = family;
  }

  /**
   * Adopts an open socket as it is, blocking or not.
   *
   * @param fd Its descriptor, an integer from 0 to 2³¹ − 1
   * @returns The socket
   * @throws {TypeError} If `fd` is not a number
   * @throws {RangeError} If `fd` is negative, fractional or too large
   * @throws {OSError} If it is not open (`EBADF`, on Windows `ENOTSOCK`) or not a socket
   * (`ENOTSOCK`)
   *
   * @example Usage
   * ```ts
   * import { Socket, socketpair } from "@readiness/selectors/socket";
   *
   * const [left, right] = socketpair();
   * using adopted = Socket.fromFd(left.detach());
   * right.close();
   * ```
   */
  static fromFd(fd: number): Socket {
    const socket = adopt(fd);
    getInteger(fd, SOL_SOCKET, SO_TYPE, "adopt"); // Fails if it is not a socket.
    preventSigpipe(fd);
    return socket;
  }

  /**
   * Binds the socket to an address.
   *
   * @param address The address. Resolving a name blocks. An empty path lets Linux choose a free
   * abstract one
   * @throws {TypeError} If it is not an address, or of another family than the socket
   * @throws {RangeError} If the port or the length of the path is out of range
   * @throws {OSError} If the system refuses (`bind`), such as with `EADDRINUSE` or `EACCES`, or the
   * name cannot be resolved (`getaddrinfo`)
   *
   * @example A Unix socket
   * ```ts
   * import { AF_UNIX, SOCK_DGRAM, Socket } from "@readiness/selectors/socket";
   *
   * if (Deno.build.os !== "windows") {
   *   const directory = await Deno.makeTempDir();
   *   using socket = new Socket(AF_UNIX, SOCK_DGRAM);
   *   socket.bind({ path: `${directory}/socket` });
   *   await Deno.remove(directory, { recursive: true });
   * }
   * ```
   */
  bind(address: Address | RawAddress): void {
    const bytes = encodeFor(this, address, "bind", "bind", encodeAddressToBind);
    const fd = this.fileno();
    if (calls().bind(fd, bytes, bytes.length) < 0) {
      const errno = lastErrno();
      const attempt = `Cannot bind ${nameOf(fd)} to ${describeAddress(address)}`;
      throw new OSError(attempt + adviceForBind(address, errno), "bind", errno);
    }
  }

  /**
   * Listens for connections.
   *
   * @param backlog The number of connections that may wait to be accepted, 0 or more; by default as
   * many as the system allows
   * @throws {RangeError} If the backlog is negative or not an integer
   * @throws {OSError} If the system refuses (`listen`), such as with `EOPNOTSUPP`
   *
   * @example Usage
   * ```ts
   * import { AF_INET, SOCK_STREAM, Socket } from "@readiness/selectors/socket";
   *
   * using server = new Socket(AF_INET, SOCK_STREAM);
   * server.bind({ hostname: "127.0.0.1", port: 0 });
   * server.listen(16);
   * ```
   */
  listen(backlog?: number): void {
    if (backlog === undefined) backlog = SOMAXCONN;
    assertInteger("Cannot listen: the backlog", backlog, 0);
    const fd = this.fileno();
    if (calls().listen(fd, backlog | 0) < 0) {
      throw new OSError(`Cannot listen on ${nameOf(fd)}`, "listen", errnoOf(fd));
    }
  }

  /**
   * Accepts a connection that is waiting. A connection that was lost while it waited is skipped,
   * such as one that was reset or that a firewall forbids.
   *
   * @returns The connection, non-blocking and close-on-exec, or `null` if none is waiting
   * @throws {OSError} If the system refuses (`accept4` or `accept`), such as with `EMFILE`
   *
   * @example Usage
   * ```ts
   * import { AF_INET, SOCK_STREAM, Socket } from "@readiness/selectors/socket";
   * import { assertEquals } from "@std/assert";
   *
   * using server = new Socket(AF_INET, SOCK_STREAM);
   * server.bind({ hostname: "127.0.0.1", port: 0 });
   * server.listen();
   * assertEquals(server.accept(), null);
   * ```
   */
  accept(): Socket<Address> | null {
    const fd = acceptSocket(this.fileno());
    return fd === null ? null : adopt(fd) as Socket<Address>;
  }

  /**
   * Connects to an address, or starts to. While the connection is in progress the socket is not
   * writable. Once it is, {@linkcode Socket.error} returns why the attempt failed, or `null`.
   *
   * @param address The peer's address. Resolving a name blocks
   * @returns `true` if the socket is connected, `false` if the connection is in progress
   * @throws {TypeError} If it is not an address, or of another family than the socket
   * @throws {RangeError} If the port or the length of the path is out of range
   * @throws {OSError} If the system refuses (`connect`), such as with `ECONNREFUSED`, or the name
   * cannot be resolved (`getaddrinfo`)
   *
   * @example Usage
   * ```ts
   * import { DefaultSelector, EVENT_WRITE } from "@readiness/selectors";
   * import { AF_INET, SOCK_STREAM, Socket } from "@readiness/selectors/socket";
   *
   * using server = new Socket(AF_INET, SOCK_STREAM);
   * server.bind({ hostname: "127.0.0.1", port: 0 });
   * server.listen();
   * using client = new Socket(AF_INET, SOCK_STREAM);
   * if (!client.connect(server.localAddress)) {
   *   using selector = new DefaultSelector();
   *   selector.register(client, EVENT_WRITE);
   *   selector.select();
   *   const error = client.error();
   *   if (error !== null) throw error;
   * }
   * ```
   */
  connect(address: Address | RawAddress): boolean {
    const errno = connectFor(this, address);
    if (errno === 0) return true;
    if (errno === EINPROGRESS) return false;
    const attempt = `Cannot connect ${nameOf(this.fileno())} to ${describeAddress(address)}`;
    throw new OSError(attempt, "connect", errno);
  }

  /**
   * Returns the pending error of the socket, and clears it (`SO_ERROR`).
   *
   * @returns The error, or `null` if there is none
   * @throws {OSError} If the system refuses (`getsockopt`), such as with `EBADF`
   *
   * @example Usage
   * ```ts
   * import { DefaultSelector, EVENT_WRITE } from "@readiness/selectors";
   * import { AF_INET, SOCK_STREAM, Socket } from "@readiness/selectors/socket";
   * import { assertEquals } from "@std/assert";
   *
   * using client = new Socket(AF_INET, SOCK_STREAM);
   * using selector = new DefaultSelector();
   * client.connect({ hostname: "127.0.0.1", port: 1 }); // Nothing listens there.
   * selector.register(client, EVENT_WRITE);
   * selector.select();
   * assertEquals(client.error()?.code, "ECONNREFUSED");
   * assertEquals(client.error(), null);
   * ```
   */
  error(): OSError | null {
    const fd = this.fileno();
    const errno = getInteger(fd, SOL_SOCKET, SO_ERROR, "get the pending error of");
    const isNew = errno !== 0 && errno !== this.#reportedErrno;
    if (platform.keepsSocketError) this.#reportedErrno = errno;
    return isNew ? new OSError(`The socket ${nameOf(fd)} failed`, "getsockopt", errno) : null;
  }

  /**
   * Receives bytes.
   *
   * 0 is the end of the stream, as in POSIX; Deno's own `read` returns `null` there.
   *
   * @param buffer Receives the bytes, as many as fit
   * @param flags `MSG_PEEK` and others, ORed
   * @returns The number of bytes received, 0 at the end of the stream, or `null` if there is
   * nothing to receive now
   * @throws {TypeError} If `buffer` is not a `Uint8Array`
   * @throws {RangeError} If `flags` is not a 32-bit integer
   * @throws {OSError} If the system refuses (`recv`), such as with `ECONNRESET`
   *
   * @example Usage
   * ```ts
   * import { MSG_PEEK, socketpair } from "@readiness/selectors/socket";
   * import { assertEquals } from "@std/assert";
   *
   * const [left, right] = socketpair();
   * left.send(new Uint8Array(3));
   * assertEquals(right.recv(new Uint8Array(10), MSG_PEEK), 3);
   * assertEquals(right.recv(new Uint8Array(10)), 3);
   * assertEquals(right.recv(new Uint8Array(10)), null);
   * left.close();
   * assertEquals(right.recv(new Uint8Array(10)), 0);
   * right.close();
   * ```
   */
  recv(buffer: Uint8Array, flags?: number): number | null {
    const length = transferLength(buffer);
    const bits = readFlags("Cannot receive: the flags", flags);
    for (;;) {
      const size = calls().recv(this.fileno(), buffer, length, bits);
      if (size >= 0) return size;
      if (!isInterrupted("receive on", this, "recv")) return null;
    }
  }

  /**
   * Sends bytes. A broken connection throws; it never raises SIGPIPE.
   *
   * @param data The bytes. The system takes as many as there is room for
   * @param flags `MSG_OOB` and others, ORed
   * @returns The number of bytes sent, or `null` if there is no room now
   * @throws {TypeError} If `data` is not a `Uint8Array`
   * @throws {RangeError} If `flags` is not a 32-bit integer
   * @throws {OSError} If the system refuses (`send`), such as with `EPIPE` or `ENOTCONN`
   *
   * @example Usage
   * ```ts
   * import { socketpair } from "@readiness/selectors/socket";
   * import { assertEquals } from "@std/assert";
   *
   * const [left, right] = socketpair();
   * assertEquals(left.send(new TextEncoder().encode("hi")), 2);
   * left.close();
   * right.close();
   * ```
   */
  send(data: Uint8Array, flags?: number): number | null {
    const length = transferLength(data);
    const bits = readFlags("Cannot send: the flags", flags);
    for (;;) {
      const size = calls().send(this.fileno(), data, length, bits | NO_SIGNAL);
      if (size >= 0) return size;
      if (!isInterrupted("send on", this, "send")) return null;
    }
  }

  /**
   * Does the same as {@linkcode Socket.recv} without flags.
   *
   * @param buffer Receives the bytes, as many as fit
   * @returns The number of bytes received, 0 at the end of the stream, or `null` if there is
   * nothing to receive now
   * @throws {TypeError} If `buffer` is not a `Uint8Array`
   * @throws {OSError} If the system refuses (`recv`), such as with `ECONNRESET`
   *
   * @example Usage
   * ```ts
   * import { socketpair } from "@readiness/selectors/socket";
   * import { assertEquals } from "@std/assert";
   *
   * using pair = socketpair();
   * const [left, right] = pair;
   * left.write(new Uint8Array(3));
   * assertEquals(right.read(new Uint8Array(10)), 3);
   * ```
   */
  override read(buffer: Uint8Array): number | null {
    return this.recv(buffer);
  }

  /**
   * Does the same as {@linkcode Socket.send} without flags.
   *
   * @param data The bytes. The system takes as many as there is room for
   * @returns The number of bytes sent, or `null` if there is no room now
   * @throws {TypeError} If `data` is not a `Uint8Array`
   * @throws {OSError} If the system refuses (`send`), such as with `EPIPE` or `ENOTCONN`
   *
   * @example Usage
   * ```ts
   * import { socketpair } from "@readiness/selectors/socket";
   * import { assertEquals } from "@std/assert";
   *
   * using pair = socketpair();
   * assertEquals(pair[0].write(new TextEncoder().encode("hi")), 2);
   * ```
   */
  override write(data: Uint8Array): number | null {
    return this.send(data);
  }

  /**
   * Receives a datagram and the address of its sender. On a stream it receives what is there; the
   * address is the peer's, or `0.0.0.0` or `::` with port 0 once the connection is over.
   *
   * A datagram that is larger than the buffer is truncated, and `size` does not show it. On Linux
   * the flag `MSG_TRUNC` returns the size of the whole datagram, which is then above the buffer's.
   * {@linkcode receiveMessage} reports truncation on every system.
   *
   * @param buffer Receives the bytes. What does not fit is lost
   * @param flags `MSG_PEEK`, `MSG_TRUNC` and others, ORed. On a stream `MSG_TRUNC` drops the bytes
   * @returns The size and the sender's address, or `null` if there is nothing to receive now
   * @throws {TypeError} If `buffer` is not a `Uint8Array`
   * @throws {RangeError} If `flags` is not a 32-bit integer
   * @throws {OSError} If the system refuses (`recvfrom`), such as with `ECONNREFUSED`
   *
   * @example Usage
   * ```ts
   * import { AF_INET, SOCK_DGRAM, Socket } from "@readiness/selectors/socket";
   * import { assertEquals } from "@std/assert";
   *
   * using left = new Socket(AF_INET, SOCK_DGRAM);
   * using right = new Socket(AF_INET, SOCK_DGRAM);
   * left.bind({ hostname: "127.0.0.1", port: 0 });
   * right.bind({ hostname: "127.0.0.1", port: 0 });
   * left.sendTo(new Uint8Array(3), right.localAddress);
   * assertEquals(right.recvFrom(new Uint8Array(10)), { size: 3, address: left.localAddress });
   * ```
   */
  recvFrom(
    buffer: Uint8Array,
    flags?: number,
  ): { size: number; address: Address } | null {
    const length = transferLength(buffer);
    const bits = readFlags("Cannot receive: the flags", flags);
    const fd = this.fileno();
    for (;;) {
      clearFamily(SENDER); // Of what was received before: streams have no sender.
      SENDER_SIZE[0] = ADDRESS_SIZE;
      const size = calls().recvfrom(fd, buffer, length, bits, SENDER, SENDER_SIZE);
      if (size >= 0) return { size, address: senderOf(fd, SENDER, SENDER_SIZE[0]!) as Address };
      if (!isInterrupted("receive on", this, "recvfrom")) return null;
    }
  }

  /**
   * Sends a datagram to an address.
   *
   * @param data The datagram
   * @param address The receiver's address. Resolving a name blocks
   * @param flags `MSG_DONTROUTE` and others, ORed
   * @returns The number of bytes sent, or `null` if there is no room now
   * @throws {TypeError} If `data` is not a `Uint8Array`, or the address is of another family
   * @throws {RangeError} If the port or the length of the path is out of range, or `flags` is not a
   * 32-bit integer
   * @throws {OSError} If the system refuses (`sendto`), such as with `EMSGSIZE`, or the name cannot
   * be resolved (`getaddrinfo`)
   *
   * @example Usage
   * ```ts
   * import { AF_INET6, SOCK_DGRAM, Socket } from "@readiness/selectors/socket";
   *
   * using receiver = new Socket(AF_INET6, SOCK_DGRAM);
   * receiver.bind({ hostname: "::1", port: 0 });
   * using sender = new Socket(AF_INET6, SOCK_DGRAM);
   * sender.sendTo(new TextEncoder().encode("hi"), receiver.localAddress);
   * ```
   */
  sendTo(data: Uint8Array, address: Address | RawAddress, flags?: number): number | null {
    const length = transferLength(data);
    const bits = readFlags("Cannot send: the flags", flags);
    const name = encodeFor(this, address, "send on", "sendto");
    const fd = this.fileno();
    for (;;) {
      const size = calls().sendto(fd, data, length, bits | NO_SIGNAL, name, name.length);
      if (size >= 0) return size;
      const errno = lastErrno(); // Before a getter of the address can change it.
      if (!isInterrupted(`send to ${describeAddress(address)} on`, this, "sendto", errno)) {
        return null;
      }
    }
  }

  /**
   * Shuts down one direction of the connection, or both.
   *
   * After `"write"` the peer reads the end of the stream. After `"read"` this socket does; on
   * Windows receiving throws `OSError` (`ESHUTDOWN`) instead.
   *
   * @param how The direction
   * @throws {TypeError} If `how` is not one of the three
   * @throws {OSError} If the system refuses (`shutdown`), such as with `ENOTCONN`
   *
   * @example Usage
   * ```ts
   * import { socketpair } from "@readiness/selectors/socket";
   * import { assertEquals } from "@std/assert";
   *
   * const [left, right] = socketpair();
   * left.shutdown("write");
   * assertEquals(right.recv(new Uint8Array(1)), 0);
   * left.close();
   * right.close();
   * ```
   */
  shutdown(how: "read" | "write" | "both"): void {
    const fd = this.fileno();
    if (typeof how !== "string" || !Object.hasOwn(DIRECTIONS, how)) {
      throw new TypeError(
        `Cannot shut down ${nameOf(fd)}: the direction must be "read", "write" or "both", ` +
          `received ${describeValue(how)}`,
      );
    }
    if (calls().shutdown(fd, DIRECTIONS[how]) < 0) {
      throw new OSError(`Cannot shut down ${nameOf(fd)}`, "shutdown", errnoOf(fd));
    }
  }

  /**
   * Gets an option that is an integer. {@linkcode getOptionBytes} gets any other.
   *
   * @param level The level of the option: `SOL_SOCKET`, `IPPROTO_TCP`, …
   * @param name The option: `SO_RCVBUF`, `TCP_NODELAY`, …
   * @returns Its value
   * @throws {RangeError} If `level` or `name` is not a 32-bit integer
   * @throws {OSError} If the system refuses (`getsockopt`), such as with `ENOPROTOOPT`
   *
   * @example Usage
   * ```ts
   * import { SO_TYPE, SOCK_STREAM, socketpair, SOL_SOCKET } from "@readiness/selectors/socket";
   * import { assertEquals } from "@std/assert";
   *
   * const [left, right] = socketpair();
   * assertEquals(left.getOption(SOL_SOCKET, SO_TYPE), SOCK_STREAM);
   * left.close();
   * right.close();
   * ```
   */
  getOption(level: number, name: number): number {
    assertInteger("Cannot get an option: the level", level);
    assertInteger("Cannot get an option: the name", name);
    return getInteger(this.fileno(), level | 0, name | 0);
  }

  /**
   * Sets an option.
   *
   * @param level The level of the option: `SOL_SOCKET`, `IPPROTO_TCP`, …
   * @param name The option: `SO_RCVBUF`, `TCP_NODELAY`, …
   * @param value An integer, or the bytes of a structure
   * @throws {RangeError} If `level`, `name` or a numeric `value` is not a 32-bit integer
   * @throws {OSError} If the system refuses (`setsockopt`), such as with `ENOPROTOOPT`
   *
   * @example Usage
   * ```ts
   * import {
   *   AF_INET,
   *   IPPROTO_TCP,
   *   SOCK_STREAM,
   *   Socket,
   *   TCP_NODELAY,
   * } from "@readiness/selectors/socket";
   *
   * using socket = new Socket(AF_INET, SOCK_STREAM);
   * socket.setOption(IPPROTO_TCP, TCP_NODELAY, 1);
   * ```
   */
  setOption(level: number, name: number, value: number | Uint8Array): void {
    assertInteger("Cannot set an option: the level", level);
    assertInteger("Cannot set an option: the name", name);
    if (!(value instanceof Uint8Array)) assertInteger("Cannot set an option: the value", value);
    const bytes = value instanceof Uint8Array ? value : new Int32Array([value]);
    const fd = this.fileno();
    if (calls().setsockopt(fd, level | 0, name | 0, bytes, bytes.byteLength) < 0) {
      throw new OSError(
        `Cannot set ${nameOfOption(level, name)} of ${nameOf(fd)}`,
        "setsockopt",
        errnoOf(fd),
      );
    }
  }

  /**
   * The address that the socket is bound to.
   *
   * @throws {OSError} If the system refuses (`getsockname`), such as with `EBADF`
   *
   * @example Usage
   * ```ts
   * import { AF_INET, SOCK_STREAM, Socket } from "@readiness/selectors/socket";
   *
   * using socket = new Socket(AF_INET, SOCK_STREAM);
   * socket.bind({ hostname: "127.0.0.1", port: 0 });
   * console.log(socket.localAddress); // { hostname: "127.0.0.1", port: … }
   * ```
   */
  get localAddress(): Address {
    return localAddressOf(this.fileno()) as Address;
  }

  /**
   * The address of the peer.
   *
   * @throws {OSError} If the system refuses (`getpeername`), such as with `ENOTCONN`
   *
   * @example Usage
   * ```ts
   * import { AF_INET, SOCK_DGRAM, Socket } from "@readiness/selectors/socket";
   *
   * using socket = new Socket(AF_INET, SOCK_DGRAM);
   * socket.connect({ hostname: "127.0.0.1", port: 9 });
   * console.log(socket.remoteAddress); // { hostname: "127.0.0.1", port: 9 }
   * ```
   */
  get remoteAddress(): Address {
    return remoteAddressOf(this.fileno()) as Address;
  }

  /** Shows the class, the descriptor, the family and the addresses in `console.log()`. */
  [Symbol.for("Deno.customInspect")](
    inspect: typeof Deno.inspect,
    options: Deno.InspectOptions,
  ): string {
    const fd = this.fileno();
    return `${this.constructor.name} ${inspect({ fd, ...stateOf(fd), ...this }, options)}`;
  }
}

/**
 * A socket with addresses of any type, for functions that work with all of them.
 *
 * @category Sockets
 */
export type AnySocket = Socket<SocketAddress | PacketAddress>;

/** Makes a `Socket` of an open socket. */
export function adopt(fd: number): Socket {
  return new Socket(ADOPT as never, fd);
}

function getInteger(fd: number, level: number, name: number, action?: string): number {
  const value = new Int32Array(1);
  const size = new Uint32Array([value.byteLength]);
  if (calls().getsockopt(fd, level, name, value, size) < 0) {
    const attempt = action ?? `get ${nameOfOption(level, name)} of`;
    throw new OSError(`Cannot ${attempt} ${nameOf(fd)}`, "getsockopt", errnoOf(fd));
  }
  return value[0]!;
}
